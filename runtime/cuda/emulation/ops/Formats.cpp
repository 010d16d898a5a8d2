// Implements the conversions with one rounding routine. Invariant: a float32 is split into sign, and a magnitude that
// orders as its bits do, so rounding up across a binade is a carry.
#include "runtime/cuda/emulation/ops/Formats.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mmc::emu::formats {

namespace {

constexpr uint32_t kInfinity = 0x7f800000;
constexpr uint32_t kCanonicalNan = 0x7fffffff;

uint32_t bitsOf(float value) { return std::bit_cast<uint32_t>(value); }
float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }
uint32_t magnitudeOf(float value) { return bitsOf(value) & 0x7fffffff; }
bool isNan(float value) { return magnitudeOf(value) > kInfinity; }

/// value >> shift, to nearest, ties to even.
uint32_t shiftToEven(uint32_t value, uint32_t shift) {
  if (shift == 0) return value;
  if (shift > 31) return 0;
  const uint32_t half = 1u << (shift - 1), rest = value & ((1u << shift) - 1), kept = value >> shift;
  return kept + (rest > half || (rest == half && (kept & 1)));
}

/// Magnitude bits of a format with `fraction` bits of fraction and exponent bias `bias`; unbounded above.
uint32_t roundMagnitude(uint32_t magnitude, uint32_t fraction, int bias) {
  const int exponent = int(magnitude >> 23) - 127 + bias;
  if (exponent > 0) {
    const uint32_t rebased = uint32_t(exponent) << 23 | (magnitude & 0x7fffff);
    return shiftToEven(rebased, 23 - fraction);
  }
  // Subnormal there: the significand with its hidden bit, one place further right for each step below exponent 1.
  // float32's own subnormals are far below half of any format's smallest number.
  if (magnitude < 0x00800000) return 0;
  return shiftToEven((magnitude & 0x7fffff) | 0x800000, 23 - fraction + uint32_t(1 - exponent));
}

/// The number that a magnitude of that format stands for; its top exponent is not treated as special.
float expand(uint32_t magnitude, uint32_t fraction, int bias) {
  const uint32_t exponent = magnitude >> fraction, rest = magnitude & ((1u << fraction) - 1);
  if (exponent == 0) return std::ldexp(float(rest), 1 - bias - int(fraction));
  return floatOf((exponent + 127 - uint32_t(bias)) << 23 | rest << (23 - fraction));
}

float withSign(float magnitude, bool negative) { return negative ? -magnitude : magnitude; }

float flushed(float value, bool flush) {
  return flush && magnitudeOf(value) < 0x00800000 ? floatOf(bitsOf(value) & 0x80000000) : value;
}

} // namespace

float fromBf16(uint16_t bits) { return floatOf(uint32_t(bits) << 16); }

uint16_t toBf16(float value) {
  if (isNan(value)) return 0x7fff;
  return uint16_t(bitsOf(value) >> 16 & 0x8000) | uint16_t(shiftToEven(magnitudeOf(value), 16));
}

float fromF16(uint16_t bits) {
  const uint32_t magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) return floatOf((bits & 0x8000u) << 16 | kInfinity | (magnitude & 0x3ff) << 13);
  return withSign(expand(magnitude, 10, 15), bits & 0x8000);
}

uint16_t toF16(float value) {
  if (isNan(value)) return 0x7fff;
  const uint32_t magnitude = std::min(roundMagnitude(magnitudeOf(value), 10, 15), 0x7c00u);
  return uint16_t(bitsOf(value) >> 16 & 0x8000) | uint16_t(magnitude);
}

float fromE4m3(uint8_t bits) {
  if ((bits & 0x7f) == 0x7f) return floatOf((bits & 0x80u) << 24 | 0x7fc00000);
  return withSign(expand(bits & 0x7f, 3, 7), bits & 0x80);
}

uint8_t toE4m3(float value) {
  if (isNan(value)) return 0x7f;
  const uint32_t magnitude = std::min(roundMagnitude(magnitudeOf(value), 3, 7), 0x7eu);
  return uint8_t(bitsOf(value) >> 24 & 0x80) | uint8_t(magnitude);
}

float fromE5m2(uint8_t bits) { return fromF16(uint16_t(bits << 8)); }

uint8_t toE5m2(float value) {
  if (isNan(value)) return 0x7f;
  const uint32_t magnitude = std::min(roundMagnitude(magnitudeOf(value), 2, 15), 0x7bu);
  return uint8_t(bitsOf(value) >> 24 & 0x80) | uint8_t(magnitude);
}

float fromTf32(uint32_t bits) { return floatOf(bits & ~0x1fffu); }

uint32_t toTf32(float value) {
  if (isNan(value)) return kCanonicalNan;
  return (bitsOf(value) & 0x80000000) | shiftToEven(magnitudeOf(value), 13) << 13;
}

uint32_t toTf32Away(float value) {
  if (isNan(value)) return kCanonicalNan;
  const uint32_t magnitude = magnitudeOf(value);
  return (bitsOf(value) & 0x80000000) | (magnitude == kInfinity ? kInfinity : (magnitude + 0x1000) & ~0x1fffu);
}

// long double has 64 bits of significand: the rounded quotient, root or power is right unless the exact result lies
// within 2^-63 of a tie, which no float32 argument of these functions reaches.

float ex2(float value, bool flush) {
  value = flushed(value, flush);
  if (isNan(value)) return floatOf(kCanonicalNan);
  return flushed(float(std::exp2((long double)value)), flush);
}

float rcp(float value, bool flush) {
  value = flushed(value, flush);
  if (isNan(value)) return floatOf(kCanonicalNan);
  return flushed(1.0f / value, flush);
}

float rsqrt(float value, bool flush) {
  value = flushed(value, flush);
  if (isNan(value) || value < 0) return floatOf(kCanonicalNan);
  if (value == 0) return std::copysign(floatOf(kInfinity), value);
  return flushed(float(1.0L / std::sqrt((long double)value)), flush);
}

float lg2(float value, bool flush) {
  value = flushed(value, flush);
  if (isNan(value) || value < 0) return floatOf(kCanonicalNan);
  return flushed(float(std::log2((long double)value)), flush);
}

float tanh(float value) {
  if (isNan(value)) return floatOf(kCanonicalNan);
  return float(std::tanh((long double)value));
}

float sqrt(float value, bool flush) {
  value = flushed(value, flush);
  if (isNan(value) || value < 0) return floatOf(kCanonicalNan);
  return std::sqrt(value);
}

} // namespace mmc::emu::formats
