// archs: sm_90a
// wgmma: one product per kernel, with operands laid out by the case. Words in: count of 16-byte chunks; of A and of B
// the first byte, leading and stride offsets, swizzle (8 words); whether to accumulate; then from word 32 on A's
// registers (512 words, used where A is in registers), D (64 n words) and the chunks. D out, thread by thread.
#include "ptx/barrier.cuh"
#include "ptx/fence.cuh"
#include "ptx/wgmma.cuh"

struct Image {
  alignas(1024) Vector16 chunks[5120];
};

MMC_DEVICE u64 descriptorOf(const Image &s, const u32 *words) {
  return matrixDescriptor(s.chunks, words[1], words[2], Swizzle(words[3])) + (words[0] >> 4);
}

template <class A, class B, WgmmaForm form, bool fromRegisters, u32 n, class D>
MMC_DEVICE void product(Image &s, u32 *out, const u32 *in) {
  const u32 thread = threadIndex();
  const u32 *registersOfA = in + 32, *start = in + 32 + 512;
  const Vector16 *image = reinterpret_cast<const Vector16 *>(start + 64 * n);
  MMC_NO_UNROLL for (u32 i = thread; i < in[0]; i += 128) s.chunks[i] = image[i];
  fenceProxyAsync();
  syncThreads();
  const u64 a = descriptorOf(s, in + 1), b = descriptorOf(s, in + 5);
  const bool accumulate = in[9] != 0;
  D d[n / 2];
  MMC_UNROLL for (u32 e = 0; e < n / 2; ++e) d[e] = bitCast<D>(start[thread * (n / 2) + e]);
  if constexpr (fromRegisters) {
    u32 parts[4];
    MMC_UNROLL for (u32 i = 0; i < 4; ++i) parts[i] = registersOfA[thread * 4 + i];
    wgmmaFence(d, parts);
    wgmma<A, B, form>(d, parts, b, accumulate);
    wgmmaCommit();
    wgmmaWait<0>(d, parts);
  } else {
    wgmmaFence(d);
    wgmma<A, B, form>(d, a, b, accumulate);
    wgmmaCommit();
    wgmmaWait<0>(d);
  }
  MMC_UNROLL for (u32 e = 0; e < n / 2; ++e) out[thread * (n / 2) + e] = bitCast<u32>(d[e]);
}

#define PRODUCT(name, A, B, D, n, transposeA, transposeB, negateA, negateB, fromRegisters)                             \
  MMC_KERNEL(128, 1) void name(u32 *out, const u32 *in, u32) {                                                         \
    MMC_SHARED(Image, s);                                                                                              \
    product<A, B, WgmmaForm{transposeA, transposeB, negateA, negateB}, fromRegisters, n, D>(s, out, in);               \
  }                                                                                                                    \
  MMC_EXPORT(name, 128, 1, Image)

PRODUCT(bf16n8, bf16, bf16, float, 8, false, false, false, false, false)
PRODUCT(bf16n64, bf16, bf16, float, 64, false, false, false, false, false)
PRODUCT(bf16n128, bf16, bf16, float, 128, false, false, false, false, false)
PRODUCT(bf16n192, bf16, bf16, float, 192, false, false, false, false, false)
PRODUCT(bf16n256, bf16, bf16, float, 256, false, false, false, false, false)
PRODUCT(bf16n64TransposedA, bf16, bf16, float, 64, true, false, false, false, false)
PRODUCT(bf16n64TransposedB, bf16, bf16, float, 64, false, true, false, false, false)
PRODUCT(bf16n128TransposedBoth, bf16, bf16, float, 128, true, true, false, false, false)
PRODUCT(bf16n16NegatedA, bf16, bf16, float, 16, false, false, true, false, false)
PRODUCT(bf16n16NegatedB, bf16, bf16, float, 16, false, false, false, true, false)
PRODUCT(bf16n64Registers, bf16, bf16, float, 64, false, false, false, false, true)
PRODUCT(bf16n128RegistersTransposedB, bf16, bf16, float, 128, false, true, false, false, true)
PRODUCT(f16n64, f16, f16, float, 64, false, false, false, false, false)
PRODUCT(f16n128TransposedB, f16, f16, float, 128, false, true, false, false, false)
PRODUCT(f16n32RegistersNegatedA, f16, f16, float, 32, false, false, true, false, true)
PRODUCT(e4m3n64, e4m3, e4m3, float, 64, false, false, false, false, false)
PRODUCT(e4m3n128Registers, e4m3, e4m3, float, 128, false, false, false, false, true)
PRODUCT(e4m3e5m2n32, e4m3, e5m2, float, 32, false, false, false, false, false)
PRODUCT(e5m2e4m3n32, e5m2, e4m3, float, 32, false, false, false, false, false)
PRODUCT(e5m2n64, e5m2, e5m2, float, 64, false, false, false, false, false)
PRODUCT(s8n64, s8, s8, s32, 64, false, false, false, false, false)
PRODUCT(s8n256, s8, s8, s32, 256, false, false, false, false, false)
PRODUCT(s8u8n32, s8, u8, s32, 32, false, false, false, false, false)
PRODUCT(u8s8n32, u8, s8, s32, 32, false, false, false, false, false)
PRODUCT(u8n128Registers, u8, u8, s32, 128, false, false, false, false, true)
