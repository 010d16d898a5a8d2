// Products of a block by warpgroups, which run while its threads go on. sm_90a.
//
//     multiplyAsync(sum, kMajor(shared.left), kMajor(shared.right));   // one batch
//     ...                                                              // nobody touches `sum`
//     multiplyWait<0>(sum);
//
// Invariant: each warpgroup of the grid has 64 rows of accumulators, which are then laid out as wgmma leaves them;
// tiles that plain code or asynchronous copies by pieces wrote were fenced (fenceProxyAsyncShared) before the last
// barrier.
#pragma once

#include "block/fragment.cuh"
#include "block/ring.cuh"
#include "mma/warpgroup.cuh"
#include "ptx/fence.cuh"
#include "ptx/registers.cuh"

namespace blockDetail {
/// Where a warpgroup's part of the accumulators begins: the same in all lanes, and the compiler knows it.
template <class Layout> MMC_DEVICE u32 warpgroupRow() {
  constexpr u32 kGroups = Layout::kRowWarps / 4;
  return kGroups == 1 ? 0 : warpgroupIndex() % kGroups * 64;
}
template <class Layout> MMC_DEVICE u32 warpgroupColumn() {
  constexpr u32 kGroups = Layout::kRowWarps / 4;
  return Layout::kColumnWarps == 1 ? 0 : warpgroupIndex() / kGroups * Layout::kWarpColumns;
}
template <class Layout> constexpr bool isByWarpgroups() {
  return Layout::kRowWarps % 4 == 0 && Layout::kWarpRows == 16;
}
} // namespace blockDetail

/// Starts sum += a b; A and B are kMajor(tile) or mnMajor(tile) of whole tiles.
template <class Layout, class AView, class BView>
MMC_DEVICE void multiplyAsync(BlockFragment<float, Layout> &sum, AView a, BView b) {
  static_assert(blockDetail::isByWarpgroups<Layout>(), "a warpgroup has 64 rows");
  static_assert(AView::kDepth == BView::kDepth, "both operands have the same depth");
  if (!Layout::active()) return;
  constexpr WgmmaForm kForm{AView::kTransposed, BView::kTransposed, false, false};
  a.first += blockDetail::warpgroupRow<Layout>();
  b.first += blockDetail::warpgroupColumn<Layout>();
  const u64 left = productDetail::descriptor(a), right = productDetail::descriptor(b);
  wgmmaFence(sum.values);
  MMC_UNROLL for (u32 step = 0; step < AView::kDepth / 16; ++step) {
    wgmma<bf16, bf16, kForm>(sum.values, left + productDetail::moved(static_cast<AView *>(nullptr), 0, step),
                             right + productDetail::moved(static_cast<BView *>(nullptr), 0, step), true);
  }
  wgmmaCommit();
}

/// What was written to these sums so far is written before the next product starts. In front of the first of several that
/// start one after another.
template <class... Fragments> MMC_DEVICE void fenceProducts(Fragments &...sums) { wgmmaWritten(sums.values...); }

/// A left operand in registers, of whole rows per warp.
template <class Layout> using WarpgroupOperand = Operand<bf16, 64, Layout::kWarpColumns, Wgmma>;

/// Packs a fragment as a left operand.
template <class Layout>
MMC_DEVICE void pack(WarpgroupOperand<Layout> &operand, const BlockFragment<bf16, Layout> &fragment) {
  static_assert(blockDetail::isByWarpgroups<Layout>() && Layout::kColumnWarps == 1, "a warp has 16 whole rows");
  MMC_UNROLL for (u32 slot = 0; slot < Layout::kSlots; slot += 2) {
    operand.values[0][slot / 8][slot % 8 / 2] = u32(fragment[slot].bits) | u32(fragment[slot + 1].bits) << 16;
  }
}

/// Starts sum += a b with A in registers, which stay untouched until the wait, too.
template <class Layout, u32 depth, class BView>
MMC_DEVICE void multiplyAsync(BlockFragment<float, Layout> &sum, Operand<bf16, 64, depth, Wgmma> &a, BView b) {
  static_assert(blockDetail::isByWarpgroups<Layout>() && Layout::kColumnWarps == 1, "a warp has 16 whole rows");
  static_assert(depth == BView::kDepth, "both operands have the same depth");
  if (!Layout::active()) return;
  constexpr WgmmaForm kForm{false, BView::kTransposed, false, false};
  const u64 right = productDetail::descriptor(b);
  wgmmaFence(sum.values, a.values);
  MMC_UNROLL for (u32 step = 0; step < depth / 16; ++step) {
    wgmma<bf16, bf16, kForm>(sum.values, a.values[0][step],
                             right + productDetail::moved(static_cast<BView *>(nullptr), 0, step), true);
  }
  wgmmaCommit();
}

/// Until at most `pending` of the last batches run; the fragments that are named may be touched then.
template <u32 pending, class... Fragments> MMC_DEVICE void multiplyWait(Fragments &...fragments) {
  wgmmaWait<pending>(fragments.values...);
}
