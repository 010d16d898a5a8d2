// An engine that runs a plan through the C ABI.
#pragma once

#include "lib/Driver/Console.h"
#include "lib/Driver/Engine.h"
#include "mmc-c/Runtime.h"

namespace mmc::driver {

/// Where weights come from: a folder, or `random` or `random:SEED`.
struct WeightsChoice {
  std::string folder;
  bool random = false;
  uint64_t seed = 0;
};
Expected<WeightsChoice> parseWeights(const std::string &text);

struct PlanEngineOptions {
  std::string path; // of the plan, if bytes is null
  const std::vector<uint8_t> *bytes = nullptr;
  WeightsChoice weights;
  std::string cpuVariant;  // empty: the widest
  std::string cudaVariant; // empty: the best for the device
  bool noHostCode = false, cudaSync = false, cudaGraphs = true;
  uint32_t threads = 0;
  ProgressMode progress = ProgressMode::none;
};

/// Loads the plan and the weights and makes a session for one sequence.
Expected<std::unique_ptr<Engine>> makePlanEngine(const PlanEngineOptions &options);

} // namespace mmc::driver
