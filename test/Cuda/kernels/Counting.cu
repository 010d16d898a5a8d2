// archs: none
//
// Accesses whose sectors, wavefronts and requests are known by hand. One warp unless said otherwise.
#include "base/types.cuh"
#include "ptx/async_copy.cuh"
#include "ptx/atomics.cuh"
#include "ptx/barrier.cuh"
#include "ptx/bulk_copy.cuh"
#include "ptx/fence.cuh"
#include "ptx/launch.cuh"
#include "ptx/matrix.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/memory.cuh"
#include "ptx/warp.cuh"

struct alignas(1024) Shared {
  u32 words[2048];
};

/// Each lane 16 bytes, side by side; what is stored lies `stride` words apart.
MMC_KERNEL(64, 1) void countedCopy(const Vector16 *in, u32 *out, u32 stride) {
  const Vector16 value = loadGlobal(in + threadIndex());
  const u32 sum = value.words[0] + value.words[1] + value.words[2] + value.words[3]; // else less would be loaded
  storeGlobal(out + threadIndex() * stride, sum);                                    // PLACE: stored
}
MMC_EXPORT(countedCopy, 64, 1)

/// Words of shared memory `stride` apart, `turns` times.
MMC_KERNEL(64, 1) void countedWords(u32 stride, u32 turns) {
  MMC_SHARED(Shared, s);
  for (u32 i = 0; i < turns; ++i) storeShared(&s.words[threadIndex() * stride % 2048], i); // PLACE: words
}
MMC_EXPORT(countedWords, 64, 1, Shared)

/// 8 and 16 bytes a lane, `stride` accesses apart.
MMC_KERNEL(32, 1) void countedPairs(u32 stride) {
  MMC_SHARED(Shared, s);
  storeShared(&s.words[threadIndex() * stride * 2], u64(1));
}
MMC_EXPORT(countedPairs, 32, 1, Shared)
MMC_KERNEL(32, 1) void countedVectors(u32 stride) {
  MMC_SHARED(Shared, s);
  storeShared(&s.words[threadIndex() * stride * 4], Vector16{});
}
MMC_EXPORT(countedVectors, 32, 1, Shared)

/// ldmatrix of four matrices whose rows are `rowBytes` apart.
MMC_KERNEL(32, 1) void countedMatrix(u32 *out, u32 rowBytes) {
  MMC_SHARED(Shared, s);
  for (u32 i = threadIndex(); i < 2048; i += 32) s.words[i] = i;
  syncWarp();
  u32 registers[4];
  loadMatrix(registers, &s.words[threadIndex() * rowBytes / 4]); // PLACE: matrix
  out[threadIndex()] = registers[0];
}
MMC_EXPORT(countedMatrix, 32, 1, Shared)

/// Under a branch: lanes below `lanes` store, then all meet, then all store. Requests of fewer lanes end where lanes
/// meet.
MMC_KERNEL(32, 1) void countedBranch(u32 *out, u32 lanes, u32 turns) {
  for (u32 i = 0; i < turns; ++i) {
    if (threadIndex() < lanes) storeGlobal(out + i * 32 + threadIndex(), i);
    syncWarp();
  }
}
MMC_EXPORT(countedBranch, 32, 1)

/// cp.async of 16 bytes a lane: lanes' rows in shared memory are `stride` words apart; the last `missing` lanes have
/// nothing to read.
MMC_KERNEL(32, 1) void countedAsync(const Vector16 *in, u32 stride, u32 missing) {
  MMC_SHARED(Shared, s);
  copyAsync<16>(&s.words[threadIndex() * stride], in + threadIndex(), threadIndex() < 32 - missing ? 16 : 0);
  copyAsyncCommit();
  copyAsyncWait<0>();
}
MMC_EXPORT(countedAsync, 32, 1, Shared)

/// One bulk copy, in and out.
struct BulkShared {
  alignas(128) u32 words[64];
  Mbarrier full;
};
MMC_KERNEL(32, 1) void countedBulk(const u32 *in, u32 *out) {
  MMC_SHARED(BulkShared, s);
  if (threadIndex() == 0) {
    mbarrierInit(s.full, 1);
    fenceMbarrierInit();
    mbarrierArriveExpect(s.full, 176);
    bulkLoad(s.words, in, 176, s.full);
    mbarrierWait(s.full, 0);
    bulkStore(out, s.words, 176);
    bulkCommit();
    bulkWaitRead<0>();
  }
}
MMC_EXPORT(countedBulk, 32, 1, BulkShared)

/// All blocks add to `words` words, and read one number in common.
MMC_KERNEL(32, 1) void countedAtomics(u32 *sums, const u32 *number, u32 words) {
  reduceAdd(&sums[threadIndex() % words], loadReadOnly(number));
}
MMC_EXPORT(countedAtomics, 32, 1)
