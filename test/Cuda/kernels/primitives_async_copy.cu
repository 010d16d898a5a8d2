// archs: sm_80 sm_90a sm_120a
// Every copy of ptx/async_copy.cuh, so that both readers compile it.
#include "ptx/async_copy.cuh"

struct AsyncCopyShared {
  Vector16 sixteen[32];
  Vector8 eight[32];
  u32 four[32];
};

MMC_KERNEL(32, 1) void primitives_async_copy(u32 *out, const u8 *in, u32 valid) {
  MMC_SHARED(AsyncCopyShared, shared);
  const u32 thread = threadIndex();
  copyAsync<16>(&shared.sixteen[thread], in + thread * 16);
  copyAsyncCommit();
  copyAsync<8>(&shared.eight[thread], in + thread * 8, valid);
  copyAsyncCommit();
  copyAsync<4>(&shared.four[thread], in + thread * 4, valid < 4 ? valid : 4);
  copyAsyncWait<1>();
  u32 sum = shared.sixteen[thread].words[0];
  copyAsyncWaitAll();
  out[thread] = sum + shared.eight[thread].words[1] + shared.four[thread];
}
MMC_EXPORT(primitives_async_copy, 32, 1, AsyncCopyShared)
