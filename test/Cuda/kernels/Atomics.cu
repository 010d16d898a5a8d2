// archs: sm_80 sm_90a
//
// Atomics: values, what they order, what they race with.
#include "base/types.cuh"
#include "ptx/atomics.cuh"
#include "ptx/barrier.cuh"
#include "ptx/fence.cuh"
#include "ptx/launch.cuh"
#include "ptx/memory.cuh"

struct Shared {
  u32 counter, flag;
  float sum;
  u32 data[16];
};

// Every thread of every block adds, takes the maximum, sets a bit, counts round.
MMC_KERNEL(64, 1) void values(u32 *results, u64 *wide, float *sum) {
  MMC_SHARED(Shared, s);
  const u32 rank = blockIndex() * threadCount() + threadIndex();
  if (threadIndex() == 0) s.counter = 0;
  syncThreads();
  fetchAdd<Order::relaxed, Scope::block>(&s.counter, 1u);
  fetchAdd(results, rank);
  fetchMax(results + 1, rank);
  fetchMin(results + 2, rank);
  fetchOr(results + 3, 1u << (rank % 32));
  fetchAnd(results + 4, ~(1u << (rank % 16)));
  fetchIncrement(results + 5, 9);
  fetchMin(reinterpret_cast<s32 *>(results + 6), -s32(rank));
  fetchAdd(wide, u64(1) << 33);
  reduceAdd(sum, 0.5f);
  syncThreads();
  if (threadIndex() == 0) fetchAdd(results + 7, s.counter);
}
MMC_EXPORT(values, 64, 1, Shared)

// A counter is set up plainly, counted by atomics, read plainly: barriers must stand between.
MMC_KERNEL(64, 1) void mixed(u32 without) {
  MMC_SHARED(Shared, s);
  if (threadIndex() == 0) s.counter = 0; // BAD: plain before atomic
  if (without != 1) syncThreads();
  fetchAdd<Order::relaxed, Scope::block>(&s.counter, 1u);
  if (without != 2) syncThreads();
  if (threadIndex() == 40) s.data[0] = s.counter; // BAD: plain after atomic
}
MMC_EXPORT(mixed, 64, 1, Shared)

// A lock taken by compare-and-exchange protects plain data.
template <Order take, Order leave, Scope scope> MMC_DEVICE void locked(u32 *lock, u32 *data) {
  while (compareExchange<take, scope>(lock, 0u, 1u) != 0) {
  }
  data[0] = data[0] + 1; // BAD: protected by the lock
  storeOrdered<leave, scope>(lock, 0u);
}

MMC_KERNEL(64, 1) void locks(u32 *lock, u32 *data) {
  if (threadIndex() % 32 == 0) locked<Order::acquire, Order::release, Scope::device>(lock, data);
}
MMC_EXPORT(locks, 64, 1)

MMC_KERNEL(64, 1) void locksWithoutAcquire(u32 *lock, u32 *data) {
  if (threadIndex() % 32 == 0) locked<Order::relaxed, Order::release, Scope::device>(lock, data);
}
MMC_EXPORT(locksWithoutAcquire, 64, 1)

MMC_KERNEL(64, 1) void locksWithoutRelease(u32 *lock, u32 *data) {
  if (threadIndex() % 32 == 0) locked<Order::acquire, Order::relaxed, Scope::device>(lock, data);
}
MMC_EXPORT(locksWithoutRelease, 64, 1)

// Block 0 releases, block 1 passes the flag on, block 2 reads once it has. 0: by an atomic, which carries the release on; 1: by a store, which ends it.
MMC_KERNEL(1, 1) void sequence(u32 *data, u32 *flag, u32 broken) {
  if (blockIndex() == 0) {
    data[0] = 7; // BAD: release sequence
    storeRelease(flag, 1u);
  } else if (blockIndex() == 1) {
    while (loadRelaxed(flag) != 1) {
    }
    if (broken) storeRelaxed(flag, 2u);
    else fetchAdd(flag, 1u);
    storeRelaxed(flag + 1, 1u);
  } else {
    while (loadRelaxed(flag + 1) != 1) {
    }
    loadAcquire(flag);
    data[1] = data[0];
  }
}
MMC_EXPORT(sequence, 1, 1)

// A thread's relaxed store after its own release of the same location releases as well.
MMC_KERNEL(1, 1) void ownSequence(u32 *data, u32 *flag, u32 broken) {
  if (blockIndex() == 0) {
    data[0] = 7;
    storeRelease(flag, 1u);
    data[1] = 8; // BAD: after the release
    storeRelaxed(flag, 2u);
    storeRelaxed(flag + 1, 1u);
  } else {
    while (loadRelaxed(flag + 1) != 1) {
    }
    loadAcquire(flag);
    data[2] = data[broken];
  }
}
MMC_EXPORT(ownSequence, 1, 1)

