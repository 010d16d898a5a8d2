// What do matrix instructions cost under the emulation? wgmma m64n64k16 and m64n256k16 in GFLOP/s and mma.sync in
// microseconds, with checks and without, each beside a plain AVX2 product of 64 x 64 x 64 measured in the same run.
#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/core/Report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <immintrin.h>
#include <vector>

using namespace mmc::emu;

#define KERNEL(name) extern "C" const MmcEmuKernel mmcEmuKernel_##name
KERNEL(products64);
KERNEL(products256);
KERNEL(warpProducts);

namespace {

/// Of processor time: others may be busy on the machine.
double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

/// The best of five.
double best(const std::function<void()> &run) {
  double least = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double start = seconds();
    run();
    least = std::min(least, seconds() - start);
  }
  return least;
}

void go(const MmcEmuKernel &kernel, uint32_t threads, uint32_t count, float *out) {
  LaunchOptions options;
  options.block[0] = threads;
  void *parameters[] = {&count, &out};
  if (!launch(kernel, options, parameters).completed || !reports::all().empty()) {
    for (const Report &report : reports::take()) std::fputs(report.text().c_str(), stderr);
    std::exit(1);
  }
}

/// c += a b, 64 x 64 x 64, four rows by sixteen columns at a time.
void plainProduct(const float *a, const float *b, float *c) {
  for (int i = 0; i < 64; i += 4)
    for (int j = 0; j < 64; j += 16) {
      __m256 sum[4][2];
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) sum[r][v] = _mm256_loadu_ps(c + (i + r) * 64 + j + v * 8);
      for (int k = 0; k < 64; ++k)
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r)
#pragma GCC unroll 2
          for (int v = 0; v < 2; ++v)
            sum[r][v] = _mm256_fmadd_ps(_mm256_broadcast_ss(a + (i + r) * 64 + k),
                                        _mm256_loadu_ps(b + k * 64 + j + v * 8), sum[r][v]);
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) _mm256_storeu_ps(c + (i + r) * 64 + j + v * 8, sum[r][v]);
    }
}

double measurePlain() {
  std::vector<float> a(64 * 64, 0.5f), b(64 * 64, 0.25f), c(64 * 64, 0);
  constexpr int kTimes = 2000;
  const double time = best([&] {
    for (int i = 0; i < kTimes; ++i) plainProduct(a.data(), b.data(), c.data());
  });
  if (c[0] == 0) std::exit(1); // the products must happen
  return 2.0 * 64 * 64 * 64 * kTimes / time * 1e-9;
}

} // namespace

int main() {
  initialiseMachine({});
  auto *out = static_cast<float *>(memory::allocateGlobal(128 * sizeof(float)));
  const double plain = measurePlain();
  std::printf("  %-44s %8.1f GFLOP/s\n", "plain AVX2 product, 64 x 64 x 64", plain);
  for (bool checks : {true, false}) {
    memory::initialise(checks);
    const char *with = checks ? "with checks" : "without checks";
    for (uint32_t n : {64u, 256u}) {
      constexpr uint32_t kBatches = 500;
      const double time =
          best([&] { go(n == 64 ? mmcEmuKernel_products64 : mmcEmuKernel_products256, 128, kBatches, out); });
      const double rate = 2.0 * 64 * n * 16 * 4 * kBatches / time * 1e-9;
      std::printf("  wgmma m64n%-3uk16, %-26s %8.1f GFLOP/s, %.2f of plain\n", n, with, rate, rate / plain);
    }
    constexpr uint32_t kProducts = 20000;
    const double time = best([&] { go(mmcEmuKernel_warpProducts, 32, kProducts, out); }) / kProducts;
    std::printf("  mma.sync m16n8k16, %-25s %8.2f us, %.2f of plain\n", with, time * 1e6,
                2.0 * 16 * 8 * 16 / time * 1e-9 / plain);
  }
  return 0;
}
