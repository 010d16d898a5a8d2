// The released model's widths for kernels alone, with K cut to 512 and few heads: one layer of each kind, eight heads
// to one of keys, eight experts.
#pragma once

#include "test/E2E/LaunchReplay.h"
#include "test/E2E/RandomModels.h"

namespace mmc::test {

/// Heads of 64 and 128 are those that products of warpgroups are made for.
RandomModel releasedWidths(int64_t headDim, int64_t heads = 8, int64_t experts = 8, int64_t topK = 2);

/// Its plan in bfloat16 for a family of the emulated device, for steps of up to `tokens` tokens.
std::vector<uint8_t> compileForEmulation(const Folder &folder, const RandomModel &model, const std::string &family,
                                         uint32_t tokens = 512, uint32_t block = 64);

/// Sequences of prompts in one step; then a step of a token for each, beside a longer piece for one of them, which has
/// a history then.
struct RaggedBatch {
  std::vector<size_t> lengths;
  size_t longer = 0; ///< the sequence whose second step is more than a token ...
  size_t piece = 1;  ///< ... and how many it has
  uint64_t seed = 0; ///< of the token ids
};

/// In which order the emulated device runs threads, copies and streams, and whether it looks for what is wrong with
/// another one, which takes about twice the time.
struct EmulatedOrder {
  uint64_t seed = 0;
  bool checks = true;
};

/// What all launches of the batch left, and the logits of both steps.
struct BatchRun {
  std::vector<LaunchPrint> prints;
  std::vector<float> logits;
};

/// Runs the batch in a context of its own. Interpreted: every launch by the lockstep rule; failures are test failures.
/// `routes` sees where each expert's rows begin and end, at each launch that sorts.
BatchRun runBatch(const std::vector<uint8_t> &plan, const std::string &weights, const RaggedBatch &batch,
                  const EmulatedOrder &order, Replay mode, LaunchReplay::Watcher routes = {});
/// The same without an observer: as a service runs it, small steps as graphs.
std::vector<float> runBatchUnobserved(const std::vector<uint8_t> &plan, const std::string &weights,
                                      const RaggedBatch &batch, const EmulatedOrder &order);

/// Every launch of `other` left the bits that those of `first` left.
void expectSameBits(const BatchRun &first, const BatchRun &other);

} // namespace mmc::test
