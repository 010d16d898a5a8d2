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

void ReleaseClocks::addFrom(const Thread &thread, Scope scope) {
  const Block &block = *thread.block;
  const auto join = [&](ClockPair &clocks) {
    clocks.vc.join(thread.vc);
    clocks.vc.raise(thread.epoch());
    clocks.va.join(thread.va);
    if (thread.asyncClock) clocks.va.raise(thread.column | thread.asyncClock);
  };
  join(entryOf(ofBlocks, block.serial));
  if (scope == Scope::block) return;
  join(entryOf(ofClusters, block.cluster[0]->serial));
  if (scope == Scope::cluster) return;
  join(ofDevice);
  hasDevice = true;
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
  if (order == Order::acquire || order == Order::acquireRelease) {
    location.acquire(thread, scope);
    FenceState &state = fenceState(thread);
    if (state.location != &location) return;
    for (unsigned level = 0; level <= levelOf(scope); ++level) acquireInto(thread, state.observedThere[level]);
    return;
  }
  if (location.empty()) return;
  FenceState &state = fenceState(thread);
  if (state.location != &location) {
    for (ClockPair &clocks : state.observedThere) clocks = ClockPair();
    state.location = &location;
  }
  location.visit(*thread.block, scope, [&](Scope level, const ClockPair &clocks) {
    state.observed[levelOf(level)].join(clocks);
    state.hasObserved[levelOf(level)] = true;
    state.observedThere[levelOf(level)].join(clocks);
  });
}

void publish(Thread &thread, ReleaseClocks &location, Order order, Scope scope) {
  if (order == Order::release || order == Order::acquireRelease) {
    location.addFrom(thread, scope);
    thread.tick();
    return;
  }
  if (!thread.fenceState) return;
  const FenceState &state = fenceState(thread);
  for (unsigned level = 0; level <= levelOf(scope); ++level)
    if (state.hasReleased[level]) location.addLevel(*thread.block, Scope(level), state.released[level]);
}

void releasePrepared(const Thread &thread, Scope level, ClockPair &into) {
  if (!thread.fenceState) return;
  const auto &state = *static_cast<const FenceState *>(thread.fenceState.get());
  if (state.hasReleased[levelOf(level)]) into.join(state.released[levelOf(level)]);
}

void prepareRelease(Thread &thread, Epoch epoch) {
  FenceState &state = fenceState(thread);
  for (Scope level : {Scope::block, Scope::cluster}) {
    state.released[levelOf(level)].vc.raise(epoch);
    state.hasReleased[levelOf(level)] = true;
  }
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

void fenceProxyAsync(Thread &thread, AsyncSpace space) {
  if (space == AsyncSpace::all) {
    thread.va = thread.vc;
    thread.asyncClock = thread.clock;
  } else {
    // The two spaces part: the own column goes into the part that the fence is for, as `asyncClock` stands for both.
    Clock now = thread.vc, before = thread.va.forGlobal();
    now.raise(thread.epoch());
    if (space == AsyncSpace::shared) {
      thread.va = std::move(now);
      thread.va.setGlobal(std::move(before));
    } else {
      thread.va.setGlobal(std::move(now));
    }
  }
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
