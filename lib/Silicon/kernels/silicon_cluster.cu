// archs: sm_90a
// Clusters of four blocks: ranks, shared memory of other blocks, arrivals on their barriers.
#include "ptx/atomics.cuh"
#include "ptx/barrier.cuh"
#include "ptx/cluster.cuh"
#include "ptx/fence.cuh"
#include "ptx/mbarrier.cuh"

constexpr u32 kBlocks = 4;

struct Shared {
  alignas(16) Vector16 vectors[32];
  alignas(16) u32 words[32];
  Mbarrier full;
};

/// Every block hands out its rank, the size, and what it finds in the next block: 4, 8 and 16 bytes per lane.
MMC_KERNEL(32, 1) MMC_CLUSTER(4) void remoteLoads(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  const u32 lane = threadIndex(), rank = clusterRank(), block = blockIndex();
  u32 *own = out + block * 256 + lane * 8;
  s.words[lane] = in[lane] + rank;
  s.vectors[lane] = {{in[lane], in[lane] + rank, in[lane] ^ rank, lane}};
  clusterSync();
  const u32 next = (rank + 1) % kBlocks;
  own[0] = rank << 8 | clusterSize();
  own[1] = remoteLoad<u32>(mapToRank(&s.words[31 - lane], next));
  const u64 pair = remoteLoad<u64>(mapToRank(&s.vectors[lane], next) + 8);
  const Vector16 all = remoteLoad<Vector16>(mapToRank(&s.vectors[lane], next));
  own[2] = u32(pair);
  own[3] = u32(pair >> 32);
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) own[4 + i] = all.words[i];
  clusterSync();
}
MMC_EXPORT_CLUSTER(remoteLoads, 32, 1, 4, Shared)

/// Every block writes into the block before it, and arrives on its barrier; who waits for it reads.
MMC_KERNEL(32, 1) MMC_CLUSTER(4) void remoteStores(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  const u32 lane = threadIndex(), rank = clusterRank(), before = (rank + kBlocks - 1) % kBlocks;
  if (lane == 0) {
    mbarrierInit(s.full, 32);
    fenceMbarrierInit();
  }
  clusterArrive();
  clusterWait();
  remoteStore(mapToRank(&s.words[lane], before), in[lane] * 2 + rank);
  remoteStore(mapToRank(&s.vectors[31 - lane], before), Vector16{{rank, lane, in[lane], 7}});
  mbarrierArriveRemote(s.full, before);
  mbarrierWait<Scope::cluster>(s.full, 0);
  u32 *own = out + blockIndex() * 256 + lane * 8;
  own[0] = s.words[lane];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) own[1 + i] = s.vectors[lane].words[i];
  clusterSync();
}
MMC_EXPORT_CLUSTER(remoteStores, 32, 1, 4, Shared)
