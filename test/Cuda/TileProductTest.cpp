// Proves that the product of tiles is right for every element type, size, major and sign, against float64 sums over
// matrices laid out by index; that it adds in the documented order; and that AVX2 and AVX-512 give the same bits.
#include "test/Cuda/Matrices.h"

#include <cmath>
#include <gtest/gtest.h>
#include <memory>

using namespace mmc::emu;
using namespace mmc::emu::test;

namespace {

/// Chunks of an operand (rows x k) in the order that TileProduct takes.
std::vector<uint8_t> chunksOf(Element type, Major major, const Matrix &operand) {
  const uint32_t bytes = bytesOf(type);
  std::vector<uint8_t> chunks(operand.rows * 32);
  for (uint32_t row = 0; row < operand.rows; ++row)
    for (uint32_t k = 0; k < operand.columns; ++k) {
      const uint32_t kMajor = row * 32 + k * bytes;
      const uint32_t mnMajor = (k * operand.rows + row) * bytes;
      place(type, operand.at(row, k), &chunks[major == Major::k ? kMajor : mnMajor]);
    }
  return chunks;
}

template <class T> struct Fragments {
  explicit Fragments(uint32_t n) : values(128, std::vector<T>(n / 2)) {
    for (auto &thread : values) pointers.push_back(thread.data());
  }
  std::vector<std::vector<T>> values;
  std::vector<T *> pointers;
  /// By the table of the PTX ISA: warp, group of four lanes, lane in the group.
  T &at(uint32_t row, uint32_t column) {
    const uint32_t warp = row / 16, group = row % 8, half = row % 16 / 8;
    const uint32_t thread = warp * 32 + group * 4 + column % 8 / 2;
    return values[thread][column / 8 * 4 + half * 2 + column % 2];
  }
};

struct Case {
  Element a, b;
  Major majorA, majorB;
};
const Case kCases[] = {
    {Element::bf16, Element::bf16, Major::k, Major::k},  {Element::bf16, Element::bf16, Major::mn, Major::k},
    {Element::bf16, Element::bf16, Major::k, Major::mn}, {Element::f16, Element::f16, Major::mn, Major::mn},
    {Element::f16, Element::f16, Major::k, Major::k},    {Element::e4m3, Element::e4m3, Major::k, Major::k},
    {Element::e4m3, Element::e5m2, Major::k, Major::k},  {Element::e5m2, Element::e4m3, Major::k, Major::k},
    {Element::e5m2, Element::e5m2, Major::k, Major::k},
};

TEST(TileProduct, everyTypeMajorAndSizeIsExactOnIntegers) {
  for (auto vectors : {TileProduct::Vectors::avx2, TileProduct::Vectors::best}) {
    TileProduct product(vectors);
    for (const Case &c : kCases)
      for (uint32_t n = 8; n <= 256; n += 8)
        for (bool negate : {false, true}) {
          const Matrix a = randomMatrix(c.a, 64, depthOf(c.a), n), b = randomMatrix(c.b, n, depthOf(c.b), n + 1);
          const Matrix expected = multiply(a, b);
          product.setA(c.a, c.majorA, chunksOf(c.a, c.majorA, a).data(), negate);
          product.setB(c.b, c.majorB, chunksOf(c.b, c.majorB, b).data(), n);
          Fragments<float> d(n);
          for (uint32_t row = 0; row < 64; ++row)
            for (uint32_t column = 0; column < n; ++column) d.at(row, column) = float(row * 1000 + column);
          const bool zero = n % 16 == 0;
          product.multiply(d.pointers.data(), zero);
          for (uint32_t row = 0; row < 64; ++row)
            for (uint32_t column = 0; column < n; ++column) {
              const double sum = (negate ? -1 : 1) * expected.at(row, column);
              ASSERT_EQ(d.at(row, column), sum + (zero ? 0 : row * 1000 + column))
                  << "types " << int(c.a) << int(c.b) << " n " << n << " row " << row << " column " << column;
            }
        }
  }
}

TEST(TileProduct, addsOneFusedMultiplyAddForEachKInOrder) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  const uint32_t n = 72;
  Matrix a(64, 16), b(n, 16);
  for (double &v : a.values) v = formats::fromBf16(formats::toBf16(float(normal(random))));
  for (double &v : b.values) v = formats::fromBf16(formats::toBf16(float(normal(random))));
  Fragments<float> best(n), avx2(n);
  for (auto *d : {&best, &avx2}) {
    TileProduct product(d == &best ? TileProduct::Vectors::best : TileProduct::Vectors::avx2);
    product.setA(Element::bf16, Major::k, chunksOf(Element::bf16, Major::k, a).data(), false);
    product.setB(Element::bf16, Major::k, chunksOf(Element::bf16, Major::k, b).data(), n);
    for (uint32_t row = 0; row < 64; ++row)
      for (uint32_t column = 0; column < n; ++column) d->at(row, column) = 0.1f * float(row) - float(column);
    product.multiply(d->pointers.data(), false);
  }
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t column = 0; column < n; ++column) {
      float sum = 0.1f * float(row) - float(column);
      for (uint32_t k = 0; k < 16; ++k) sum = std::fma(float(a.at(row, k)), float(b.at(column, k)), sum);
      ASSERT_EQ(best.at(row, column), sum);
      ASSERT_EQ(avx2.at(row, column), sum);
    }
}

