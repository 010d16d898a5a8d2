// Operands of matrix instructions, and their products in float64 with the sum of magnitudes beside.
#pragma once

#include "lib/Silicon/Numbers.h"

namespace mmc::silicon {

enum class Type { bf16, f16, e4m3, e5m2, s8, u8 };

inline uint32_t bytesOf(Type type) { return type == Type::bf16 || type == Type::f16 ? 2 : 1; }
inline bool isInteger(Type type) { return type == Type::s8 || type == Type::u8; }
/// What one instruction sums over.
inline uint32_t depthOf(Type type) { return 32 / bytesOf(type); }

double valueOf(Type type, uint32_t code);

/// rows x depth codes, row by row: any digits, exponents within a range that a sum of products feels.
struct Operand {
  Type type;
  uint32_t rows, depth;
  Words codes;
  uint32_t at(uint32_t row, uint32_t k) const { return codes[size_t(row) * depth + k]; }
};
Operand drawOperand(Random &random, Type type, uint32_t rows);

/// Starting values of accumulators, as words: floats of -8 to 8, or any integers.
Words drawStart(Random &random, bool integers, size_t count);

/// Where element (row, column) of the result lies among the output's words.
using Place = uint32_t (*)(uint32_t n, uint32_t row, uint32_t column);

/// sign a b + start, where B is given as its columns, into the case's expectations.
void expectProduct(Case &c, const Operand &a, const Operand &b, double sign, bool accumulate, const Words &start,
                   Place place);

} // namespace mmc::silicon
