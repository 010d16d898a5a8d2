// What one core of this machine can do: the floors that kernels are divided by.
#pragma once

#include "lib/Target/CPU/CompileCpu.h"

#include <cstddef>
#include <ctime>

namespace mmc::benchmark {

/// Processor seconds of this thread that a call takes: other work on the machine does not count, as far as it leaves
/// the caches alone.
template <typename Function> double seconds(Function &&function) {
  auto now = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
  };
  double start = now();
  function();
  return now() - start;
}

/// The best variant that this machine executes.
cpu::Variant hostVariant();

/// FLOP per second of a loop of independent FMAs in registers, in the variant's widest f32 vectors, over about a
/// millisecond.
double fmaPeak(cpu::Variant variant);

/// The same for dot products of bf16 pairs; the f32 peak where the machine has no such instruction.
double bf16Peak(cpu::Variant variant);

/// Bytes per second of one pass of reads over `bytes` bytes.
double readBandwidth(const void *memory, size_t bytes);

} // namespace mmc::benchmark
