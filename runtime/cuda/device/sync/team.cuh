// Teams: some warps of a block that synchronise among themselves, and flags between blocks.
//
// Invariant: a team is whole warps, and its barrier's number (1 to 15) is its own.
#pragma once

#include "ptx/atomics.cuh"
#include "ptx/barrier.cuh"
#include "ptx/launch.cuh"
#include "ptx/memory.cuh"
#include "ptx/warp.cuh"

template <u32 id, u32 threads> struct Team {
  static_assert(id >= 1 && id <= 15, "named barriers are 1 to 15; 0 is the block's");
  static_assert(threads % 32 == 0 && threads <= 1024, "a team is whole warps");
  static constexpr u32 kThreads = threads;
  /// All of the team.
  static MMC_DEVICE void sync() { barrierSync(id, threads); }
  /// Those who only announce, where others wait by sync().
  static MMC_DEVICE void arrive() { barrierArrive(id, threads); }
};

/// Tells other blocks that what this thread did, and knows to be done, is done: the flag becomes `value`, or one more.
MMC_DEVICE void releaseFlag(u32 *flag, u32 value) { storeRelease(flag, value); }
MMC_DEVICE void countFlag(u32 *flag) { reduceAdd<Order::release>(flag, 1u); }
/// Until the flag is at least `value`; then what was released is visible to this thread (to others of its block after a
/// barrier). The writers must be resident, or be sure to become so.
MMC_DEVICE void waitUntil(const u32 *flag, u32 value) {
  while (loadAcquire(flag) < value) {
  }
}

/// The sum over all threads of a block, in a fixed order; every thread gets it. `scratch`: one number per warp. Two
/// barriers.
template <u32 threads> MMC_DEVICE float blockSum(float value, float (&scratch)[threads / 32]) {
  static_assert(threads % 32 == 0, "blocks are whole warps");
  MMC_UNROLL for (u32 distance = 16; distance > 0; distance /= 2) value += shuffleXor(value, distance);
  if (laneIndex() == 0) scratch[threadIndex() / 32] = value;
  syncThreads();
  float sum = 0.0f;
  MMC_UNROLL for (u32 warp = 0; warp < threads / 32; ++warp) sum += scratch[warp];
  syncThreads();
  return sum;
}
