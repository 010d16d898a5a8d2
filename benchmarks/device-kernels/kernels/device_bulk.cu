// archs: sm_90a
// Reads by bulk copies: one thread of each block keeps four copies of 16 KiB in flight, 64 KiB per SM; a warp folds
// what has come.
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"

constexpr u32 kThreads = 128, kStages = 4, kStageChunks = 1024, kStageBytes = 16 * kStageChunks;

struct Ring {
  alignas(128) Vector16 stages[kStages][kStageChunks];
  Mbarrier full[kStages], empty[kStages];
};

/// `chunks` is a multiple of 1024.
MMC_KERNEL(kThreads, 1) void readByBulkCopies(u32 *out, const Vector16 *in, u64 chunks) {
  MMC_SHARED(Ring, ring);
  if (threadIndex() == 0) {
    for (u32 i = 0; i < kStages; ++i) {
      mbarrierInit(ring.full[i], 1);
      mbarrierInit(ring.empty[i], kThreads);
    }
    fenceMbarrierInit();
  }
  syncThreads();
  const u64 pieces = chunks / kStageChunks, mine = (pieces + blockCount() - 1 - blockIndex()) / blockCount();
  const auto issue = [&](u64 trip) {
    const u32 stage = trip % kStages;
    mbarrierWait(ring.empty[stage], u32(trip / kStages + 1) & 1);
    mbarrierArriveExpect(ring.full[stage], kStageBytes);
    bulkLoad(ring.stages[stage], in + (blockIndex() + trip * blockCount()) * kStageChunks, kStageBytes,
             ring.full[stage]);
  };
  u32 sum = 0;
  if (threadIndex() == 0)
    for (u64 trip = 0; trip < kStages && trip < mine; ++trip) issue(trip);
  for (u64 trip = 0; trip < mine; ++trip) {
    const u32 stage = trip % kStages;
    mbarrierWait(ring.full[stage], u32(trip / kStages) & 1);
    MMC_UNROLL for (u32 i = 0; i < kStageChunks / kThreads; ++i) {
      const Vector16 value = ring.stages[stage][i * kThreads + threadIndex()];
      sum += value.words[0] ^ value.words[1] ^ value.words[2] ^ value.words[3];
    }
    mbarrierArrive(ring.empty[stage]);
    if (threadIndex() == 0 && trip + kStages < mine) issue(trip + kStages);
  }
  out[blockIndex() * kThreads + threadIndex()] = sum;
}
MMC_EXPORT(readByBulkCopies, kThreads, 1, Ring)
