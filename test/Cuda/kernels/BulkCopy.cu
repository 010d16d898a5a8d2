// archs: none (variants take addresses and sizes that the hardware refuses)
//
// One kernel per rule of bulk copies; the argument `broken` chooses the variant that breaks it. A block copies 256
// bytes, 64 words.
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"

constexpr u32 kBytes = 256, kWords = 64;

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

/// One block moves its 256 bytes in, and out again after a step of plain code.
MMC_KERNEL(64, 1) void bulkThrough(const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, kBytes);
    bulkLoad(s.words, in + blockIndex() * kWords, kBytes, s.full);
  }
  mbarrierWait(s.full, 0);
  s.words[threadIndex()] += 1000;
  fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out + blockIndex() * kWords, s.words, kBytes);
    bulkCommit();
    bulkWaitRead<0>();
  }
}
MMC_EXPORT(bulkThrough, 64, 1, Shared)

MMC_KERNEL(64, 1) void loadWait(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, kBytes);
    bulkLoad(s.words, in, kBytes, s.full);
    if (broken == 2) return; // the block ends on its own
  }
  if (broken != 1 || threadIndex() != 32) mbarrierWait(s.full, 0);
  out[threadIndex()] = s.words[threadIndex()]; // BAD: read without waiting
}
MMC_EXPORT(loadWait, 64, 1, Shared)

MMC_KERNEL(32, 1) void loadForgotten(u32 broken, const u32 *in) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, kBytes);
    bulkLoad(s.words, in, kBytes, s.full); // BAD: nobody waits
    if (!broken) mbarrierWait(s.full, 0);
  }
}
MMC_EXPORT(loadForgotten, 32, 1, Shared)

/// Addresses and sizes.
MMC_KERNEL(32, 1) void loadForm(u32 shared, u32 global, u32 bytes, const u8 *in) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, bytes);
    bulkLoad(reinterpret_cast<u8 *>(s.words) + shared, in + global, bytes, s.full); // BAD: form of a load
    mbarrierWait(s.full, 0);
  }
}
MMC_EXPORT(loadForm, 32, 1, Shared)

MMC_KERNEL(32, 1) void storeForm(u32 shared, u32 global, u32 bytes, u8 *out) {
  MMC_SHARED(Shared, s);
  for (u32 i = threadIndex(); i < kWords; i += 32) s.words[i] = s.more[i] = i;
  fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out + global, reinterpret_cast<u8 *>(s.words) + shared, bytes); // BAD: form of a store
    bulkCommit();
    bulkWait<0>();
  }
}
MMC_EXPORT(storeForm, 32, 1, Shared)

/// What lies at a load's destination: 1 a plain write without fence, 2 a plain read that nothing orders.
MMC_KERNEL(64, 1) void destination(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  s.words[threadIndex()] = threadIndex(); // BAD: written at a destination
  if (broken != 1) fenceProxyAsync();
  begin(s);
  if (threadIndex() == 32) out[0] = s.words[5]; // BAD: read at a destination
  if (broken != 2) syncThreads();
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, kBytes);
    bulkLoad(s.words, in, kBytes, s.full); // BAD: load to a place in use
    mbarrierWait(s.full, 0);
  }
}
MMC_EXPORT(destination, 64, 1, Shared)

/// A store reads what plain code wrote.
MMC_KERNEL(64, 1) void storeFence(u32 broken, u32 *out) {
  MMC_SHARED(Shared, s);
  s.words[threadIndex()] = threadIndex(); // BAD: written before a store
  if (!broken) fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, s.words, kBytes); // BAD: store without fence
    bulkCommit();
    bulkWaitRead<0>();
  }
}
MMC_EXPORT(storeFence, 64, 1, Shared)

/// The source of a store is written again: 1 without a wait, 2 after a wait for a group that was never committed.
MMC_KERNEL(32, 1) void storeReuse(u32 broken, u32 *out) {
  MMC_SHARED(Shared, s);
  for (u32 i = threadIndex(); i < kWords; i += 32) s.words[i] = i;
  fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, s.words, kBytes);
    if (broken != 2) bulkCommit();
    if (broken != 1) bulkWaitRead<0>();
    s.words[7] = 7000; // BAD: source written too early
    bulkCommit();
    bulkWaitRead<0>();
  }
}
MMC_EXPORT(storeReuse, 32, 1, Shared)

/// wait_group.read says nothing of the destination.
MMC_KERNEL(32, 1) void storeVisible(u32 broken, u32 *out) {
  MMC_SHARED(Shared, s);
  for (u32 i = threadIndex(); i < kWords; i += 32) s.words[i] = i;
  fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, s.words, kBytes);
    bulkCommit();
    bulkWaitRead<0>();
    if (!broken) bulkWait<0>();
    s.more[0] = out[3]; // BAD: destination read too early
  }
}
MMC_EXPORT(storeVisible, 32, 1, Shared)

