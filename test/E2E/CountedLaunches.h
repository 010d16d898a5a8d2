// What launches moved, as the emulation has counted it (MMC_EMU_COUNTS), beside the floors of their kernels.
#pragma once

#include "lib/Analysis/KernelFloor.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace mmc::test {

/// A place with bank conflicts, or whose sectors are partly unused.
struct CountedPlace {
  std::string line, kind; // "kernel.cu:12 in kernel"
  bool shared = false, inLoop = false;
  uint64_t sectors = 0, wholeSectors = 0, wavefronts = 0, conflicts = 0;
};

/// All launches of one kernel.
struct KernelCounts {
  std::string kernel;
  uint64_t launches = 0;
  double sectors = 0, wholeSectors = 0, distinctSectors = 0, wavefronts = 0, conflicts = 0;
  double floorBytes = 0, tiledBytes = 0; // of all launches
  std::vector<CountedPlace> places;

  bool hasFloor() const { return floorBytes > 0; }
  double distinctOverFloor() const { return 32 * distinctSectors / floorBytes; }
  /// In loops of the kernel's own text.
  uint64_t loopConflicts() const;
  double movedOverTiled() const { return 32 * sectors / tiledBytes; }
  double wholeShare() const { return wholeSectors / sectors; }
};

/// Floors of a plan's kernels, by name, with the work list that a kernel goes over: "prefill", "decode" or nothing.
struct PlanFloor {
  std::optional<analysis::KernelFloor> floor; // none where the analysis does not know a loop
  std::string list;
};
std::map<std::string, PlanFloor> floorsOf(std::span<const uint8_t> plan);

/// Which lines of emitted sources lie in loops, by the file's name.
using LoopLines = std::map<std::string, std::set<unsigned>>;
LoopLines loopLinesOf(const std::string &folder);

/// How much work one of the `launches` of a kernel has; nothing for a kernel without work.
using UnitsOfLaunch =
    std::function<analysis::UnitCounts(const std::string &kernel, const PlanFloor &floor, size_t launches)>;

/// The file that launches add to, for as long as this lives: a driver that is initialised meanwhile counts.
class CountsFile {
public:
  CountsFile();
  ~CountsFile();
  CountsFile(const CountsFile &) = delete;

  /// Kernels of the launches since the last call, those with nothing to do left out.
  std::vector<KernelCounts> take(const std::map<std::string, PlanFloor> &floors, const LoopLines &loops,
                                 const UnitsOfLaunch &units);

private:
  std::string path;
  uint64_t read = 0; // bytes
};

/// Of all kernels together.
KernelCounts sumOf(const std::vector<KernelCounts> &kernels);

/// A table, and below it the places that leave sectors unused or have conflicts.
std::string tableOf(const std::string &title, const std::vector<KernelCounts> &kernels);

} // namespace mmc::test
