// Proves the arithmetic of the device library under the emulation: conversions against the formats' definitions by
// search, approximations against float64 within the bounds that the instructions have, bit operations by their tables.
#include "test/Cuda/KernelRun.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(primitives_math);
MMC_TEST_KERNEL(primitives_integers);

namespace {

/// A short float by its definition: `infinities` as in IEEE 754; else the code of ones alone is NaN.
struct Format {
  int exponentBits, mantissaBits;
  bool infinities;
  bool saturates; // what is too large becomes the largest number
  int codes() const { return 1 << (exponentBits + mantissaBits); }
  double valueOf(int magnitude) const {
    const int exponent = magnitude >> mantissaBits, mantissa = magnitude & ((1 << mantissaBits) - 1);
    const int bias = (1 << (exponentBits - 1)) - 1;
    return exponent ? std::ldexp(1.0 + std::ldexp(mantissa, -mantissaBits), exponent - bias)
                    : std::ldexp(mantissa, 1 - bias - mantissaBits);
  }
  int largest() const { return infinities ? codes() - (1 << mantissaBits) - 1 : codes() - 2; }
  /// The nearest code, ties to the even one, by search. Not for NaN.
  int nearest(__float128 x) const {
    const bool negative = x < 0 || (x == 0 && std::signbit(double(x)));
    const __float128 magnitude = negative ? -x : x;
    int low = 0, high = largest() + 1; // the code after the largest stands for what rounds beyond it
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      (__float128(valueOf(middle)) <= magnitude ? low : high) = middle;
    }
    const __float128 below = magnitude - __float128(valueOf(low)), above = __float128(valueOf(high)) - magnitude;
    int code = below < above || (below == above && low % 2 == 0) ? low : high;
    if (code > largest() && saturates) code = largest();
    if (code > largest() && infinities) code = codes() - (1 << mantissaBits);
    return (negative ? codes() : 0) | code;
  }
};
constexpr Format kBf16{8, 7, true, false}, kF16{5, 10, true, false}, kE4m3{4, 3, false, true}, kE5m2{5, 2, true, true};

float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }

/// The results of primitives_math, 32 words for each pair.
struct MathRun {
  std::vector<float> inputs;
  std::vector<uint32_t> results;
  explicit MathRun(std::vector<float> pairs) : inputs(std::move(pairs)) {
    const uint32_t count = uint32_t(inputs.size() / 2);
    Device<float> in(inputs);
    Device<uint32_t> out(std::vector<uint32_t>(count * 32, 0xdeadbeef));
    const Outcome outcome = run(mmcEmuKernel_primitives_math, {.blocks = 4, .threads = 32}, 0, out.data,
                                static_cast<const float *>(in.data), count);
    EXPECT_TRUE(silent(outcome));
    results.assign(out.data, out.data + out.count);
  }
  size_t count() const { return inputs.size() / 2; }
  float x(size_t i) const { return inputs[2 * i]; }
  float y(size_t i) const { return inputs[2 * i + 1]; }
  uint32_t at(size_t i, int word) const { return results[32 * i + word]; }
  float value(size_t i, int word) const { return floatOf(at(i, word)); }
};

/// Pairs over all exponents that the formats know, and the edges of rounding of each.
std::vector<float> conversionInputs() {
  std::vector<float> values = {0.0f,       -0.0f,     1.0f,       448.0f,   464.0f,     465.0f,   480.0f,
                               57344.0f,   61440.0f,  65504.0f,   65520.0f, 1e30f,      3.39e38f, -3.4e38f,
                               0x1p-24f,   0x1p-25f,  0x1.8p-25f, 0x1p-10f, 0x1.8p-10f, 0x1p-17f, 0x1p-16f,
                               0x1.8p-16f, 0x1p-126f, 0x1p-133f,  0x1p-134f};
  std::mt19937 generator(1);
  for (int i = 0; i < 6000; ++i) {
    const int exponent = int(generator() % 60) - 36;
    // Few mantissa bits, so that ties are common.
    const uint32_t keep = 0x7fffffu << (generator() % 23);
    const uint32_t bits = uint32_t(127 + exponent) << 23 | (generator() & keep & 0x7fffff) | (generator() & 1) << 31;
    values.push_back(floatOf(bits));
  }
  if (values.size() % 2) values.push_back(1.0f);
  return values;
}

