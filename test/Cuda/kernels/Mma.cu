// archs: sm_90a
//
// mma.sync as tests see it: one warp, fragments in and out lane by lane.
#include "base/types.cuh"
#include "ptx/launch.cuh"
#include "ptx/mma.cuh"

template <class D, class Multiply> MMC_DEVICE void product(const u32 *a, const u32 *b, D *d, Multiply multiply) {
  u32 registersA[4], registersB[2];
  D sum[4];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) registersA[i] = a[threadIndex() * 4 + i];
  MMC_UNROLL for (u32 i = 0; i < 2; ++i) registersB[i] = b[threadIndex() * 2 + i];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) sum[i] = d[threadIndex() * 4 + i];
  multiply(sum, registersA, registersB);
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) d[threadIndex() * 4 + i] = sum[i];
}

#define PRODUCT(name, D, instruction)                                                                                  \
  MMC_KERNEL(32, 1) void name(const u32 *a, const u32 *b, D *d) {                                                      \
    product(a, b, d, [](D(&sum)[4], const u32(&x)[4], const u32(&y)[2]) { instruction(sum, x, y); });                  \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1)
PRODUCT(bf16k16, float, mma16x8x16<bf16>)
PRODUCT(f16k16, float, mma16x8x16<f16>)
PRODUCT(s8k32, s32, (mma16x8x32<s8, s8>))
PRODUCT(s8u8k32, s32, (mma16x8x32<s8, u8>))
PRODUCT(u8s8k32, s32, (mma16x8x32<u8, s8>))
PRODUCT(u8k32, s32, (mma16x8x32<u8, u8>))
PRODUCT(e4m3k32, float, (mma16x8x32<e4m3, e4m3>))
PRODUCT(e4m3e5m2k32, float, (mma16x8x32<e4m3, e5m2>))
PRODUCT(e5m2e4m3k32, float, (mma16x8x32<e5m2, e4m3>))
PRODUCT(e5m2k32, float, (mma16x8x32<e5m2, e5m2>))
