// archs: none (variants break rules that ptxas refuses or mends)
//
// One kernel per rule of wgmma; the argument `broken` chooses the variant that breaks it. All operands are ones, in
// K-major tiles of 64 rows of 64 with a swizzle of 128 bytes.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"
#include "ptx/launch.cuh"
#include "ptx/matrix.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/wgmma.cuh"

constexpr u32 kOnes = 0x3f803f80; // two bf16

struct Tiles {
  alignas(1024) Vector16 a[512];
  Vector16 b[512];
};

MMC_DEVICE u64 descriptorOf(const void *tile, u32 step = 0) {
  return matrixDescriptor(tile, 16, 1024, Swizzle::bytes128) + 2 * step;
}
MMC_DEVICE void fill(Tiles &s, u32 thread) {
  for (u32 i = thread; i < 512 && thread < 128; i += 128) {
    s.a[i] = {{kOnes, kOnes, kOnes, kOnes}};
    s.b[i] = {{kOnes, kOnes, kOnes, kOnes}}; // BAD: written
  }
}
MMC_DEVICE void fillAndShare(Tiles &s) {
  fill(s, threadIndex());
  fenceProxyAsync();
  syncThreads();
}
template <u32 count> MMC_DEVICE void clear(float (&d)[count]) {
  for (u32 i = 0; i < count; ++i) d[i] = 0;
}
template <u32 count> MMC_DEVICE void store(float *out, const float (&d)[count]) {
  for (u32 i = 0; i < count; ++i) out[threadIndex() * count + i] = d[i];
}

// --- Shared memory

// Whoever wrote operands with plain stores must let the async proxy see them.
MMC_KERNEL(128, 1) void proxyFence(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fill(s, threadIndex());
  if (!broken) fenceProxyAsync();
  syncThreads();
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false); // BAD: without a proxy fence
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(proxyFence, 128, 1, Tiles)

// Operands written by others must have been waited for.
MMC_KERNEL(256, 1) void otherWriter(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  if (threadIndex() >= 128) {
    fill(s, threadIndex() - 128);
    fenceProxyAsync();
    if (!broken) barrierArrive(1, 256);
    return;
  }
  if (!broken) barrierSync(1, 256);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false); // BAD: without waiting
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(otherWriter, 256, 1, Tiles)

// Operands may be overwritten after the wait, not after the issue.
MMC_KERNEL(128, 1) void overwrite(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  if (broken) s.b[threadIndex()] = {{0, 0, 0, 0}}; // BAD: overwritten in flight
  wgmmaWait<0>(d);
  if (!broken) s.b[threadIndex()] = {{0, 0, 0, 0}};
  store(out, d);
}
MMC_EXPORT(overwrite, 128, 1, Tiles)

// A wait that leaves one group pending does not free the last one's operands.
MMC_KERNEL(128, 1) void overwritePending(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32], e[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.a), false);
  wgmmaCommit();
  wgmma<bf16>(e, descriptorOf(s.b), descriptorOf(s.b), false);
  wgmmaCommit();
  wgmmaWait<1>(d);
  if (broken) s.b[threadIndex()] = {{0, 0, 0, 0}}; // BAD: of the pending group
  else s.a[threadIndex()] = {{0, 0, 0, 0}};
  wgmmaWait<0>(e);
  store(out, e);
}
MMC_EXPORT(overwritePending, 128, 1, Tiles)

MMC_KERNEL(128, 1) void unwritten(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fill(s, threadIndex());
  fenceProxyAsync();
  syncThreads();
  float d[32];
  wgmmaFence();
  // Past the two tiles of 8192 bytes lies nothing.
  const u64 b = descriptorOf(s.b) + (broken ? 64 : 0);
  wgmma<bf16>(d, descriptorOf(s.a), b, false); // BAD: past the end
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(unwritten, 128, 1, Tiles)

struct CopiedTiles {
  alignas(1024) Vector16 a[512];
  Vector16 b[512];
  Mbarrier full;
};
MMC_DEVICE void beginCopy(CopiedTiles &s, const float *from) {
  if (threadIndex() == 0) mbarrierInit(s.full, 1), fenceMbarrierInit();
  syncThreads();
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, sizeof s.a + sizeof s.b);
    bulkLoad(s.a, from, sizeof s.a, s.full); // BAD: the copy
    bulkLoad(s.b, from, sizeof s.b, s.full);
  }
}

// Operands that were copied in are seen after the wait, without a proxy fence.
MMC_KERNEL(128, 1) void copiedOperands(u32 broken, float *out) {
  MMC_SHARED(CopiedTiles, s);
  beginCopy(s, out);
  if (!broken) mbarrierWait(s.full, 0);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false); // BAD: without the mbarrier
  wgmmaCommit();
  wgmmaWait<0>(d);
  if (broken) mbarrierWait(s.full, 0);
}
MMC_EXPORT(copiedOperands, 128, 1, CopiedTiles)

