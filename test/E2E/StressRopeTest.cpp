// RoPE and attention at the positions of very long sequences: the compiled kernels against angles and sums formed in
// long double and float64.
//
// No session prefills ten million tokens in a test, so the kernels run directly, over a page table that shows one page
// many times.
#include "test/E2E/RandomModels.h"
#include "test/E2E/StressKernels.h"

#include <cmath>
#include <gtest/gtest.h>

namespace mmc::test {
namespace {

constexpr int64_t kLength = 10240000; // tokens
constexpr int64_t kPageTokens = 64;

/// cos and sin of the angle of pair `j` at `position`.
std::pair<double, double> rotation(double theta, int64_t dims, int64_t j, int64_t position) {
  const long double angle =
      static_cast<long double>(position) * std::pow(static_cast<long double>(theta), -2.0L * j / dims);
  return {double(std::cos(angle)), double(std::sin(angle))};
}

TEST(StressRope, SineAndCosineWithinOneMillionth) {
  const std::vector<int32_t> positions = {0, 1, 63, 4095, 65535, 1048575, 9999991, 10239999};
  const std::pair<double, int64_t> tables[] = {{1e7, 64}, {1e7, 16}, {1e4, 128}, {1e6, 96}, {5e5, 2}, {50000, 24}};
  for (auto [theta, dims] : tables) {
    SCOPED_TRACE("theta " + std::to_string(theta) + ", " + std::to_string(dims) + " dims");
    RandomModel model;
    model.headDim = 128, model.rotaryDim = dims, model.ropeTheta = theta, model.kinds = {1};
    const Folder folder;
    const PipelineKernels kernels(folder.write("config.json", model.config()), kLength, {"rope_table"});
    ASSERT_TRUE(kernels.ok());
    const size_t pairs = size_t(dims / 2);
    for (cpu::Variant variant : cpu::allVariants()) {
      std::vector<float> cosines(positions.size() * pairs, NAN), sines = cosines;
      kernels.run("rope_table", variant, {word(cosines.data()), word(sines.data()), word(positions.data())}, 0,
                  int64_t(positions.size()));
      for (size_t r = 0; r < positions.size(); ++r)
        for (size_t j = 0; j < pairs; ++j) {
          const auto [c, s] = rotation(theta, dims, int64_t(j), positions[r]);
          ASSERT_NEAR(cosines[r * pairs + j], c, 1e-6)
              << "position " << positions[r] << ", pair " << j << ", " << cpu::variantName(variant);
          ASSERT_NEAR(sines[r * pairs + j], s, 1e-6)
              << "position " << positions[r] << ", pair " << j << ", " << cpu::variantName(variant);
        }
    }
  }
}

// ------------------------------------------------------------------------------------------------ attention

constexpr int64_t kHeads = 4, kKvHeads = 2, kDim = 32, kRotary = 16;
constexpr double kTheta = 1e7;

/// A sequence whose keys are negligible but for those appended at `positions`. Queries have ones in the channels that
/// are not rotated, and the other keys large negative numbers there.
struct LongSequence {
  std::vector<int32_t> positions;
  std::vector<float> q, k, v; // raw, rows of the positions

  explicit LongSequence(std::vector<int32_t> at) : positions(std::move(at)) {
    const size_t rows = positions.size();
    q = someFloats(rows * kHeads * kDim, 1), k = someFloats(rows * kKvHeads * kDim, 2),
    v = someFloats(rows * kKvHeads * kDim, 3);
    for (size_t i = 0; i < q.size(); ++i)
      if (int64_t(i) % kDim >= kRotary) q[i] = 1;
  }

  static std::vector<double> rotated(const float *x, int64_t position) {
    std::vector<double> y(x, x + kDim);
    for (int64_t j = 0; j < kRotary / 2; ++j) {
      const auto [c, s] = rotation(kTheta, kRotary, j, position);
      y[size_t(j)] = x[j] * c - x[j + kRotary / 2] * s;
      y[size_t(j + kRotary / 2)] = x[j + kRotary / 2] * c + x[j] * s;
    }
    return y;
  }

  /// The answer of row `row`, [heads, dim], from the appended keys up to its position.
  std::vector<double> answer(size_t row) const {
    std::vector<double> out;
    for (int64_t h = 0; h < kHeads; ++h) {
      const std::vector<double> query = rotated(&q[(row * kHeads + size_t(h)) * kDim], positions[row]);
      std::vector<double> sum(kDim, 0.0);
      double total = 0;
      for (size_t r = 0; r <= row; ++r) {
        const size_t at = (r * kKvHeads + size_t(h / (kHeads / kKvHeads))) * kDim;
        const std::vector<double> key = rotated(&k[at], positions[r]);
        double score = 0;
        for (size_t i = 0; i < kDim; ++i) score += query[i] * key[i];
        const double weight = std::exp(score / std::sqrt(double(kDim)));
        total += weight;
        for (size_t i = 0; i < kDim; ++i) sum[i] += weight * v[at + i];
      }
      for (double value : sum) out.push_back(value / total);
    }
    return out;
  }
};

/// The cache of slot 1 (of two): pages of appended positions are their own, all others are one page of negligible keys.
struct LongCache {
  static constexpr int64_t kTable = kLength / kPageTokens, kPageElements = kPageTokens * kKvHeads * kDim;
  std::vector<int32_t> table = std::vector<int32_t>(2 * kTable, 0);
  std::vector<float> keys, values;

