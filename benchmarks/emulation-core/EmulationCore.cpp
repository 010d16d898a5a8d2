// What does the emulated device cost? Loads and stores with and without checks, barriers, shuffles, switches and
// blocks, each against a plain load and store measured in the same run. Usage: emulation-core [PART OF A LINE]
#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>

using namespace mmc::emu;

#define KERNEL(name) extern "C" const MmcEmuKernel mmcEmuKernel_##name
KERNEL(wordAccesses);
KERNEL(staging);
KERNEL(broadcast);
KERNEL(barriers);
KERNEL(shuffles);
KERNEL(yields);
KERNEL(empty);

extern "C" void benchmarkYield() { scheduler::yield(); }

namespace {

/// Of processor time: others may be busy on the machine.
double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

/// Nanoseconds of one of `count` things; the best of five.
double best(double count, const std::function<void()> &run) {
  double least = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double start = seconds();
    run();
    least = std::min(least, seconds() - start);
  }
  return least / count * 1e9;
}

template <class... Parameters>
void go(const MmcEmuKernel &kernel, uint32_t blocks, uint32_t threads, Parameters... parameters) {
  LaunchOptions options;
  options.grid[0] = blocks;
  options.block[0] = threads;
  void *pointers[sizeof...(Parameters) + 1] = {&parameters...};
  if (!launch(kernel, options, pointers).completed || !reports::all().empty()) {
    for (const Report &report : reports::take()) std::fputs(report.text().c_str(), stderr);
    std::exit(1);
  }
}

double plain = 1;
const char *only = "";
/// Times `count` things, and prints one.
void line(const char *what, double count, const std::function<void()> &run) {
  if (!std::strstr(what, only)) return;
  const double nanoseconds = best(count, run);
  std::printf("  %-58s %9.2f ns  %8.1f x\n", what, nanoseconds, nanoseconds / plain);
}

void measure(uint32_t *out) {
  const uint32_t rounds = 2000, few = 200;
  line("hooked load or store, one thread", 2048.0 * rounds, [&] { go(mmcEmuKernel_wordAccesses, 1, 32, rounds); });
  line("hooked load or store, 256 threads stage words, 4 a barrier", 2048.0 * few,
       [&] { go(mmcEmuKernel_staging, 1, 256, out, few); });
  line("hooked load, 256 threads read the same vectors", 64.0 * 256 * few,
       [&] { go(mmcEmuKernel_broadcast, 1, 256, out, few); });
  line("barrier of 384 threads", rounds, [&] { go(mmcEmuKernel_barriers, 1, 384, rounds); });
  line("shuffle of a warp", rounds, [&] { go(mmcEmuKernel_shuffles, 1, 32, out, rounds); });
  line("switch", 32.0 * rounds, [&] { go(mmcEmuKernel_yields, 1, 32, rounds); });
  line("empty block of 256 threads", rounds, [&] { go(mmcEmuKernel_empty, rounds, 256); });
}

} // namespace

int main(int argc, char **argv) {
  if (argc > 1) only = argv[1];
  static volatile uint32_t words[1024];
  plain = best(2048.0 * 2000, [] {
    for (uint32_t round = 0; round < 2000; ++round)
      for (uint32_t i = 0; i < 1024; ++i) words[i] = words[i] + round;
  });
  std::printf("plain load or store %.2f ns\n", plain);
  for (bool checks : {false, true}) {
    MachineOptions options;
    options.checks = checks;
    initialiseMachine(options);
    auto *out = static_cast<uint32_t *>(memory::allocateGlobal(4096));
    std::printf("checks %s\n", checks ? "on" : "off");
    measure(out);
  }
  return 0;
}
