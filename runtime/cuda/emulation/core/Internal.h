// What the files of core/ share among themselves: the few words that the compiler's hooks look at, and the machine's
// side of the scheduler. Nobody outside of core/ includes it.
#pragma once

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/core/Scheduler.h"

namespace mmc::emu {

/// Read by every hook. An address is in emulated memory if `address - base < bytes`, and its cell is
/// `cells + (address - base) / 16`.
struct Hot {
  uint64_t stack = 0; // of the running thread
  uint64_t base = 0, bytes = 0, globalBytes = 0;
  Cell *cells = nullptr;
  Thread *thread = nullptr;     // running
  Counters *counters = nullptr; // of the launch
  bool checks = false;
  bool counting = false;
};
extern Hot hot;

/// Small numbers for return addresses, as cells hold them; 0 is no address.
uint32_t findSourceIndex(uint64_t address);
struct RecentSource {
  uint64_t address = 0;
  uint32_t index = 0;
};
extern RecentSource recentSources[1024];
inline uint32_t sourceIndex(uint64_t address) {
  const RecentSource &recent = recentSources[(address ^ address >> 10) & 1023];
  return recent.address == address ? recent.index : findSourceIndex(address);
}
uint64_t sourceAddress(uint32_t index);

/// "thread 5 of block (0, 0, 0)", "an asynchronous operation of block (1, 0, 0)", "an earlier command of stream 2".
std::string describeEpoch(Epoch epoch);

namespace memory {
/// A hook's access: `bytes` at most 16; `source` is the hook's return address.
void hookedRead(const void *address, uint32_t bytes, uint64_t source, bool aligned);
void hookedWrite(void *address, uint32_t bytes, uint64_t source, bool aligned);
/// Of any length, at any address in emulated memory.
void hookedRange(const void *address, uint64_t bytes, bool write, uint64_t source);
/// From here on the window's bytes are dead, though the window is not given out again before releaseShared.
void closeShared(uint8_t *window);
} // namespace memory

namespace scheduler {
void beginLaunch();
void endLaunch();
bool abandoned();
bool seeded(); // not 0
void startThread(Thread &thread, void (*entry)());
/// Switches to a runnable fiber, if there is one, and comes back when none is or the launch has something to do.
bool runOne();
/// True if it came back because fibers have switched many times since.
bool ranForLong();
/// Runs a pending operation, if there is one.
bool runAnyOperation();
/// Runs what threads of the block have submitted.
void finishOperationsOf(const Block &block);
/// Ends the running fiber. `toLaunch`: the launch has something to do first.
[[noreturn]] void leaveFinished(bool toLaunch);
} // namespace scheduler

} // namespace mmc::emu
