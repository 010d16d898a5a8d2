// archs: none (variants take addresses that the hardware refuses)
//
// One kernel per rule of cp.async; the argument `broken` chooses the variant that breaks it.
#include "ptx/async_copy.cuh"
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"
#include "ptx/mbarrier.cuh"

constexpr u32 kWords = 256;

struct Shared {
  alignas(128) u32 words[kWords];
  alignas(128) u32 more[kWords];
  Mbarrier full;
};

/// Every thread copies 16, 8 and 4 bytes, the first `valid` of them.
MMC_KERNEL(64, 1) void zeroFill(const u32 *in, u32 *out, u32 valid16, u32 valid8, u32 valid4) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  copyAsync<16>(s.words + 4 * t, in + 4 * t, valid16);
  copyAsync<8>(s.more + 2 * t, in + 2 * t, valid8);
  copyAsync<4>(s.more + 128 + t, in + t, valid4);
  copyAsyncWaitAll();
  for (u32 i = 0; i < 4; ++i) out[4 * t + i] = s.words[4 * t + i];
  for (u32 i = 0; i < 2; ++i) out[256 + 2 * t + i] = s.more[2 * t + i];
  out[384 + t] = s.more[128 + t];
}
MMC_EXPORT(zeroFill, 64, 1, Shared)

/// 1: no wait; 2: the group was not committed; 3: the group may be pending.
MMC_KERNEL(32, 1) void ownRead(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  copyAsync<4>(s.words + t, in + t);
  if (broken != 2) copyAsyncCommit();
  if (broken == 3) copyAsyncWait<1>();
  if (broken == 0 || broken == 2) copyAsyncWait<0>();
  out[t] = s.words[t]; // BAD: own copy read too early
  copyAsyncWaitAll();
}
MMC_EXPORT(ownRead, 32, 1, Shared)

/// What another thread has copied: after its wait and a barrier. 1: the barrier before the wait.
MMC_KERNEL(64, 1) void otherRead(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  copyAsync<4>(s.words + t, in + t);
  copyAsyncCommit();
  if (broken) syncThreads();
  copyAsyncWait<0>();
  if (!broken) syncThreads();
  out[t] = s.words[63 - t]; // BAD: copy of another thread read too early
}
MMC_EXPORT(otherRead, 64, 1, Shared)

/// A ring of two groups: the older one is complete. 1: uses the younger one.
MMC_KERNEL(32, 1) void groups(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  copyAsync<4>(s.words + t, in + t);
  copyAsyncCommit();
  for (u32 step = 1; step < 8; ++step) {
    copyAsync<4>((step % 2 ? s.more : s.words) + t, in + 32 * step + t);
    copyAsyncCommit();
    copyAsyncWait<1>();
    const bool older = (step % 2 != 0) != (broken != 0);
    out[32 * (step - 1) + t] = (older ? s.words : s.more)[t]; // BAD: younger group read
  }
}
MMC_EXPORT(groups, 32, 1, Shared)

/// Addresses and sizes of a copy of `size` bytes.
MMC_KERNEL(32, 1) void form(u32 size, u32 shared, u32 global, u32 valid, const u8 *in) {
  MMC_SHARED(Shared, s);
  if (threadIndex() != 0) return;
  u8 *to = reinterpret_cast<u8 *>(s.words) + shared;
  if (size == 4) copyAsync<4>(to, in + global, valid);   // BAD: form of 4
  if (size == 8) copyAsync<8>(to, in + global, valid);   // BAD: form of 8
  if (size == 16) copyAsync<16>(to, in + global, valid); // BAD: form of 16
  copyAsyncWaitAll();
}
MMC_EXPORT(form, 32, 1, Shared)

/// The source or the destination is written while the copy is under way: 1, 2.
MMC_KERNEL(32, 1) void inFlight(u32 broken, u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  if (threadIndex() != 0) return;
  in[0] = 1; // program order: before the copy
  s.words[0] = 2;
  copyAsync<4>(s.words, in);
  if (broken == 1) in[0] = 3;      // BAD: source written
  if (broken == 2) s.words[0] = 4; // BAD: destination written
  copyAsyncWaitAll();
  in[0] = 5;
  out[0] = s.words[0];
}
MMC_EXPORT(inFlight, 32, 1, Shared)

