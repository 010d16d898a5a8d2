// archs: sm_90a
//
// One product of each kind of wgmma: operands are an image of shared memory that the test lays out, descriptors are
// arguments, and the accumulators are read and written thread by thread.
#include "base/types.cuh"
#include "ptx/barrier.cuh"
#include "ptx/fence.cuh"
#include "ptx/launch.cuh"
#include "ptx/wgmma.cuh"

struct Image {
  alignas(1024) Vector16 chunks[6144];
};

MMC_DEVICE void copyImage(Image &s, const Vector16 *image, u32 chunks) {
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < chunks; i += 128) s.chunks[i] = image[i];
  fenceProxyAsync();
  syncThreads();
}

template <class A, class B, WgmmaForm form, u32 n, class D>
MMC_DEVICE void multiplyShared(Image &s, const Vector16 *image, u32 chunks, u64 a, u64 b, D *d, u32 accumulate) {
  copyImage(s, image, chunks);
  D sum[n / 2];
  MMC_UNROLL for (u32 e = 0; e < n / 2; ++e) sum[e] = d[threadIndex() * (n / 2) + e];
  wgmmaFence(sum);
  wgmma<A, B, form>(sum, a, b, accumulate != 0);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  MMC_UNROLL for (u32 e = 0; e < n / 2; ++e) d[threadIndex() * (n / 2) + e] = sum[e];
}

template <class A, class B, WgmmaForm form, u32 n, class D>
MMC_DEVICE void multiplyRegisters(Image &s, const Vector16 *image, u32 chunks, const u32 *registers, u64 b, D *d,
                                  u32 accumulate) {
  copyImage(s, image, chunks);
  D sum[n / 2];
  u32 a[4];
  MMC_UNROLL for (u32 e = 0; e < n / 2; ++e) sum[e] = d[threadIndex() * (n / 2) + e];
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) a[i] = registers[threadIndex() * 4 + i];
  wgmmaFence(sum, a);
  wgmma<A, B, form>(sum, a, b, accumulate != 0);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  MMC_UNROLL for (u32 e = 0; e < n / 2; ++e) d[threadIndex() * (n / 2) + e] = sum[e];
}

#define SHARED_PRODUCT(name, A, B, D, n, transposeA, transposeB, negateA, negateB)                                     \
  MMC_KERNEL(128, 1)                                                                                                   \
  void name(const Vector16 *image, u32 chunks, u64 a, u64 b, D *d, u32 accumulate) {                                   \
    MMC_SHARED(Image, s);                                                                                              \
    multiplyShared<A, B, WgmmaForm{transposeA, transposeB, negateA, negateB}, n>(s, image, chunks, a, b, d,            \
                                                                                 accumulate);                          \
  }                                                                                                                    \
  MMC_EXPORT(name, 128, 1, Image)
#define REGISTER_PRODUCT(name, A, B, D, n, transposeB, negateA, negateB)                                               \
  MMC_KERNEL(128, 1)                                                                                                   \
  void name(const Vector16 *image, u32 chunks, const u32 *a, u64 b, D *d, u32 accumulate) {                            \
    MMC_SHARED(Image, s);                                                                                              \
    multiplyRegisters<A, B, WgmmaForm{false, transposeB, negateA, negateB}, n>(s, image, chunks, a, b, d, accumulate); \
  }                                                                                                                    \
  MMC_EXPORT(name, 128, 1, Image)

SHARED_PRODUCT(bf16n8, bf16, bf16, float, 8, false, false, false, false)
SHARED_PRODUCT(bf16n64, bf16, bf16, float, 64, false, false, false, false)
SHARED_PRODUCT(bf16n64TransposedA, bf16, bf16, float, 64, true, false, false, false)
SHARED_PRODUCT(bf16n64TransposedB, bf16, bf16, float, 64, false, true, false, false)
SHARED_PRODUCT(bf16n96TransposedBoth, bf16, bf16, float, 96, true, true, false, false)
SHARED_PRODUCT(bf16n256, bf16, bf16, float, 256, false, false, false, false)
SHARED_PRODUCT(bf16n256TransposedB, bf16, bf16, float, 256, false, true, false, false)
SHARED_PRODUCT(bf16n16NegatedA, bf16, bf16, float, 16, false, false, true, false)
SHARED_PRODUCT(bf16n16NegatedB, bf16, bf16, float, 16, false, false, false, true)
SHARED_PRODUCT(bf16n16NegatedBoth, bf16, bf16, float, 16, false, false, true, true)
SHARED_PRODUCT(f16n24, f16, f16, float, 24, false, false, false, false)
SHARED_PRODUCT(f16n128TransposedB, f16, f16, float, 128, false, true, false, false)
SHARED_PRODUCT(e4m3n64, e4m3, e4m3, float, 64, false, false, false, false)
SHARED_PRODUCT(e4m3e5m2n32, e4m3, e5m2, float, 32, false, false, false, false)
SHARED_PRODUCT(e5m2e4m3n32, e5m2, e4m3, float, 32, false, false, false, false)
SHARED_PRODUCT(e5m2n8NegatedA, e5m2, e5m2, float, 8, false, false, true, false)
SHARED_PRODUCT(s8n64, s8, s8, s32, 64, false, false, false, false)
SHARED_PRODUCT(s8u8n24, s8, u8, s32, 24, false, false, false, false)
SHARED_PRODUCT(u8s8n80, u8, s8, s32, 80, false, false, false, false)
SHARED_PRODUCT(u8n256, u8, u8, s32, 256, false, false, false, false)

REGISTER_PRODUCT(bf16n64Registers, bf16, bf16, float, 64, false, false, false)
REGISTER_PRODUCT(bf16n128RegistersTransposedB, bf16, bf16, float, 128, true, false, false)
REGISTER_PRODUCT(f16n16RegistersNegated, f16, f16, float, 16, false, true, false)
REGISTER_PRODUCT(e4m3n32Registers, e4m3, e4m3, float, 32, false, false, false)
REGISTER_PRODUCT(s8n48Registers, s8, s8, s32, 48, false, false, false)
