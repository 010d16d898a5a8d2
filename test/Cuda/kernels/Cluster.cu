// archs: sm_90a
//
// Reaching into other blocks of a cluster.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/cluster.cuh"
#include "ptx/launch.cuh"
#include "ptx/memory.cuh"

struct Shared {
  u32 data[32], got[32], last;
};

// Every block reads its neighbour's shared memory. Bits of `without`: 1: no cluster barrier before, 2: none after.
MMC_KERNEL(32, 1) void neighbours(u32 *results, u32 without) {
  MMC_SHARED(Shared, s);
  const u32 next = (clusterRank() + 1) % clusterSize();
  s.data[threadIndex()] = clusterRank() * 32 + threadIndex();
  if (!(without & 1)) clusterSync();
  const u32 got = remoteLoad<u32>(mapToRank(&s.data[threadIndex()], next)); // BAD: remote load
  if (!(without & 2)) clusterSync();
  results[blockIndex() * 32 + threadIndex()] = got;
}
MMC_EXPORT(neighbours, 32, 1, Shared)

// Every block writes into its neighbour, which reads after the second barrier.
MMC_KERNEL(32, 1) void gifts(u32 *results, u32 without) {
  MMC_SHARED(Shared, s);
  const u32 next = (clusterRank() + 1) % clusterSize();
  clusterSync();
  remoteStore<u32>(mapToRank(&s.got[threadIndex()], next), clusterRank() * 32 + threadIndex()); // BAD: remote store
  if (!without) clusterSync();
  results[blockIndex() * 32 + threadIndex()] = s.got[threadIndex()];
  clusterSync();
}
MMC_EXPORT(gifts, 32, 1, Shared)

// Rank 0 stays until rank 1 has said that it is done; said relaxedly, nothing orders what rank 1 did before.
MMC_KERNEL(32, 1) void farewell(u32 *results, u32 *flag, u32 relaxed) {
  MMC_SHARED(Shared, s);
  s.data[threadIndex()] = threadIndex();
  clusterSync();
  if (clusterRank() == 1) {
    results[threadIndex()] = remoteLoad<u32>(mapToRank(&s.data[threadIndex()], 0)); // BAD: last remote load
    if (relaxed) storeRelaxed<Scope::cluster>(flag + threadIndex(), 1u);
    else storeRelease<Scope::cluster>(flag + threadIndex(), 1u);
  } else {
    while (loadAcquire<Scope::cluster>(flag + threadIndex()) != 1) {
    }
  }
}
MMC_EXPORT(farewell, 32, 1, Shared)

MMC_KERNEL(32, 1) void wrongRank(u32 rank, u32 offset) {
  MMC_SHARED(Shared, s);
  s.data[threadIndex()] = 1;
  clusterSync();
  const ClusterAddress place = mapToRank(&s.data[0], rank); // BAD: rank
  if (threadIndex() == 0 && clusterRank() == 0) remoteStore<u32>(place + offset, 1u); // BAD: outside
  clusterSync();
}
MMC_EXPORT(wrongRank, 32, 1, Shared)
