// What this machine can do at best, measured in the same run as a benchmark: read bandwidth, and the peak of
// multiply-adds.
//
// Each figure is the best of 5 passes with all threads running at once. A benchmark's ratio to these does not depend on
// the machine's clock or on its neighbours as much as a bare figure would.
#pragma once

#include "lib/Driver/Errors.h"

#include <cstdint>
#include <string>

namespace mmc::driver {

struct MachinePeaks {
  uint32_t threads = 0;
  double readBytesPerSecond = 0; // plain reads of memory far larger than the caches
  double fmaFlops = 0;           // float32 fused multiply-adds of the widest instruction set, 2 FLOP each
  double dotFlops = 0;           // bfloat16 dot products; 0 where the machine has none
  std::string isa;               // of fmaFlops: "avx512", "avx2" or "baseline"
};

/// Measures with `threads` threads (0: one per core that the process may use); `bytes` are read per pass. Takes about a
/// second and `bytes` of memory.
Expected<MachinePeaks> measurePeaks(uint32_t threads, uint64_t bytes = uint64_t(2) << 30);

} // namespace mmc::driver