  explicit LongCache(const LongSequence &sequence) {
    int32_t pages = 1;
    for (int32_t position : sequence.positions)
      if (int32_t &page = table[size_t(kTable + position / kPageTokens)]; !page) page = pages++;
    // The layout inside a page is the kernels' business: every key channel is negative, so every score is far below the
    // others'.
    keys.assign(size_t(pages * kPageElements), -100.0f);
    values = someFloats(size_t(pages * kPageElements), 4);
  }
};

class StressAttention : public testing::TestWithParam<int> {
protected:
  void SetUp() override {
    RandomModel model;
    model.heads = kHeads, model.kvHeads = kKvHeads, model.headDim = kDim, model.rotaryDim = kRotary,
    model.ropeTheta = kTheta, model.kinds = {1};
    kernels = std::make_unique<PipelineKernels>(folder.write("config.json", model.config()), kLength,
                                                std::vector<std::string>{"rope", "attention"});
    ASSERT_TRUE(kernels->ok());
  }
  cpu::Variant variant() const { return cpu::allVariants()[size_t(GetParam())]; }

  /// Appends the sequence's rows; its rotated queries.
  std::vector<float> append(const LongSequence &sequence, LongCache &cache) {
    const int64_t rows = int64_t(sequence.positions.size());
    const std::vector<int32_t> slots(size_t(rows), 1);
    std::vector<float> cosines(size_t(rows * kRotary / 2)), sines = cosines, rotated(sequence.q.size(), NAN);
    kernels->run("rope_table", variant(), {word(cosines.data()), word(sines.data()), word(sequence.positions.data())},
                 0, rows);
    kernels->run("rope16_append", variant(),
                 {word(sequence.q.data()), word(sequence.k.data()), word(sequence.v.data()), word(cosines.data()),
                  word(sines.data()), word(cache.keys.data()), word(cache.table.data()), word(cache.values.data()),
                  word(cache.table.data()), word(rotated.data()), word(sequence.positions.data()), word(slots.data())},
                 0, rows);
    return rotated;
  }

  Folder folder;
  std::unique_ptr<PipelineKernels> kernels;
};

TEST_P(StressAttention, DecodeAtTheLastPosition) {
  const LongSequence sequence({0, 100, 65535, 1048575, 9999991, 10239999});
  LongCache cache(sequence);
  const std::vector<float> q = append(sequence, cache);
  const size_t last = sequence.positions.size() - 1;
  std::vector<float> o(q.size(), NAN);
  const int32_t record[] = {1, int32_t(last), 1, sequence.positions[last]};
  kernels->run("attention_decode", variant(),
               {word(q.data()), word(o.data()), word(cache.keys.data()), word(cache.table.data()),
                word(cache.values.data()), word(cache.table.data()), word(record)},
               0, kKvHeads);
  EXPECT_LE(rowError(&o[last * kHeads * kDim], sequence.answer(last)), 1e-5);
}

TEST_P(StressAttention, PrefillAtAMillion) {
  std::vector<int32_t> positions = {0, 100, 65535};
  const int32_t first = 1048570; // the rows of the tile lie in two pages
  for (int32_t i = 0; i < 16; ++i) positions.push_back(first + i);
  const LongSequence sequence(positions);
  LongCache cache(sequence);
  const std::vector<float> q = append(sequence, cache);
  std::vector<float> o(q.size(), NAN);
  const int32_t record[] = {1, 3, 16, first};
  kernels->run("attention_prefill", variant(),
               {word(q.data()), word(cache.keys.data()), word(cache.table.data()), word(cache.values.data()),
                word(cache.table.data()), word(o.data()), word(record)},
               0, kKvHeads);
  for (size_t row = 3; row < positions.size(); ++row)
    EXPECT_LE(rowError(&o[row * kHeads * kDim], sequence.answer(row)), 1e-5) << "row " << row;
}

INSTANTIATE_TEST_SUITE_P(Variants, StressAttention, testing::Range(0, 3), [](const auto &info) {
  return std::string(info.param == 0 ? "v3" : info.param == 1 ? "avx512" : "avx512_bf16");
});

} // namespace
} // namespace mmc::test
