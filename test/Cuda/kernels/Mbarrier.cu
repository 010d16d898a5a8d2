// archs: none (fakeCopy stands for a bulk copy)
//
// One kernel per rule of mbarriers; the argument `broken` chooses the variant that breaks the rule.
#include "base/types.cuh"
#include "ptx/atomics.cuh"
#include "ptx/barrier.cuh"
#include "ptx/cluster.cuh"
#include "ptx/fence.cuh"
#include "ptx/launch.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/memory.cuh"

/// An asynchronous copy of `bytes` bytes of zeros to `to` (nowhere: null) that completes on the barrier: defined by the test.
extern "C" __attribute__((not_tail_called)) void fakeCopy(void *to, u32 bytes, Mbarrier *barrier);
/// Completes on the barrier when the thread's cp.async so far would be complete: defined by the test.
extern "C" __attribute__((not_tail_called)) void fakeArriveOnCopies(Mbarrier *barrier, u32 noIncrement);

struct Shared {
  Mbarrier full, empty;
  u32 data[64];
};

MMC_KERNEL(64, 1) void handOver(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  syncThreads();
  if (threadIndex() == 0) {
    s.data[0] = 7;
    mbarrierArrive(s.full);
  }
  if (threadIndex() == 32) {
    if (!broken) mbarrierWait(s.full, 0);
    s.data[1] = s.data[0]; // BAD: read without waiting
  }
}
MMC_EXPORT(handOver, 64, 1, Shared)

// A waiter of one phase acquires what that phase released, and nothing later.
MMC_KERNEL(64, 1) void phases(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    mbarrierInit(s.empty, 1);
  }
  syncThreads();
  if (threadIndex() == 0) {
    mbarrierArrive(s.full);
    s.data[0] = 1; // BAD: written after the phase
    mbarrierWait(s.empty, 0);
    mbarrierArrive(s.full);
  }
  if (threadIndex() == 32) {
    mbarrierWait(s.full, 0);
    if (broken) s.data[1] = s.data[0];
    mbarrierArrive(s.empty);
    mbarrierWait(s.full, 1);
    s.data[2] = s.data[0];
  }
}
MMC_EXPORT(phases, 64, 1, Shared)

MMC_KERNEL(64, 1) void initWithoutBarrier(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  if (!broken) syncThreads();
  if (threadIndex() == 32) mbarrierArrive(s.full); // BAD: init not ordered
}
MMC_EXPORT(initWithoutBarrier, 64, 1, Shared)

MMC_KERNEL(64, 1) void overArrival(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 2);
  syncThreads();
  if (threadIndex() == 0) mbarrierArrive(s.full, broken ? 3 : 2); // BAD: over-arrival
}
MMC_EXPORT(overArrival, 64, 1, Shared)

// Two arrivals of which each could complete either phase.
MMC_KERNEL(64, 1) void unorderedArrivals(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  syncThreads();
  if (threadIndex() == 0) mbarrierArrive(s.full); // BAD: unordered arrival
  if (!broken) syncThreads();
  if (threadIndex() == 32) mbarrierArrive(s.full); // BAD: other unordered arrival
}
MMC_EXPORT(unorderedArrivals, 64, 1, Shared)

// The producer does not wait for the consumer, so the barrier can be two phases ahead of it.
MMC_KERNEL(64, 1) void lateWaiter(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    mbarrierInit(s.empty, 1);
  }
  syncThreads();
  if (threadIndex() == 0)
    for (u32 i = 0; i < 4; ++i) {
      if (!broken) mbarrierWait(s.empty, (i & 1) ^ 1);
      mbarrierArrive(s.full);
    }
  if (threadIndex() == 32)
    for (u32 i = 0; i < 4; ++i) {
      mbarrierWait(s.full, i & 1); // BAD: late waiter
      if (!broken) mbarrierArrive(s.empty);
    }
}
MMC_EXPORT(lateWaiter, 64, 1, Shared)

