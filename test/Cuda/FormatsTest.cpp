// Proves that conversions of tensor core formats are exact and round to nearest even, by tables built from the formats'
// definitions in float64, and that the approximate functions are correctly rounded, by integer arithmetic.
#include "runtime/cuda/emulation/ops/Formats.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

using namespace mmc::emu;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
uint32_t bitsOf(float value) { return std::bit_cast<uint32_t>(value); }
float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }

struct Format {
  const char *name;
  int exponentBits, fractionBits, bias;
  uint32_t largest;  // code of the largest finite number
  uint32_t overflow; // what is too large becomes
  uint32_t nan;
  float (*read)(uint32_t);
  uint32_t (*write)(float);
  int bits() const { return 1 + exponentBits + fractionBits; }
  uint32_t sign() const { return 1u << (bits() - 1); }
  /// By the definition: (-1)^s 2^(e - bias) (1 + f / 2^fractionBits), and without the 1 where e = 0.
  double value(uint32_t code) const {
    const uint32_t exponent = code >> fractionBits & ((1u << exponentBits) - 1);
    const double fraction = double(code & ((1u << fractionBits) - 1)) / double(1u << fractionBits);
    const double magnitude =
        exponent ? std::pow(2.0, int(exponent) - bias) * (1 + fraction) : std::pow(2.0, 1 - bias) * fraction;
    return code & sign() ? -magnitude : magnitude;
  }
};

const Format kFormats[] = {
    {"bf16", 8, 7, 127, 0x7f7f, 0x7f80, 0x7fff, [](uint32_t c) { return formats::fromBf16(uint16_t(c)); },
     [](float v) { return uint32_t(formats::toBf16(v)); }},
    {"f16", 5, 10, 15, 0x7bff, 0x7c00, 0x7fff, [](uint32_t c) { return formats::fromF16(uint16_t(c)); },
     [](float v) { return uint32_t(formats::toF16(v)); }},
    {"e4m3", 4, 3, 7, 0x7e, 0x7e, 0x7f, [](uint32_t c) { return formats::fromE4m3(uint8_t(c)); },
     [](float v) { return uint32_t(formats::toE4m3(v)); }},
    {"e5m2", 5, 2, 15, 0x7b, 0x7b, 0x7f, [](uint32_t c) { return formats::fromE5m2(uint8_t(c)); },
     [](float v) { return uint32_t(formats::toE5m2(v)); }},
};

TEST(Formats, everyFiniteCodeReadsAsDefinedAndWritesBack) {
  for (const Format &f : kFormats)
    for (uint32_t code = 0; code <= f.largest; ++code)
      for (uint32_t signedCode : {code, code | f.sign()}) {
        const float value = f.read(signedCode);
        ASSERT_EQ(double(value), f.value(signedCode)) << f.name << " " << signedCode;
        ASSERT_EQ(std::signbit(value), (signedCode & f.sign()) != 0) << f.name << " " << signedCode;
        ASSERT_EQ(f.write(value), signedCode) << f.name << " " << signedCode;
      }
}

TEST(Formats, everyTieAndBothItsSidesRoundToNearestEven) {
  for (const Format &f : kFormats)
    for (uint32_t code = 0; code < f.largest; ++code)
      for (uint32_t sign : {0u, f.sign()}) {
        const double middle = (f.value(code) + f.value(code + 1)) / 2 * (sign ? -1 : 1);
        const float tie = float(middle);
        ASSERT_EQ(double(tie), middle) << f.name << " " << code;
        ASSERT_EQ(f.write(tie), (code & 1 ? code + 1 : code) | sign) << f.name << " " << code;
        ASSERT_EQ(f.write(std::nextafter(tie, 0.0f)), code | sign) << f.name << " " << code;
        ASSERT_EQ(f.write(std::nextafter(tie, sign ? -kInfinity : kInfinity)), (code + 1) | sign)
            << f.name << " " << code;
      }
}

TEST(Formats, randomNumbersTakeTheNearestCode) {
  std::mt19937 random(1);
  for (const Format &f : kFormats)
    for (int i = 0; i < 200000; ++i) {
      const float value = floatOf(random());
      if (!(std::abs(double(value)) <= f.value(f.largest))) continue;
      const uint32_t code = f.write(value);
      const double error = std::abs(f.value(code) - double(value));
      const uint32_t magnitude = code & ~f.sign();
      for (uint32_t other : {magnitude ? magnitude - 1 : 0, std::min(magnitude + 1, f.largest)}) {
        const double otherError = std::abs(f.value(other | (code & f.sign())) - double(value));
        ASSERT_LE(error, otherError) << f.name << " " << value;
      }
    }
}

