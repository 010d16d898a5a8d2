// Implements products. Invariant: products of two short floats and sums of at most 33 of them are exact in float64 as
// far as exponents differ by less than 40; beyond that they are off by less than 2^-50 of the magnitude.
#include "lib/Silicon/Products.h"

#include <cmath>

namespace mmc::silicon {

double valueOf(Type type, uint32_t code) {
  switch (type) {
  case Type::bf16:
    return kBf16.decode(code);
  case Type::f16:
    return kF16.decode(code);
  case Type::e4m3:
    return kE4m3.decode(code);
  case Type::e5m2:
    return kE5m2.decode(code);
  case Type::s8:
    return int8_t(code);
  case Type::u8:
    return code;
  }
  return 0;
}

Operand drawOperand(Random &random, Type type, uint32_t rows) {
  Operand operand{type, rows, depthOf(type), {}};
  for (size_t i = 0; i < size_t(rows) * operand.depth; ++i) {
    const uint32_t bits = random.word();
    switch (type) {
    case Type::bf16:
      operand.codes.push_back((bits & 0x807f) | (120 + (bits >> 16) % 10) << 7);
      break;
    case Type::f16:
      operand.codes.push_back((bits & 0x83ff) | (8 + (bits >> 16) % 10) << 10);
      break;
    case Type::e4m3:
      operand.codes.push_back((bits & 0x87) | (bits >> 16) % 15 << 3);
      break;
    case Type::e5m2:
      operand.codes.push_back((bits & 0x83) | (8 + (bits >> 16) % 14) << 2);
      break;
    case Type::s8:
    case Type::u8:
      operand.codes.push_back(bits & 0xff);
      break;
    }
  }
  return operand;
}

Words drawStart(Random &random, bool integers, size_t count) {
  Words start;
  for (size_t i = 0; i < count; ++i) start.push_back(integers ? random.word() : bitsOf(random.uniform(-8, 8)));
  return start;
}

void expectProduct(Case &c, const Operand &a, const Operand &b, double sign, bool accumulate, const Words &start,
                   Place place) {
  const bool integers = isInteger(a.type);
  c.comparison = integers ? Comparison::exact : Comparison::product;
  c.initial.assign(start.size(), kUntouched);
  (integers ? c.words.resize(start.size()) : c.values.resize(start.size()));
  if (!integers) c.allowed.resize(start.size());
  for (uint32_t row = 0; row < a.rows; ++row)
    for (uint32_t column = 0; column < b.rows; ++column) {
      double sum = 0, magnitude = 0;
      for (uint32_t k = 0; k < a.depth; ++k) {
        const double term = sign * valueOf(a.type, a.at(row, k)) * valueOf(b.type, b.at(column, k));
        sum += term;
        magnitude += std::fabs(term);
      }
      const uint32_t at = place(b.rows, row, column);
      if (integers) {
        c.words[at] = uint32_t(int64_t(sum)) + (accumulate ? start[at] : 0);
        continue;
      }
      const double before = accumulate ? floatOf(start[at]) : 0;
      c.values[at] = sum + before;
      c.allowed[at] = 2 * ulpAt(magnitude + std::fabs(before));
    }
}

} // namespace mmc::silicon
