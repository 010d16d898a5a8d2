// Host twin of device/ptx/math.cuh. Approximations are computed by the host's library (within their bounds, not their
// bits), with subnormal operands and results flushed where the instruction does so; everything else is exact.
#pragma once

#include "ptx/launch.cuh"

namespace mathDetail {
/// Subnormal numbers become zero of their sign.
MMC_DEVICE float flush(float x) { return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0.0f, x) : x; }

/// Rounds to a float with `exponentBits` and `mantissaBits`, nearest even. `largest` 0: overflow gives infinity, else
/// that code (satfinite). NaN gives `nan`. The sign is in the bit above.
MMC_DEVICE u32 narrow(double value, u32 exponentBits, u32 mantissaBits, u32 largest, u32 nan) {
  if (value != value) return nan;
  const u32 sign = u32(bitCast<u64>(value) >> 63) << (exponentBits + mantissaBits);
  const s32 bias = (1 << (exponentBits - 1)) - 1;
  const u32 top = largest ? largest : ((1u << exponentBits) - 1) << mantissaBits;
  const double magnitude = __builtin_fabs(value);
  s32 exponent = s32(bitCast<u64>(magnitude) >> 52) - 1023;
  if (exponent > bias + 1) return sign | top;
  if (exponent < 1 - bias) exponent = 1 - bias; // subnormal results share the smallest exponent
  // In units of the last place of the result: exact, by a power of two. Adding and subtracting 2^52 rounds to nearest
  // even.
  const double scale = bitCast<double>(u64(1023 + s32(mantissaBits) - exponent) << 52);
  const u64 units = u64(magnitude * scale + 0x1p52 - 0x1p52);
  // The leading one, if there, carries into the exponent, and so does rounding up.
  const u64 code = (u64(exponent + bias - 1) << mantissaBits) + units;
  return sign | (code > top ? top : u32(code));
}
/// A float with `exponentBits` and `mantissaBits`; `infinities` false: only the all-ones code is NaN, as in e4m3.
MMC_DEVICE float widen(u32 code, u32 exponentBits, u32 mantissaBits, bool infinities) {
  const u32 magnitude = code & ((1u << (exponentBits + mantissaBits)) - 1);
  const bool negative = code >> (exponentBits + mantissaBits) & 1;
  const u32 exponent = magnitude >> mantissaBits, mantissa = magnitude & ((1u << mantissaBits) - 1);
  const u32 ones = (1u << exponentBits) - 1;
  float value;
  if (infinities && exponent == ones)
    value = mantissa ? __builtin_nanf("") : __builtin_inff();
  else if (!infinities && magnitude == (1u << (exponentBits + mantissaBits)) - 1)
    value = __builtin_nanf("");
  else {
    const s32 bias = s32(ones >> 1);
    const s32 power = (exponent ? s32(exponent) : 1) - bias - s32(mantissaBits);
    value = float(mantissa + (exponent ? 1u << mantissaBits : 0)) * bitCast<float>(u32(127 + power) << 23);
  }
  return negative ? -value : value;
}
} // namespace mathDetail

MMC_DEVICE float exp2Approx(float x) { return mathDetail::flush(__builtin_exp2f(mathDetail::flush(x))); }
MMC_DEVICE float log2Approx(float x) { return __builtin_log2f(mathDetail::flush(x)); }
MMC_DEVICE float reciprocalApprox(float x) { return mathDetail::flush(1.0f / mathDetail::flush(x)); }
MMC_DEVICE float rsqrtApprox(float x) { return float(1.0 / __builtin_sqrt(double(mathDetail::flush(x)))); }
MMC_DEVICE float tanhApprox(float x) { return __builtin_tanhf(x); }

MMC_DEVICE float fusedMultiplyAdd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
MMC_DEVICE float divide(float a, float b) { return a / b; }
MMC_DEVICE float squareRoot(float x) { return __builtin_sqrtf(x); }
MMC_DEVICE float roundToInteger(float x) { return __builtin_roundevenf(x); }
MMC_DEVICE s32 toInteger(float x) {
  if (x != x) return 0;
  const float rounded = __builtin_roundevenf(x);
  return rounded >= 0x1p31f ? 0x7fffffff : rounded < -0x1p31f ? -0x7fffffff - 1 : s32(rounded);
}
MMC_DEVICE float larger(float a, float b) { return a != a ? b : b != b ? a : a > b ? a : b; }
MMC_DEVICE float smaller(float a, float b) { return a != a ? b : b != b ? a : a < b ? a : b; }

MMC_DEVICE bf16 toBf16(float x) {
  if (x != x) return {0x7fff};
  const u32 bits = bitCast<u32>(x);
  return {u16((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}
MMC_DEVICE f16 toF16(float x) { return {u16(mathDetail::narrow(x, 5, 10, 0, 0x7fff))}; }
MMC_DEVICE u32 packBf16(float low, float high) { return u32(toBf16(high).bits) << 16 | toBf16(low).bits; }
MMC_DEVICE u32 packF16(float low, float high) { return u32(toF16(high).bits) << 16 | toF16(low).bits; }
MMC_DEVICE float lowBf16(u32 pair) { return bitCast<float>(pair << 16); }
MMC_DEVICE float highBf16(u32 pair) { return bitCast<float>(pair & 0xffff0000u); }
MMC_DEVICE float toFloat(bf16 x) { return bitCast<float>(u32(x.bits) << 16); }
MMC_DEVICE float toFloat(f16 x) { return mathDetail::widen(x.bits, 5, 10, true); }

MMC_DEVICE u16 packE4m3(float low, float high) {
  return u16(mathDetail::narrow(high, 4, 3, 0x7e, 0x7f) << 8 | mathDetail::narrow(low, 4, 3, 0x7e, 0x7f));
}
MMC_DEVICE u16 packE5m2(float low, float high) {
  return u16(mathDetail::narrow(high, 5, 2, 0x7b, 0x7f) << 8 | mathDetail::narrow(low, 5, 2, 0x7b, 0x7f));
}
MMC_DEVICE u32 e4m3ToF16(u16 pair) {
  return packF16(mathDetail::widen(pair & 0xff, 4, 3, false), mathDetail::widen(pair >> 8, 4, 3, false));
}
MMC_DEVICE u32 e5m2ToF16(u16 pair) {
  return packF16(mathDetail::widen(pair & 0xff, 5, 2, true), mathDetail::widen(pair >> 8, 5, 2, true));
}

namespace mathDetail {
/// a b + c of bf16 values, rounded once. The product is exact in double; the sum is rounded to odd (where it is inexact
/// its last bit is set), so that the rounding to bf16 is the only one that counts.
MMC_DEVICE u32 fmaBf16(float a, float b, float c) {
  const double product = double(a) * double(b), sum = product + double(c);
  const double rest = sum - product, error = (product - (sum - rest)) + (double(c) - rest);
  u64 bits = bitCast<u64>(sum);
  if (sum - sum == 0.0 && error != 0.0 && (bits & 1) == 0) bits += (error > 0.0) == (sum > 0.0) ? 1 : ~u64(0);
  return narrow(bitCast<double>(bits), 8, 7, 0, 0x7fff);
}
} // namespace mathDetail
MMC_DEVICE u32 fusedMultiplyAddBf16(u32 a, u32 b, u32 c) {
  return mathDetail::fmaBf16(highBf16(a), highBf16(b), highBf16(c)) << 16 |
         mathDetail::fmaBf16(lowBf16(a), lowBf16(b), lowBf16(c));
}
