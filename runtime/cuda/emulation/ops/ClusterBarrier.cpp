// Implements barrier.cluster.arrive and .wait (PTX ISA 9.7.13.3): all threads of all blocks of the cluster that have
// not exited arrive, then all who wait go on. Arriving twice without a wait between, or waiting without having arrived,
// is undefined there and a finding here.
#include "runtime/cuda/emulation/ops/Barrier.h"

#include "runtime/cuda/emulation/ops/Fence.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <algorithm>
#include <string>

namespace mmc::emu {

namespace {

struct ClusterState {
  /// Of each thread (rank * threads of a block + index), the phase it has arrived in and not waited for, plus one.
  std::vector<uint64_t> arrivedIn;
  std::vector<uint64_t> sources;
  uint64_t phase = 0;
  uint32_t arrived = 0;
  ClockPair clocks; // of the current phase
  ClockPair last;   // of the one before: at most that one is still waited for
  std::vector<Thread *> waiters;
};

ClusterState &stateOf(const Thread &thread) {
  Block &first = *thread.block->cluster[0];
  auto &state = stateIn<ClusterState>(first.clusterBarrierState);
  if (state.arrivedIn.empty()) {
    state.arrivedIn.resize(thread.block->cluster.size() * first.threads.size());
    state.sources.resize(state.arrivedIn.size());
  }
  return state;
}

size_t place(const Thread &thread) { return thread.block->clusterRank * thread.block->threads.size() + thread.index; }

/// Threads of the cluster that have neither exited nor arrived.
uint32_t missing(const Block &block, const ClusterState &state) {
  uint32_t count = 0;
  for (Block *member : block.cluster)
    for (auto &thread : member->threads)
      count += !thread->finished && state.arrivedIn[place(*thread)] != state.phase + 1;
  return count;
}

void completeIfAll(Thread &thread, ClusterState &state) {
  uint32_t left = 0;
  for (Block *member : thread.block->cluster) left += member->unfinished;
  // `arrived` counts threads that have not exited since.
  if (state.arrived < left || state.arrived == 0) return;
  ++state.phase;
  state.arrived = 0;
  state.last = std::exchange(state.clocks, {});
  for (Thread *waiter : std::exchange(state.waiters, {})) scheduler::wake(*waiter);
}

void arrive(Thread &thread, bool release, uint64_t source) {
  scheduler::mayYield();
  ClusterState &state = stateOf(thread);
  uint64_t &mine = state.arrivedIn[place(thread)];
  if (mine) {
    reports::add(Finding::barrierMisuse, &thread, source,
                 "a second arrival at the cluster's barrier without a wait between", state.sources[place(thread)]);
    scheduler::abandon();
  }
  mine = state.phase + 1;
  state.sources[place(thread)] = source;
  if (release) {
    state.clocks.join(clocksOf(thread));
    thread.tick();
  } else {
    // No access is released, but that the thread has started is known from here on, and so is what fences have
    // prepared.
    state.clocks.vc.raise(thread.column | 1);
    releasePrepared(thread, Scope::cluster, state.clocks);
  }
  ++state.arrived;
  completeIfAll(thread, state);
}

void wait(Thread &thread, uint64_t source) {
  scheduler::mayYield();
  ClusterState &state = stateOf(thread);
  uint64_t &mine = state.arrivedIn[place(thread)];
  if (!mine) {
    reports::add(Finding::barrierMisuse, &thread, source, "a wait at the cluster's barrier without an arrival");
    scheduler::abandon();
  }
  if (mine == state.phase + 1) {
    state.waiters.push_back(&thread);
    scheduler::suspend({"cluster barrier", source, [&thread, &state] {
                          return std::to_string(missing(*thread.block, state)) + " threads have not arrived";
                        }});
  }
  mine = 0;
  acquireInto(thread, state.last);
}

} // namespace

void barrier::onClusterExit(Thread &thread) {
  Block &first = *thread.block->cluster[0];
  if (!first.clusterBarrierState) return;
  ClusterState &state = stateOf(thread);
  uint64_t &mine = state.arrivedIn[place(thread)];
  if (mine == state.phase + 1) --state.arrived;
  mine = 0;
  completeIfAll(thread, state);
}

} // namespace mmc::emu

using namespace mmc::emu;

void mmcEmuClusterArrive(unsigned release) {
  arrive(*scheduler::current(), release != 0, reinterpret_cast<uint64_t>(__builtin_return_address(0)));
}
void mmcEmuClusterWait() { wait(*scheduler::current(), reinterpret_cast<uint64_t>(__builtin_return_address(0))); }