// A relaxed load and then an acquire of the same location acquire what the load has seen, although the flag has been overwritten since.
MMC_KERNEL(1, 1) void loadThenAcquire(u32 *data, u32 *flag, u32 broken) {
  if (blockIndex() == 0) {
    data[0] = 7; // BAD: seen by a relaxed load
    storeRelease(flag, 1u);
  } else if (blockIndex() == 1) {
    while (loadRelaxed(flag + 1) != 1) {
    }
    storeRelaxed(flag, 2u);
    storeRelaxed(flag + 1, 2u);
  } else {
    while (loadRelaxed(flag) != 1) {
    }
    storeRelaxed(flag + 1, 1u);
    while (loadRelaxed(flag + 1) != 2) {
    }
    loadAcquire(flag + broken);
    data[1] = data[0];
  }
}
MMC_EXPORT(loadThenAcquire, 1, 1)

// The last block to count combines what all have written: release by everyone, acquire by the last.
template <Order order> MMC_DEVICE void combine(u32 *data, u32 *counter) {
  data[blockIndex()] = blockIndex() + 1; // BAD: combined
  if (fetchAdd<order>(counter, 1u) != blockCount() - 1) return;
  u32 sum = 0;
  for (u32 i = 0; i < blockCount(); ++i) sum += data[i];
  data[blockCount()] = sum;
}

MMC_KERNEL(1, 1) void lastBlock(u32 *data, u32 *counter) { combine<Order::acquireRelease>(data, counter); }
MMC_EXPORT(lastBlock, 1, 1)
MMC_KERNEL(1, 1) void lastBlockWithoutAcquire(u32 *data, u32 *counter) { combine<Order::release>(data, counter); }
MMC_EXPORT(lastBlockWithoutAcquire, 1, 1)
MMC_KERNEL(1, 1) void lastBlockWithoutRelease(u32 *data, u32 *counter) { combine<Order::acquire>(data, counter); }
MMC_EXPORT(lastBlockWithoutRelease, 1, 1)

MMC_KERNEL(1, 1) void deviceScope(u32 *counter) { fetchAdd<Order::relaxed, Scope::device>(counter, 1u); }
MMC_EXPORT(deviceScope, 1, 1)
MMC_KERNEL(1, 1) void blockScope(u32 *counter) {
  fetchAdd<Order::relaxed, Scope::block>(counter, 1u); // BAD: scope of the block
}
MMC_EXPORT(blockScope, 1, 1)

// One side reaches the other, but not the other way round.
MMC_KERNEL(1, 1) void unequalScopes(u32 *counter) {
  if (blockIndex() == 0) fetchAdd<Order::relaxed, Scope::device>(counter, 1u); // BAD: wide
  else fetchAdd<Order::relaxed, Scope::block>(counter, 1u);                    // BAD: narrow
}
MMC_EXPORT(unequalScopes, 1, 1)

// An exchange that does not happen releases nothing. The flag holds 0.
MMC_KERNEL(1, 1) void failedExchange(u32 *data, u32 *flag, u32 expected) {
  if (blockIndex() == 0) {
    data[0] = 7; // BAD: not released
    compareExchange<Order::release, Scope::device>(flag, expected, 9u);
    storeRelaxed(flag + 1, 1u);
  } else {
    while (loadRelaxed(flag + 1) != 1) {
    }
    loadAcquire(flag);
    data[1] = data[0];
  }
}
MMC_EXPORT(failedExchange, 1, 1)

MMC_KERNEL(64, 1) void plainFlag(u32 *flag, u32 broken) {
  if (threadIndex() == 0 && broken) *flag = 1; // BAD: plain store of a flag
  if (threadIndex() == 0 && !broken) storeRelaxed(flag, 1u);
  if (threadIndex() == 32) loadAcquire(flag);
}
MMC_EXPORT(plainFlag, 64, 1)

// Nobody sets the flag.
MMC_KERNEL(64, 1) void spin(u32 *flag, u32 broken) {
  if (threadIndex() == 32)
    while (loadAcquire(flag) != 41) { // BAD: endless spin
    }
  if (threadIndex() == 0) storeRelease(flag, broken ? 40u : 41u);
}
MMC_EXPORT(spin, 64, 1)

// Two flags in turn, and many looks at a flag that nobody will change.
MMC_KERNEL(64, 1) void twoFlags(u32 *flags, u32 looks) {
  if (threadIndex() == 0)
    while (loadAcquire(flags) == 0 || loadAcquire(flags + 1) == 0) {
    }
  if (threadIndex() == 32) {
    u32 sum = 0;
    for (u32 i = 0; i < looks; ++i) sum += loadRelaxed(flags + 2);
    storeRelease(flags + 1, 1u);
    storeRelease(flags, 1u);
    flags[3] = sum;
  }
}
MMC_EXPORT(twoFlags, 64, 1)

MMC_KERNEL(64, 1) void sizes(u64 *place, u32 broken) {
  if (threadIndex() == 0) fetchAdd<Order::relaxed, Scope::device>(place, u64(1));
  if (!broken) syncThreads();
  if (threadIndex() == 32) fetchAdd(reinterpret_cast<u32 *>(place), 1u); // BAD: another size
}
MMC_EXPORT(sizes, 64, 1)

MMC_KERNEL(32, 1) void misplaced(u8 *bytes, u32 offset) {
  if (threadIndex() == 0) fetchAdd(reinterpret_cast<u32 *>(bytes + offset), 1u); // BAD: misaligned
}
MMC_EXPORT(misplaced, 32, 1)