/// Two threads copy to one place.
MMC_KERNEL(64, 1) void twoWriters(u32 broken, const u32 *in) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  if (t == 0) copyAsync<16>(s.words, in);
  if (t == 32) copyAsync<16>(s.words + (broken ? 0 : 4), in + 4); // BAD: second copy to one place
  copyAsyncWaitAll();
}
MMC_EXPORT(twoWriters, 64, 1, Shared)

/// They belong to the generic proxy: before the async proxy reads, a fence.
MMC_KERNEL(64, 1) void toAsyncProxy(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  copyAsync<16>(s.words + 4 * t, in + 4 * t); // BAD: cp.async before a store
  copyAsyncWaitAll();
  if (!broken) fenceProxyAsync();
  syncThreads();
  if (t == 0) {
    bulkStore(out, s.words, 1024); // BAD: store of a cp.async
    bulkCommit();
    bulkWait<0>();
  }
}
MMC_EXPORT(toAsyncProxy, 64, 1, Shared)

/// One warp copies, the other waits on the mbarrier. 1: a copy after the arrival; 2: no wait. Then plain writes of the
/// copying threads: 3, which the arrival does not release.
MMC_KERNEL(64, 1) void arrival(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  if (t == 0) mbarrierInit(s.full, 32);
  syncThreads();
  if (t < 32) {
    copyAsync<4>(s.words + t, in + t);
    if (broken != 1) copyAsync<4>(s.more + t, in + 32 + t);
    s.more[64 + t] = t;
    mbarrierArriveOnCopies(s.full);
    if (broken == 1) copyAsync<4>(s.more + t, in + 32 + t); // BAD: copy after the arrival
    return;
  }
  if (broken != 2) mbarrierWait(s.full, 0);
  out[t - 32] = s.words[t - 32]; // BAD: read without the arrival
  out[t] = s.more[t - 32];
  if (broken == 3) out[t + 32] = s.more[t + 32]; // BAD: plain write read
}
MMC_EXPORT(arrival, 64, 1, Shared)

/// A ring that completes on mbarriers and never commits a group.
MMC_KERNEL(64, 1) void arrivalRing(const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  Mbarrier *full = reinterpret_cast<Mbarrier *>(s.more), *empty = full + 2;
  if (t == 0)
    for (u32 i = 0; i < 2; ++i) {
      mbarrierInit(full[i], 32);
      mbarrierInit(empty[i], 32);
    }
  syncThreads();
  for (u32 step = 0; step < 16; ++step) {
    const u32 stage = step % 2, parity = step / 2 % 2;
    if (t < 32) {
      mbarrierWait(empty[stage], parity ^ 1);
      copyAsync<4>(s.words + 32 * stage + t, in + 32 * step + t);
      mbarrierArriveOnCopies(full[stage]);
    } else {
      mbarrierWait(full[stage], parity);
      out[32 * step + t - 32] = s.words[32 * stage + 63 - t];
      mbarrierArrive(empty[stage]);
    }
  }
}
MMC_EXPORT(arrivalRing, 64, 1, Shared)

/// Copies bytes that nothing has written. 1: uses them.
MMC_KERNEL(32, 1) void unwrittenWord(u32 broken, const u32 *in, u32 *out) {
  MMC_SHARED(Shared, s);
  const u32 t = threadIndex();
  copyAsync<4>(s.words + t, in + t);
  copyAsyncWaitAll();
  if (t < 16 || broken) out[t] = s.words[t]; // BAD: nothing has written it
}
MMC_EXPORT(unwrittenWord, 32, 1, Shared)

/// A block may end with copies under way.
MMC_KERNEL(32, 1) void forgotten(const u32 *in) {
  MMC_SHARED(Shared, s);
  copyAsync<4>(s.words + threadIndex(), in + threadIndex());
}
MMC_EXPORT(forgotten, 32, 1, Shared)