TEST(Primitives, ConversionsRoundToNearestEven) {
  const MathRun run(conversionInputs());
  for (size_t i = 0; i < run.count(); ++i) {
    const float x = run.x(i), y = run.y(i);
    SCOPED_TRACE(testing::Message() << std::hexfloat << x << " " << y);
    const uint32_t bx = uint32_t(kBf16.nearest(x)), by = uint32_t(kBf16.nearest(y));
    ASSERT_EQ(run.at(i, 12), by << 16 | bx);
    ASSERT_EQ(run.at(i, 13), uint32_t(kF16.nearest(y)) << 16 | uint32_t(kF16.nearest(x)));
    ASSERT_EQ(run.at(i, 14), bx << 16);
    ASSERT_EQ(run.at(i, 15), by << 16);
    ASSERT_EQ(run.at(i, 16), bx);
    ASSERT_EQ(run.at(i, 17), uint32_t(kF16.nearest(x)));
    ASSERT_EQ(run.at(i, 18), by << 16);
    const int half = kF16.nearest(y);
    const double back = (half & 0x7fff) > kF16.largest() ? INFINITY : kF16.valueOf(half & 0x7fff);
    ASSERT_EQ(run.value(i, 19), float(half & 0x8000 ? -back : back));
    const int ax = kE4m3.nearest(x), ay = kE4m3.nearest(y), cx = kE5m2.nearest(x), cy = kE5m2.nearest(y);
    ASSERT_EQ(run.at(i, 22), uint32_t(ay << 8 | ax));
    ASSERT_EQ(run.at(i, 23), uint32_t(cy << 8 | cx));
    const auto toF16 = [](const Format &format, int code) {
      const double value = format.valueOf(code & 0x7f);
      return uint32_t(kF16.nearest(value)) | (code & 0x80 ? 0x8000u : 0u);
    };
    ASSERT_EQ(run.at(i, 24), toF16(kE4m3, ay) << 16 | toF16(kE4m3, ax));
    ASSERT_EQ(run.at(i, 25), toF16(kE5m2, cy) << 16 | toF16(kE5m2, cx));
  }
}

TEST(Primitives, PairsOfBf16AreMultipliedAndAddedWithOneRounding) {
  std::vector<float> inputs = conversionInputs();
  // x y + 1 and y + x: ties that something far below decides: (1 + 2^-4)^2 = 1 + 2^-3 + 2^-8 is halfway.
  for (float x : {1.0f + 0x1p-4f, 0x1p-60f, -0x1p-60f, 0x1.02p-8f, 0x1p-9f, -0x1p-9f})
    for (float y : {1.0f + 0x1p-4f, 1.0f, -1.0f, 0x1p-30f, 1.0f + 0x1p-7f, 0x1p-8f})
      inputs.insert(inputs.end(), {x, y});
  const MathRun run(inputs);
  const auto bf = [](float x) { return floatOf(uint32_t(kBf16.nearest(x)) << 16); };
  for (size_t i = 0; i < run.count(); ++i) {
    const float x = bf(run.x(i)), y = bf(run.y(i));
    if (std::isinf(x) || std::isinf(y)) continue;
    SCOPED_TRACE(testing::Message() << std::hexfloat << x << " " << y);
    ASSERT_EQ(run.at(i, 20) & 0xffff, uint32_t(kBf16.nearest(__float128(x) * y + 1)));
    ASSERT_EQ(run.at(i, 20) >> 16, uint32_t(kBf16.nearest(__float128(y) + x)));
  }
}

TEST(Primitives, ApproximationsStayWithinTheirBounds) {
  std::mt19937 generator(2);
  std::uniform_real_distribution<float> wide(-20.0f, 20.0f);
  std::vector<float> inputs;
  for (int i = 0; i < 4000; ++i) inputs.push_back(wide(generator));
  const MathRun run(inputs);
  const auto relative = [](double got, double expected) { return std::fabs(got - expected) / std::fabs(expected); };
  for (size_t i = 0; i < run.count(); ++i) {
    const double x = run.x(i), y = run.y(i);
    SCOPED_TRACE(testing::Message() << x << " " << y);
    ASSERT_LE(relative(run.value(i, 0), std::exp2(x)), 0x1p-22);
    ASSERT_LE(relative(run.value(i, 2), 1 / x), 0x1p-23);
    if (x > 0) {
      ASSERT_LE(std::fabs(run.value(i, 1) - std::log2(x)), 0x1p-22 * std::max(1.0, std::fabs(std::log2(x))));
      ASSERT_LE(relative(run.value(i, 3), 1 / std::sqrt(x)), 0x1p-22);
      ASSERT_EQ(run.value(i, 7), float(std::sqrt(x)));
    }
    ASSERT_LE(relative(run.value(i, 4), std::tanh(x)), 0x1p-11);
    ASSERT_EQ(run.value(i, 5), float(__float128(x) * y + 1));
    ASSERT_EQ(run.value(i, 6), float(x / y));
    ASSERT_EQ(run.value(i, 8), std::nearbyint(x));
    ASSERT_EQ(int32_t(run.at(i, 9)), int32_t(std::nearbyint(x)));
    ASSERT_EQ(run.value(i, 10), float(std::max(x, y)));
    ASSERT_EQ(run.value(i, 11), float(std::min(x, y)));
    // Three ulp of float; the approximation loses what x log2 e loses: |x| ulps of it.
    const double e = std::exp(x), s = 1 / (1 + std::exp(-x));
    ASSERT_LE(relative(run.value(i, 21), e), 3 * 0x1p-23);
    ASSERT_LE(relative(run.value(i, 28), s), 3 * 0x1p-23);
    ASSERT_LE(relative(run.value(i, 30), x * s), 3 * 0x1p-23);
    const double loose = (std::fabs(x) + 4) * 0x1p-22;
    ASSERT_LE(relative(run.value(i, 26), e), loose);
    ASSERT_LE(relative(run.value(i, 27), s), loose);
    ASSERT_LE(relative(run.value(i, 29), x * s), loose);
  }
}

