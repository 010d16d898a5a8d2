// Activations by named accuracy: one source for both readers.
//
// Invariant: both accuracies are monotone limits at the ends: no NaN for finite arguments or infinities, except
// silu(-infinity), which is NaN as x * 0.
#pragma once

#include "ptx/math.cuh"

/// approximate: a few operations of the special function unit, relative error about 2^-20 within |x| <= 20. single:
/// within 3 ulp of float.
enum class Accuracy : u32 { approximate, single };

/// e^x.
template <Accuracy accuracy = Accuracy::approximate> MMC_DEVICE float exponential(float x) {
  constexpr float kLog2e = 1.44269504f;
  if constexpr (accuracy == Accuracy::approximate) {
    return exp2Approx(x * kLog2e);
  } else {
    // x = n log 2 + r: 2^n is exact, and r is small, so the rounding of r log2 e does not matter.
    const float n = roundToInteger(larger(smaller(x * kLog2e, 128.0f), -150.0f));
    const float r = fusedMultiplyAdd(n, -1.42860677e-6f, fusedMultiplyAdd(n, -0.693145752f, x));
    const float half = bitCast<float>(u32(127 + (toInteger(n) >> 1)) << 23);
    const float rest = bitCast<float>(u32(127 + toInteger(n) - (toInteger(n) >> 1)) << 23);
    const float y = exp2Approx(r * kLog2e) * half * rest;
    return x > 89.0f ? bitCast<float>(0x7f800000u) : x < -104.0f ? 0.0f : y;
  }
}

/// 1 / (1 + e^-x).
template <Accuracy accuracy = Accuracy::approximate> MMC_DEVICE float sigmoid(float x) {
  if constexpr (accuracy == Accuracy::approximate)
    return reciprocalApprox(1.0f + exponential(-x));
  else
    return divide(1.0f, 1.0f + exponential<accuracy>(-x));
}

/// x / (1 + e^-x).
template <Accuracy accuracy = Accuracy::approximate> MMC_DEVICE float silu(float x) {
  if constexpr (accuracy == Accuracy::approximate)
    return x * reciprocalApprox(1.0f + exponential(-x));
  else
    return divide(x, 1.0f + exponential<accuracy>(-x));
}
