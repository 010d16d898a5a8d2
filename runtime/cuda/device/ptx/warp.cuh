// What the 32 threads of a warp do together (PTX ISA: shfl.sync, vote.sync, elect.sync, redux.sync, match.sync,
// movmatrix, bar.warp.sync).
//
// Invariant: every lane that `mask` names executes the same call, and no other lane does. bar.warp.sync orders memory
// among these lanes; shuffles, votes and matches exchange values but order no memory.
#pragma once

#include "ptx/launch.cuh"

constexpr u32 kWholeWarp = ~0u;

/// bar.warp.sync: waits for the lanes of the mask; what they did before is visible to them after.
MMC_DEVICE void syncWarp(u32 mask = kWholeWarp) { __syncwarp(mask); }

namespace warpDetail {
/// Moves values of 4 or 8 bytes by an exchange of words.
template <class T, class Exchange> MMC_DEVICE T exchange(T value, Exchange words) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "lanes exchange 4 or 8 bytes");
  if constexpr (sizeof(T) == 4) {
    return bitCast<T>(words(bitCast<u32>(value)));
  } else {
    const u64 bits = bitCast<u64>(value);
    const u32 low = words(u32(bits)), high = words(u32(bits >> 32));
    return bitCast<T>(u64(high) << 32 | low);
  }
}
} // namespace warpDetail

/// The value of another lane: lane `source`; this lane minus or plus `distance`; this lane xor `bits`. Lanes exchange
/// within groups of `width` (a power of two); a source outside of the group gives the lane's own value.
template <class T> MMC_DEVICE T shuffle(T value, u32 source, u32 width = 32, u32 mask = kWholeWarp) {
  return warpDetail::exchange(value, [&](u32 word) { return __shfl_sync(mask, word, source, width); });
}
template <class T> MMC_DEVICE T shuffleUp(T value, u32 distance, u32 width = 32, u32 mask = kWholeWarp) {
  return warpDetail::exchange(value, [&](u32 word) { return __shfl_up_sync(mask, word, distance, width); });
}
template <class T> MMC_DEVICE T shuffleDown(T value, u32 distance, u32 width = 32, u32 mask = kWholeWarp) {
  return warpDetail::exchange(value, [&](u32 word) { return __shfl_down_sync(mask, word, distance, width); });
}
template <class T> MMC_DEVICE T shuffleXor(T value, u32 bits, u32 width = 32, u32 mask = kWholeWarp) {
  return warpDetail::exchange(value, [&](u32 word) { return __shfl_xor_sync(mask, word, bits, width); });
}

/// True in all lanes if the predicate is in all, or any of them; the lanes in which it is.
MMC_DEVICE bool voteAll(bool predicate, u32 mask = kWholeWarp) { return __all_sync(mask, predicate); }
MMC_DEVICE bool voteAny(bool predicate, u32 mask = kWholeWarp) { return __any_sync(mask, predicate); }
MMC_DEVICE u32 voteBallot(bool predicate, u32 mask = kWholeWarp) { return __ballot_sync(mask, predicate); }

/// True in one lane of the mask: elect.sync (sm_90); before, in its lowest lane.
MMC_DEVICE bool electOne(u32 mask = kWholeWarp) {
  if constexpr (kArchitecture >= 900) {
    u32 elected;
    asm volatile("{\n.reg .pred p;\nelect.sync _|p, %1;\nselp.u32 %0, 1, 0, p;\n}" : "=r"(elected) : "r"(mask));
    return elected != 0;
  } else {
    return laneIndex() == u32(__ffs(int(mask))) - 1;
  }
}

/// redux.sync over integers: every lane gets the result.
MMC_DEVICE u32 reduceWarpAdd(u32 value, u32 mask = kWholeWarp) { return __reduce_add_sync(mask, value); }
MMC_DEVICE s32 reduceWarpAdd(s32 value, u32 mask = kWholeWarp) { return __reduce_add_sync(mask, value); }
MMC_DEVICE u32 reduceWarpMin(u32 value, u32 mask = kWholeWarp) { return __reduce_min_sync(mask, value); }
MMC_DEVICE s32 reduceWarpMin(s32 value, u32 mask = kWholeWarp) { return __reduce_min_sync(mask, value); }
MMC_DEVICE u32 reduceWarpMax(u32 value, u32 mask = kWholeWarp) { return __reduce_max_sync(mask, value); }
MMC_DEVICE s32 reduceWarpMax(s32 value, u32 mask = kWholeWarp) { return __reduce_max_sync(mask, value); }
MMC_DEVICE u32 reduceWarpAnd(u32 value, u32 mask = kWholeWarp) { return __reduce_and_sync(mask, value); }
MMC_DEVICE u32 reduceWarpOr(u32 value, u32 mask = kWholeWarp) { return __reduce_or_sync(mask, value); }
MMC_DEVICE u32 reduceWarpXor(u32 value, u32 mask = kWholeWarp) { return __reduce_xor_sync(mask, value); }

/// The lanes of the mask that hold this lane's value; the mask if all of them hold the same value, else 0.
MMC_DEVICE u32 matchAny(u32 value, u32 mask = kWholeWarp) { return __match_any_sync(mask, value); }
MMC_DEVICE u32 matchAll(u32 value, u32 mask = kWholeWarp) {
  int all;
  return __match_all_sync(mask, value, &all);
}

/// movmatrix.sync.aligned.m8n8.trans.b16: an 8 x 8 matrix of 16-bit elements, row r in the lanes 4 r to 4 r + 3,
/// transposed. By the whole warp.
MMC_DEVICE u32 transposeMatrix(u32 rowPart) {
  u32 columnPart;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(columnPart) : "r"(rowPart));
  return columnPart;
}
