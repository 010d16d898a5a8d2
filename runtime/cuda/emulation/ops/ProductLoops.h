// The inner loops of Product.cpp, for any width of vectors: Product.cpp instantiates them for AVX2, Product512.cpp for
// AVX-512, each compiled for its processor. Vectors are the generic ones of clang and gcc.
//
// Invariant: everything here is force-inlined and calls no library, so no function compiled for AVX-512 can be taken by
// the linker for the rest of the program.
#pragma once

#include "runtime/cuda/emulation/ops/Product.h"

#include <cstdint>
#include <immintrin.h>

#define MMC_INLINE inline __attribute__((always_inline))
#define MMC_UNROLL _Pragma("GCC unroll 16")

namespace mmc::emu::product {

constexpr uint32_t kPairs = 32; // of rows r and r + 8
typedef float Vector16 __attribute__((vector_size(64)));
typedef float Vector8 __attribute__((vector_size(32)));

/// Floats of a thread's fragment that one vector loop covers: 32, 16 or 8; the last may hold four that count.
struct Piece {
  uint32_t begin, width;
};
MMC_INLINE Piece pieceAt(uint32_t begin, uint32_t floats) {
  const uint32_t rest = floats - begin;
  return {begin, rest >= 32 ? 32u : rest >= 16 ? 16u : 8u};
}
/// Of (lane 0, k 0) of the piece in a panel of that depth.
MMC_INLINE uint32_t panelOffset(Piece piece, uint32_t depth) { return 4 * depth * piece.begin; }

/// Panels as Product.cpp lays them out, and the threads' fragments of `floats` floats.
struct Loop {
  const float *a, *b;
  float *const *fragments;
  uint32_t depth, floats;
  bool zero;
  float *fragment(uint32_t pair, uint32_t lane, Piece piece) const { return fragments[pair * 4 + lane] + piece.begin; }
};

/// A vector at any address. (An attribute of alignment of the vector itself does not survive as a template argument.)
template <class Vector> struct __attribute__((packed, may_alias)) Unaligned {
  Vector value;
};
// Vectors pass by reference: without the target's flags gcc has no registers to pass them in.
template <class Vector> MMC_INLINE void load(const float *from, Vector &value) {
  value = reinterpret_cast<const Unaligned<Vector> *>(from)->value;
}
template <class Vector> MMC_INLINE void store(float *to, const Vector &value) {
  reinterpret_cast<Unaligned<Vector> *>(to)->value = value;
}

MMC_INLINE void repeatFour(const float *four, Vector8 &to) {
  to = (Vector8)_mm256_broadcast_ps(reinterpret_cast<const __m128 *>(four));
}
#if defined(__AVX512F__)
MMC_INLINE void repeatFour(const float *four, Vector16 &to) {
  to = (Vector16)_mm512_broadcast_f32x4(_mm_loadu_ps(four));
}
#endif

/// The whole vector, or where only four floats are valid, at the end of a fragment, those.
template <class Vector> MMC_INLINE void loadPart(const float *from, Vector &value, uint32_t valid) {
  if (valid * 4 >= sizeof(Vector)) return load(from, value);
  value = Vector{};
  for (int i = 0; i < 4; ++i) value[i] = from[i];
}
template <class Vector> MMC_INLINE void storePart(float *to, const Vector &value, uint32_t valid) {
  if (valid * 4 >= sizeof(Vector)) return store(to, value);
  for (int i = 0; i < 4; ++i) to[i] = value[i];
}

/// `rows` pairs of rows, `count` vectors of columns, all k. `valid` floats of the piece exist.
template <class Vector, int count, int rows>
MMC_INLINE void multiplyBlock(const Loop &loop, Piece piece, uint32_t lane, uint32_t pair, uint32_t valid) {
  constexpr uint32_t width = sizeof(Vector) / 4;
  Vector sum[rows][count];
  MMC_UNROLL for (int r = 0; r < rows; ++r) MMC_UNROLL for (int i = 0; i < count; ++i) {
    if (loop.zero)
      sum[r][i] = Vector{};
    else
      loadPart(loop.fragment(pair + r, lane, piece) + i * width, sum[r][i], valid);
  }
  const float *b = loop.b + panelOffset(piece, loop.depth) + lane * loop.depth * piece.width;
  const float *a = loop.a + pair * loop.depth * 4;
  for (uint32_t k = 0; k < loop.depth; ++k) {
    Vector column[count];
    MMC_UNROLL for (int i = 0; i < count; ++i) load(b + k * piece.width + i * width, column[i]);
    MMC_UNROLL for (int r = 0; r < rows; ++r) {
      Vector row;
      repeatFour(a + (r * loop.depth + k) * 4, row);
      MMC_UNROLL for (int i = 0; i < count; ++i) sum[r][i] = MMC_FUSED_MULTIPLY_ADD(row, column[i], sum[r][i]);
    }
  }
  MMC_UNROLL for (int r = 0; r < rows; ++r) MMC_UNROLL for (int i = 0; i < count; ++i)
      storePart(loop.fragment(pair + r, lane, piece) + i * width, sum[r][i], valid);
}

/// NOTE: `valid` is written as a constant wherever the piece is whole, so that the sums stay in registers.
template <class Wide, int wideCount, int rows> MMC_INLINE void multiplyAll(const Loop &loop) {
  for (uint32_t begin = 0; begin < loop.floats;) {
    const Piece piece = pieceAt(begin, loop.floats);
    for (uint32_t lane = 0; lane < 4; ++lane)
      for (uint32_t pair = 0; pair < kPairs; pair += rows) {
        if (piece.width == 32)
          multiplyBlock<Wide, wideCount, rows>(loop, piece, lane, pair, 32);
        else if (piece.width == 16)
          multiplyBlock<Wide, wideCount / 2, rows>(loop, piece, lane, pair, 16);
        else if (loop.floats - begin >= 8)
          multiplyBlock<Vector8, 1, rows>(loop, piece, lane, pair, 8);
        else
          multiplyBlock<Vector8, 1, rows>(loop, piece, lane, pair, 4);
      }
    begin += piece.width;
  }
}

/// multiplyAll with AVX-512.
void multiplyAvx512(const Loop &loop);

} // namespace mmc::emu::product
