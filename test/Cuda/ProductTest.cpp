// Proves the tile primitives end to end: whole products, by tensor copies, a ring and wgmma, and by cp.async, ldmatrix
// and mma.sync, against float64 on the host; under every seed of the scheduler the answer has the same bits and nothing
// is found.
#include "test/Cuda/Products.h"

#include <cmath>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(product_wgmma);
MMC_TEST_KERNEL(product_wgmma_rounded);
MMC_TEST_KERNEL(product_mma);
MMC_TEST_KERNEL(product_mma_columns);
MMC_TEST_KERNEL(product_mma_rounded);
MMC_TEST_KERNEL(product_attention);
MMC_TEST_KERNEL(product_attention_mma);
MMC_TEST_KERNEL(product_bytes_mma);

namespace {

/// a[m][k] b[n][k], or with `columnsFirst` a[m][k] b[k][n], and the sum of magnitudes that its rounding is measured by.
struct Reference {
  std::vector<double> values, magnitudes;
  Reference(const std::vector<uint16_t> &a, const std::vector<uint16_t> &b, uint32_t rows, uint32_t columns,
            uint32_t depth, bool columnsFirst = false)
      : values(size_t(rows) * columns), magnitudes(size_t(rows) * columns) {
    for (size_t m = 0; m < rows; ++m)
      for (size_t n = 0; n < columns; ++n)
        for (size_t k = 0; k < depth; ++k) {
          const double product = valueOf(a[m * depth + k]) * valueOf(b[columnsFirst ? k * columns + n : n * depth + k]);
          values[m * columns + n] += product;
          magnitudes[m * columns + n] += std::fabs(product);
        }
  }
};

/// Float sums: each of `depth` additions may err by half an ulp of the magnitude.
void expectClose(const Device<float> &out, const Reference &reference, uint32_t depth) {
  for (size_t i = 0; i < reference.values.size(); ++i)
    ASSERT_LE(std::fabs(double(out.data[i]) - reference.values[i]), depth * 0x1p-24 * reference.magnitudes[i])
        << "element " << i;
}
/// And once more by half an ulp of bf16, which has 8 significant bits.
void expectClose(const Device<uint16_t> &out, const Reference &reference, uint32_t depth) {
  for (size_t i = 0; i < reference.values.size(); ++i)
    ASSERT_LE(std::fabs(valueOf(out.data[i]) - reference.values[i]),
              depth * 0x1p-24 * reference.magnitudes[i] + 0x1p-8 * std::fabs(reference.values[i]))
        << "element " << i;
}

TEST(Product, WarpgroupsPipelined) {
  // 2 x 2 tiles, the last ones partial; the ring goes around more than once in the persistent loop of 3 blocks.
  constexpr uint32_t kRows = 200, kColumns = 136, kDepth = 200;
  const auto a = random(kRows * kDepth, 1), b = random(kColumns * kDepth, 2);
  const Reference reference(a, b, kRows, kColumns, kDepth);
  Device<uint16_t> left(a), right(b);
  std::vector<float> first;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(kRows * kColumns, -1.0f));
    const Outcome outcome =
        launchWith(mmcEmuKernel_product_wgmma, shapeOf(3, 1, 384), seed, mapOf(left.data, kRows, kDepth, 128),
                   mapOf(right.data, kColumns, kDepth, 128), out.data, kRows, kColumns, kDepth);
    ASSERT_TRUE(silent(outcome));
    expectClose(out, reference, kDepth + 56);
    if (testing::Test::HasFatalFailure()) return;
    if (seed == 0) first = contents(out);
    ASSERT_EQ(contents(out), first) << "seed " << seed;
  }
}

TEST(Product, WarpgroupsRoundedAndStoredByTheCopyEngine) {
  constexpr uint32_t kRows = 192, kColumns = 264, kDepth = 128;
  const auto a = random(kRows * kDepth, 3), b = random(kColumns * kDepth, 4);
  const Reference reference(a, b, kRows, kColumns, kDepth);
  Device<uint16_t> left(a), right(b);
  std::vector<uint16_t> first;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint16_t> out(std::vector<uint16_t>(kRows * kColumns, 0x7fff));
    const Outcome outcome = launchWith(mmcEmuKernel_product_wgmma_rounded, shapeOf(2, 1, 384), seed,
                                       mapOf(left.data, kRows, kDepth, 128), mapOf(right.data, kColumns, kDepth, 128),
                                       mapOf(out.data, kRows, kColumns, 64), kRows, kColumns, kDepth);
    ASSERT_TRUE(silent(outcome));
    expectClose(out, reference, kDepth);
    if (testing::Test::HasFatalFailure()) return;
    if (seed == 0) first = contents(out);
    ASSERT_EQ(contents(out), first) << "seed " << seed;
  }
}

/// Rows of `columns` elements, padded with NaN to multiples of 8.
std::vector<uint16_t> padded(const std::vector<uint16_t> &matrix, uint32_t columns) {
  const uint32_t pitch = (columns + 7) / 8 * 8, rows = uint32_t(matrix.size()) / columns;
  std::vector<uint16_t> result(rows * pitch, 0x7fff);
  for (uint32_t row = 0; row < rows; ++row)
    for (uint32_t column = 0; column < columns; ++column) result[row * pitch + column] = matrix[row * columns + column];
  return result;
}

