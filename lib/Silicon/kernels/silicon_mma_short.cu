// archs: sm_90a
// mma.sync with 8-bit floats: the registers of A (4 words per lane), B (2) and D (4) in, those of D out.
#include "ptx/mma.cuh"

template <class A, class B> MMC_DEVICE void product(u32 *out, const u32 *in) {
  const u32 lane = threadIndex();
  u32 a[4], b[2];
  float d[4];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) a[i] = in[lane * 4 + i];
  MMC_UNROLL for (u32 i = 0; i < 2; ++i) b[i] = in[128 + lane * 2 + i];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) d[i] = bitCast<float>(in[192 + lane * 4 + i]);
  mma16x8x32<A, B>(d, a, b);
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) out[lane * 4 + i] = bitCast<u32>(d[i]);
}

#define PRODUCT(name, A, B)                                                                                            \
  MMC_KERNEL(32, 1) void name(u32 *out, const u32 *in, u32) { product<A, B>(out, in); }                                \
  MMC_EXPORT(name, 32, 1)
PRODUCT(mmaE4m3, e4m3, e4m3)
PRODUCT(mmaE4m3E5m2, e4m3, e5m2)
PRODUCT(mmaE5m2E4m3, e5m2, e4m3)
PRODUCT(mmaE5m2, e5m2, e5m2)
