// Host twin of device/ptx/warp.cuh. Every call is a rendezvous of the lanes that the mask names.
#pragma once

#include "ptx/launch.cuh"

constexpr u32 kWholeWarp = ~0u;

MMC_DEVICE void syncWarp(u32 mask = kWholeWarp) { mmcEmuSyncWarp(mask); }

namespace warpDetail {
template <class T> MMC_DEVICE T exchange(u32 mode, T value, u32 argument, u32 width, u32 mask) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "lanes exchange 4 or 8 bytes");
  if constexpr (sizeof(T) == 4) {
    return bitCast<T>(mmcEmuShuffle(mode, bitCast<u32>(value), argument, width, mask));
  } else {
    const u64 bits = bitCast<u64>(value);
    const u32 low = mmcEmuShuffle(mode, u32(bits), argument, width, mask);
    const u32 high = mmcEmuShuffle(mode, u32(bits >> 32), argument, width, mask);
    return bitCast<T>(u64(high) << 32 | low);
  }
}
} // namespace warpDetail

template <class T> MMC_DEVICE T shuffle(T value, u32 source, u32 width = 32, u32 mask = kWholeWarp) {
  return warpDetail::exchange(mmcEmuShuffleIndex, value, source, width, mask);
}
template <class T> MMC_DEVICE T shuffleUp(T value, u32 distance, u32 width = 32, u32 mask = kWholeWarp) {
  return warpDetail::exchange(mmcEmuShuffleUp, value, distance, width, mask);
}
template <class T> MMC_DEVICE T shuffleDown(T value, u32 distance, u32 width = 32, u32 mask = kWholeWarp) {
  return warpDetail::exchange(mmcEmuShuffleDown, value, distance, width, mask);
}
template <class T> MMC_DEVICE T shuffleXor(T value, u32 bits, u32 width = 32, u32 mask = kWholeWarp) {
  return warpDetail::exchange(mmcEmuShuffleXor, value, bits, width, mask);
}

MMC_DEVICE bool voteAll(bool predicate, u32 mask = kWholeWarp) {
  return mmcEmuVote(mmcEmuVoteAll, predicate, mask) != 0;
}
MMC_DEVICE bool voteAny(bool predicate, u32 mask = kWholeWarp) {
  return mmcEmuVote(mmcEmuVoteAny, predicate, mask) != 0;
}
MMC_DEVICE u32 voteBallot(bool predicate, u32 mask = kWholeWarp) {
  return mmcEmuVote(mmcEmuVoteBallot, predicate, mask);
}
MMC_DEVICE bool electOne(u32 mask = kWholeWarp) { return mmcEmuElect(mask) != 0; }

MMC_DEVICE u32 reduceWarpAdd(u32 value, u32 mask = kWholeWarp) { return mmcEmuReduceWarp(mmcEmuWarpAdd, value, mask); }
MMC_DEVICE s32 reduceWarpAdd(s32 value, u32 mask = kWholeWarp) {
  return s32(mmcEmuReduceWarp(mmcEmuWarpAdd, u32(value), mask));
}
MMC_DEVICE u32 reduceWarpMin(u32 value, u32 mask = kWholeWarp) {
  return mmcEmuReduceWarp(mmcEmuWarpMinUnsigned, value, mask);
}
MMC_DEVICE s32 reduceWarpMin(s32 value, u32 mask = kWholeWarp) {
  return s32(mmcEmuReduceWarp(mmcEmuWarpMinSigned, u32(value), mask));
}
MMC_DEVICE u32 reduceWarpMax(u32 value, u32 mask = kWholeWarp) {
  return mmcEmuReduceWarp(mmcEmuWarpMaxUnsigned, value, mask);
}
MMC_DEVICE s32 reduceWarpMax(s32 value, u32 mask = kWholeWarp) {
  return s32(mmcEmuReduceWarp(mmcEmuWarpMaxSigned, u32(value), mask));
}
MMC_DEVICE u32 reduceWarpAnd(u32 value, u32 mask = kWholeWarp) { return mmcEmuReduceWarp(mmcEmuWarpAnd, value, mask); }
MMC_DEVICE u32 reduceWarpOr(u32 value, u32 mask = kWholeWarp) { return mmcEmuReduceWarp(mmcEmuWarpOr, value, mask); }
MMC_DEVICE u32 reduceWarpXor(u32 value, u32 mask = kWholeWarp) { return mmcEmuReduceWarp(mmcEmuWarpXor, value, mask); }

MMC_DEVICE u32 matchAny(u32 value, u32 mask = kWholeWarp) { return mmcEmuMatchAny(value, mask); }
MMC_DEVICE u32 matchAll(u32 value, u32 mask = kWholeWarp) { return mmcEmuMatchAll(value, mask); }
MMC_DEVICE u32 transposeMatrix(u32 rowPart) { return mmcEmuMoveMatrix(rowPart); }