TEST(Formats, overflowInfinityAndNan) {
  for (const Format &f : kFormats) {
    const double step = f.value(f.largest) - f.value(f.largest - 1);
    const float tie = float(f.value(f.largest) + step / 2);
    EXPECT_EQ(f.write(std::nextafter(tie, 0.0f)), f.largest) << f.name;
    EXPECT_EQ(f.write(kInfinity), f.overflow) << f.name;
    EXPECT_EQ(f.write(-kInfinity), f.overflow | f.sign()) << f.name;
    EXPECT_EQ(f.write(floatOf(0x7f7fffff)), f.overflow) << f.name;
    for (uint32_t nan : {0x7f800001u, 0x7fc00000u, 0xffffffffu}) EXPECT_EQ(f.write(floatOf(nan)), f.nan) << f.name;
    EXPECT_TRUE(std::isnan(f.read(f.nan))) << f.name;
    EXPECT_TRUE(std::isnan(f.read(f.nan | f.sign()))) << f.name;
  }
  EXPECT_EQ(formats::toF16(65520.0f), 0x7c00) << "the tie above 65504 goes to the even side, infinity";
  EXPECT_EQ(formats::fromF16(0xfc00), -kInfinity);
  EXPECT_EQ(formats::fromBf16(0x7f80), kInfinity);
  EXPECT_EQ(formats::fromE5m2(0x7c), kInfinity);
  EXPECT_EQ(formats::fromE5m2(0xfc), -kInfinity);
  for (uint8_t code : {0x7d, 0x7e, 0x7f, 0xfd}) EXPECT_TRUE(std::isnan(formats::fromE5m2(code)));
}

TEST(Formats, knownNumbers) {
  EXPECT_EQ(formats::fromE4m3(0x7e), 448.0f);
  EXPECT_EQ(formats::fromE4m3(0x01), 0.001953125f);
  EXPECT_EQ(formats::fromE5m2(0x7b), 57344.0f);
  EXPECT_EQ(formats::toBf16(1.0f), 0x3f80);
  EXPECT_EQ(formats::toF16(1.0f), 0x3c00);
  EXPECT_EQ(formats::toE4m3(1.0f), 0x38);
  EXPECT_EQ(formats::toE4m3(1e9f), 0x7e);
  EXPECT_EQ(formats::toE5m2(-1.0f), 0xbc);
}

TEST(Formats, tf32KeepsTenBitsOfFraction) {
  std::mt19937 random(2);
  for (int i = 0; i < 200000; ++i) {
    const uint32_t bits = i < 20000 ? (random() & ~0x1fffu) | 0x1000 : random(); // ties first
    const float value = floatOf(bits);
    if (!std::isfinite(value)) continue;
    const uint32_t kept = bits & ~0x1fffu, rest = bits & 0x1fff;
    const bool even = !(kept & 0x2000);
    ASSERT_EQ(formats::toTf32(value), rest > 0x1000 || (rest == 0x1000 && !even) ? kept + 0x2000 : kept);
    ASSERT_EQ(formats::toTf32Away(value), rest >= 0x1000 ? kept + 0x2000 : kept);
    ASSERT_EQ(bitsOf(formats::fromTf32(bits)), kept);
  }
  EXPECT_EQ(formats::toTf32(kInfinity), 0x7f800000u);
  EXPECT_EQ(formats::toTf32Away(kInfinity), 0x7f800000u);
  EXPECT_EQ(formats::toTf32(-NAN), 0x7fffffffu);
  EXPECT_EQ(formats::toTf32(1.0f), 0x3f800000u);
}

//===--- Approximate functions -----------------------------------------------------------------------------------===//

struct Parts {
  int64_t significand; // 24 bits
  int exponent;
};
Parts partsOf(float value) {
  int exponent = 0;
  const float fraction = std::frexp(value, &exponent);
  return {int64_t(std::ldexp(fraction, 24)), exponent - 24};
}

TEST(Approximations, rsqrtIsCorrectlyRoundedForEverySignificand) {
  // r is right if (r - half)^2 x <= 1 <= (r + half)^2 x, with half an ulp of r: exact in 128-bit integers.
  for (uint32_t bits = bitsOf(1.0f); bits < bitsOf(4.0f); ++bits) {
    const float value = floatOf(bits);
    const Parts x = partsOf(value), r = partsOf(formats::rsqrt(value, true));
    const int shift = -(2 * (r.exponent - 1) + x.exponent);
    const __int128 one = __int128(1) << shift;
    const __int128 low = 2 * r.significand - 1, high = 2 * r.significand + 1;
    ASSERT_TRUE(low * low * x.significand <= one && one <= high * high * x.significand) << value;
  }
}

