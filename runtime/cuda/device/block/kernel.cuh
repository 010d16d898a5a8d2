// What every kernel that the compiler emits includes: fragments of a block, copies, products, the records of a step,
// and the functions that expressions are made of.
//
// Emitted kernels include this file alone, so what they may use is what it includes.
//
// Invariant: a function of this file computes the same in every thread and on every device, since it is made of
// operations that IEEE 754 rounds, apart from those whose names say that they approximate.
#pragma once

#include "base/activations.cuh"
#include "block/fragment.cuh"
#include "copy/block.cuh"
#include "mma/block.cuh"

/// An entry of a work list: the sequence's slot, its first row in the step, its rows, the position of the first one.
struct WorkRecord {
  s32 slot, row, rows, position;
};

/// The smaller and the larger of two integers.
template <class T> MMC_DEVICE T minimum(T a, T b) { return a < b ? a : b; }
template <class T> MMC_DEVICE T maximum(T a, T b) { return a > b ? a : b; }

/// The row at `position` of a slot's pages: through the table of pages, which has `table` entries per slot; a page has
/// `pageElements` elements of the pool and `page` rows, `stride` elements apart.
template <u32 page, u32 table, u32 pageElements, u32 stride, class T>
MMC_DEVICE T *pagedRow(T *pool, const s32 *pages, s64 slot, s64 position) {
  return pool + s64(pages[slot * table + position / page]) * pageElements + position % page * stride;
}

/// Nearest integer, ties to even; |x| < 2^51.
MMC_DEVICE double roundEven(double x) { return (x + 6755399441055744.0) - 6755399441055744.0; }

/// Sine and cosine within 1e-6 on [-4, 4]: by quadrants, with polynomials on [-pi / 4, pi / 4].
/// sineAt(x, quarter) is the sine of x + quarter * pi / 2.
MMC_DEVICE float sineAt(float x, s32 quarter) {
  const float n = roundToInteger(x * 0.636619772f);
  const float r = fusedMultiplyAdd(n, -7.54978942e-8f, fusedMultiplyAdd(n, -1.57079625f, x)), s = r * r;
  const s32 quadrant = (toInteger(n) + quarter) & 3;
  const float odd =
      r + r * s * fusedMultiplyAdd(s, fusedMultiplyAdd(s, -1.95152959e-4f, 8.33216087e-3f), -1.66666546e-1f);
  const float even =
      1.0f +
      s * fusedMultiplyAdd(s, fusedMultiplyAdd(s, fusedMultiplyAdd(s, 2.44331571e-5f, -1.38873163e-3f), 4.16666456e-2f),
                           -0.5f);
  const float value = quadrant & 1 ? even : odd;
  return quadrant & 2 ? -value : value;
}
/// sin(x) and cos(x) as above.
MMC_DEVICE float sine(float x) { return sineAt(x, 0); }
MMC_DEVICE float cosine(float x) { return sineAt(x, 1); }