// A stage is filled again when the group that reads it is complete: no fence, async after async.
MMC_KERNEL(128, 1) void refilled(u32 broken, float *out) {
  MMC_SHARED(CopiedTiles, s);
  beginCopy(s, out);
  mbarrierWait(s.full, 0);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  if (!broken) wgmmaWait<0>(d);
  syncThreads();
  if (threadIndex() == 0) {
    mbarrierArriveExpect(s.full, sizeof s.b);
    bulkLoad(s.b, out, sizeof s.b, s.full); // BAD: refilled in flight
  }
  mbarrierWait(s.full, 1);
  wgmmaWait<0>(d);
}
MMC_EXPORT(refilled, 128, 1, CopiedTiles)

// --- Registers in flight

MMC_KERNEL(128, 1) void readAccumulator(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32], other[4];
  clear(other);
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  if (broken) out[threadIndex()] = d[5]; // BAD: read in flight
  else out[threadIndex()] = other[3];
  wgmmaWait<0>(d);
  out[threadIndex()] = d[5];
}
MMC_EXPORT(readAccumulator, 128, 1, Tiles)

MMC_KERNEL(128, 1) void writeAccumulator(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  if (broken) d[31] = 0; // BAD: written in flight
  wgmmaCommit();
  wgmmaWait<0>(d);
  d[31] = 0;
  store(out, d);
}
MMC_EXPORT(writeAccumulator, 128, 1, Tiles)

MMC_KERNEL(128, 1) void writeA(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  u32 a[4] = {kOnes, kOnes, kOnes, kOnes};
  wgmmaFence();
  wgmma<bf16>(d, a, descriptorOf(s.b), false);
  wgmmaCommit();
  if (broken) a[2] = 0; // BAD: A written in flight
  wgmmaWait<0>(d);
  a[2] = 0;
  out[threadIndex()] = d[0] + float(a[2]);
}
MMC_EXPORT(writeA, 128, 1, Tiles)

// ldmatrix writes registers too.
MMC_KERNEL(128, 1) void loadOverA(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  u32 a[4], other[4];
  loadMatrix(a, &s.a[threadIndex() % 32]);
  wgmmaFence();
  wgmma<bf16>(d, a, descriptorOf(s.b), false);
  wgmmaCommit();
  if (broken) loadMatrix(a, &s.a[threadIndex() % 32]); // BAD: loaded in flight
  else loadMatrix(other, &s.a[threadIndex() % 32]);
  wgmmaWait<0>(d);
  out[threadIndex()] = d[0];
}
MMC_EXPORT(loadOverA, 128, 1, Tiles)

MMC_KERNEL(128, 1) void readPending(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32], e[8];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  wgmma<bf16>(e, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  wgmmaWait<1>(d);
  out[threadIndex()] = broken ? e[1] : d[1]; // BAD: read pending
  wgmmaWait<0>(e);
}
MMC_EXPORT(readPending, 128, 1, Tiles)

// An accumulator of the first group that the second one adds to is in flight until the second is complete.
MMC_KERNEL(128, 1) void readContinued(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), true);
  wgmmaCommit();
  if (broken) wgmmaWait<1>(d);
  else wgmmaWait<0>(d);
  out[threadIndex()] = d[1]; // BAD: read continued
  wgmmaWait<0>(d);
}
MMC_EXPORT(readContinued, 128, 1, Tiles)

// A wait covers only what has been committed.
MMC_KERNEL(128, 1) void uncommitted(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false); // BAD: never committed
  if (!broken) wgmmaCommit();
  wgmmaWait<0>(d);
  if (!broken) store(out, d);
}
MMC_EXPORT(uncommitted, 128, 1, Tiles)

MMC_KERNEL(128, 1) void neverWaited(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit(); // BAD: never waited for
  if (!broken) wgmmaWait<0>(d);
}
MMC_EXPORT(neverWaited, 128, 1, Tiles)

// The accumulator of one product is A of the next.
MMC_KERNEL(128, 1) void chained(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  u32 bits[4];
  float(&p)[4] = reinterpret_cast<float(&)[4]>(bits);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(p, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  if (!broken) {
    wgmmaWait<0>(p);
    wgmmaFence();
  }
  wgmma<bf16>(d, bits, descriptorOf(s.b), false); // BAD: A still in flight
  wgmmaCommit();
  wgmmaWait<0>(d);
  out[threadIndex()] = d[0];
}
MMC_EXPORT(chained, 128, 1, Tiles)

// --- wgmma.fence

MMC_KERNEL(128, 1) void firstFence(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  clear(d);
  if (!broken) wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), true); // BAD: no fence at all
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(firstFence, 128, 1, Tiles)

MMC_KERNEL(128, 1) void writtenAfterFence(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  if (!broken) clear(d);
  wgmmaFence();
  if (broken) clear(d);
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), true); // BAD: written after the fence
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(writtenAfterFence, 128, 1, Tiles)

MMC_KERNEL(128, 1) void scaledBetween(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  wgmmaWait<0>(d);
  for (u32 i = 0; i < 32; ++i) d[i] *= 0.5f;
  if (!broken) wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), true); // BAD: scaled without a fence
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(scaledBetween, 128, 1, Tiles)