// Threads that learn of a phase through others may wait for the next one: nobody waits for each phase.
MMC_KERNEL(64, 1) void indirectKnowledge(u32) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 64);
  syncThreads();
  for (u32 i = 0; i < 6; ++i) {
    mbarrierArrive(s.full);
    if (threadIndex() == i) mbarrierWait(s.full, i & 1);
    syncThreads();
  }
}
MMC_EXPORT(indirectKnowledge, 64, 1, Shared)

MMC_KERNEL(64, 1) void invalidated(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  syncThreads();
  if (threadIndex() == 0) {
    mbarrierInvalidate(s.full);
    if (!broken) mbarrierInit(s.full, 1);
    mbarrierArrive(s.full); // BAD: use after invalidate
    mbarrierWait(s.full, 0);
  }
}
MMC_EXPORT(invalidated, 64, 1, Shared)

MMC_KERNEL(64, 1) void initTwice(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    mbarrierArrive(s.full);
    if (!broken) mbarrierInvalidate(s.full);
    mbarrierInit(s.full, 2); // BAD: live
  }
}
MMC_EXPORT(initTwice, 64, 1, Shared)

MMC_KERNEL(64, 1) void overwritten(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    if (!broken) mbarrierInvalidate(s.full);
    s.full.state = 0;                   // BAD: overwrites
    if (broken) mbarrierArrive(s.full); // BAD: overwritten
  }
}
MMC_EXPORT(overwritten, 64, 1, Shared)

MMC_KERNEL(64, 1) void overwrittenAtEnd(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1); // BAD: overwritten at the end
    if (!broken) mbarrierInvalidate(s.full);
    s.full.state = 0;
  }
}
MMC_EXPORT(overwrittenAtEnd, 64, 1, Shared)

// All threads wait for the phase, and one of them takes the barrier away.
MMC_KERNEL(64, 1) void invalidatedWhileOthersWait(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  syncThreads();
  if (threadIndex() == 0) mbarrierArrive(s.full);
  mbarrierWait(s.full, 0);
  if (!broken) syncThreads();
  if (threadIndex() == 63) mbarrierInvalidate(s.full); // BAD: others may wait
}
MMC_EXPORT(invalidatedWhileOthersWait, 64, 1, Shared)

// 0: right; 1: expected bytes have not come; 2: a thread still waits; 3: nobody has waited for a copy.
MMC_KERNEL(64, 1) void invalidatedTooEarly(u32 how) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, how == 2 ? 2 : 1);
    mbarrierInit(s.empty, 1);
  }
  syncThreads();
  if (threadIndex() == 32) {
    if (how == 1) mbarrierExpect(s.full, 64);
    if (how == 3) {
      fenceProxyAsync();
      mbarrierExpect(s.full, 16);
      fakeCopy(s.data, 16, &s.full);
    }
    mbarrierArrive(s.full);
    if (how == 0 || how == 2) mbarrierWait(s.full, 0);
    mbarrierArrive(s.empty);
  }
  if (threadIndex() == 0) {
    if (how != 2) mbarrierWait(s.empty, 0);
    mbarrierInvalidate(s.full); // BAD: invalidated too early
  }
}
MMC_EXPORT(invalidatedTooEarly, 64, 1, Shared)

MMC_KERNEL(64, 1) void badCount(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, broken ? 0 : (1u << 20) - 1); // BAD: count
}
MMC_EXPORT(badCount, 64, 1, Shared)

MMC_KERNEL(64, 1) void nowhere(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() != 0) return;
  mbarrierInit(s.full, 1);
  mbarrierArrive(broken ? s.empty : s.full); // BAD: no mbarrier
}
MMC_EXPORT(nowhere, 64, 1, Shared)

