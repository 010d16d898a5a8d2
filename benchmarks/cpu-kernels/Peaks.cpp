// Peak loops in vector extensions of clang, one per instruction set.
#include "benchmarks/cpu-kernels/Peaks.h"

#include <immintrin.h>

namespace mmc::benchmark {

using cpu::Variant;

Variant hostVariant() {
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl")) return Variant::avx512_bf16;
  return __builtin_cpu_supports("avx512vl") ? Variant::avx512 : Variant::x86_64_v3;
}

static volatile float sink;
constexpr int kChains = 12, kTrips = 100000;

__attribute__((target("avx2,fma"))) static double fma256() {
  __m256 sums[kChains], a = _mm256_set1_ps(1e-9f), b = _mm256_set1_ps(0.5f);
  for (__m256 &sum : sums) sum = _mm256_setzero_ps();
  double time = seconds([&]() __attribute__((target("avx2,fma"))) {
    for (int t = 0; t < kTrips; ++t) {
#pragma clang loop unroll(full)
      for (int c = 0; c < kChains; ++c) sums[c] = _mm256_fmadd_ps(a, b, sums[c]);
      asm volatile("" : "+x"(a));
    }
    for (__m256 sum : sums) sink = sum[0];
  });
  return 16.0 * kChains * kTrips / time;
}

__attribute__((target("avx512f"))) static double fma512() {
  __m512 sums[kChains], a = _mm512_set1_ps(1e-9f), b = _mm512_set1_ps(0.5f);
  for (__m512 &sum : sums) sum = _mm512_setzero_ps();
  double time = seconds([&]() __attribute__((target("avx512f"))) {
    for (int t = 0; t < kTrips; ++t) {
#pragma clang loop unroll(full)
      for (int c = 0; c < kChains; ++c) sums[c] = _mm512_fmadd_ps(a, b, sums[c]);
      asm volatile("" : "+v"(a));
    }
    for (__m512 sum : sums) sink = sum[0];
  });
  return 32.0 * kChains * kTrips / time;
}

__attribute__((target("avx512f,avx512bf16"))) static double dot512() {
  __m512 sums[kChains];
  __m512i a = _mm512_set1_epi32(0x3f803f80), b = a;
  for (__m512 &sum : sums) sum = _mm512_setzero_ps();
  double time = seconds([&]() __attribute__((target("avx512f,avx512bf16"))) {
    for (int t = 0; t < kTrips; ++t) {
#pragma clang loop unroll(full)
      for (int c = 0; c < kChains; ++c) sums[c] = _mm512_dpbf16_ps(sums[c], (__m512bh)a, (__m512bh)b);
      asm volatile("" : "+v"(a));
    }
    for (__m512 sum : sums) sink = sum[0];
  });
  return 64.0 * kChains * kTrips / time;
}

double fmaPeak(Variant variant) { return variant == Variant::x86_64_v3 ? fma256() : fma512(); }
double bf16Peak(Variant variant) { return variant == Variant::avx512_bf16 ? dot512() : fmaPeak(variant); }

__attribute__((target("avx2"))) double readBandwidth(const void *memory, size_t bytes) {
  const auto *p = static_cast<const __m256i *>(memory);
  size_t vectors = bytes / 32 / 8 * 8;
  __m256i sums[8] = {};
  double time = seconds([&]() __attribute__((target("avx2"))) {
    for (size_t i = 0; i < vectors; i += 8)
#pragma clang loop unroll(full)
      for (int c = 0; c < 8; ++c) sums[c] = _mm256_xor_si256(sums[c], _mm256_loadu_si256(p + i + c));
    for (__m256i sum : sums) sink = float(sum[0]);
  });
  return double(vectors) * 32 / time;
}

} // namespace mmc::benchmark