// An access is enough: a product could overtake the read.
MMC_KERNEL(128, 1) void readBetween(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  wgmmaWait<0>(d);
  out[threadIndex()] = d[7];
  if (!broken) wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false); // BAD: read without a fence
  wgmmaCommit();
  wgmmaWait<0>(d);
}
MMC_EXPORT(readBetween, 128, 1, Tiles)

MMC_KERNEL(128, 1) void loadedAfterFence(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  u32 a[4];
  if (!broken) loadMatrix(a, &s.a[threadIndex() % 32]);
  wgmmaFence();
  if (broken) loadMatrix(a, &s.a[threadIndex() % 32]); // BAD: the load
  wgmma<bf16>(d, a, descriptorOf(s.b), false); // BAD: A loaded after the fence
  wgmmaCommit();
  wgmmaWait<0>(d);
  out[threadIndex()] = d[0];
}
MMC_EXPORT(loadedAfterFence, 128, 1, Tiles)

// Products of one shape may follow each other on an accumulator; another shape needs a fence.
MMC_KERNEL(128, 1) void otherShape(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmma<bf16>(d, descriptorOf(s.a, 1), descriptorOf(s.b, 1), true);
  if (!broken) wgmmaFence();
  wgmma<e4m3>(d, descriptorOf(s.a), descriptorOf(s.b), true); // BAD: another shape
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(otherShape, 128, 1, Tiles)

// --- Who executes it

MMC_KERNEL(128, 1) void twoPlaces(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  if (broken && threadIndex() >= 96) {
    wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false); // BAD: the fourth warp
  } else {
    wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false); // BAD: three warps
  }
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(twoPlaces, 128, 1, Tiles)

MMC_KERNEL(128, 1) void twoDescriptors(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a, broken && threadIndex() == 77), descriptorOf(s.b), false); // BAD: descriptors differ
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(twoDescriptors, 128, 1, Tiles)

MMC_KERNEL(128, 1) void warpMissing(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  if (broken && threadIndex() >= 96) return;
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, descriptorOf(s.a), descriptorOf(s.b), false);
  wgmmaCommit();
  wgmmaWait<0>(d); // BAD: the fourth warp has gone
  store(out, d);
}
MMC_EXPORT(warpMissing, 128, 1, Tiles)

MMC_KERNEL(160, 1) void halfAGroup(u32 broken, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  if (threadIndex() < 128 || broken) wgmmaFence(); // BAD: a warp alone
}
MMC_EXPORT(halfAGroup, 160, 1, Tiles)

// --- Descriptors

MMC_KERNEL(128, 1) void anyDescriptor(u64 a, u64 b, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  wgmmaFence();
  wgmma<bf16>(d, a, b, false); // BAD: descriptor
  wgmmaCommit();
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(anyDescriptor, 128, 1, Tiles)

#ifdef __x86_64__
// What the wrappers do not offer: integers that saturate, and shapes that do not exist.
MMC_KERNEL(128, 1) void raw(s32 *d, u32 n, u32 elementA, u32 elementB, u32 flags) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  s32 sum[128];
  for (u32 i = 0; i < 128; ++i) sum[i] = d[threadIndex() * 128 + i];
  wgmmaFence();
  mmcEmuWgmma(sum, nullptr, descriptorOf(s.a), descriptorOf(s.b), n, elementA, elementB, flags); // BAD: shape
  wgmmaCommit();
  wgmmaWait<0>(sum);
  for (u32 i = 0; i < 128; ++i) d[threadIndex() * 128 + i] = sum[i];
}
MMC_EXPORT(raw, 128, 1, Tiles)
#endif

// --- Order

// Batches that add to one accumulator, two in flight; the first product does not add.
MMC_KERNEL(128, 1) void pipeline(u32 trips, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  for (u32 i = 0; i < 32; ++i) d[i] = 1000;
  wgmmaFence();
  MMC_NO_UNROLL for (u32 trip = 0; trip < trips; ++trip) {
    for (u32 step = 0; step < 4; ++step)
      wgmma<bf16>(d, descriptorOf(s.a, step), descriptorOf(s.b, step), trip + step > 0);
    wgmmaCommit();
    wgmmaWait<1>();
  }
  wgmmaWait<0>(d);
  store(out, d);
}
MMC_EXPORT(pipeline, 128, 1, Tiles)

// Two warpgroups with tiles of their own work side by side.
MMC_KERNEL(256, 1) void twoGroups(u32 trips, float *out) {
  MMC_SHARED(Tiles, s);
  fillAndShare(s);
  float d[32];
  clear(d);
  wgmmaFence();
  MMC_NO_UNROLL for (u32 trip = 0; trip < trips; ++trip) {
    wgmma<bf16>(d, descriptorOf(s.a, warpgroupIndex()), descriptorOf(s.b, warpgroupIndex()), true);
    wgmmaCommit();
    wgmmaWait<0>(d);
    wgmmaFence();
  }
  store(out, d);
}
MMC_EXPORT(twoGroups, 256, 1, Tiles)