// One thread waits for an arrival that nobody makes.
MMC_KERNEL(64, 1) void stuck(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 2);
  syncThreads();
  if (threadIndex() == 0) mbarrierArrive(s.full, broken ? 1 : 2);
  if (threadIndex() == 32) mbarrierWait(s.full, 0); // BAD: stuck
}
MMC_EXPORT(stuck, 64, 1, Shared)

// Loops of polls instead of a wait.
MMC_KERNEL(64, 1) void polls(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  syncThreads();
  if (threadIndex() == 32)
    while (!mbarrierTest(s.full, 0)) { // BAD: endless polls
    }
  if (threadIndex() == 33)
    while (!mbarrierTry(s.full, 0)) {
    }
  if (threadIndex() == 63 && !broken) mbarrierArrive(s.full);
}
MMC_EXPORT(polls, 64, 1, Shared)

MMC_KERNEL(64, 1) void transactions(u32 expected, u32 copied, u32 expectLate) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    fenceMbarrierInit();
  }
  syncThreads();
  if (threadIndex() == 0) {
    if (!expectLate) mbarrierExpect(s.full, expected);
    fakeCopy(s.data, copied / 2, &s.full); // BAD: first copy
    fakeCopy(s.data + 32, copied - copied / 2, &s.full); // BAD: copied too much
    if (expectLate) mbarrierArriveExpect(s.full, expected);
    else mbarrierArrive(s.full);
  }
  if (expected == copied) {
    mbarrierWait(s.full, 0);
    if (s.data[0] + s.data[32]) s.data[1] = 1;
  }
}
MMC_EXPORT(transactions, 64, 1, Shared)

MMC_KERNEL(64, 1) void transactionRange(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() != 0) return;
  mbarrierInit(s.full, 1);
  fenceProxyAsync();
  mbarrierExpect(s.full, (1u << 20) - 1);
  if (broken) mbarrierExpect(s.full, 1); // BAD: transaction range
  fakeCopy(nullptr, (1u << 20) - 1 + broken, &s.full);
  mbarrierArrive(s.full);
  mbarrierWait(s.full, 0);
}
MMC_EXPORT(transactionRange, 64, 1, Shared)

// How the async proxy gets to see an initialisation. 0: it does not; 1: fence by the initialising thread; 2: that fence, but after the barrier; 3: proxy fence by
// the thread that issues the copy.
MMC_KERNEL(64, 1) void asyncInit(u32 how) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  if (threadIndex() == 0 && how == 1) fenceMbarrierInit();
  syncThreads();
  if (threadIndex() == 0 && how == 2) fenceMbarrierInit();
  if (threadIndex() == 32) {
    if (how == 3) fenceProxyAsyncShared();
    mbarrierArriveExpect(s.full, 16);
    fakeCopy(s.data, 16, &s.full); // BAD: init not visible to the async proxy
  }
  mbarrierWait(s.full, 0);
}
MMC_EXPORT(asyncInit, 64, 1, Shared)

// The same after a phase of threads alone (0), and after a former use of the address that the async proxy has seen (1). `fenced`: right.
MMC_KERNEL(64, 1) void asyncInitLater(u32 reused, u32 fenced) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  syncThreads();
  if (threadIndex() == 32 && reused) fenceProxyAsync();
  if (threadIndex() == 32 && !reused) {
    mbarrierArrive(s.full);
    mbarrierWait(s.full, 0);
  }
  syncThreads();
  if (threadIndex() == 0 && reused) {
    mbarrierInvalidate(s.full);
    mbarrierInit(s.full, 1);
  }
  if (threadIndex() == 0 && fenced) fenceMbarrierInit();
  syncThreads();
  if (threadIndex() == 32) {
    mbarrierArriveExpect(s.full, 16);
    fakeCopy(s.data, 16, &s.full); // BAD: later, init not visible to the async proxy
  }
  mbarrierWait(s.full, reused ? 0 : 1);
}
MMC_EXPORT(asyncInitLater, 64, 1, Shared)

