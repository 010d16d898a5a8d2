// Compiles a model in memory and runs it through the C ABI: what the end-to-end tests share.
//
// Failures of a call are test failures with the status' text; results are then empty, never a crash.
#pragma once

#include "lib/Compiler/Compiler.h"
#include "mmc-c/Runtime.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mmc::test {

/// Variants of a plan that this machine executes, narrowest first.
std::vector<std::string> hostVariants();

/// The text of a status, which is freed; empty for success.
std::string take(mmc_status *status);

struct PlanOptions {
  Target target = {"cpu", {}};
  std::string dtype = "float32";
  std::vector<std::string> disabledPasses;
  uint32_t maxNumSeqs = 16;
  uint32_t maxNumBatchedTokens = 4096;
  uint32_t recurrenceBlock = 64;
  uint64_t maxModelLen = 4096;
};

/// The bytes of a plan with the variants of this machine; empty after a failure.
std::vector<uint8_t> compilePlan(const std::string &model, const PlanOptions &options = {});

/// A plan with its weights, ready for sessions.
class TestModel {
public:
  /// `weights`: the checkpoint's folder; empty: random weights of seed 1.
  TestModel(const std::vector<uint8_t> &plan, const std::string &weights, const std::string &variant = "");
  bool ok() const { return model != nullptr; }
  mmc_model *handle() const { return model.get(); }
  const mmc_plan_info &info() const { return facts; }
  /// The id with the largest logit, padding rows left out; ties go to the lowest id.
  int32_t argmax(std::span<const float> row) const;

private:
  std::unique_ptr<mmc_plan, void (*)(mmc_plan *)> plan{nullptr, mmc_plan_free};
  std::unique_ptr<mmc_model, void (*)(mmc_model *)> model{nullptr, mmc_model_free};
  mmc_plan_info facts = {};
  std::vector<bool> suppressed;
};

/// A session with up to `sequences` sequences.
class TestSession {
public:
  explicit TestSession(const TestModel &model, uint32_t threads = 0, uint32_t sequences = 1);
  ~TestSession();
  TestSession(const TestSession &) = delete;
  TestSession &operator=(const TestSession &) = delete;

  mmc_session *handle() const { return session; }
  size_t add();
  mmc_sequence *sequence(size_t index) const { return sequences[index]; }
  /// Takes over a restored sequence.
  size_t adopt(mmc_sequence *sequence);
  /// Frees it, and with it its slot; its index is not used again.
  void remove(size_t index);

  struct Entry {
    size_t sequence;
    std::span<const int32_t> tokens;
  };
  /// One step; all rows of logits of each entry.
  std::vector<std::vector<float>> step(const std::vector<Entry> &entries);
  /// Feeds tokens to one sequence in chunks; all rows of logits.
  std::vector<float> feed(size_t sequence, std::span<const int32_t> tokens, size_t chunk);
  /// The sequence's state and KV as bytes.
  std::vector<uint8_t> snapshot(size_t sequence) const;

private:
  const TestModel &model;
  mmc_session *session = nullptr;
  std::vector<mmc_sequence *> sequences;
};

/// A fresh session: feeds the ids in chunks (0: at once) and returns all rows.
std::vector<float> logitsOf(const TestModel &model, std::span<const int32_t> ids, size_t chunk = 0,
                            uint32_t threads = 0);

/// Greedy continuation of the ids.
std::vector<int32_t> greedyTokens(const TestModel &model, std::span<const int32_t> ids, size_t count);

/// The rows at `positions`.
std::vector<float> selectRows(const std::vector<float> &rows, const std::vector<int32_t> &positions, size_t width);

/// Reproducible ids in [0, below).
std::vector<int32_t> someTokens(size_t count, int32_t below, uint64_t seed);

} // namespace mmc::test
