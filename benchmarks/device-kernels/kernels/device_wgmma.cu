// archs: sm_90a
// What wgmma gives without memory: two warpgroups of a block, each with an accumulator of 64 x 256; `rounds` times four
// products of depth 16 in one batch.
#include "ptx/barrier.cuh"
#include "ptx/fence.cuh"
#include "ptx/wgmma.cuh"

constexpr u32 kThreads = 256, kProducts = 4;

struct Operands {
  alignas(1024) u32 left[2 * 64 * 32];
  alignas(1024) u32 right[256 * 32];
};

MMC_KERNEL(kThreads, 1) void wgmmaRate(u32 *out, const u32 *in, u64 rounds) {
  MMC_SHARED(Operands, s);
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < 2 * 64 * 32; i += kThreads) s.left[i] = in[i];
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < 256 * 32; i += kThreads) s.right[i] = in[i];
  fenceProxyAsync();
  syncThreads();
  const u64 a = matrixDescriptor(s.left + warpgroupIndex() * 64 * 32, 16, 1024, Swizzle::bytes128);
  const u64 b = matrixDescriptor(s.right, 16, 1024, Swizzle::bytes128);
  float sum[128];
  MMC_UNROLL for (u32 i = 0; i < 128; ++i) sum[i] = 0.0f;
  MMC_NO_UNROLL for (u64 round = 0; round < rounds; ++round) {
    wgmmaFence(sum);
    MMC_UNROLL for (u32 i = 0; i < kProducts; ++i) wgmma<bf16>(sum, a + 2 * i, b + 2 * i, true);
    wgmmaCommit();
    wgmmaWait<0>(sum);
  }
  float all = 0;
  MMC_UNROLL for (u32 i = 0; i < 128; ++i) all += sum[i];
  out[u64(blockIndex()) * kThreads + threadIndex()] = bitCast<u32>(all);
}
MMC_EXPORT(wgmmaRate, kThreads, 1, Operands)
