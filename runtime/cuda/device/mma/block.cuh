// Products of a block: each warp of the grid its own part, by mma.sync.
//
// A kernel names whole tiles and fragments; what of them is a warp's is decided here, and the product of a warp's part
// is that of mma/product.cuh.
//
// Invariant: accumulators of a block and a warp's fragment number their values alike (slot = block * kRowSlots +
// value), so parts are taken and given back without moving anything.
#pragma once

#include "block/fragment.cuh"
#include "mma/product.cuh"

namespace blockDetail {
/// What a warp has of accumulators.
template <u32 threads, u32 rowWarps, u32 columnWarps, u32 rows, u32 columns>
using WarpPart = Fragment<rows / rowWarps, columns / columnWarps, Mma>;

/// From the block's fragment to the warp's, and back.
template <class Layout, class Part> MMC_DEVICE void takePart(Part &part, const BlockFragment<float, Layout> &whole) {
  MMC_UNROLL for (u32 slot = 0; slot < Layout::kSlots; ++slot)
      part.values[slot / Layout::kRowSlots][slot % Layout::kRowSlots] = whole[slot];
}
template <class Layout, class Part> MMC_DEVICE void givePart(BlockFragment<float, Layout> &whole, const Part &part) {
  MMC_UNROLL for (u32 slot = 0; slot < Layout::kSlots; ++slot) whole[slot] =
      part.values[slot / Layout::kRowSlots][slot % Layout::kRowSlots];
}
} // namespace blockDetail

/// sum += a b; A and B are kMajor(tile) or mnMajor(tile) of whole tiles.
template <u32 threads, u32 rowWarps, u32 columnWarps, u32 rows, u32 columns, class AView, class BView>
MMC_DEVICE void multiply(BlockFragment<float, Accumulators<threads, rowWarps, columnWarps, rows, columns>> &sum,
                         AView a, BView b) {
  using Layout = Accumulators<threads, rowWarps, columnWarps, rows, columns>;
  if (!Layout::active()) return;
  blockDetail::WarpPart<threads, rowWarps, columnWarps, rows, columns> part;
  blockDetail::takePart(part, sum);
  a.first += Layout::firstRow();
  b.first += Layout::firstColumn();
  multiply(part, a, b);
  blockDetail::givePart(sum, part);
}

/// The same with A in registers: whole rows per warp.
template <u32 threads, u32 rowWarps, u32 rows, u32 depth, u32 columns, class BView>
MMC_DEVICE void multiply(BlockFragment<float, Accumulators<threads, rowWarps, 1, rows, columns>> &sum,
                         const BlockFragment<bf16, Accumulators<threads, rowWarps, 1, rows, depth>> &a, BView b) {
  using Layout = Accumulators<threads, rowWarps, 1, rows, columns>;
  using From = Accumulators<threads, rowWarps, 1, rows, depth>;
  if (!Layout::active()) return;
  Operand<bf16, rows / rowWarps, depth, Mma> operand;
  MMC_UNROLL for (u32 slot = 0; slot < From::kSlots; slot += 2) {
    const u32 block = slot / From::kRowSlots, within = slot % From::kRowSlots;
    operand.values[block][within / 8][within % 8 / 2] = u32(a[slot].bits) | u32(a[slot + 1].bits) << 16;
  }
  blockDetail::WarpPart<threads, rowWarps, 1, rows, columns> part;
  blockDetail::takePart(part, sum);
  multiply(part, operand, b);
  blockDetail::givePart(sum, part);
}