MMC_KERNEL(64, 1) void copyArrive(u32 noIncrement) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, noIncrement ? 2 : 1);
  syncThreads();
  if (threadIndex() == 0) {
    fakeArriveOnCopies(&s.full, noIncrement);
    mbarrierArrive(s.full);
  }
  mbarrierWait(s.full, 0);
}
MMC_EXPORT(copyArrive, 64, 1, Shared)

// Rank 1 hands data over to rank 0. 0: right; 1: the waiter acquires for its own block only; 2: no cluster barrier before.
MMC_KERNEL(32, 1) void remoteArrive(u32 how) {
  MMC_SHARED(Shared, s);
  if (clusterRank() == 0 && threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    fenceMbarrierInit();
  }
  if (how != 2) clusterSync();
  if (threadIndex() == 0) {
    if (clusterRank() == 1) {
      remoteStore<u32>(mapToRank(&s.data[0], 0), 7); // BAD: peer not started
      mbarrierArriveRemote(s.full, 0);
    } else if (how != 2) {
      if (how == 0) mbarrierWait<Scope::cluster>(s.full, 0);
      if (how == 1) mbarrierWait(s.full, 0);
      if (s.data[0] != 7) s.data[1] = 1; // BAD: acquired for the block only
    }
  }
}
MMC_EXPORT_CLUSTER(remoteArrive, 32, 1, 2, Shared)

// A relaxed arrival at the cluster's barrier hands over an initialisation that fence.mbarrier_init has released, and nothing else. 0: right; 1: no fence; 2: other data.
MMC_KERNEL(32, 1) void relaxedCluster(u32 how) {
  MMC_SHARED(Shared, s);
  if (clusterRank() == 0 && threadIndex() == 0) {
    s.data[0] = 7; // BAD: not released
    mbarrierInit(s.full, 1);
    if (how != 1) fenceMbarrierInit();
  }
  clusterArriveRelaxed();
  clusterWait();
  if (clusterRank() == 1 && threadIndex() == 0) {
    if (how == 2) s.data[1] = remoteLoad<u32>(mapToRank(&s.data[0], 0));
    mbarrierArriveRemote(s.full, 0); // BAD: initialisation not released
  }
  if (clusterRank() == 0) mbarrierWait<Scope::cluster>(s.full, 0);
}
MMC_EXPORT_CLUSTER(relaxedCluster, 32, 1, 2, Shared)

// Atomics on another block's shared memory. 0: right; 1: their scope is too narrow; 2: the other block may have exited.
MMC_KERNEL(32, 1) void remoteCount(u32 *result, u32 broken) {
  MMC_SHARED(Shared, s);
  if (clusterRank() == 0 && threadIndex() == 0) s.data[0] = 0;
  clusterSync();
  auto *counter = static_cast<u32 *>(mapToRank(&s.data[0], 0).place);
  if (broken == 1) fetchAdd<Order::relaxed, Scope::block>(counter, 1u); // BAD: remote atomic for the block only
  else fetchAdd<Order::relaxed, Scope::cluster>(counter, 1u);           // BAD: remote atomic
  if (broken == 2) return;
  clusterSync();
  if (clusterRank() == 0 && threadIndex() == 0) *result = s.data[0];
}
MMC_EXPORT_CLUSTER(remoteCount, 32, 1, 2, Shared)

MMC_KERNEL(32, 1) void waitAbroad(u32 broken) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) mbarrierInit(s.full, 1);
  clusterSync();
  if (clusterRank() == 0 && threadIndex() == 0) {
    mbarrierArrive(s.full);
    auto &barrier = *static_cast<Mbarrier *>(mapToRank(&s.full, broken ? 1 : 0).place);
    mbarrierWait(barrier, 0); // BAD: wait on another block's barrier
  }
  clusterSync();
}
MMC_EXPORT_CLUSTER(waitAbroad, 32, 1, 2, Shared)
