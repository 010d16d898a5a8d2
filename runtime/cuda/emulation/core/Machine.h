// The emulated device: launches of kernels over blocks that are resident as they would be on the SMs.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>
#include <memory>

/// What a kernel's module says of it; `extern "C"` in the module as mmcEmuKernel_NAME (made by MMC_EXPORT in
/// ptx/launch.cuh).
struct MmcEmuKernel {
  const char *name;
  void (*call)(void **parameters); // pointers to the parameters' values
  const uint32_t *parameterBytes;
  uint32_t parameterCount;
  uint32_t maxThreads, minBlocks; // launch bounds
  uint32_t staticSharedBytes;     // sizeof the kernel's shared struct
  uint32_t cluster[3];            // 0: none required
};

namespace mmc::emu {

struct MachineOptions {
  uint32_t sms = 4;
  uint64_t seed = 0;
  bool checks = true;
  uint64_t globalBytes = uint64_t(16) << 30;
};

struct LaunchOptions {
  uint32_t grid[3] = {1, 1, 1}, block[3] = {1, 1, 1}, cluster[3] = {1, 1, 1};
  uint32_t dynamicSharedBytes = 0;
  CommandPlace place;
  /// What is ordered before the launch's first instruction; null: everything so far. Must outlive the launch.
  const StreamClock *before = nullptr;
  /// What is ordered after griddepcontrol.wait; null: the same as `before`.
  const StreamClock *afterDependency = nullptr;
};

/// Counted over a launch.
struct Counters {
  uint64_t globalBytesRead = 0, globalBytesWritten = 0, switches = 0, blocks = 0;
  uint64_t triggeredBlocks = 0; // blocks that have executed griddepcontrol.launch_dependents
};

struct LaunchResult {
  bool completed = false; // false: abandoned; the reports say why
  Counters counters;
};

/// Of static and dynamic shared memory together, per block.
constexpr uint32_t kMaxSharedBytes = 232448;

/// Once per process, before anything else.
void initialiseMachine(const MachineOptions &options);
const MachineOptions &machineOptions();

/// Runs the whole launch. Parameters are copied before the first block starts.
LaunchResult launch(const MmcEmuKernel &kernel, const LaunchOptions &options, void **parameters);

/// Blocks of the kernel that one SM holds at a time: by threads (2048), blocks (32) and shared memory (233,472 bytes
/// with 1,024 for each block).
uint32_t blocksPerSm(const MmcEmuKernel &kernel, uint32_t threads, uint32_t dynamicSharedBytes);

/// The launch that is running.
struct Launch {
  const MmcEmuKernel *kernel = nullptr;
  LaunchOptions options;
  Counters counters;
  uint32_t firstSerial = 0; // of its blocks, which follow one another in the order of their linear index
  /// State of ops (release clocks of atomics by address, triggers of dependent launches), owned by them and dropped
  /// with the launch.
  std::shared_ptr<void> atomicState, dependencyState;
};

} // namespace mmc::emu
