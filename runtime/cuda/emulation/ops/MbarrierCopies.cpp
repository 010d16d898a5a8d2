// Implements what asynchronous copies do to mbarriers.
#include "runtime/cuda/emulation/ops/Cluster.h"
#include "runtime/cuda/emulation/ops/MbarrierState.h"

namespace mmc::emu::mbarrier {

bool usableByAsync(const Thread &issuer, const void *address, uint64_t source) {
  Barrier *barrier = find(issuer, address, "an asynchronous copy", source);
  if (!barrier) return false;
  const bool initFence = barrier->fenced && issuer.vc.contains(barrier->fencedAt());
  if (initFence || issuer.va.contains(barrier->initialised())) return true;
  reports::add(Finding::missingProxyFence, &issuer, source,
               "an asynchronous copy names the " + nameOf(*barrier) +
                   ", whose initialisation the async proxy may not see yet: fence.mbarrier_init by the thread that "
                   "initialises it, then a barrier",
               barrier->initialisedAt);
  return true;
}

void completeTransaction(const Thread &issuer, void *address, uint64_t bytes, Epoch operation, uint64_t source) {
  Barrier *barrier = find(issuer, address, "the completion of an asynchronous copy", source);
  if (!barrier) return;
  ClockPair clocks;
  clocks.vc.raise(operation);
  clocks.va.raise(operation);
  barrier->current.add(*barrier->block, Scope::block, clocks);
  barrier->parts[0].push_back(operation);
  barrier->usesOfOthers[operation >> 24] = {operation, source, &issuer};
  addTransactions(issuer, *barrier, -int64_t(bytes), source);
  completeIfDone(*barrier);
}

bool beginCopyArrive(Thread &issuer, void *address, bool noIncrement, uint64_t source) {
  Barrier *barrier = find(issuer, address, "cp.async.mbarrier.arrive", source);
  if (!barrier) return false;
  use(issuer, *barrier, source);
  checkPhase(issuer, *barrier, source);
  if (!noIncrement && ++barrier->pending > kMaxCount)
    misuse(&issuer, source, "cp.async.mbarrier.arrive raises the pending count above " + std::to_string(kMaxCount));
  return true;
}

void completeCopyArrive(const Thread &issuer, void *address, const ClockPair &clocks, uint64_t source) {
  Barrier *barrier = find(issuer, address, "cp.async.mbarrier.arrive", source);
  if (!barrier) return;
  countArrivals(issuer, *barrier, 1, source);
  barrier->current.add(*barrier->block, Scope::block, clocks);
  completeIfDone(*barrier);
}

std::string describe(const Thread &issuer, const void *address) {
  Block *block = cluster::blockOf(issuer, address);
  if (!block) return "no mbarrier";
  auto &barriers = stateIn<Barriers>(block->mbarrierState).byOffset;
  const auto found = barriers.find(uint64_t(static_cast<const uint8_t *>(address) - block->shared));
  return found == barriers.end() ? "no mbarrier at " + placeOf(*block, address) : stateOf(found->second);
}

} // namespace mmc::emu::mbarrier
