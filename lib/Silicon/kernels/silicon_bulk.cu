// archs: sm_90a
// Bulk copies of ranges: 1024 words in, and out by way of shared memory.
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"

constexpr u32 kWords = 1024, kBytes = 4 * kWords, kThreads = 64;

struct Shared {
  alignas(128) u32 words[kWords];
  alignas(128) u32 more[kWords];
  Mbarrier full;
};

MMC_DEVICE void begin(Shared &s) {
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    fenceMbarrierInit();
  }
  syncThreads();
}
MMC_DEVICE void handOut(u32 *out, const u32 (&words)[kWords]) {
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < kWords; i += kThreads) out[i] = words[i];
}

#define RANGE_IN(name, ...)                                                                                            \
  MMC_KERNEL(kThreads, 1) void name(u32 *out, const u32 *in, u32) {                                                    \
    MMC_SHARED(Shared, s);                                                                                             \
    begin(s);                                                                                                          \
    if (threadIndex() == 0) {                                                                                          \
      mbarrierArriveExpect(s.full, kBytes);                                                                            \
      __VA_ARGS__;                                                                                                     \
    }                                                                                                                  \
    mbarrierWait(s.full, 0);                                                                                           \
    handOut(out, s.words);                                                                                             \
  }                                                                                                                    \
  MMC_EXPORT(name, kThreads, 1, Shared)

RANGE_IN(bulkIn, bulkLoad(s.words, in, kBytes, s.full))
RANGE_IN(bulkInFirst, bulkLoadPolicy(s.words, in, kBytes, s.full, policyEvictFirst()))
RANGE_IN(bulkInLast, bulkLoadPolicy(s.words, in, kBytes, s.full, policyEvictLast()))
RANGE_IN(bulkInPrefetched, bulkPrefetch(in, kBytes); bulkLoad(s.words, in, kBytes, s.full))
RANGE_IN(bulkInPieces, bulkLoad(s.words, in, 16, s.full); bulkLoad(s.words + 4, in + 4, kBytes - 32, s.full);
         bulkLoad(s.words + kWords - 4, in + kWords - 4, 16, s.full))

/// Out of shared memory, in two groups.
MMC_KERNEL(kThreads, 1) void bulkOut(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < kWords; i += kThreads) s.words[i] = in[i];
  fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, s.words, 16);
    bulkCommit();
    bulkStore(out + 4, s.words + 4, kBytes - 16);
    bulkCommit();
    bulkWaitRead<1>();
    bulkWait<0>();
  }
}
MMC_EXPORT(bulkOut, kThreads, 1, Shared)

/// A cluster of two: each loads half for both.
MMC_KERNEL(kThreads, 1) MMC_CLUSTER(2) void bulkInMulticast(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  begin(s);
  const u32 rank = clusterRank(), half = kWords / 2;
  if (threadIndex() == 0) mbarrierArriveExpect(s.full, kBytes);
  clusterSync();
  if (threadIndex() == 0) bulkLoadMulticast(s.words + rank * half, in + rank * half, kBytes / 2, s.full, u16(3));
  mbarrierWait(s.full, 0);
  handOut(out + rank * kWords, s.words);
  clusterSync();
}
MMC_EXPORT_CLUSTER(bulkInMulticast, kThreads, 1, 2, Shared)

/// A cluster of two: each hands its words to the other.
MMC_KERNEL(kThreads, 1) MMC_CLUSTER(2) void bulkAcross(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  begin(s);
  const u32 rank = clusterRank();
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < kWords; i += kThreads) s.words[i] = in[i] + rank;
  fenceProxyAsync();
  if (threadIndex() == 0) mbarrierArriveExpect(s.full, kBytes);
  clusterSync();
  if (threadIndex() == 0) bulkCopyToCluster(mapToRank(s.more, 1 - rank), s.words, kBytes, mapToRank(&s.full, 1 - rank));
  mbarrierWait<Scope::cluster>(s.full, 0);
  handOut(out + rank * kWords, s.more);
  clusterSync();
}
MMC_EXPORT_CLUSTER(bulkAcross, kThreads, 1, 2, Shared)
