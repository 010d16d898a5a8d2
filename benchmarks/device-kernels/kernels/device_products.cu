// archs: sm_80 sm_90a
// What mma.sync gives without memory: eight warps of a block, each with eight accumulators that do not depend on one
// another; `rounds` times eight products of 16 x 8 x 16.
#include "ptx/mma.cuh"

constexpr u32 kThreads = 256, kProducts = 8;

MMC_KERNEL(kThreads, 1) void mmaRate(u32 *out, const u32 *in, u64 rounds) {
  float sums[kProducts][4] = {};
  u32 a[4], b[2];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) a[i] = in[threadIndex() * 4 + i];
  MMC_UNROLL for (u32 i = 0; i < 2; ++i) b[i] = in[1024 + threadIndex() * 2 + i];
  MMC_NO_UNROLL for (u64 round = 0; round < rounds; ++round) {
    MMC_UNROLL for (u32 i = 0; i < kProducts; ++i) mma16x8x16<bf16>(sums[i], a, b);
  }
  float all = 0;
  MMC_UNROLL for (u32 i = 0; i < kProducts; ++i) MMC_UNROLL for (u32 j = 0; j < 4; ++j) all += sums[i][j];
  out[u64(blockIndex()) * kThreads + threadIndex()] = bitCast<u32>(all);
}
MMC_EXPORT(mmaRate, kThreads, 1)
