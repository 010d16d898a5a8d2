// archs: sm_80 sm_90a
// cp.async: how many bytes are valid per thread in (32 words), then 16 bytes of source per thread; what lies in shared
// memory after the wait out. Two groups are waited for one by one, and by an mbarrier.
#include "ptx/async_copy.cuh"
#include "ptx/barrier.cuh"
#include "ptx/mbarrier.cuh"

struct Shared {
  alignas(128) u32 words[256];
  Mbarrier full;
};

template <u32 bytes> MMC_DEVICE void copyPart(Shared &s, const u32 *in, u32 part) {
  const u32 thread = threadIndex();
  copyAsync<bytes>(s.words + part * 128 + thread * 4, in + 32 + part * 128 + thread * 4,
                   in[thread] < bytes ? in[thread] : bytes);
}
MMC_DEVICE void handOut(Shared &s, u32 *out, u32 part) {
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) out[part * 128 + i * 32 + threadIndex()] =
      s.words[part * 128 + i * 32 + threadIndex()];
}
MMC_DEVICE void fill(Shared &s) {
  MMC_UNROLL for (u32 i = 0; i < 8; ++i) s.words[i * 32 + threadIndex()] = ~u32(i);
  syncThreads();
}

#define COPY(bytes)                                                                                                    \
  MMC_KERNEL(32, 1) void copyAsync##bytes(u32 *out, const u32 *in, u32) {                                              \
    MMC_SHARED(Shared, s);                                                                                             \
    fill(s);                                                                                                           \
    copyPart<bytes>(s, in, 0);                                                                                         \
    copyAsyncCommit();                                                                                                 \
    copyPart<bytes>(s, in, 1);                                                                                         \
    copyAsyncCommit();                                                                                                 \
    copyAsyncWait<1>();                                                                                                \
    syncThreads();                                                                                                     \
    handOut(s, out, 0);                                                                                                \
    copyAsyncWait<0>();                                                                                                \
    syncThreads();                                                                                                     \
    handOut(s, out, 1);                                                                                                \
  }                                                                                                                    \
  MMC_EXPORT(copyAsync##bytes, 32, 1, Shared)
COPY(4)
COPY(8)
COPY(16)

MMC_KERNEL(32, 1) void copyAsyncOnBarrier(u32 *out, const u32 *in, u32) {
  MMC_SHARED(Shared, s);
  fill(s);
  if (threadIndex() == 0) mbarrierInit(s.full, 32);
  syncThreads();
  copyPart<16>(s, in, 0);
  copyPart<8>(s, in, 1);
  mbarrierArriveOnCopies(s.full);
  mbarrierWait(s.full, 0);
  handOut(s, out, 0);
  handOut(s, out, 1);
}
MMC_EXPORT(copyAsyncOnBarrier, 32, 1, Shared)
