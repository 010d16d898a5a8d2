// multiply(accumulator, A, B, accumulate): products of tiles and operands under one name.
//
// Policy Mma is synchronous: operands come by ldmatrix, the result is there on return. Policy Wgmma is not:
//     fence(sum); multiply(sum, kMajor(q), kMajor(k), false); commit(); ... wait<0>(sum);
//
// Invariant: A and B have 16-bit elements, or 8-bit ones and are K-major; they have the same depth; a first row or
// column is a multiple of 8, and for A with policy Wgmma the same in all threads of the warpgroup.
#pragma once

#include "base/tile.cuh"
#include "mma/fragment.cuh"
#include "ptx/matrix.cuh"
#include "ptx/mma.cuh"

namespace productDetail {
/// The 16 x 32-byte matrix of A at block `row` and `step` of k, as an operand's words.
template <class TileType> MMC_DEVICE void loadA(u32 (&words)[4], KMajor<TileType> a, u32 row, u32 step) {
  const u32 lane = laneIndex();
  constexpr u32 kChunk = 16 / sizeof(typename TileType::Element);
  loadMatrix(words, &a.tile.at(a.first + row + lane % 16, (2 * step + lane / 16) * kChunk));
}
template <class TileType> MMC_DEVICE void loadA(u32 (&words)[4], MnMajor<TileType> a, u32 row, u32 step) {
  static_assert(sizeof(typename TileType::Element) == 2, "only 16-bit operands can be MN-major");
  const u32 lane = laneIndex();
  loadMatrixTransposed(words, &a.tile.at(16 * step + lane % 8 + lane / 16 * 8, a.first + row + lane / 8 % 2 * 8));
}
/// Two groups of 8 columns of B at `step` of k.
template <class TileType> MMC_DEVICE void loadB(u32 (&words)[4], KMajor<TileType> b, u32 column, u32 step) {
  const u32 lane = laneIndex();
  constexpr u32 kChunk = 16 / sizeof(typename TileType::Element);
  loadMatrix(words, &b.tile.at(b.first + column + lane % 8 + lane / 16 * 8, (2 * step + lane / 8 % 2) * kChunk));
}
template <class TileType> MMC_DEVICE void loadB(u32 (&words)[4], MnMajor<TileType> b, u32 column, u32 step) {
  static_assert(sizeof(typename TileType::Element) == 2, "only 16-bit operands can be MN-major");
  const u32 lane = laneIndex();
  loadMatrixTransposed(words, &b.tile.at(16 * step + lane % 16, b.first + column + lane / 16 * 8));
}

/// d += a b with one instruction.
template <class A, class B, class D> MMC_DEVICE void multiplyOnce(D (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  if constexpr (sizeof(A) == 2)
    mma16x8x16<A>(d, a, b);
  else
    mma16x8x32<A, B>(d, a, b);
}

/// One step of k of a warp's product.
template <class A, class B, u32 rows, u32 columns, class D, class BView>
MMC_DEVICE void multiplyStep(Fragment<rows, columns, Mma, D> &sum, const u32 (&a)[rows / 16][4], BView b, u32 step) {
  static_assert(columns % 16 == 0, "a warp's product has a multiple of 16 columns");
  MMC_UNROLL for (u32 pair = 0; pair < columns / 16; ++pair) {
    u32 both[4];
    loadB(both, b, pair * 16, step);
    const u32 first[2] = {both[0], both[1]}, second[2] = {both[2], both[3]};
    MMC_UNROLL for (u32 block = 0; block < rows / 16; ++block) {
      D(&values)[columns / 2] = sum.values[block];
      D left[4] = {values[pair * 8], values[pair * 8 + 1], values[pair * 8 + 2], values[pair * 8 + 3]};
      D right[4] = {values[pair * 8 + 4], values[pair * 8 + 5], values[pair * 8 + 6], values[pair * 8 + 7]};
      multiplyOnce<A, B>(left, a[block], first);
      multiplyOnce<A, B>(right, a[block], second);
      MMC_UNROLL for (u32 i = 0; i < 4; ++i) {
        values[pair * 8 + i] = left[i];
        values[pair * 8 + 4 + i] = right[i];
      }
    }
  }
}
} // namespace productDetail

/// Loads a left operand: `rows` of the tile's rows, from a.first on, and all of its depth.
template <class T, u32 rows, u32 depth, class Policy, class AView>
MMC_DEVICE void loadOperand(Operand<T, rows, depth, Policy> &operand, AView a) {
  static_assert(AView::kDepth == depth, "the tile has the operand's depth");
  MMC_UNROLL for (u32 block = 0; block < operand.kBlocks; ++block) {
    MMC_UNROLL for (u32 step = 0; step < operand.kSteps; ++step) {
      productDetail::loadA(operand.values[block][step], a, block * Policy::kBlockRows + Policy::warpRow(), step);
    }
  }
}

/// A warp's product of two tiles: sum = a b (+ sum).
template <u32 rows, u32 columns, class D, class AView, class BView>
MMC_DEVICE void multiply(Fragment<rows, columns, Mma, D> &sum, AView a, BView b, bool accumulate = true) {
  using A = typename AView::Tile::Element;
  using B = typename BView::Tile::Element;
  static_assert(AView::kDepth == BView::kDepth, "both operands have the same depth");
  if (!accumulate) sum.fill(D(0));
  MMC_UNROLL for (u32 step = 0; step < AView::kDepth * u32(sizeof(A)) / 32; ++step) {
    u32 left[rows / 16][4];
    MMC_UNROLL for (u32 block = 0; block < rows / 16; ++block) productDetail::loadA(left[block], a, block * 16, step);
    productDetail::multiplyStep<A, B>(sum, left, b, step);
  }
}
/// The same with the left operand in registers.
template <u32 rows, u32 columns, class D, class A, u32 depth, class BView>
MMC_DEVICE void multiply(Fragment<rows, columns, Mma, D> &sum, const Operand<A, rows, depth, Mma> &a, BView b,
                         bool accumulate = true) {
  using B = typename BView::Tile::Element;
  static_assert(depth == BView::kDepth, "both operands have the same depth");
  if (!accumulate) sum.fill(D(0));
  MMC_UNROLL for (u32 step = 0; step < a.kSteps; ++step) {
    u32 left[rows / 16][4];
    MMC_UNROLL for (u32 block = 0; block < rows / 16; ++block) {
      MMC_UNROLL for (u32 i = 0; i < 4; ++i) left[block][i] = a.values[block][step][i];
    }
    productDetail::multiplyStep<A, B>(sum, left, b, step);
  }
}
