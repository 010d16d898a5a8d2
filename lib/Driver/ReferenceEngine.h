// An engine that interprets the model description: `--target reference`. Slow and obviously right.
#pragma once

#include "lib/Driver/Engine.h"
#include "lib/Driver/PlanEngine.h"

namespace mmc::driver {

struct ReferenceOptions {
  std::string model; // HF_DIR, config.json or model.mlir
  WeightsChoice weights;
  std::string dtype;        // float64 (also if empty), float32, bfloat16
  uint64_t maxModelLen = 0; // 0: the model's own limit
};

Expected<std::unique_ptr<Engine>> makeReferenceEngine(const ReferenceOptions &options);

} // namespace mmc::driver
