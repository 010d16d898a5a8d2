// Implements release, acquire and fences on the clocks of threads. Invariant: whoever hands its clocks over ticks its
// own clock afterwards, so that nothing it does later passes for released.
#include "runtime/cuda/emulation/ops/Fence.h"

#include "runtime/cuda/emulation/ptx/calls.h"

namespace mmc::emu {

namespace {

/// `device` and `system` are one level.
constexpr unsigned levelOf(Scope scope) { return scope == Scope::system ? unsigned(Scope::device) : unsigned(scope); }

ClockPair &entryOf(std::vector<std::pair<uint32_t, ClockPair>> &level, uint32_t key) {
  for (auto &[owner, clocks] : level)
    if (owner == key) return clocks;
  return level.emplace_back(key, ClockPair()).second;
}

} // namespace

const char *scopeName(Scope scope) {
  switch (scope) {
  case Scope::block:
    return "cta";
  case Scope::cluster:
    return "cluster";
  case Scope::device:
    return "gpu";
  case Scope::system:
    return "sys";
  }
  return "unknown";
}

ClockPair clocksOf(const Thread &thread) {
  ClockPair pair{thread.vc, thread.va};
  pair.vc.raise(thread.epoch());
  if (thread.asyncClock) pair.va.raise(thread.block->serial, thread.index, thread.asyncClock);
  return pair;
}

void acquireInto(Thread &thread, const ClockPair &clocks) {
  thread.vc.join(clocks.vc);
  thread.va.join(clocks.va);
}

void ReleaseClocks::addLevel(const Block &block, Scope level, const ClockPair &clocks) {
  switch (level) {
  case Scope::block:
    entryOf(ofBlocks, block.serial).join(clocks);
    break;
  case Scope::cluster:
    entryOf(ofClusters, block.cluster[0]->serial).join(clocks);
    break;
  case Scope::device:
  case Scope::system:
    ofDevice.join(clocks);
    hasDevice = true;
    break;
  }
}

void ReleaseClocks::add(const Block &block, Scope scope, const ClockPair &clocks) {
  for (unsigned level = 0; level <= levelOf(scope); ++level) addLevel(block, Scope(level), clocks);
}

void ReleaseClocks::acquire(Thread &thread, Scope scope) const {
  visit(*thread.block, scope, [&](Scope, const ClockPair &clocks) { acquireInto(thread, clocks); });
}

void ReleaseClocks::clear() {
  ofBlocks.clear();
  ofClusters.clear();
  ofDevice = ClockPair();
  hasDevice = false;
}

FenceState &fenceState(Thread &thread) { return stateIn<FenceState>(thread.fenceState); }

void observe(Thread &thread, const ReleaseClocks &location, Order order, Scope scope) {
  if (location.empty()) return;
  if (order == Order::acquire || order == Order::acquireRelease) {
    location.acquire(thread, scope);
    return;
  }
  FenceState &state = fenceState(thread);
  location.visit(*thread.block, scope, [&](Scope level, const ClockPair &clocks) {
    state.observed[levelOf(level)].join(clocks);
    state.hasObserved[levelOf(level)] = true;
  });
}

void publish(Thread &thread, ReleaseClocks &location, Order order, Scope scope) {
  if (order == Order::release || order == Order::acquireRelease) {
    location.add(*thread.block, scope, clocksOf(thread));
    thread.tick();
    return;
  }
  if (!thread.fenceState) return;
  const FenceState &state = fenceState(thread);
  for (unsigned level = 0; level <= levelOf(scope); ++level)
    if (state.hasReleased[level]) location.addLevel(*thread.block, Scope(level), state.released[level]);
}

void fence(Thread &thread, Scope scope) {
  FenceState &state = fenceState(thread);
  for (unsigned level = 0; level <= levelOf(scope); ++level) {
    if (!state.hasObserved[level]) continue;
    acquireInto(thread, state.observed[level]);
    state.observed[level] = ClockPair();
    state.hasObserved[level] = false;
  }
  const ClockPair clocks = clocksOf(thread);
  for (unsigned level = 0; level <= levelOf(scope); ++level) {
    state.released[level] = clocks;
    state.hasReleased[level] = true;
  }
  thread.tick();
}

void fenceProxyAsync(Thread &thread, AsyncSpace) {
  thread.va = thread.vc;
  thread.asyncClock = thread.clock;
  thread.tick();
}

Accessor accessorOf(Thread &thread, Proxy proxy, uint64_t source) {
  Accessor who;
  who.writesSeen = &thread.vc;
  who.readsSeen = &thread.vc;
  who.self = thread.epoch();
  who.ownColumn = thread.column;
  who.ownAsyncClock = thread.asyncClock;
  who.proxy = proxy;
  who.thread = &thread;
  who.source = source;
  return who;
}

} // namespace mmc::emu

using namespace mmc::emu;

void mmcEmuFenceProxyAsync(unsigned space) { fenceProxyAsync(*scheduler::current(), AsyncSpace(space)); }

void mmcEmuFenceAcquireRelease(unsigned scope) { fence(*scheduler::current(), Scope(scope)); }
