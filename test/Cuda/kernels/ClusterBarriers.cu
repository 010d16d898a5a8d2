// archs: sm_90a
//
// The barrier of a cluster.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/cluster.cuh"
#include "ptx/launch.cuh"

struct Shared {
  u32 words[32];
};

// Global memory passes from block to block. 0: right; 1: a relaxed arrive; 2: no barrier.
MMC_KERNEL(32, 1) void passedOn(u32 *data, u32 *out, u32 how) {
  const u32 at = blockIndex() * 32 + threadIndex(), total = blockCount() * 32;
  data[at] = at; // BAD: passed
  if (how == 0) clusterArrive();
  if (how == 1) clusterArriveRelaxed();
  if (how != 2) clusterWait();
  out[at] = data[(at + 32) % total]; // BAD: received
}
MMC_EXPORT(passedOn, 32, 1)

MMC_KERNEL(32, 1) void rounds(u32 *data, u32 leaving) {
  const u32 at = blockIndex() * 32 + threadIndex();
  if (clusterRank() == 1 && threadIndex() < leaving) return;
  for (u32 round = 0; round < 3; ++round) {
    data[at] = round;
    clusterSync();
  }
}
MMC_EXPORT(rounds, 32, 1)

// The second block arrives and exits, the others pass data to each other.
MMC_KERNEL(32, 1) void arrivesAndExits(u32 *data, u32 *out) {
  const u32 at = blockIndex() * 32 + threadIndex();
  data[at] = at;
  clusterArrive();
  if (clusterRank() == 1) return;
  clusterWait();
  out[at] = data[64 - blockIndex() * 32 + threadIndex()];
}
MMC_EXPORT(arrivesAndExits, 32, 1)

// 1: arrives twice; 2: waits without an arrival.
MMC_KERNEL(32, 1) void misused(u32 how) {
  if (how != 2) clusterArrive(); // BAD: first cluster arrival
  if (how == 1) clusterArrive(); // BAD: second cluster arrival
  clusterWait(); // BAD: cluster wait
}
MMC_EXPORT(misused, 32, 1)
