// Proves every layout that operands of products can have, and what blocks and teams do together. Inputs are small
// integers, which all formats hold and all sums keep, so the answers are exact.
#include "test/Cuda/Products.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

#define LAYOUT_KERNELS(apply)                                                                                          \
  apply(layouts_64_32, BF16, 128, 64, 64);                                                                             \
  apply(layouts_mn_128_64, BF16, 128, 64, 64);                                                                         \
  apply(layouts_mn_64_32, F16, 64, 96, 32);                                                                            \
  apply(layouts_mn_32_128, F16, 64, 128, 48);                                                                          \
  apply(layouts_registers, BF16, 64, 128, 64);                                                                         \
  apply(layouts_registers_mn, BF16, 64, 128, 64);                                                                      \
  apply(layouts_s8, S8, 64, 48, 256);                                                                                  \
  apply(layouts_u8_registers, U8, 64, 32, 64);                                                                         \
  apply(layouts_e4m3, E4M3, 64, 24, 128);                                                                              \
  apply(layouts_e5m2, E5M2, 128, 8, 32);                                                                               \
  apply(layouts_warps_mn, BF16, 128, 64, 64);                                                                          \
  apply(layouts_warps_32, F16, 64, 32, 48);                                                                            \
  apply(layouts_warps_e4m3, E4M3, 64, 32, 64)
#define DECLARE(name, format, rows, columns, depth) MMC_TEST_KERNEL(name)
LAYOUT_KERNELS(DECLARE);
MMC_TEST_KERNEL(product_multicast);
MMC_TEST_KERNEL(sum_blocks);
MMC_TEST_KERNEL(team_exchange);

namespace {

/// Bytes, exponent and mantissa bits; integers have neither.
struct Format {
  int bytes, exponentBits, mantissaBits;
  bool isSigned;
};
constexpr Format BF16{2, 8, 7, true}, F16{2, 5, 10, true}, E4M3{1, 4, 3, true}, E5M2{1, 5, 2, true}, S8{1, 0, 0, true},
    U8{1, 0, 0, false};

/// The bits of an integer between -7 and 7.
uint32_t encode(const Format &format, int value) {
  if (format.exponentBits == 0) return uint8_t(value);
  const uint32_t sign = value < 0 ? 1u << (format.exponentBits + format.mantissaBits) : 0;
  const uint32_t magnitude = uint32_t(std::abs(value));
  if (magnitude == 0) return sign;
  const int exponent = magnitude >= 4 ? 2 : magnitude >= 2 ? 1 : 0, bias = (1 << (format.exponentBits - 1)) - 1;
  const uint32_t mantissa = (magnitude - (1u << exponent)) << (format.mantissaBits - exponent);
  return sign | uint32_t(exponent + bias) << format.mantissaBits | mantissa;
}

struct Matrix {
  std::vector<int> values;
  std::vector<uint8_t> bytes;
  Matrix(const Format &format, uint32_t count, uint32_t seed) : values(count), bytes(count * format.bytes) {
    std::mt19937 generator(seed);
    for (uint32_t i = 0; i < count; ++i) {
      values[i] = format.isSigned ? int(generator() % 15) - 7 : int(generator() % 8);
      const uint32_t bits = encode(format, values[i]);
      memcpy(&bytes[i * format.bytes], &bits, format.bytes);
    }
  }
};

void checkLayout(const MmcEmuKernel &kernel, const Format &format, uint32_t rows, uint32_t columns, uint32_t depth) {
  const Matrix a(format, rows * depth, 1), b(format, columns * depth, 2);
  Device<uint8_t> left(a.bytes), right(b.bytes);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(std::vector<uint32_t>(rows * columns, 0xffffffffu));
    ASSERT_TRUE(silent(run(kernel, {.threads = 128}, seed, out.data, left.data, right.data)));
    for (uint32_t row = 0; row < rows; ++row)
      for (uint32_t column = 0; column < columns; ++column) {
        int expected = 0;
        for (uint32_t k = 0; k < depth; ++k) expected += a.values[row * depth + k] * b.values[column * depth + k];
        float asFloat;
        memcpy(&asFloat, &out[row * columns + column], 4);
        const double got = format.exponentBits ? asFloat : int32_t(out[row * columns + column]);
        ASSERT_EQ(got, expected) << "row " << row << " column " << column << " seed " << seed;
      }
  }
}

#define LAYOUT_TEST(name, format, rows, columns, depth)                                                                \
  TEST(Layouts, name) { checkLayout(mmcEmuKernel_##name, format, rows, columns, depth); }                              \
  static_assert(true)
LAYOUT_KERNELS(LAYOUT_TEST);

TEST(BlocksTogether, AClusterSharesAnOperand) {
  constexpr uint32_t kDepth = 320;
  const Matrix a(BF16, 128 * kDepth, 3), b(BF16, 128 * kDepth, 4);
  Device<uint8_t> left(a.bytes), right(b.bytes);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(128 * 128, -1.0f));
    ASSERT_TRUE(silent(run(mmcEmuKernel_product_multicast, {.blocks = 2, .threads = 256, .cluster = 2}, seed,
                           mapOf(left.data, 128, kDepth, 64), mapOf(right.data, 128, kDepth, 64), out.data, kDepth)));
    for (uint32_t row = 0; row < 128; ++row)
      for (uint32_t column = 0; column < 128; ++column) {
        int expected = 0;
        for (uint32_t k = 0; k < kDepth; ++k) expected += a.values[row * kDepth + k] * b.values[column * kDepth + k];
        ASSERT_EQ(out[row * 128 + column], expected) << "row " << row << " column " << column << " seed " << seed;
      }
  }
}

TEST(BlocksTogether, ACountedFlagOrdersPartialSums) {
  std::vector<float> numbers(4 * 256);
  double expected = 0;
  for (size_t i = 0; i < numbers.size(); ++i) expected += numbers[i] = float(i % 37);
  Device<float> in(numbers);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> partial(std::vector<float>(4)), out(std::vector<float>(1, -1.0f));
    Device<uint32_t> flag(std::vector<uint32_t>(1, 0));
    ASSERT_TRUE(silent(run(mmcEmuKernel_sum_blocks, {.blocks = 4, .threads = 128}, seed,
                           static_cast<const float *>(in.data), partial.data, flag.data, out.data)));
    ASSERT_EQ(out[0], expected);
    ASSERT_EQ(flag[0], 0u);
  }
}

TEST(BlocksTogether, TeamsExchange) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(std::vector<uint32_t>(128, ~0u));
    ASSERT_TRUE(silent(run(mmcEmuKernel_team_exchange, {.threads = 128}, seed, out.data)));
    for (uint32_t i = 0; i < 64; ++i) {
      ASSERT_EQ(out[i], 127 - i);
      ASSERT_EQ(out[64 + i], 63 - i);
    }
  }
}

} // namespace
