// archs: sm_80 sm_90a sm_120a
// Every product of ptx/mma.cuh, so that both readers compile it.
#include "ptx/mma.cuh"

template <u32 architecture> MMC_DEVICE void newer(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  if constexpr (architecture >= 890) {
    mma16x8x32<e4m3, e4m3>(d, a, b);
    mma16x8x32<e4m3, e5m2>(d, a, b);
    mma16x8x32<e5m2, e4m3>(d, a, b);
    mma16x8x32<e5m2, e5m2>(d, a, b);
  }
}

MMC_KERNEL(32, 1) void primitives_mma(float *floats, s32 *integers, const u32 *in) {
  const u32 a[4] = {in[0], in[1], in[2], in[3]}, b[2] = {in[4], in[5]};
  float d[4] = {};
  s32 i[4] = {};
  mma16x8x16<bf16>(d, a, b);
  mma16x8x16<f16>(d, a, b);
  newer<kArchitecture>(d, a, b);
  mma16x8x32<s8, s8>(i, a, b);
  mma16x8x32<s8, u8>(i, a, b);
  mma16x8x32<u8, s8>(i, a, b);
  mma16x8x32<u8, u8>(i, a, b);
  MMC_UNROLL for (u32 k = 0; k < 4; ++k) {
    floats[threadIndex() * 4 + k] = d[k];
    integers[threadIndex() * 4 + k] = i[k];
  }
}
MMC_EXPORT(primitives_mma, 32, 1)