/// Two groups, one may be pending.
MMC_KERNEL(32, 1) void storeGroups(u32 broken, u32 *out) {
  MMC_SHARED(Shared, s);
  for (u32 i = threadIndex(); i < kWords; i += 32) s.words[i] = s.more[i] = i;
  fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, s.words, kBytes);
    bulkCommit();
    bulkStore(out + kWords, s.more, kBytes);
    bulkCommit();
    bulkWaitRead<1>();
    s.words[0] = 1;
    if (broken) s.more[0] = 1; // BAD: source of the pending group
    bulkWait<1>();
    s.words[1] = out[0];
    bulkWait<0>();
    s.words[2] = out[kWords];
  }
}
MMC_EXPORT(storeGroups, 32, 1, Shared)

MMC_KERNEL(32, 1) void storeForgotten(u32 broken, u32 *out) {
  MMC_SHARED(Shared, s);
  for (u32 i = threadIndex(); i < kWords; i += 32) s.words[i] = i;
  fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, s.words, kBytes); // BAD: the block may end before the source is read
    bulkCommit();
    if (!broken) bulkWaitRead<0>();
  }
}
MMC_EXPORT(storeForgotten, 32, 1, Shared)

/// The source of a load changes after the issue.
MMC_KERNEL(32, 1) void loadSource(u32 broken, u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, kBytes);
    bulkLoad(s.words, in, kBytes, s.full);
    if (!broken) mbarrierWait(s.full, 0);
    in[9] = 9000; // BAD: source of a load written
    if (broken) mbarrierWait(s.full, 0);
    out[0] = s.words[9];
  }
}
MMC_EXPORT(loadSource, 32, 1, Shared)

/// The first half of `in` has been written, the rest not.
MMC_KERNEL(64, 1) void unwritten(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, kBytes);
    bulkLoad(s.words, in, kBytes, s.full);
    mbarrierWait(s.full, 0);
    bulkStore(out + 1024, s.words, kBytes);
    bulkCommit();
    bulkWait<0>();
    out[0] = s.words[31];
    if (broken) out[1] = s.words[32]; // BAD: nothing has written it
  }
}
MMC_EXPORT(unwritten, 64, 1, Shared)

/// A cluster of two: rank 0 loads for both. 1: rank 1 reads before it waits; 2: the mask names a third block; 3: rank 1
/// ends without its part.
MMC_KERNEL(64, 1) MMC_CLUSTER(2) void multicast(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) mbarrierArriveExpect(s.full, kBytes);
  clusterSync();
  if (clusterRank() == 0 && threadIndex() == 0)
    bulkLoadMulticast(s.words, in, kBytes, s.full, broken == 2 ? u16(7) : u16(3)); // BAD: load for both
  if (broken == 3 && clusterRank() == 1) return;
  if (broken != 1 || clusterRank() == 0) mbarrierWait(s.full, 0);
  out[blockIndex() * 64 + threadIndex()] = s.words[threadIndex()]; // BAD: read of a multicast without waiting
  mbarrierWait(s.full, 0);
}
MMC_EXPORT_CLUSTER(multicast, 64, 1, 2, Shared)

/// Waiting on one's own barrier says nothing of the other block's part.
MMC_KERNEL(64, 1) MMC_CLUSTER(2) void multicastPeer(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (threadIndex() == 0) mbarrierArriveExpect(s.full, kBytes);
  clusterSync();
  if (clusterRank() == 0 && threadIndex() == 0) bulkLoadMulticast(s.words, in, kBytes, s.full, u16(3));
  if (clusterRank() == 0 || !broken) mbarrierWait(s.full, 0);
  clusterSync();
  if (clusterRank() == 0 && threadIndex() == 0)
    out[0] = remoteLoad<u32>(mapToRank(s.words, 1)); // BAD: read of a peer's part
  clusterSync();
  if (clusterRank() == 1) mbarrierWait(s.full, 0);
}
MMC_EXPORT_CLUSTER(multicastPeer, 64, 1, 2, Shared)

/// Rank 0 copies to rank 1. 1: its barrier is rank 0's; 2: rank 1 reads without waiting; 3: no fence at the source; 4: to
/// itself.
MMC_KERNEL(64, 1) MMC_CLUSTER(2) void toCluster(u32 broken, u32 *out) {
  MMC_SHARED(Shared, s);
  begin(s);
  if (clusterRank() == 0) s.words[threadIndex()] = 500 + threadIndex();
  if (broken != 3) fenceProxyAsync();
  if (clusterRank() == 1 && threadIndex() == 0) mbarrierArriveExpect(s.full, kBytes);
  clusterSync();
  if (clusterRank() == 0 && threadIndex() == 0)
    bulkCopyToCluster(mapToRank(s.more, broken == 4 ? 0 : 1), s.words, kBytes, // BAD: to a peer
                      mapToRank(&s.full, broken == 1 || broken == 4 ? 0 : 1));
  if (clusterRank() == 1) {
    if (broken != 2) mbarrierWait(s.full, 0);
    out[threadIndex()] = s.more[threadIndex()]; // BAD: read of a peer's copy without waiting
    mbarrierWait(s.full, 0);
  }
  clusterSync();
}
MMC_EXPORT_CLUSTER(toCluster, 64, 1, 2, Shared)

MMC_KERNEL(32, 1) void prefetchForm(u32 global, u32 bytes, const u8 *in) {
  if (threadIndex() == 0) bulkPrefetch(in + global, bytes); // BAD: form of a prefetch
}
MMC_EXPORT(prefetchForm, 32, 1)
