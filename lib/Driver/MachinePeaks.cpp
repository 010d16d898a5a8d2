// Peak loops: independent accumulators in registers for multiply-adds, one stream per thread for reads.
//
// Each loop is compiled for its instruction set by a target attribute and only called where the processor has it. 12
// accumulators cover the latency of two units (4 cycles each) with room to spare and fit the 16 registers of AVX2.
#include "lib/Driver/MachinePeaks.h"

#include "lib/Driver/Console.h"
#include "runtime/src/Mapping.h"
#include "runtime/src/ThreadPool.h"

#include <algorithm>
#include <cstring>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mmc::driver {

namespace {

constexpr int kPasses = 5;
constexpr int kAccumulators = 12;
constexpr uint64_t kRounds = 4'000'000;

/// Keeps a value from being optimised away.
template <typename T> void keep(const T &value) { asm volatile("" : : "m"(value) : "memory"); }

#if defined(__x86_64__)

/// Returns FLOP done.
__attribute__((target("avx2,fma"))) double fmaAvx2(uint64_t rounds) {
  __m256 sums[kAccumulators];
  for (__m256 &sum : sums) sum = _mm256_set1_ps(1.0f);
  __m256 factor = _mm256_set1_ps(0.999999f), addend = _mm256_set1_ps(1e-6f);
  asm volatile("" : "+x"(factor), "+x"(addend));
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kAccumulators; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, addend);
  }
  keep(sums);
  return double(rounds) * kAccumulators * 8 * 2;
}

__attribute__((target("avx512f"))) double fmaAvx512(uint64_t rounds) {
  __m512 sums[kAccumulators];
  for (__m512 &sum : sums) sum = _mm512_set1_ps(1.0f);
  __m512 factor = _mm512_set1_ps(0.999999f), addend = _mm512_set1_ps(1e-6f);
  asm volatile("" : "+v"(factor), "+v"(addend));
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kAccumulators; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, addend);
  }
  keep(sums);
  return double(rounds) * kAccumulators * 16 * 2;
}

__attribute__((target("avx512f,avx512bf16"))) double dotAvx512(uint64_t rounds) {
  __m512 sums[kAccumulators];
  for (__m512 &sum : sums) sum = _mm512_set1_ps(0.0f);
  __m512 one = _mm512_set1_ps(1e-3f);
  asm volatile("" : "+v"(one));
  const __m512bh pairs = _mm512_cvtne2ps_pbh(one, one);
  for (uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kAccumulators; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], pairs, pairs);
    asm volatile("" : "+v"(sums[0])); // the loop has no other effect before its end
  }
  keep(sums);
  return double(rounds) * kAccumulators * 32 * 2;
}

#endif

/// Plain C++, for machines that have none of the above.
double fmaBaseline(uint64_t rounds) {
  float sums[kAccumulators * 4];
  std::fill(std::begin(sums), std::end(sums), 1.0f);
  float factor = 0.999999f, addend = 1e-6f;
  asm volatile("" : "+m"(factor), "+m"(addend));
  for (uint64_t round = 0; round < rounds / 4; ++round)
    for (float &sum : sums) sum = sum * factor + addend;
  keep(sums);
  return double(rounds / 4) * kAccumulators * 4 * 2;
}

using PeakLoop = double (*)(uint64_t rounds);

double bestRate(runtime::ThreadPool &pool, PeakLoop loop) {
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    std::vector<double> work(pool.workers());
    Stopwatch watch;
    pool.run([&](uint32_t worker) { work[worker] = loop(kRounds); });
    double sum = 0;
    for (double flop : work) sum += flop;
    best = std::max(best, sum / watch.seconds());
  }
  return best;
}

/// Adds up `words` words, eight sums side by side so that the loads and not the additions decide.
uint64_t readAll(const uint64_t *data, uint64_t words) {
  typedef uint64_t Lanes __attribute__((vector_size(64), aligned(64)));
  const Lanes *lanes = reinterpret_cast<const Lanes *>(data);
  Lanes sums[4] = {};
  for (uint64_t i = 0; i + 4 <= words / 8; i += 4)
    for (int k = 0; k < 4; ++k) sums[k] += lanes[i + k];
  Lanes all = sums[0] + sums[1] + sums[2] + sums[3];
  uint64_t total = 0;
  for (int k = 0; k < 8; ++k) total += all[k];
  return total;
}

Expected<double> bestReadRate(runtime::ThreadPool &pool, uint64_t bytes) {
  auto memory = runtime::Mapping::create(bytes, runtime::Mapping::Kind::committed, "the buffer of the read passes");
  MMC_RETURN_IF_ERROR(memory.status());
  memory->adviseHugePages(); // as weights do
  const uint64_t share = bytes / pool.workers() / 4096 * 4096;
  pool.run([&](uint32_t worker) {
    memset(memory->data() + worker * share, int(worker) + 1, share);
  }); // each thread's own pages
  double best = 0;
  std::vector<uint64_t> sums(pool.workers());
  for (int pass = 0; pass < kPasses; ++pass) {
    Stopwatch watch;
    pool.run([&](uint32_t worker) {
      sums[worker] = readAll(reinterpret_cast<const uint64_t *>(memory->data() + worker * share), share / 8);
    });
    best = std::max(best, double(share) * pool.workers() / watch.seconds());
    keep(sums);
  }
  return best;
}

} // namespace

Expected<MachinePeaks> measurePeaks(uint32_t threads, uint64_t bytes) {
  auto pool = runtime::ThreadPool::create(threads);
  MMC_RETURN_IF_ERROR(pool.status());
  MachinePeaks peaks;
  peaks.threads = (*pool)->workers();
  auto read = bestReadRate(**pool, bytes);
  MMC_RETURN_IF_ERROR(read.status());
  peaks.readBytesPerSecond = *read;
  PeakLoop fma = fmaBaseline;
  peaks.isa = "baseline";
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) fma = fmaAvx2, peaks.isa = "avx2";
  if (__builtin_cpu_supports("avx512f")) fma = fmaAvx512, peaks.isa = "avx512";
  if (__builtin_cpu_supports("avx512bf16")) peaks.dotFlops = bestRate(**pool, dotAvx512);
#endif
  peaks.fmaFlops = bestRate(**pool, fma);
  return peaks;
}

} // namespace mmc::driver
