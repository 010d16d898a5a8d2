// Implements bar.sync and bar.arrive (PTX ISA 9.7.13.1).
//
// The hardware counts warps: a warp adds 32 when all of its lanes that have not exited are there, and they must come
// from one instruction. A barrier without a thread count is complete when all warps with lanes left have arrived; one
// with a count when that many threads have.
//
// Invariant: when a phase completes, its waiters have acquired its clocks before the first of them runs, so the state
// can serve the next phase at once.
#include "runtime/cuda/emulation/ops/Barrier.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/ops/Fence.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <array>
#include <bit>
#include <string>

namespace mmc::emu {

namespace {

constexpr uint32_t kWholeBlock = 0; // as a count

struct WarpArrival {
  uint32_t lanes = 0;   // that have arrived in this phase
  bool counted = false; // all of them
  uint64_t source = 0;  // of the first
};

struct NamedBarrier {
  uint32_t count = 0;    // threads expected, or kWholeBlock
  uint32_t arrived = 0;  // threads counted
  uint32_t arrivals = 0; // lanes that have arrived in this phase
  uint64_t source = 0;   // of the first arrival
  std::array<WarpArrival, 32> warps;
  ClockPair clocks;
  std::vector<Thread *> waiters;
};
struct BarrierState {
  std::array<NamedBarrier, 16> barriers;
};

std::string name(uint32_t id, uint32_t count) {
  return count == kWholeBlock ? "barrier " + std::to_string(id)
                              : "barrier " + std::to_string(id) + " of " + std::to_string(count) + " threads";
}

void misuse(const Thread &thread, uint64_t source, std::string text, uint64_t other = 0) {
  reports::add(Finding::barrierMisuse, &thread, source, std::move(text), other);
}

/// Threads that a phase waits for in all.
uint32_t expected(const Block &block, const NamedBarrier &barrier) {
  if (barrier.count != kWholeBlock) return barrier.count;
  uint32_t threads = 0;
  for (auto &warp : block.warps) threads += warp->present ? 32 : 0;
  return threads;
}

void completeIfAll(Block &block, NamedBarrier &barrier) {
  if (barrier.arrivals == 0 || barrier.arrived < expected(block, barrier)) return;
  for (Thread *waiter : barrier.waiters) {
    acquireInto(*waiter, barrier.clocks);
    if (waiter != scheduler::current()) scheduler::wake(*waiter);
  }
  barrier.waiters.clear();
  barrier.warps = {};
  barrier.arrived = barrier.arrivals = 0;
  barrier.source = 0;
  barrier.clocks = {};
}

/// Counts the warp if all of its lanes are there.
bool countWarp(Warp &warp, NamedBarrier &barrier) {
  WarpArrival &arrival = barrier.warps[warp.index];
  if (arrival.counted || !arrival.lanes || (warp.present & ~arrival.lanes)) return false;
  arrival.counted = true;
  barrier.arrived += 32;
  counting::meet(warp);
  return true;
}

/// False if the arrival must not happen.
bool check(const Thread &thread, NamedBarrier &barrier, uint32_t id, uint32_t count, uint64_t source) {
  if (count % 32 != 0 || count > 1024) {
    misuse(thread, source, name(id, count) + ", expected a multiple of 32 up to 1024");
    return false;
  }
  if (barrier.arrivals && barrier.count != count) {
    misuse(thread, source, name(id, count) + " while others of this phase came with " + name(id, barrier.count),
           barrier.source);
    return false;
  }
  const WarpArrival &arrival = barrier.warps[thread.warp->index];
  if (arrival.lanes >> thread.lane & 1) {
    misuse(thread, source, "a second arrival at " + name(id, count) + " in one phase", arrival.source);
    return false;
  }
  if (arrival.lanes && !sameSource(arrival.source, source))
    reports::add(Finding::divergence, &thread, source,
                 name(id, count) + " is reached by lanes of one warp from different places", arrival.source);
  return true;
}

std::string describe(const Block &block, const NamedBarrier &barrier) {
  std::string text =
      std::to_string(barrier.arrived) + " of " + std::to_string(expected(block, barrier)) + " threads have arrived";
  for (uint32_t i = 0; i < block.warps.size(); ++i) {
    const WarpArrival &arrival = barrier.warps[i];
    if (!arrival.lanes || arrival.counted) continue;
    char lanes[64];
    std::snprintf(lanes, sizeof lanes, "; of warp %u lanes 0x%08x have not", i,
                  block.warps[i]->present & ~arrival.lanes);
    text += lanes;
  }
  return text;
}

NamedBarrier *arrive(Thread &thread, uint32_t id, uint32_t count, uint64_t source) {
  if (id >= 16) {
    misuse(thread, source, "barrier " + std::to_string(id) + ", expected 0 to 15");
    scheduler::abandon();
  }
  Block &block = *thread.block;
  NamedBarrier &barrier = stateIn<BarrierState>(block.barrierState).barriers[id];
  if (!check(thread, barrier, id, count, source)) scheduler::abandon();
  if (!barrier.arrivals++) barrier.source = source;
  barrier.count = count;
  WarpArrival &arrival = barrier.warps[thread.warp->index];
  if (!arrival.lanes) arrival.source = source;
  arrival.lanes |= 1u << thread.lane;
  barrier.clocks.vc.join(thread.vc);
  barrier.clocks.va.join(thread.va);
  barrier.clocks.vc.raise(thread.epoch());
  if (thread.asyncClock) barrier.clocks.va.raise(block.serial, thread.index, thread.asyncClock);
  thread.tick();
  return &barrier;
}

const char *waitName(uint32_t id) {
  static const char *names[16] = {"barrier 0",  "barrier 1",  "barrier 2",  "barrier 3", "barrier 4",  "barrier 5",
                                  "barrier 6",  "barrier 7",  "barrier 8",  "barrier 9", "barrier 10", "barrier 11",
                                  "barrier 12", "barrier 13", "barrier 14", "barrier 15"};
  return names[id];
}

void sync(uint32_t id, uint32_t count, uint64_t source) {
  scheduler::mayYield();
  Thread &thread = *scheduler::current();
  NamedBarrier *barrier = arrive(thread, id, count, source);
  barrier->waiters.push_back(&thread);
  if (countWarp(*thread.warp, *barrier)) completeIfAll(*thread.block, *barrier);
  if (barrier->arrivals == 0) return; // this arrival completed the phase
  scheduler::suspend({waitName(id), source, [&thread, barrier] { return describe(*thread.block, *barrier); }});
}

} // namespace

namespace barrier {

void onExit(Thread &thread) {
  Block &block = *thread.block;
  onClusterExit(thread);
  if (!block.barrierState) return;
  for (NamedBarrier &barrier : stateIn<BarrierState>(block.barrierState).barriers) {
    if (!barrier.arrivals) continue;
    countWarp(*thread.warp, barrier);
    completeIfAll(block, barrier);
  }
}

void onBlockEnd(Block &block) {
  if (!block.barrierState) return;
  auto &barriers = stateIn<BarrierState>(block.barrierState).barriers;
  for (uint32_t id = 0; id < barriers.size(); ++id)
    if (barriers[id].arrivals)
      reports::add(Finding::barrierMisuse, block.threads[0].get(), barriers[id].source,
                   "the block ends in the middle of a phase of " + name(id, barriers[id].count) + ": " +
                       std::to_string(barriers[id].arrived) + " threads have arrived");
}

} // namespace barrier
} // namespace mmc::emu

using namespace mmc::emu;

#define SOURCE reinterpret_cast<uint64_t>(__builtin_return_address(0))

void mmcEmuSyncThreads() { sync(0, kWholeBlock, SOURCE); }

void mmcEmuBarrierSync(unsigned id, unsigned threads) {
  const uint64_t source = SOURCE;
  if (!threads) misuse(*scheduler::current(), source, name(id, 0) + " of 0 threads");
  sync(id, threads, source);
}

void mmcEmuBarrierArrive(unsigned id, unsigned threads) {
  scheduler::mayYield();
  Thread &thread = *scheduler::current();
  const uint64_t source = SOURCE;
  if (!threads) misuse(thread, source, name(id, 0) + " of 0 threads");
  NamedBarrier *barrier = arrive(thread, id, threads, source);
  if (countWarp(*thread.warp, *barrier)) completeIfAll(*thread.block, *barrier);
}
