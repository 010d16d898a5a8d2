// Numbers of cases: reproducible random ones, and short floats by the definition of their formats.
#pragma once

#include "lib/Silicon/Case.h"

#include <bit>
#include <string_view>

namespace mmc::silicon {

/// splitmix64, begun from a name: the same numbers with every compiler, and a new case changes no other's.
class Random {
public:
  explicit Random(std::string_view name) {
    for (char c : name) state = (state ^ uint8_t(c)) * 0x100000001b3; // FNV-1a
  }
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint32_t word() { return uint32_t(next() >> 32); }
  uint32_t below(uint32_t end) { return uint32_t((next() >> 32) * end >> 32); }
  /// Uniform, a multiple of 2^-24 of the range.
  float uniform(float low, float high) { return low + (high - low) * float(next() >> 40) * 0x1p-24f; }
  Words words(size_t count) {
    Words all(count);
    for (uint32_t &one : all) one = word();
    return all;
  }

private:
  uint64_t state = 0xcbf29ce484222325;
};

inline uint32_t bitsOf(float x) { return std::bit_cast<uint32_t>(x); }
inline float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }

/// A short float: sign, exponent, mantissa.
struct ShortFloat {
  int exponentBits, mantissaBits;
  bool infinities; // as IEEE 754 has them; else the code of ones alone is NaN
  bool saturates;  // what is too large becomes the largest number, not infinity

  /// The number of a code; infinity or NaN where it stands for one.
  double decode(uint32_t code) const;
  /// The nearest code, ties to even.
  uint32_t encode(double x) const;
};
inline constexpr ShortFloat kBf16{8, 7, true, false}, kF16{5, 10, true, false}, kE4m3{4, 3, false, true},
    kE5m2{5, 2, true, true};

/// The distance of floats at a magnitude, which is not 0.
double ulpAt(double magnitude);

} // namespace mmc::silicon