TEST(TileProduct, integersOfAllSigns) {
  for (Element typeA : {Element::s8, Element::u8})
    for (Element typeB : {Element::s8, Element::u8})
      for (uint32_t n : {8u, 24u, 64u, 256u}) {
        const Matrix a = randomMatrix(typeA, 64, 32, n), b = randomMatrix(typeB, n, 32, n + 1);
        const Matrix expected = multiply(a, b);
        TileProduct product;
        product.setA(typeA, Major::k, chunksOf(typeA, Major::k, a).data(), false);
        product.setB(typeB, Major::k, chunksOf(typeB, Major::k, b).data(), n);
        Fragments<int32_t> d(n);
        for (auto &thread : d.values) thread.assign(thread.size(), 1000000007);
        product.multiplyIntegers(d.pointers.data(), false, false);
        for (uint32_t row = 0; row < 64; ++row)
          for (uint32_t column = 0; column < n; ++column)
            ASSERT_EQ(d.at(row, column), 1000000007 + expected.at(row, column));
      }
}

TEST(TileProduct, integersWrapOrSaturate) {
  Matrix a(64, 32), b(8, 32);
  for (double &v : a.values) v = 127;
  for (uint32_t column = 0; column < 8; ++column)
    for (uint32_t k = 0; k < 32; ++k) b.at(column, k) = column % 2 ? -128 : 127;
  const int32_t up = 127 * 127 * 32, down = -128 * 127 * 32;
  for (bool saturate : {false, true}) {
    TileProduct product;
    product.setA(Element::s8, Major::k, chunksOf(Element::s8, Major::k, a).data(), false);
    product.setB(Element::s8, Major::k, chunksOf(Element::s8, Major::k, b).data(), 8);
    Fragments<int32_t> d(8);
    for (uint32_t row = 0; row < 64; ++row)
      for (uint32_t column = 0; column < 8; ++column) d.at(row, column) = column % 2 ? INT32_MIN + 5 : INT32_MAX - 5;
    product.multiplyIntegers(d.pointers.data(), false, saturate);
    EXPECT_EQ(d.at(3, 0), saturate ? INT32_MAX : int32_t(uint32_t(INT32_MAX - 5) + uint32_t(up)));
    EXPECT_EQ(d.at(3, 1), saturate ? INT32_MIN : int32_t(uint32_t(INT32_MIN + 5) + uint32_t(down)));
    product.multiplyIntegers(d.pointers.data(), true, saturate);
    EXPECT_EQ(d.at(63, 6), up);
    EXPECT_EQ(d.at(63, 7), down);
  }
}

TEST(TileProduct, decodesEveryCodeOfEveryFormat) {
  for (Element type : {Element::f16, Element::bf16, Element::e4m3, Element::e5m2, Element::s8, Element::u8}) {
    const uint32_t codes = bytesOf(type) == 2 ? 65536 : 256;
    std::vector<uint8_t> bytes(codes * bytesOf(type));
    for (uint32_t code = 0; code < codes; ++code) std::memcpy(&bytes[code * bytesOf(type)], &code, bytesOf(type));
    std::vector<float> values(codes);
    decodeElements(type, bytes.data(), codes, values.data());
    for (uint32_t code = 0; code < codes; ++code) {
      float expected = 0;
      switch (type) {
      case Element::f16:
        expected = formats::fromF16(uint16_t(code));
        break;
      case Element::bf16:
        expected = formats::fromBf16(uint16_t(code));
        break;
      case Element::e4m3:
        expected = formats::fromE4m3(uint8_t(code));
        break;
      case Element::e5m2:
        expected = formats::fromE5m2(uint8_t(code));
        break;
      case Element::s8:
        expected = float(int8_t(code));
        break;
      case Element::u8:
        expected = float(code);
        break;
      }
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(values[code])) << int(type) << " " << code;
      } else {
        ASSERT_EQ(values[code], expected) << int(type) << " " << code;
        ASSERT_EQ(std::signbit(values[code]), std::signbit(expected)) << int(type) << " " << code;
      }
    }
  }
}

TEST(TileProduct, placesOfAccumulatorsAreEachOthersInverse) {
  Fragments<int> d(64);
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t column = 0; column < 64; ++column) d.at(row, column) = int(row * 64 + column);
  for (uint32_t thread = 0; thread < 128; ++thread)
    for (uint32_t element = 0; element < 32; ++element)
      EXPECT_EQ(uint32_t(d.values[thread][element]),
                accumulatorRow(thread, element) * 64 + accumulatorColumn(thread, element));
}

} // namespace
