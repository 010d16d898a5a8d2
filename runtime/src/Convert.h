// Conversions between the floating-point types of checkpoints and of kernels, rounding to nearest even. Denormals and
// infinities are kept, NaNs stay NaNs.
#pragma once

#include "runtime/src/Layout.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace mmc::runtime {

inline float bf16ToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

inline uint16_t floatToBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const bool nan = (bits & 0x7fffffff) > 0x7f800000;
  return uint16_t((nan ? bits | 0x400000 : rounded) >> 16);
}

inline float halfToFloat(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16, exponent = (bits >> 10) & 31, mantissa = bits & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float magnitude = float(mantissa) * 0x1p-24f; // zero or denormal: exact
  return sign ? -magnitude : magnitude;
}

inline uint16_t floatToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffff;
  const uint16_t sign = uint16_t(bits >> 16 & 0x8000);
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above round to infinity
  if (magnitude <
      0x38800000) // below the smallest normal: adding 0.5 leaves the rounded multiple of 2^-24 in the low bits
    return sign | uint16_t(std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000);
  return sign | uint16_t((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13);
}

/// Converts `count` elements; both types are f32, bf16 or f16. `from` and `to` need no alignment and do not overlap.
void convertElements(DType fromType, const uint8_t *from, DType toType, uint8_t *to, uint64_t count);

} // namespace mmc::runtime
