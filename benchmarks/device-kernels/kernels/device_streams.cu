// archs: sm_80 sm_90a
// What memory gives: a copy, and reads through registers and cp.async. Every kernel moves `chunks` pieces of 16 bytes,
// dealt out over the grid; readers leave a word per thread that depends on all they have read.
#include "ptx/async_copy.cuh"
#include "ptx/barrier.cuh"
#include "ptx/memory.cuh"

constexpr u32 kThreads = 256, kDepth = 8;

MMC_KERNEL(kThreads, 2) void copyStream(Vector16 *out, const Vector16 *in, u64 chunks) {
  const u64 stride = u64(blockCount()) * kThreads;
  for (u64 i = u64(blockIndex()) * kThreads + threadIndex(); i < chunks; i += 4 * stride) {
    Vector16 values[4];
    MMC_UNROLL for (u32 j = 0; j < 4; ++j) {
      if (i + j * stride < chunks) values[j] = loadGlobal<Cache::streaming>(in + i + j * stride);
    }
    MMC_UNROLL for (u32 j = 0; j < 4; ++j) {
      if (i + j * stride < chunks) storeGlobal<Cache::streaming>(out + i + j * stride, values[j]);
    }
  }
}
MMC_EXPORT(copyStream, kThreads, 2)

MMC_KERNEL(kThreads, 2) void readStream(u32 *out, const Vector16 *in, u64 chunks) {
  const u64 stride = u64(blockCount()) * kThreads;
  u32 sum = 0;
  for (u64 i = u64(blockIndex()) * kThreads + threadIndex(); i < chunks; i += kDepth * stride) {
    Vector16 values[kDepth];
    MMC_UNROLL for (u32 j = 0; j < kDepth; ++j) values[j] =
        i + j * stride < chunks ? loadReadOnly<Cache::noAllocate>(in + i + j * stride) : Vector16{{0, 0, 0, 0}};
    MMC_UNROLL for (u32 j = 0; j < kDepth; ++j) sum +=
        values[j].words[0] ^ values[j].words[1] ^ values[j].words[2] ^ values[j].words[3];
  }
  out[u64(blockIndex()) * kThreads + threadIndex()] = sum;
}
MMC_EXPORT(readStream, kThreads, 2)

struct Ring {
  Vector16 stages[kDepth][kThreads];
};

/// Every thread keeps kDepth copies of its own in flight, so no barrier is in the way.
MMC_KERNEL(kThreads, 2) void readByAsyncCopies(u32 *out, const Vector16 *in, u64 chunks) {
  MMC_SHARED(Ring, ring);
  const u64 stride = u64(blockCount()) * kThreads, first = u64(blockIndex()) * kThreads + threadIndex();
  const u64 trips = (chunks + stride - 1) / stride;
  const auto issue = [&](u64 trip) {
    const u64 chunk = first + trip * stride;
    if (trip < trips && chunk < chunks) copyAsync<16>(&ring.stages[trip % kDepth][threadIndex()], in + chunk);
    copyAsyncCommit();
  };
  u32 sum = 0;
  for (u64 trip = 0; trip < kDepth - 1; ++trip) issue(trip);
  for (u64 trip = 0; trip < trips; ++trip) {
    issue(trip + kDepth - 1);
    copyAsyncWait<kDepth - 1>();
    if (first + trip * stride >= chunks) continue;
    const Vector16 value = ring.stages[trip % kDepth][threadIndex()];
    sum += value.words[0] ^ value.words[1] ^ value.words[2] ^ value.words[3];
  }
  out[first] = sum;
}
MMC_EXPORT(readByAsyncCopies, kThreads, 2, Ring)

MMC_KERNEL(32, 1) void nothing(u32 *out, const Vector16 *in, u64 chunks) {}
MMC_EXPORT(nothing, 32, 1)
