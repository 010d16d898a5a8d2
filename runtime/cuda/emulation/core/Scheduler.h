// One scheduler for all fibers of the process, seeded: a seed fixes the whole run.
//
// A fiber is one CUDA thread. It runs until a primitive suspends it; there is no preemption, so code between two
// primitives is atomic here, and what would be wrong about that is found by the clocks, not by the order. Asynchronous
// work (copies, wgmma batches) is a list of operations that run early or late by seed. When no fiber can run and no
// operation is pending, the launch is deadlocked, and the report says who waits on what.
#pragma once

#include "runtime/cuda/emulation/core/Clock.h"
#include "runtime/cuda/emulation/core/Report.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mmc::emu {

struct Block;
struct Warp;
struct ThreadExtension;

/// Why a fiber does not run. `describe` is called only for a deadlock.
struct Wait {
  const char *what = nullptr; // "mbarrier wait", "named barrier 3", "shuffle"
  uint64_t source = 0;        // return address of the primitive
  std::function<std::string()> describe;
};

/// Bytes of a thread's stack that hold a fragment of an asynchronous operation.
struct WatchedRange {
  const uint8_t *begin = nullptr, *end = nullptr;
  bool inFlight = false;     // between issue and wait: no access at all
  bool writtenSince = false; // written by plain code since the last wgmma.fence
  uint64_t source = 0;       // of the issue
};

/// One CUDA thread.
struct Thread {
  Block *block = nullptr;
  Warp *warp = nullptr;
  uint32_t index = 0; // linear in the block
  uint32_t lane = 0;
  uint32_t position[3] = {}; // threadIdx

  Clock vc, va;            // generic proxy, async proxy; va <= vc
  Epoch column = 0;        // makeEpoch(block->serial, index, 0)
  uint32_t clock = 2;      // own component of vc; 1 stands for its start, before any access
  uint32_t asyncClock = 0; // own component of va
  std::vector<WatchedRange> watched;

  bool finished = false;
  Wait wait;
  void *stackPointer = nullptr; // of the suspended fiber
  uint8_t *stack = nullptr;
  /// State of ops (cp.async groups, ...), owned by them and dropped with the thread.
  std::shared_ptr<void> copyState, matrixState, fenceState;

  Epoch epoch() const { return column | clock; }
  /// Ends the current clock value: everything stamped from now on is later than what was released.
  void tick() { ++clock; }
};

struct Warp {
  Block *block = nullptr;
  uint32_t index = 0;   // in the block
  uint32_t present = 0; // lanes that exist and have not exited
  std::vector<Thread *> threads;
  std::shared_ptr<void> state;    // of ops/Warp
  std::shared_ptr<void> requests; // of core/Counting
};

struct Launch;

/// A resident block.
struct Block {
  Launch *launch = nullptr;
  uint32_t serial = 0;       // its clock segment
  uint32_t position[3] = {}; // blockIdx
  uint32_t clusterRank = 0;
  std::vector<Block *> cluster; // all blocks of its cluster, by rank; itself where there is no cluster
  uint8_t *shared = nullptr;    // window
  uint32_t sharedBytes = 0;
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<std::unique_ptr<Warp>> warps;
  uint32_t unfinished = 0;
  /// Takes a column for an asynchronous operation that this thread starts at the return address `source`, and its new
  /// epoch: a column whose last operation the issuer knows to be complete, or else a fresh one. When the block ends,
  /// every operation must have completed into some thread's clock, unless the end of the kernel completes it
  /// (`mayOutlive`: writes of bulk stores).
  Epoch beginOperation(const Thread &issuer, uint64_t source = 0, bool mayOutlive = false);
  /// State of ops (named barriers, mbarriers by address, ...), dropped with the block.
  std::shared_ptr<void> barrierState, clusterBarrierState, mbarrierState, registerState, clusterState, remoteState;
  /// Called in order when the last thread has returned, while the block and its shared memory still exist; not for
  /// abandoned launches.
  std::vector<void (*)(Block &)> atEnd;
  /// The last operation of each column past the threads.
  struct Operation {
    uint32_t clock = 0;
    uint32_t issuer = 0;     // index of the thread
    bool mayOutlive = false; // the end of the kernel completes it
    bool reserved = false;   // no operation's column
    uint64_t source = 0;
  };
  std::vector<Operation> operations;
  uint32_t reusedColumn = 0;
  /// A column of the segment for an object that counts (an mbarrier's phases): beginOperation never gives it out, and
  /// nothing needs to have completed in it.
  uint32_t reserveColumn() {
    operations.emplace_back().reserved = true;
    return uint32_t(threads.size() + operations.size() - 1);
  }
};

namespace scheduler {

/// 0: first in first out, asynchronous work as late as possible.
void setSeed(uint64_t seed);
/// Deterministic in the seed.
uint64_t random();
/// True in about one of `n` calls; never with seed 0.
bool oneIn(uint32_t n);

/// The running thread; null outside of a launch.
Thread *current();
/// Suspends the running thread until wake().
void suspend(Wait wait);
void wake(Thread &thread);
/// Lets others run first, if the seed says so (always: `certainly`).
void mayYield();
void yield();

/// An asynchronous operation. It runs at once or later by seed, at the latest when nothing else can run; operations
/// with one `order` (not null) run in the order of their submission. Returns a ticket for force().
uint64_t submit(std::function<void()> operation, const void *order = nullptr);
/// Runs it (and those before it in its order) now, if it has not run yet: what a wait does.
void force(uint64_t ticket);
bool pending(uint64_t ticket);

/// Calls the function on a stack of a megabyte, and returns when it has returned. Fibers have 64 KiB: whatever calls
/// libraries (symbols, files) goes through here. In place where no fiber runs.
void onLargeStack(const std::function<void()> &function);

/// The launch cannot go on (an access outside memory, a wrong argument): abandons all its fibers. Does not return.
/// Nothing is unwound: destructors of a fiber's frames do not run, what they own leaks, and the stacks are used again.
/// Outside of a launch (the driver's own copies) it does return: whoever calls it there has reported and gives up
/// itself.
void abandon();

} // namespace scheduler
} // namespace mmc::emu
