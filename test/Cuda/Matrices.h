// Matrices for tests of products: numbers that a format holds, laid out element by element by index arithmetic that the
// emulation does not use, and their product in float64.
#pragma once

#include "runtime/cuda/emulation/ops/Formats.h"
#include "runtime/cuda/emulation/ops/Product.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace mmc::emu::test {

/// Bits of `value` in the format.
inline uint32_t encode(Element type, double value) {
  switch (type) {
  case Element::f16:
    return formats::toF16(float(value));
  case Element::bf16:
    return formats::toBf16(float(value));
  case Element::e4m3:
    return formats::toE4m3(float(value));
  case Element::e5m2:
    return formats::toE5m2(float(value));
  case Element::s8:
    return uint8_t(int8_t(value));
  case Element::u8:
    return uint8_t(value);
  }
  return 0;
}

/// rows x columns, row-major.
struct Matrix {
  uint32_t rows, columns;
  std::vector<double> values;
  Matrix(uint32_t rows, uint32_t columns) : rows(rows), columns(columns), values(size_t(rows) * columns) {}
  double &at(uint32_t row, uint32_t column) { return values[size_t(row) * columns + column]; }
  double at(uint32_t row, uint32_t column) const { return values[size_t(row) * columns + column]; }
};

/// Integers from -8 to 8 (0 to 8 for u8, -128 to 127 for s8): every format holds them, and sums of their products are
/// exact in float32, so answers are compared for equality and each misplaced element shows.
inline Matrix randomMatrix(Element type, uint32_t rows, uint32_t columns, uint32_t seed) {
  std::mt19937 random(seed);
  Matrix matrix(rows, columns);
  for (double &value : matrix.values) {
    switch (type) {
    case Element::s8:
      value = int(random() % 256) - 128;
      break;
    case Element::u8:
      value = random() % 256;
      break;
    default:
      value = int(random() % 17) - 8;
      break;
    }
  }
  return matrix;
}

/// a (m x k) times b, given as its columns: b is n x k.
inline Matrix multiply(const Matrix &a, const Matrix &b) {
  Matrix product(a.rows, b.rows);
  for (uint32_t m = 0; m < a.rows; ++m)
    for (uint32_t n = 0; n < b.rows; ++n)
      for (uint32_t k = 0; k < a.columns; ++k) product.at(m, n) += a.at(m, k) * b.at(n, k);
  return product;
}

/// The element's bytes at `to`.
inline void place(Element type, double value, uint8_t *to) {
  const uint32_t bits = encode(type, value);
  std::memcpy(to, &bits, bytesOf(type));
}

} // namespace mmc::emu::test
