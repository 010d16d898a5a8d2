// Memory order among threads: scopes, fences, and what a release leaves for an acquire at a location (an atomic or a
// phase of an mbarrier).
//
// A release of scope S is seen by an acquire of scope A only if S reaches the acquirer and A reaches the releaser: PTX
// calls such a pair morally strong. ReleaseClocks therefore keeps what was released per level, and nothing is ordered
// by a level that is too narrow for either side.
//
// A fence makes a later relaxed store a release of what came before the fence, and an earlier relaxed load an acquire
// for what follows it: FenceState keeps both halves for each thread.
#pragma once

#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/core/Scheduler.h"
#include "runtime/cuda/emulation/ops/Polls.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace mmc::emu {

/// In the order of the constants of ptx/atomics.cuh; `system` reaches as far as `device` as long as one device is
/// emulated at a time.
enum class Scope : uint8_t { block, cluster, device, system };
enum class Order : uint8_t { relaxed, acquire, release, acquireRelease };
const char *scopeName(Scope scope);

/// State of one of the op files behind a shared_ptr<void> of the core, made on first use.
template <class State> State &stateIn(std::shared_ptr<void> &holder) {
  if (!holder) holder = std::make_shared<State>();
  return *static_cast<State *>(holder.get());
}

/// Both clocks of a thread, its own component included.
struct ClockPair {
  Clock vc, va;
  void join(const ClockPair &other) {
    vc.join(other.vc);
    va.join(other.va);
  }
};
/// What `thread` would release now. The caller ticks the thread's clock after it has handed the pair over.
ClockPair clocksOf(const Thread &thread);
void acquireInto(Thread &thread, const ClockPair &clocks);

/// What a location's release sequence carries.
class ReleaseClocks {
public:
  /// `clocks` are released by a thread of `block` with this scope.
  void add(const Block &block, Scope scope, const ClockPair &clocks);
  /// The same with what `thread` knows now: clocksOf without the copy.
  void addFrom(const Thread &thread, Scope scope);
  /// ... at one level only: what a fence of that scope had prepared.
  void addLevel(const Block &block, Scope level, const ClockPair &clocks);
  /// `thread` acquires with this scope.
  void acquire(Thread &thread, Scope scope) const;
  /// Calls visit(scope, clocks) for what an acquire of this scope by a thread of `block` would take.
  template <class Visit> void visit(const Block &block, Scope scope, Visit visit) const {
    for (auto &[serial, clocks] : ofBlocks)
      if (serial == block.serial) visit(Scope::block, clocks);
    if (scope == Scope::block) return;
    for (auto &[first, clocks] : ofClusters)
      if (first == block.cluster[0]->serial) visit(Scope::cluster, clocks);
    if (scope == Scope::cluster || !hasDevice) return;
    visit(Scope::device, ofDevice);
  }
  void clear();
  bool empty() const { return ofBlocks.empty(); }

private:
  using Level = std::vector<std::pair<uint32_t, ClockPair>>;
  Level ofBlocks;   // releases of every scope, by the releaser's block
  Level ofClusters; // releases of cluster scope and wider, by the first block of the releaser's cluster
  ClockPair ofDevice;
  bool hasDevice = false;
};

/// Of one thread: what its fences have prepared and what its relaxed loads have seen.
struct FenceState {
  /// By level (block, cluster, device): what the last fence that reaches so far lets a later relaxed store release.
  ClockPair released[3];
  bool hasReleased[3] = {};
  /// By level: what relaxed loads have observed and a later fence acquires.
  ClockPair observed[3];
  bool hasObserved[3] = {};
  /// The location of the last relaxed load, and what such loads have observed there by level: a later acquire of the
  /// same location takes it over.
  const ReleaseClocks *location = nullptr;
  ClockPair observedThere[3];
  Polls polls;
};
FenceState &fenceState(Thread &thread);

/// The read half of a strong operation on a location: acquires, or keeps what it has observed for a later fence.
void observe(Thread &thread, const ReleaseClocks &location, Order order, Scope scope);
/// Its write half: adds what the thread releases, or what an earlier fence of the thread does.
void publish(Thread &thread, ReleaseClocks &location, Order order, Scope scope);

/// What earlier fences of the thread let a relaxed operation of this scope release, as far as it reaches that level.
void releasePrepared(const Thread &thread, Scope level, ClockPair &into);
/// fence.mbarrier_init: later relaxed operations within the cluster release `epoch`, and nothing else.
void prepareRelease(Thread &thread, Epoch epoch);

/// fence.acq_rel and stronger.
void fence(Thread &thread, Scope scope);
/// fence.proxy.async: what the thread knows of through the generic proxy, the async proxy may see from now on.
enum class AsyncSpace : uint8_t { all, shared, global };
void fenceProxyAsync(Thread &thread, AsyncSpace space);

/// An access by the thread's own instructions.
Accessor accessorOf(Thread &thread, Proxy proxy, uint64_t source);

} // namespace mmc::emu

/// Where the kernel called the extern "C" function that uses this.
#define MMC_EMU_SOURCE reinterpret_cast<uint64_t>(__builtin_return_address(0))
