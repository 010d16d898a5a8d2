// What generates: a plan in the runtime, or the model interpreter, behind one interface; one sequence at a time.
#pragma once

#include "lib/Driver/Errors.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct mmc_session;

namespace mmc::driver {

struct EngineInfo {
  std::string digest; // empty where there is no plan
  std::string target, dtype, variant;
  uint32_t ranks = 1, threads = 0; // threads 0: one per core
  uint32_t vocabulary = 0;
  uint64_t maxModelLen = 0;
  uint32_t maxStepTokens = 0; // tokens of one step
  uint32_t block = 1;         // chunks that are multiples of it leave answers bitwise the same
  std::vector<int32_t> stopTokens;
  std::vector<int32_t> suppressed; // ids whose embedding row is all zero
};

class Engine {
public:
  virtual ~Engine() = default;
  const EngineInfo &info() const { return facts; }
  /// Forgets the sequence and starts an empty one.
  virtual Status restart() = 0;
  enum class Rows { none, last, all };
  /// Feeds at most maxStepTokens tokens; the logits are rows of `vocabulary` floats, valid until the next call.
  virtual Expected<std::span<const float>> step(std::span<const int32_t> tokens, Rows rows) = 0;
  /// The runtime's session, for cancellation and tracing; null without one.
  virtual mmc_session *session() { return nullptr; }

protected:
  EngineInfo facts;
};

} // namespace mmc::driver
