// Arithmetic that C++ has no operator for: approximations of the special function unit, roundings, short floats (PTX
// ISA: ex2, lg2, rcp, rsqrt, tanh, fma, div, sqrt, cvt). Functions with named accuracy are built on top in
// base/activations.cuh.
//
// Invariant: pure. A pair of 16-bit elements in a word has its first element (the lower address) in the low half.
#pragma once

#include "ptx/launch.cuh"

/// 2^x: relative error at most 2^-22; subnormal results are zero.
MMC_DEVICE float exp2Approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// log2 x: absolute error at most 2^-22 near 1, else relative.
MMC_DEVICE float log2Approx(float x) {
  float y;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// 1 / x to 1 ulp.
MMC_DEVICE float reciprocalApprox(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// 1 / sqrt x to a relative error of 2^-22.9.
MMC_DEVICE float rsqrtApprox(float x) {
  float y;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// tanh x to a relative error of 2^-11.
MMC_DEVICE float tanhApprox(float x) {
  float y;
  asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// Correctly rounded.
MMC_DEVICE float fusedMultiplyAdd(float a, float b, float c) {
  float d;
  asm("fma.rn.f32 %0, %1, %2, %3;" : "=f"(d) : "f"(a), "f"(b), "f"(c));
  return d;
}
MMC_DEVICE float divide(float a, float b) {
  float c;
  asm("div.rn.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b));
  return c;
}
MMC_DEVICE float squareRoot(float x) {
  float y;
  asm("sqrt.rn.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// To the nearest integer, ties to even.
MMC_DEVICE float roundToInteger(float x) {
  float y;
  asm("cvt.rni.f32.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// The same as an integer, saturating.
MMC_DEVICE s32 toInteger(float x) {
  s32 y;
  asm("cvt.rni.s32.f32 %0, %1;" : "=r"(y) : "f"(x));
  return y;
}
/// The larger or smaller; of a number and a NaN the number.
MMC_DEVICE float larger(float a, float b) {
  float c;
  asm("max.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b));
  return c;
}
MMC_DEVICE float smaller(float a, float b) {
  float c;
  asm("min.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b));
  return c;
}

/// Pairs, rounded to nearest even.
MMC_DEVICE u32 packBf16(float low, float high) {
  u32 pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}
MMC_DEVICE u32 packF16(float low, float high) {
  u32 pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}
/// The halves of a bf16 pair.
MMC_DEVICE float lowBf16(u32 pair) { return bitCast<float>(pair << 16); }
MMC_DEVICE float highBf16(u32 pair) { return bitCast<float>(pair & 0xffff0000u); }

MMC_DEVICE float toFloat(bf16 x) { return bitCast<float>(u32(x.bits) << 16); }
MMC_DEVICE float toFloat(f16 x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}
MMC_DEVICE bf16 toBf16(float x) { return {u16(packBf16(x, 0.0f))}; }
MMC_DEVICE f16 toF16(float x) {
  f16 y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
}

/// Pairs of 8-bit floats, the first in the low byte; what is too large becomes the largest number. sm_89.
template <u32 architecture = kArchitecture> MMC_DEVICE u16 packE4m3(float low, float high) {
  static_assert(architecture >= 890, "8-bit floats need sm_89");
  u16 pair;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(high), "f"(low));
  return pair;
}
template <u32 architecture = kArchitecture> MMC_DEVICE u16 packE5m2(float low, float high) {
  static_assert(architecture >= 890, "8-bit floats need sm_89");
  u16 pair;
  asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(high), "f"(low));
  return pair;
}
/// Back, as a pair of f16; exact.
template <u32 architecture = kArchitecture> MMC_DEVICE u32 e4m3ToF16(u16 pair) {
  static_assert(architecture >= 890, "8-bit floats need sm_89");
  u32 halves;
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(pair));
  return halves;
}
template <u32 architecture = kArchitecture> MMC_DEVICE u32 e5m2ToF16(u16 pair) {
  static_assert(architecture >= 890, "8-bit floats need sm_89");
  u32 halves;
  asm("cvt.rn.f16x2.e5m2x2 %0, %1;" : "=r"(halves) : "h"(pair));
  return halves;
}

/// On pairs of bf16: a b + c, rounded once.
MMC_DEVICE u32 fusedMultiplyAddBf16(u32 a, u32 b, u32 c) {
  u32 d;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}