TEST(Approximations, rcpIsCorrectlyRoundedForEverySignificand) {
  for (uint32_t bits = bitsOf(1.0f); bits < bitsOf(2.0f); ++bits) {
    const float value = floatOf(bits);
    const Parts x = partsOf(value), r = partsOf(formats::rcp(value, true));
    const int64_t one = int64_t(1) << -(r.exponent - 1 + x.exponent);
    ASSERT_TRUE((2 * r.significand - 1) * x.significand <= one && one <= (2 * r.significand + 1) * x.significand)
        << value;
  }
}

TEST(Approximations, ex2IsWithinHalfAnUlp) {
  // 2^f as a product of 2^(2^-i), each a repeated square root of 2: good to 2^-58.
  long double roots[24];
  long double root = 2;
  for (long double &r : roots) r = root = std::sqrt(root);
  std::mt19937 random(3);
  for (int i = 0; i < 300000; ++i) {
    const float value = std::ldexp(float(int32_t(random())), int(random() % 20) - 44);
    if (std::abs(value) > 125) continue;
    const long double whole = std::floor((long double)value);
    long double rest = (long double)value - whole, exact = 1;
    for (long double r : roots) {
      rest *= 2;
      if (rest >= 1) exact *= r, rest -= 1;
    }
    exact = std::ldexp(exact * (1 + rest * std::pow(2.0L, -24) * std::log(2.0L)), int(whole));
    const float result = formats::ex2(value, true);
    const long double ulp = std::ldexp(1.0L, int(whole) - 23);
    ASSERT_LE(std::abs(result - exact), ulp * 0.500001L) << value;
  }
}

TEST(Approximations, specialValuesAndFlushing) {
  const float subnormal = floatOf(0x00400000), smallest = floatOf(0x00800000);
  EXPECT_EQ(formats::ex2(-kInfinity, true), 0.0f);
  EXPECT_EQ(formats::ex2(kInfinity, true), kInfinity);
  EXPECT_EQ(formats::ex2(subnormal, true), 1.0f);
  EXPECT_EQ(formats::ex2(-127.0f, true), 0.0f);
  EXPECT_EQ(formats::ex2(-127.0f, false), subnormal);
  EXPECT_EQ(formats::ex2(128.0f, true), kInfinity);
  EXPECT_EQ(bitsOf(formats::ex2(-NAN, true)), 0x7fffffffu);
  EXPECT_EQ(formats::rcp(0.0f, true), kInfinity);
  EXPECT_EQ(formats::rcp(-subnormal, true), -kInfinity);
  EXPECT_EQ(formats::rcp(subnormal, false), floatOf(0x7f000000));
  EXPECT_EQ(bitsOf(formats::rcp(-kInfinity, true)), 0x80000000u);
  EXPECT_EQ(bitsOf(formats::rcp(-floatOf(0x7f000000), true)), 0x80000000u) << "2^-127 flushes to zero of its sign";
  EXPECT_EQ(bitsOf(formats::rcp(NAN, false)), 0x7fffffffu);
  EXPECT_EQ(formats::rsqrt(0.0f, true), kInfinity);
  EXPECT_EQ(formats::rsqrt(-0.0f, true), -kInfinity);
  EXPECT_EQ(formats::rsqrt(-subnormal, true), -kInfinity);
  EXPECT_EQ(bitsOf(formats::rsqrt(-smallest, true)), 0x7fffffffu);
  EXPECT_EQ(formats::rsqrt(kInfinity, true), 0.0f);
  EXPECT_EQ(formats::rsqrt(smallest, true), floatOf(0x5f000000));
  EXPECT_EQ(formats::lg2(8.0f, true), 3.0f);
  EXPECT_EQ(formats::lg2(subnormal, true), -kInfinity);
  EXPECT_EQ(formats::lg2(subnormal, false), -127.0f);
  EXPECT_EQ(formats::tanh(100.0f), 1.0f);
  EXPECT_EQ(formats::tanh(-kInfinity), -1.0f);
  EXPECT_EQ(formats::sqrt(2.25f, true), 1.5f);
  EXPECT_EQ(formats::sqrt(subnormal, true), 0.0f);
  EXPECT_EQ(bitsOf(formats::sqrt(-1.0f, true)), 0x7fffffffu);
}

} // namespace
