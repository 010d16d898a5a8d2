// archs: sm_80 sm_90a
// mma.sync with 16-bit floats and integers: the registers of A (4 words per lane), B (2) and D (4) in, those of D out.
#include "ptx/mma.cuh"

template <class D, class Multiply> MMC_DEVICE void product(u32 *out, const u32 *in, Multiply multiply) {
  const u32 lane = threadIndex();
  u32 a[4], b[2];
  D d[4];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) a[i] = in[lane * 4 + i];
  MMC_UNROLL for (u32 i = 0; i < 2; ++i) b[i] = in[128 + lane * 2 + i];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) d[i] = bitCast<D>(in[192 + lane * 4 + i]);
  multiply(d, a, b);
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) out[lane * 4 + i] = bitCast<u32>(d[i]);
}

#define PRODUCT(name, D, instruction)                                                                                  \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32) {                                                          \
    product<D>(out, in, [](D(&d)[4], const u32(&a)[4], const u32(&b)[2]) { instruction(d, a, b); });                   \
  }                                                                                                                    \
  MMC_EXPORT(name, 32, 1)
PRODUCT(mmaBf16, float, mma16x8x16<bf16>)
PRODUCT(mmaF16, float, mma16x8x16<f16>)
PRODUCT(mmaS8, s32, (mma16x8x32<s8, s8>))
PRODUCT(mmaS8U8, s32, (mma16x8x32<s8, u8>))
PRODUCT(mmaU8S8, s32, (mma16x8x32<u8, s8>))
PRODUCT(mmaU8, s32, (mma16x8x32<u8, u8>))
