// The layout algebra, conversions and random weights: by definition, against independent formulas, and beyond 4 GiB.
#include "runtime/src/Convert.h"
#include "runtime/src/RandomWeights.h"
#include "test/Runtime/TinyModel.h"

#include <cmath>
#include <set>

namespace mmc::test {

namespace {

TEST(LayoutTest, RowMajor) {
  const Layout layout{DType::bf16};
  const uint64_t shape[] = {3, 4, 5}, at[] = {2, 1, 3};
  EXPECT_EQ(elementIndex(layout, shape, at), 2u * 20 + 5 + 3);
  EXPECT_EQ(storedElements(layout, shape), 60u);
  EXPECT_EQ(storedBytes(layout, shape), 128u);
  EXPECT_EQ(storedElements(layout, {}), 1u);
}

TEST(LayoutTest, PanelsHoldEveryElementOnceInTheDocumentedPlace) {
  for (auto [n, k, panelN, panelK] :
       {std::array<uint32_t, 4>{5, 7, 4, 2}, {16, 8, 16, 2}, {1, 1, 64, 4}, {70, 3, 64, 1}, {6, 9, 1, 4}}) {
    const Layout layout{DType::f32, LayoutKind::panels, panelN, panelK};
    const uint64_t shape[] = {n, k};
    std::set<uint64_t> seen;
    for (uint64_t row = 0; row < n; ++row)
      for (uint64_t column = 0; column < k; ++column) {
        const uint64_t at[] = {row, column}, index = elementIndex(layout, shape, at);
        // [N / panelN][K / panelK][panelN][panelK]
        const uint64_t blocks = (k + panelK - 1) / panelK;
        uint64_t expected = row / panelN;
        expected = expected * blocks + column / panelK;
        expected = expected * panelN + row % panelN;
        expected = expected * panelK + column % panelK;
        EXPECT_EQ(index, expected);
        EXPECT_LT(index, storedElements(layout, shape));
        EXPECT_TRUE(seen.insert(index).second);
      }
  }
}

TEST(LayoutTest, RowsMayBePaddedToSeveralPanels) {
  const uint64_t shape[] = {20, 7}, at[] = {17, 3};
  const Layout tight{DType::f32, LayoutKind::panels, 16, 1}, padded{DType::f32, LayoutKind::panels, 16, 1, 64};
  EXPECT_EQ(storedElements(tight, shape), 32u * 7);
  EXPECT_EQ(storedElements(padded, shape), 64u * 7);
  EXPECT_EQ(elementIndex(padded, shape, at), elementIndex(tight, shape, at)) << "padding moves nothing";
}

TEST(LayoutTest, OffsetsBeyond32Bits) {
  const Layout panels{DType::bf16, LayoutKind::panels, 64, 2};
  const uint64_t shape[] = {200'064, 60'000}, at[] = {200'063, 59'999};
  EXPECT_EQ(elementIndex(panels, shape, at), 200'064ull * 60'000 - 1);
  EXPECT_EQ(storedBytes(panels, shape), 200'064ull * 60'000 * 2);
}

TEST(ConvertTest, Bf16RoundsToNearestEven) {
  EXPECT_EQ(floatToBf16(1.0f), 0x3f80);
  EXPECT_EQ(floatToBf16(std::bit_cast<float>(0x3f808000u)), 0x3f80); // a tie goes to even
  EXPECT_EQ(floatToBf16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(floatToBf16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_EQ(floatToBf16(std::bit_cast<float>(0x7f7fffffu)), 0x7f80); // rounds up to infinity
  EXPECT_EQ(floatToBf16(-INFINITY), 0xff80);
  EXPECT_TRUE(std::isnan(bf16ToFloat(floatToBf16(std::bit_cast<float>(0x7f800001u)))));
  EXPECT_EQ(floatToBf16(1e-40f), 0x0001);
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = bf16ToFloat(uint16_t(bits));
    if (!std::isnan(value)) {
      ASSERT_EQ(floatToBf16(value), bits);
    }
  }
}

TEST(ConvertTest, HalfRoundTripsAndRoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = halfToFloat(uint16_t(bits));
    if (!std::isnan(value)) {
      ASSERT_EQ(floatToHalf(value), bits) << value;
    }
    // The definition, in float64.
    const int exponent = int(bits >> 10 & 31), mantissa = int(bits & 1023);
    if (exponent == 31) continue;
    const double expected =
        std::ldexp(exponent ? 1024 + mantissa : mantissa, (exponent ? exponent : 1) - 25) * (bits & 0x8000 ? -1 : 1);
    ASSERT_EQ(double(value), expected);
  }
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) { // between neighbours: halfway goes to even, beyond it to the nearer
    const float low = halfToFloat(uint16_t(bits)), high = halfToFloat(uint16_t(bits + 1)), middle = (low + high) / 2;
    ASSERT_EQ(floatToHalf(middle), bits + (bits & 1));
    ASSERT_EQ(floatToHalf(std::nextafter(middle, low)), bits);
    ASSERT_EQ(floatToHalf(std::nextafter(middle, high)), bits + 1);
  }
  EXPECT_EQ(floatToHalf(65519.0f), 0x7bff);
  EXPECT_EQ(floatToHalf(65520.0f), 0x7c00);
  EXPECT_EQ(floatToHalf(-1e30f), 0xfc00);
  EXPECT_EQ(floatToHalf(1e-30f), 0);
  EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(NAN))));
}

TEST(RandomWeightsTest, DependsOnSeedNameAndIndexOnly) {
  const uint64_t key = randomWeightKey(1, "model.layers.0.w");
  EXPECT_EQ(key, randomWeightKey(1, "model.layers.0.w"));
  EXPECT_NE(key, randomWeightKey(2, "model.layers.0.w"));
  EXPECT_NE(key, randomWeightKey(1, "model.layers.1.w"));
  EXPECT_NE(randomWeightKey(1, "ab"), randomWeightKey(1, "ba"));
  // Frozen: models with random weights must answer the same in later versions.
  EXPECT_EQ(randomWeight(key, 0, 0, 1), randomWeight(key, 0, 0, 1));
  double sum = 0, squares = 0;
  float low = 9, high = -9;
  constexpr int kCount = 1 << 16;
  for (int i = 0; i < kCount; ++i) {
    const float value = randomWeight(key, uint64_t(i), 0, 1);
    sum += value;
    squares += double(value) * value;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  EXPECT_NEAR(sum / kCount, 0, 0.01);
  EXPECT_NEAR(squares / kCount, 1.0 / 3, 0.01);
  EXPECT_GE(low, -1);
  EXPECT_LE(high, 1);
  EXPECT_LT(low, -0.999);
  EXPECT_GT(high, 0.999);
  EXPECT_EQ(randomWeight(key, 5, 2, 0), 2);
  // A bfloat16: 2 + 2^-7 lies between two of them and goes to the even one.
  EXPECT_EQ(randomWeight(key, 5, 2 + 0x1p-7f, 0), 2);
  EXPECT_EQ(randomWeight(key, 5, 2 + 3 * 0x1p-7f, 0), 2 + 0x1p-5f);
}

} // namespace

} // namespace mmc::test
