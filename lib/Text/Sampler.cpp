//===- Sampler.cpp - the choice of the next token --------------------------===//
//
// Sums run in the order of ids and the exponential is our own, so no library's rounding shows in a draw. This file is
// compiled without contraction to fused multiply-adds for the same reason.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Sampler.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace mmc::text {

namespace {

Error parameterError(const std::string &name, const std::string &expected, double found) {
  return makeError(ErrorCode::SamplingParameter, ErrorKind::Usage,
                   name + ": expected " + expected + ", found " + std::to_string(found));
}

Error logitsError(const std::string &what) {
  return makeError(ErrorCode::LogitsInvalid, ErrorKind::Failed, "logits: " + what,
                   "the model's output is broken; check its weights and dtype");
}

/// exp(x) for x <= 0, to a few units in the last place, from additions and multiplications only.
double exponential(double x) {
  if (!(x > -700)) return 0;
  constexpr double kLog2E = 1.4426950408889634, kLn2High = 0x1.62e42fefa0000p-1, kLn2Low = 0x1.cf79abc9e3b3ap-40;
  double k = std::floor(x * kLog2E + 0.5);
  double r = (x - k * kLn2High) - k * kLn2Low; // |r| <= 0.35
  double sum = 1;
  for (int term = 14; term >= 1; --term) sum = 1 + sum * r / term;
  return std::ldexp(sum, static_cast<int>(k));
}

} // namespace

uint64_t randomBits(uint64_t seed, uint64_t sequence, uint64_t step) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  uint32_t counter[4] = {static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32),
                         static_cast<uint32_t>(sequence), static_cast<uint32_t>(sequence >> 32)};
  uint32_t key[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = kMultiplier0 * counter[0], product1 = kMultiplier1 * counter[2];
    uint32_t next[4] = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
                        static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    std::copy(next, next + 4, counter);
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return uint64_t(counter[1]) << 32 | counter[0];
}

Status SamplingParameters::validate() const {
  if (!(temperature >= 0) || std::isinf(temperature))
    return parameterError("temperature", "a finite number of at least 0", temperature);
  if (topK < -1) return parameterError("top_k", "an integer of at least -1", static_cast<double>(topK));
  if (!(topP > 0 && topP <= 1)) return parameterError("top_p", "a number above 0 and up to 1", topP);
  return {};
}

void TokenMask::suppress(int64_t id) {
  if (id >= 0 && static_cast<size_t>(id) < suppressed.size()) suppressed[id] = true;
}

void TokenMask::suppressFrom(int64_t first) {
  for (size_t id = static_cast<size_t>(std::max<int64_t>(first, 0)); id < suppressed.size(); ++id)
    suppressed[id] = true;
}

StopTokens::StopTokens(std::vector<int32_t> ids) : sorted(std::move(ids)) {
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
}

bool StopTokens::contains(int32_t id) const { return std::binary_search(sorted.begin(), sorted.end(), id); }

Result<Sampler> Sampler::create(const SamplingParameters &parameters, TokenMask mask) {
  if (Status status = parameters.validate(); !status) return status.error();
  return Sampler(parameters, std::move(mask));
}

Result<int32_t> Sampler::greedy(std::span<const float> logits) const {
  if (mask.size() && mask.size() != logits.size())
    return logitsError("expected " + std::to_string(mask.size()) + " values, found " + std::to_string(logits.size()));
  int32_t best = -1;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (std::isnan(logits[id])) return logitsError("NaN at id " + std::to_string(id));
    if (std::isinf(logits[id]) && logits[id] > 0) return logitsError("infinity at id " + std::to_string(id));
    if (std::isinf(logits[id]) || mask.isSuppressed(id)) continue;
    if (best < 0 || logits[id] > logits[best]) best = static_cast<int32_t>(id);
  }
  if (best < 0)
    return logitsError("no id can be chosen, all " + std::to_string(logits.size()) + " are suppressed or -inf");
  return best;
}

void Sampler::collect(std::span<const float> logits, float largest) {
  candidates.clear();
  for (size_t id = 0; id < logits.size(); ++id) {
    if (mask.isSuppressed(id)) continue;
    // The difference is taken in double and before the division: both could overflow otherwise.
    double weight = exponential((static_cast<double>(logits[id]) - largest) / parameters.temperature);
    if (weight > 0) candidates.push_back({weight, logits[id], static_cast<int32_t>(id)});
  }
}

void Sampler::keepTopK() {
  if (parameters.topK <= 0 || static_cast<size_t>(parameters.topK) >= candidates.size()) return;
  auto better = [](const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  std::nth_element(candidates.begin(), candidates.begin() + parameters.topK, candidates.end(), better);
  candidates.resize(parameters.topK);
  std::sort(candidates.begin(), candidates.end(), [](const Candidate &a, const Candidate &b) { return a.id < b.id; });
}

void Sampler::keepTopP() {
  if (parameters.topP >= 1) return;
  double total = 0;
  for (const Candidate &candidate : candidates) total += candidate.weight;
  auto worse = [](const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit < b.logit : a.id > b.id;
  };
  std::make_heap(candidates.begin(), candidates.end(), worse);
  double kept = 0;
  auto heapEnd = candidates.end();
  while (heapEnd != candidates.begin() && kept < parameters.topP * total) {
    std::pop_heap(candidates.begin(), heapEnd, worse);
    kept += (--heapEnd)->weight;
  }
  candidates.erase(candidates.begin(), heapEnd);
  std::sort(candidates.begin(), candidates.end(), [](const Candidate &a, const Candidate &b) { return a.id < b.id; });
}

Result<int32_t> Sampler::sample(std::span<const float> logits, uint64_t step, uint64_t sequence) {
  Result<int32_t> best = greedy(logits); // also checks the row
  if (!best || parameters.temperature == 0 || parameters.topK == 1) return best;
  collect(logits, logits[*best]);
  keepTopK();
  keepTopP();
  double total = 0;
  for (const Candidate &candidate : candidates) total += candidate.weight;
  double uniform = static_cast<double>(randomBits(parameters.seed, sequence, step) >> 11) * 0x1p-53; // [0, 1)
  double threshold = uniform * total, sum = 0;
  for (const Candidate &candidate : candidates) {
    sum += candidate.weight;
    if (sum > threshold) return candidate.id;
  }
  return candidates.empty() ? *best : candidates.back().id;
}

} // namespace mmc::text
