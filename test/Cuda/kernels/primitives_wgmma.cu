// archs: sm_90a
// Every product of ptx/wgmma.cuh: all sizes with all pairs of elements, both sources of A, all forms, so that both
// readers compile it.
#include "ptx/wgmma.cuh"

struct WgmmaShared {
  alignas(1024) u8 bytes[65536];
};

/// One batch: the product with A in shared memory, then the one with A in registers.
template <class A, class B, WgmmaForm form, WgmmaForm formOfB, class D, u32 n>
MMC_DEVICE void batch(D *out, u64 a, u64 b) {
  D d[n / 2];
  u32 registers[4];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) registers[i] = threadIndex() + i;
  MMC_UNROLL for (u32 i = 0; i < n / 2; ++i) d[i] = D(i);
  wgmmaWritten(d, registers);
  wgmmaFence(d, registers);
  wgmma<A, B, form>(d, a, b, true);
  wgmma<A, B, formOfB>(d, registers, b, true);
  wgmmaCommit();
  wgmmaWait<0>(d, registers);
  MMC_UNROLL for (u32 i = 0; i < n / 2; ++i) out[threadIndex() * (n / 2) + i] = d[i];
}

template <class T, u32 n> MMC_DEVICE void sameTypes(float *out, u64 a, u64 b) {
  batch<T, T, WgmmaForm{}, WgmmaForm{}, float, n>(out, a, b);
}
template <class A, class B, u32 n> MMC_DEVICE void integers(s32 *out, u64 a, u64 b) {
  batch<A, B, WgmmaForm{}, WgmmaForm{}, s32, n>(out, a, b);
}
template <class T> MMC_DEVICE void forms(float *out, u64 a, u64 b) {
  batch<T, T, WgmmaForm{true, false, false, false}, WgmmaForm{false, false, true, false}, float, 64>(out, a, b);
  batch<T, T, WgmmaForm{false, true, false, false}, WgmmaForm{false, true, false, false}, float, 64>(out, a, b);
  batch<T, T, WgmmaForm{true, true, true, true}, WgmmaForm{false, true, false, true}, float, 64>(out, a, b);
}

/// One kernel per size; a block per pair of types, because ptxas keeps the fragments of batches in a row alive
/// together.
#define PRIMITIVES_WGMMA(n)                                                                                            \
  MMC_KERNEL(128, 1) void primitives_wgmma_##n(float *floats, s32 *words) {                                            \
    MMC_SHARED(WgmmaShared, shared);                                                                                   \
    const u64 a = matrixDescriptor(shared.bytes, 16, 1024, Swizzle::bytes128);                                         \
    const u64 b = matrixDescriptor(shared.bytes + 32768, 16, 256, Swizzle::bytes32);                                   \
    if (blockIndex() == 0)                                                                                             \
      sameTypes<bf16, n>(floats, a, b);                                                                                \
    else if (blockIndex() == 1)                                                                                        \
      sameTypes<f16, n>(floats, a, b);                                                                                 \
    else if (blockIndex() == 2)                                                                                        \
      sameTypes<e4m3, n>(floats, a, b);                                                                                \
    else if (blockIndex() == 3)                                                                                        \
      sameTypes<e5m2, n>(floats, a, b);                                                                                \
    else if (blockIndex() == 4)                                                                                        \
      integers<s8, s8, n>(words, a, b);                                                                                \
    else                                                                                                               \
      integers<u8, u8, n>(words, a, b);                                                                                \
  }                                                                                                                    \
  MMC_EXPORT(primitives_wgmma_##n, 128, 1, WgmmaShared)

PRIMITIVES_WGMMA(8)
PRIMITIVES_WGMMA(16)
PRIMITIVES_WGMMA(24)
PRIMITIVES_WGMMA(32)
PRIMITIVES_WGMMA(48)
PRIMITIVES_WGMMA(64)
PRIMITIVES_WGMMA(80)
PRIMITIVES_WGMMA(96)
PRIMITIVES_WGMMA(112)
PRIMITIVES_WGMMA(128)
PRIMITIVES_WGMMA(160)
PRIMITIVES_WGMMA(192)
PRIMITIVES_WGMMA(224)
PRIMITIVES_WGMMA(256)

/// Mixed types, MN-major operands, changes of sign.
MMC_KERNEL(128, 1) void primitives_wgmma_forms(float *floats, s32 *words) {
  MMC_SHARED(WgmmaShared, shared);
  const u64 a = matrixDescriptor(shared.bytes, 16, 512, Swizzle::bytes64);
  const u64 b = matrixDescriptor(shared.bytes + 32768, 128, 256, Swizzle::none);
  if (blockIndex() == 0)
    forms<bf16>(floats, a, b);
  else if (blockIndex() == 1)
    forms<f16>(floats, a, b);
  else if (blockIndex() == 2)
    batch<e4m3, e5m2, WgmmaForm{false, false, true, false}, WgmmaForm{}, float, 64>(floats, a, b);
  else if (blockIndex() == 3)
    batch<e5m2, e4m3, WgmmaForm{}, WgmmaForm{false, false, false, true}, float, 64>(floats, a, b);
  else if (blockIndex() == 4)
    integers<s8, u8, 64>(words, a, b);
  else
    integers<u8, s8, 64>(words, a, b);
}
MMC_EXPORT(primitives_wgmma_forms, 128, 1, WgmmaShared)
