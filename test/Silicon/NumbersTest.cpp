// Proves the numbers that references are made of: short floats against values that their formats' definitions name, and
// the distance of floats.
#include "lib/Silicon/Numbers.h"

#include <cmath>
#include <gtest/gtest.h>
#include <set>

using namespace mmc::silicon;

namespace {

TEST(SiliconNumbers, CodesOfKnownNumbers) {
  const struct {
    const ShortFloat &format;
    double value;
    uint32_t code;
  } cases[] = {
      {kBf16, 1.0, 0x3f80},    {kBf16, -2.5, 0xc020},       {kBf16, 0x1p-133, 0x0001}, {kF16, 1.0, 0x3c00},
      {kF16, 65504.0, 0x7bff}, {kF16, 0x1p-24, 0x0001},     {kE4m3, 1.0, 0x38},        {kE4m3, 448.0, 0x7e},
      {kE4m3, -0.0, 0x80},     {kE4m3, 0x1p-9, 0x01},       {kE5m2, 1.0, 0x3c},        {kE5m2, 57344.0, 0x7b},
      {kE5m2, 0x1p-16, 0x01},  {kF16, 0x1.ff8p-15, 0x03ff},
  };
  for (const auto &c : cases) {
    EXPECT_EQ(c.format.encode(c.value), c.code) << c.value;
    EXPECT_EQ(c.format.decode(c.code), c.value) << c.value;
  }
  EXPECT_TRUE(std::isnan(kE4m3.decode(0x7f)));
  EXPECT_TRUE(std::isinf(kE5m2.decode(0x7c)));
}

TEST(SiliconNumbers, TiesGoToEvenAndTheEndsSaturateOrNot) {
  EXPECT_EQ(kBf16.encode(1 + 0x1p-8), 0x3f80u);           // halfway: down to even
  EXPECT_EQ(kBf16.encode(1 + 3 * 0x1p-8), 0x3f82u);       // halfway: up to even
  EXPECT_EQ(kBf16.encode(1 + 0x1p-8 + 0x1p-30), 0x3f81u); // a little more
  EXPECT_EQ(kF16.encode(0x1p-25), 0u);
  EXPECT_EQ(kF16.encode(0x1.8p-25), 1u);
  EXPECT_EQ(kF16.encode(65520.0), 0x7c00u); // infinity
  EXPECT_EQ(kF16.encode(65519.0), 0x7bffu);
  EXPECT_EQ(kE4m3.encode(1e30), 0x7eu);
  EXPECT_EQ(kE5m2.encode(-1e30), 0xfbu);
  EXPECT_EQ(kBf16.encode(INFINITY), 0x7f80u);
}

TEST(SiliconNumbers, EveryCodeComesBack) {
  for (const ShortFloat *format : {&kBf16, &kF16, &kE4m3, &kE5m2})
    for (uint32_t code = 0; code < 1u << (1 + format->exponentBits + format->mantissaBits); ++code) {
      const double value = format->decode(code);
      if (std::isfinite(value)) ASSERT_EQ(format->encode(value), code);
    }
}

TEST(SiliconNumbers, TheDistanceOfFloats) {
  EXPECT_EQ(ulpAt(1.0), 0x1p-23);
  EXPECT_EQ(ulpAt(1.999), 0x1p-23);
  EXPECT_EQ(ulpAt(2.0), 0x1p-22);
  EXPECT_EQ(ulpAt(0x1p-140), 0x1p-149);
}

/// Inputs are made from names: two names give different numbers, and names are not used twice.
TEST(SiliconNumbers, CasesHaveNamesAndInputsOfTheirOwn) {
  EXPECT_EQ(Random("one").words(4), Random("one").words(4));
  EXPECT_NE(Random("one").words(4), Random("two").words(4));
  std::set<std::string> names;
  for (const Case &c : allCases()) {
    EXPECT_TRUE(names.insert(c.name).second) << c.name;
    const size_t expected = c.comparison == Comparison::exact      ? c.words.size()
                            : c.comparison == Comparison::recorded ? c.initial.size()
                                                                   : c.values.size();
    EXPECT_EQ(expected, c.initial.size()) << c.name;
    EXPECT_EQ(c.allowed.size(), c.values.size()) << c.name;
  }
  EXPECT_GE(names.size(), 180u);
}

} // namespace