/// Tails in rows, columns and depth, also within the 16 bytes that a copy moves.
void warpsPipelined(const MmcEmuKernel &kernel, bool columnsFirst, uint32_t rows, uint32_t columns, uint32_t depth) {
  const auto a = random(rows * depth, 5), b = random(columns * depth, 6);
  const Reference reference(a, b, rows, columns, depth, columnsFirst);
  Device<uint16_t> left(padded(a, depth)), right(padded(b, columnsFirst ? columns : depth));
  std::vector<float> first;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(rows * columns, -1.0f));
    const Outcome outcome = launchWith(kernel, shapeOf((rows + 63) / 64, (columns + 63) / 64, 128), seed, left.data,
                                       right.data, out.data, rows, columns, depth);
    ASSERT_TRUE(silent(outcome));
    expectClose(out, reference, depth + 56);
    if (testing::Test::HasFatalFailure()) return;
    if (seed == 0) first = contents(out);
    ASSERT_EQ(contents(out), first) << "seed " << seed;
  }
}

TEST(Product, WarpsPipelined) { warpsPipelined(mmcEmuKernel_product_mma, false, 70, 77, 325); }
TEST(Product, WarpsPipelinedShallow) { warpsPipelined(mmcEmuKernel_product_mma, false, 64, 64, 41); }
TEST(Product, WarpsTransposedOperand) { warpsPipelined(mmcEmuKernel_product_mma_columns, true, 70, 77, 167); }

TEST(Product, WarpsRoundedAndStoredByRows) {
  constexpr uint32_t kRows = 100, kColumns = 128, kDepth = 136;
  const auto a = random(kRows * kDepth, 7), b = random(kColumns * kDepth, 8);
  const Reference reference(a, b, kRows, kColumns, kDepth);
  Device<uint16_t> left(a), right(b);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint16_t> out(std::vector<uint16_t>(kRows * kColumns, 0x7fff));
    const Outcome outcome = launchWith(mmcEmuKernel_product_mma_rounded, shapeOf(2, 2, 128), seed, left.data,
                                       right.data, out.data, kRows, kColumns, kDepth);
    ASSERT_TRUE(silent(outcome));
    expectClose(out, reference, kDepth + 56);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(Product, BytesAreExact) {
  std::mt19937 generator(9);
  std::vector<int8_t> a(64 * 128), b(32 * 128);
  for (int8_t &value : a) value = int8_t(generator());
  for (int8_t &value : b) value = int8_t(generator());
  Device<int8_t> left(a), right(b);
  Device<int32_t> out(std::vector<int32_t>(64 * 32, -1));
  ASSERT_TRUE(silent(run(mmcEmuKernel_product_bytes_mma, {.threads = 128}, 0, left.data, right.data, out.data)));
  for (int m = 0; m < 64; ++m)
    for (int n = 0; n < 32; ++n) {
      int32_t expected = 0;
      for (int k = 0; k < 128; ++k) expected += int32_t(a[m * 128 + k]) * b[n * 128 + k];
      ASSERT_EQ(out[m * 32 + n], expected) << m << " " << n;
    }
}

/// softmax(q k^T) v in float64, and for each element the sum of weighted magnitudes.
Reference attention(const std::vector<uint16_t> &q, const std::vector<uint16_t> &k, const std::vector<uint16_t> &v,
                    uint32_t queries, uint32_t keys, uint32_t width) {
  const Reference scores(q, k, queries, keys, width);
  Reference result({}, {}, queries, width, 0);
  for (size_t i = 0; i < queries; ++i) {
    double most = -1e300, total = 0;
    for (size_t j = 0; j < keys; ++j) most = std::max(most, scores.values[i * keys + j]);
    for (size_t j = 0; j < keys; ++j) {
      const double weight = std::exp(scores.values[i * keys + j] - most);
      total += weight;
      for (size_t d = 0; d < width; ++d) {
        result.values[i * width + d] += weight * valueOf(v[j * width + d]);
        result.magnitudes[i * width + d] += weight * std::fabs(valueOf(v[j * width + d]));
      }
    }
    for (size_t d = 0; d < width; ++d) {
      result.values[i * width + d] /= total;
      result.magnitudes[i * width + d] /= total;
    }
  }
  return result;
}

/// Weights are rounded to bf16 (2^-8 of each); scores in float, and the approximations, add far less.
void expectAttention(const Device<float> &out, const Reference &reference) {
  for (size_t i = 0; i < reference.values.size(); ++i)
    ASSERT_LE(std::fabs(out.data[i] - reference.values[i]), 0x1.1p-8 * reference.magnitudes[i]) << "element " << i;
}

TEST(Product, AttentionOfAWarpgroup) {
  const auto q = random(64 * 128, 10), k = random(128 * 128, 11), v = random(128 * 128, 12);
  const Reference reference = attention(q, k, v, 64, 128, 128);
  Device<uint16_t> queries(q), keys(k), values(v);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(64 * 128, -1.0f));
    ASSERT_TRUE(silent(run(mmcEmuKernel_product_attention, {.threads = 128}, seed, mapOf(queries.data, 64, 128, 64),
                           mapOf(keys.data, 128, 128, 128), mapOf(values.data, 128, 128, 128), out.data)));
    expectAttention(out, reference);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(Product, AttentionOfWarps) {
  const auto q = random(64 * 64, 13), k = random(64 * 64, 14), v = random(64 * 64, 15);
  const Reference reference = attention(q, k, v, 64, 64, 64);
  Device<uint16_t> queries(q), keys(k), values(v);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(64 * 64, -1.0f));
    ASSERT_TRUE(silent(run(mmcEmuKernel_product_attention_mma, {.threads = 128}, seed, queries.data, keys.data,
                           values.data, out.data)));
    expectAttention(out, reference);
    if (testing::Test::HasFatalFailure()) return;
  }
}

} // namespace
