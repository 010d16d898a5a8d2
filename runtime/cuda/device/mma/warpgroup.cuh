// multiply() of policy Wgmma, and the fence, commit and wait around it. sm_90a.
//
// Invariant: operands in shared memory are tiles with a swizzle, written by tensor copies, or by plain code followed by
// fenceProxyAsyncShared() and a barrier; the first row of a K-major operand is a multiple of 8, the first column of an
// MN-major one of a span.
#pragma once

#include "mma/product.cuh"
#include "ptx/wgmma.cuh"

/// Before the first product of a batch: what was written to these fragments and operands is seen by it.
template <class... Fragments> MMC_DEVICE void fence(Fragments &...fragments) { wgmmaFence(fragments.values...); }
/// Ends a batch.
MMC_DEVICE void commit() { wgmmaCommit(); }
/// Until at most `pending` of the last batches run; names the fragments that may be touched then.
template <u32 pending, class... Fragments> MMC_DEVICE void wait(Fragments &...fragments) {
  wgmmaWait<pending>(fragments.values...);
}

namespace productDetail {
/// Descriptors of an operand: of its corner, and what to add for a row (K-major), a column (MN-major) or a step of k.
template <class TileType> MMC_DEVICE u64 descriptor(KMajor<TileType> operand) {
  static_assert(TileType::kSwizzle != Swizzle::none, "operands of wgmma are swizzled tiles");
  return matrixDescriptor(&operand.tile.elements[operand.first * TileType::kPanelColumns], 16, 8 * TileType::kSpan,
                          TileType::kSwizzle);
}
template <class TileType> MMC_DEVICE u64 descriptor(MnMajor<TileType> operand) {
  static_assert(TileType::kSwizzle != Swizzle::none, "operands of wgmma are swizzled tiles");
  return matrixDescriptor(&operand.tile.elements[operand.first / TileType::kPanelColumns * TileType::kPanelBytes /
                                                 u32(sizeof(typename TileType::Element))],
                          TileType::kPanelBytes, 8 * TileType::kSpan, TileType::kSwizzle);
}
/// `step` is 32 bytes of k: a part of a span, or of the next panel.
template <class TileType> MMC_DEVICE constexpr u64 moved(KMajor<TileType> *, u32 row, u32 step) {
  const u32 byte = step * 32;
  return (byte / TileType::kSpan * TileType::kPanelBytes + byte % TileType::kSpan + row * TileType::kSpan) / 16;
}
/// 16 rows of k.
template <class TileType> MMC_DEVICE constexpr u64 moved(MnMajor<TileType> *, u32 column, u32 step) {
  return (step * 16 * TileType::kSpan + column / TileType::kPanelColumns * TileType::kPanelBytes) / 16;
}
} // namespace productDetail

/// Issues a warpgroup's product of two tiles: sum = a b (+ sum).
template <u32 rows, u32 columns, class D, class AView, class BView>
MMC_DEVICE void multiply(Fragment<rows, columns, Wgmma, D> &sum, AView a, BView b, bool accumulate = true) {
  using A = typename AView::Tile::Element;
  using B = typename BView::Tile::Element;
  static_assert(AView::kDepth == BView::kDepth, "both operands have the same depth");
  static_assert(!AView::kTransposed || rows == 64 || AView::Tile::kPanelColumns == 64,
                "blocks of an MN-major A are whole panels");
  constexpr WgmmaForm kForm{AView::kTransposed, BView::kTransposed, false, false};
  const u64 left = productDetail::descriptor(a), right = productDetail::descriptor(b);
  MMC_UNROLL for (u32 block = 0; block < rows / 64; ++block) {
    MMC_UNROLL for (u32 step = 0; step < AView::kDepth * u32(sizeof(A)) / 32; ++step) {
      wgmma<A, B, kForm>(sum.values[block],
                         left + productDetail::moved(static_cast<AView *>(nullptr), block * 64, step),
                         right + productDetail::moved(static_cast<BView *>(nullptr), 0, step), accumulate || step > 0);
    }
  }
}
/// The same with the left operand in registers, which stay untouched until the wait.
template <u32 rows, u32 columns, class D, class A, u32 depth, class BView>
MMC_DEVICE void multiply(Fragment<rows, columns, Wgmma, D> &sum, const Operand<A, rows, depth, Wgmma> &a, BView b,
                         bool accumulate = true) {
  using B = typename BView::Tile::Element;
  static_assert(depth == BView::kDepth, "both operands have the same depth");
  constexpr WgmmaForm kForm{false, BView::kTransposed, false, false};
  const u64 right = productDetail::descriptor(b);
  MMC_UNROLL for (u32 block = 0; block < rows / 64; ++block) {
    MMC_UNROLL for (u32 step = 0; step < a.kSteps; ++step) {
      wgmma<A, B, kForm>(sum.values[block], a.values[block][step],
                         right + productDetail::moved(static_cast<BView *>(nullptr), 0, step), accumulate || step > 0);
    }
  }
}
