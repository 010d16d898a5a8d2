// archs: sm_90a
//
// Loops of matrix instructions on operands that stay where they are, four of depth 16 to a batch as kernels issue them.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/fence.cuh"
#include "ptx/launch.cuh"
#include "ptx/mma.cuh"
#include "ptx/wgmma.cuh"

template <u32 n> struct Tiles {
  alignas(1024) Vector16 a[512];
  Vector16 b[n * 8];
};

template <u32 n> MMC_DEVICE void products(Tiles<n> &s, u32 batches, float *out) {
  for (u32 i = threadIndex(); i < 512; i += 128) s.a[i] = {{0, 0, 0, 0}};
  for (u32 i = threadIndex(); i < n * 8; i += 128) s.b[i] = {{0, 0, 0, 0}};
  fenceProxyAsync();
  syncThreads();
  const u64 a = matrixDescriptor(s.a, 16, 1024, Swizzle::bytes128);
  const u64 b = matrixDescriptor(s.b, 16, 1024, Swizzle::bytes128);
  float d[n / 2];
  MMC_UNROLL for (u32 i = 0; i < n / 2; ++i) d[i] = 0;
  wgmmaFence(d);
  MMC_NO_UNROLL for (u32 batch = 0; batch < batches; ++batch) {
    MMC_UNROLL for (u32 step = 0; step < 4; ++step) wgmma<bf16>(d, a + 2 * step, b + 2 * step, true);
    wgmmaCommit();
    wgmmaWait<0>(d);
  }
  out[threadIndex()] = d[0];
}

MMC_KERNEL(128, 1) void products64(u32 batches, float *out) {
  MMC_SHARED(Tiles<64>, s);
  products(s, batches, out);
}
MMC_EXPORT(products64, 128, 1, Tiles<64>)

MMC_KERNEL(128, 1) void products256(u32 batches, float *out) {
  MMC_SHARED(Tiles<256>, s);
  products(s, batches, out);
}
MMC_EXPORT(products256, 128, 1, Tiles<256>)

MMC_KERNEL(32, 1) void warpProducts(u32 count, float *out) {
  float d[4] = {0, 0, 0, 0};
  const u32 a[4] = {0, 0, 0, 0}, b[2] = {0, 0};
  MMC_NO_UNROLL for (u32 i = 0; i < count; ++i) mma16x8x16<bf16>(d, a, b);
  out[threadIndex()] = d[0];
}
MMC_EXPORT(warpProducts, 32, 1)