TEST(Primitives, EndsAreNumbers) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  const MathRun run({200.0f, kNan, -200.0f, kNan, 88.0f, 1.0f, -100.0f, 1.0f, kInfinity, 1.0f, -kInfinity, 1.0f});
  EXPECT_EQ(run.value(0, 0), kInfinity); // 2^200
  EXPECT_EQ(run.value(1, 0), 0.0f);
  EXPECT_EQ(run.value(0, 10), 200.0f); // larger(200, NaN)
  EXPECT_EQ(run.value(1, 11), -200.0f);
  EXPECT_EQ(run.at(0, 12) >> 16, 0x7fffu); // NaN in bf16
  for (int exponential : {21, 26}) {
    EXPECT_EQ(run.value(0, exponential), kInfinity);
    EXPECT_EQ(run.value(1, exponential), 0.0f);
    EXPECT_EQ(run.value(4, exponential), kInfinity);
    EXPECT_EQ(run.value(5, exponential), 0.0f);
  }
  EXPECT_LE(std::fabs(run.value(2, 21) / std::exp(88.0) - 1), 0x1p-21);
  // sigmoid: 0 and 1; silu: 0 and x.
  for (int sigmoid : {27, 28}) {
    EXPECT_EQ(run.value(0, sigmoid), 1.0f);
    EXPECT_EQ(run.value(1, sigmoid), 0.0f);
    EXPECT_EQ(run.value(4, sigmoid), 1.0f);
    EXPECT_EQ(run.value(5, sigmoid), 0.0f);
  }
  for (int silu : {29, 30}) {
    EXPECT_EQ(run.value(0, silu), 200.0f);
    EXPECT_EQ(run.value(1, silu), 0.0f);
  }
}

TEST(Primitives, BitOperationsFollowTheirTables) {
  std::mt19937 generator(3);
  std::vector<uint32_t> inputs;
  for (int i = 0; i < 3 * 500; ++i) inputs.push_back(uint32_t(generator()));
  inputs.insert(inputs.end(), {0, 0, 0, ~0u, ~0u, ~0u});
  const uint32_t count = uint32_t(inputs.size() / 3);
  Device<uint32_t> in(inputs), out(std::vector<uint32_t>(count * 16));
  ASSERT_TRUE(silent(run(mmcEmuKernel_primitives_integers, {.threads = 32}, 0, out.data,
                         static_cast<const uint32_t *>(in.data), count)));
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t a = inputs[3 * i], b = inputs[3 * i + 1], c = inputs[3 * i + 2], *got = &out[16 * i];
    ASSERT_EQ(got[0], (a & b) | c);
    ASSERT_EQ(got[1], (a & b) | (a & c) | (b & c));
    ASSERT_EQ(got[2], a ^ b ^ c);
    uint32_t table = 0;
    for (int bit = 0; bit < 32; ++bit)
      table |= (0x1Bu >> ((a >> bit & 1) * 4 + (b >> bit & 1) * 2 + (c >> bit & 1)) & 1) << bit;
    ASSERT_EQ(got[3], table);
    uint8_t bytes[8];
    memcpy(bytes, &a, 4);
    memcpy(bytes + 4, &b, 4);
    for (int byte = 0; byte < 4; ++byte) {
      const uint32_t nibble = c >> 4 * byte & 15;
      const uint8_t chosen = bytes[nibble % 8], expected = nibble >= 8 ? (chosen >= 128 ? 0xff : 0) : chosen;
      ASSERT_EQ(got[4] >> 8 * byte & 0xff, expected);
    }
    ASSERT_EQ(got[5], uint32_t(std::popcount(a)));
    ASSERT_EQ(got[6], uint32_t(std::countl_zero(b >> (c & 31))));
    ASSERT_EQ(got[7], c);
    // Stored 0 2 1 3: the low byte is the first number, the third byte the second.
    const auto number = [&](uint32_t byte) { return uint32_t(kBf16.nearest(double(int8_t(a >> 8 * byte)))); };
    // Zero comes out as plus zero.
    ASSERT_EQ(got[8], number(2) << 16 | number(0));
    ASSERT_EQ(got[9], number(3) << 16 | number(1));
  }
}

} // namespace
