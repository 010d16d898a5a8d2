//===- Sampler.h - the choice of the next token ----------------------------===//
//
// From a row of logits to an id: greedy, or a draw after temperature, top-k and top-p, in that order. The random number
// of a draw is a function of (seed, sequence, step) alone, and all arithmetic of a draw is plain IEEE double, so equal
// logits give equal tokens on every machine, in every batch, after every restart.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_SAMPLER_H
#define MMC_TEXT_SAMPLER_H

#include "lib/Text/Result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mmc::text {

struct SamplingParameters {
  double temperature = 0; ///< 0: greedy; else logits are divided by it
  int64_t topK = 0;       ///< keep the k largest logits; 0 or -1: all
  double topP = 1;        ///< keep the smallest set of most probable tokens whose probability reaches p; in (0, 1]
  uint64_t seed = 0;

  /// An Error naming the first parameter out of range.
  Status validate() const;
};

/// Ids that must never be chosen: rows of the embedding table that are all zero, ids past the tokenizer's last.
class TokenMask {
public:
  explicit TokenMask(size_t vocabSize = 0) : suppressed(vocabSize, false) {}
  size_t size() const { return suppressed.size(); }
  /// Ids outside the vocabulary are ignored.
  void suppress(int64_t id);
  /// Suppresses `first` and all ids after it.
  void suppressFrom(int64_t first);
  bool isSuppressed(size_t id) const { return id < suppressed.size() && suppressed[id]; }

private:
  std::vector<bool> suppressed;
};

/// The ids that end a sequence.
class StopTokens {
public:
  StopTokens() = default;
  explicit StopTokens(std::vector<int32_t> ids);
  bool contains(int32_t id) const;
  const std::vector<int32_t> &ids() const { return sorted; }

private:
  std::vector<int32_t> sorted;
};

/// Chooses tokens. Holds scratch: one Sampler per thread. Two samplers with equal parameters choose alike.
class Sampler {
public:
  /// `mask` has the size of the rows, or 0 to suppress nothing.
  static Result<Sampler> create(const SamplingParameters &parameters, TokenMask mask = TokenMask());

  /// Chooses from `logits` (float32 [V]). Of equal logits the lowest id wins. -inf means impossible; a NaN, +inf or a
  /// row without any possible id is an Error. `step` counts the tokens of a sequence, `sequence` tells sequences of one
  /// seed apart.
  Result<int32_t> sample(std::span<const float> logits, uint64_t step, uint64_t sequence = 0);

private:
  struct Candidate {
    double weight;
    float logit;
    int32_t id;
  };
  Sampler(const SamplingParameters &parameters, TokenMask mask) : parameters(parameters), mask(std::move(mask)) {}
  Result<int32_t> greedy(std::span<const float> logits) const;
  void collect(std::span<const float> logits, float largest);
  void keepTopK();
  void keepTopP();

  SamplingParameters parameters;
  TokenMask mask;
  std::vector<Candidate> candidates;
};

/// The 64 random bits of (seed, sequence, step): Philox 4x32 with 10 rounds.
uint64_t randomBits(uint64_t seed, uint64_t sequence, uint64_t step);

} // namespace mmc::text

#endif
