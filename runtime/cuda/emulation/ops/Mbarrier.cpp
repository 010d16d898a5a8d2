// Implements the instructions of threads on mbarriers: init, inval, arrivals, waits.
#include "runtime/cuda/emulation/ops/Cluster.h"
#include "runtime/cuda/emulation/ops/MbarrierState.h"

#include <algorithm>
#include <cstring>

namespace mmc::emu::mbarrier {

namespace {

/// The phase that a wait by `parity` tests: the current one or the one before (-1 before the first has completed).
int64_t testedPhase(const Barrier &barrier, uint32_t parity) {
  return (barrier.phase & 1) == parity ? int64_t(barrier.phase) : int64_t(barrier.phase) - 1;
}

/// A wait by parity can only mean the phase after the last one that the thread knows to be complete, or that one. If
/// the barrier has gone further, the parity names another phase than the thread means.
bool isLate(const Thread &thread, const Barrier &barrier, uint32_t parity, uint64_t source) {
  const int64_t tested = testedPhase(barrier, parity);
  if (tested <= 0 || knows(thread, barrier, uint64_t(tested))) return false;
  int64_t meant = tested - 2;
  while (meant > 0 && !knows(thread, barrier, uint64_t(meant))) meant -= 2;
  misuse(&thread, source,
         "waits by parity " + std::to_string(parity) + " for phase " + std::to_string(meant) + ", but the " +
             nameOf(barrier) + " is already in phase " + std::to_string(barrier.phase) +
             ", which that parity does not tell apart: a waiter may be one phase late at most",
         barrier.arrivedAt);
  return true;
}

Wait waitFor(const Barrier &barrier, uint64_t phase, uint64_t source) {
  return {"mbarrier wait", source, [&barrier, phase] {
            return "phase " + std::to_string(phase) + " (parity " + std::to_string(phase & 1) +
                   "): " + stateOf(barrier);
          }};
}

void waitPhase(Thread &thread, Barrier &barrier, uint64_t phase, Order order, Scope scope, uint64_t source) {
  while (barrier.live && barrier.phase <= phase)
    fenceState(thread).polls.suspendOn(thread, barrier.completions, waitFor(barrier, phase, source));
  if (barrier.live && barrier.phase > phase + 1)
    misuse(&thread, source,
           "waits for phase " + std::to_string(phase) + ", but the " + nameOf(barrier) + " can reach phase " +
               std::to_string(barrier.phase) + " before the wait is over: a waiter may be one phase late at most",
           barrier.arrivedAt);
  observe(thread, barrier.completed, order, scope);
}

/// A wait names an mbarrier of its own block.
Barrier *findOwn(Thread &thread, void *address, uint64_t source) {
  Barrier *barrier = find(thread, address, "mbarrier wait", source);
  if (barrier && barrier->block != thread.block) {
    misuse(&thread, source,
           "waits on the " + nameOf(*barrier) + " of block rank " + std::to_string(barrier->block->clusterRank) +
               ", expected one of its own block (rank " + std::to_string(thread.block->clusterRank) + ")");
    return nullptr;
  }
  if (barrier) use(thread, *barrier, source);
  return barrier;
}

void checkAtEnd(Block &block) {
  for (auto &[offset, barrier] : stateIn<Barriers>(block.mbarrierState).byOffset) {
    if (!barrier.live) continue;
    uint64_t bytes = 0;
    memcpy(&bytes, barrier.address(), sizeof bytes);
    if (bytes != barrier.token())
      misuse(barrier.initialiser, barrier.initialisedAt,
             "the bytes of the " + nameOf(barrier) +
                 " were overwritten while it was live; invalidate it before its memory is used again",
             memory::writerSourceOf(barrier.address()));
    if (barrier.transactions)
      misuse(barrier.initialiser, barrier.transactionsAt,
             "the block ends, but the " + stateOf(barrier) + ": what was expected and what was copied differ",
             barrier.initialisedAt);
  }
}

} // namespace

void initialise(Thread &thread, void *address, uint32_t count, uint64_t source) {
  scheduler::mayYield();
  Block *block = blockOf(thread, address, "mbarrier.init", source);
  if (!block) return;
  if (block != thread.block) {
    misuse(&thread, source, "mbarrier.init names shared memory of another block of the cluster");
    return;
  }
  if (count == 0 || count > kMaxCount)
    misuse(&thread, source,
           "mbarrier.init with count " + std::to_string(count) + ", expected 1 to " + std::to_string(kMaxCount));
  if (!block->mbarrierState) block->atEnd.push_back(checkAtEnd);
  const uint64_t offset = uint64_t(static_cast<uint8_t *>(address) - block->shared);
  auto [at, fresh] = stateIn<Barriers>(block->mbarrierState).byOffset.try_emplace(offset);
  Barrier &barrier = at->second;
  if (fresh) {
    barrier.block = block;
    barrier.offset = offset;
    barrier.column = block->reserveColumn();
  } else if (barrier.live) {
    misuse(&thread, source, "mbarrier.init, but the " + stateOf(barrier) + " and has not been invalidated",
           barrier.initialisedAt);
  }
  if (!fresh) barrier.base += barrier.phase + 2;
  barrier.live = true;
  barrier.expected = barrier.pending = std::max(count, 1u);
  barrier.transactions = 0;
  barrier.phase = 0;
  barrier.fenced = false;
  barrier.initialiser = &thread;
  barrier.initialisedAt = source;
  barrier.current.clear();
  barrier.completed.clear();
  for (std::vector<Epoch> &parts : barrier.parts) parts.clear();
  barrier.uses.assign(block->threads.size(), {});
  barrier.usesOfOthers.clear();
  // Stamped with the barrier's own column, so that fence.mbarrier_init can release the initialisation alone.
  Accessor who = accessorOf(thread, Proxy::generic, source);
  who.self = barrier.initialised();
  memory::write(address, 8, who);
  thread.vc.raise(barrier.initialised());
  const uint64_t token = barrier.token();
  memcpy(address, &token, sizeof token);
}

void invalidate(Thread &thread, void *address, uint64_t source) {
  scheduler::mayYield();
  Barrier *barrier = find(thread, address, "mbarrier.inval", source);
  if (!barrier) return;
  checkUnused(thread, *barrier, source);
  memory::write(address, 8, accessorOf(thread, Proxy::generic, source));
  if (barrier->completions.waiting() || barrier->transactions)
    misuse(&thread, source,
           "mbarrier.inval, but the " + stateOf(*barrier) + ", " + std::to_string(barrier->completions.waiting()) +
               " threads wait",
           barrier->completions.waiting() ? barrier->completions.waitSource() : barrier->transactionsAt);
  barrier->live = false;
  barrier->invalidatedAt = source;
  memset(address, 0, 8);
  memory::setInitialised(address, 8, false);
  barrier->completions.changed();
}

void fenceInitialisation(Thread &thread) {
  if (!thread.block->mbarrierState) return;
  for (auto &[offset, barrier] : stateIn<Barriers>(thread.block->mbarrierState).byOffset) {
    if (!barrier.live || barrier.initialiser != &thread || barrier.fenced) continue;
    barrier.fenced = true;
    thread.vc.raise(barrier.fencedAt());
    prepareRelease(thread, barrier.fencedAt());
  }
}

void arrive(Thread &thread, void *address, const Arrival &arrival, uint64_t source) {
  scheduler::mayYield();
  const char *what = arrival.count ? "mbarrier.arrive" : "mbarrier.expect_tx";
  Barrier *barrier = find(thread, address, what, source);
  if (!barrier) return;
  if (barrier->block != thread.block) {
    if (!arrival.remote) {
      misuse(&thread, source,
             std::string(what) + " names the " + nameOf(*barrier) +
                 " of another block of the cluster, expected the form for shared::cluster");
      return;
    }
    cluster::access(thread, *barrier->block, source);
  }
  use(thread, *barrier, source);
  if (arrival.transactions) addTransactions(thread, *barrier, arrival.transactions, source);
  if (!arrival.count) {
    completeIfDone(*barrier);
    return;
  }
  if (barrier->pending) checkPhase(thread, *barrier, source);
  countArrivals(thread, *barrier, arrival.count, source);
  publish(thread, barrier->current, arrival.order, arrival.scope);
  completeIfDone(*barrier);
}

void waitParity(Thread &thread, void *address, uint32_t parity, Order order, Scope scope, uint64_t source) {
  scheduler::mayYield();
  Barrier *barrier = findOwn(thread, address, source);
  if (!barrier) return;
  if (parity > 1) misuse(&thread, source, "waits by parity " + std::to_string(parity) + ", expected 0 or 1");
  parity &= 1;
  if (isLate(thread, *barrier, parity, source)) {
    observe(thread, barrier->completed, order, scope);
    return;
  }
  const int64_t phase = testedPhase(*barrier, parity);
  // Parity 1 before the first completion means the phase before the first: the usual way to find a fresh slot empty.
  if (phase >= 0) waitPhase(thread, *barrier, uint64_t(phase), order, scope, source);
}

bool testParity(Thread &thread, void *address, uint32_t parity, Order order, Scope scope, uint64_t source) {
  Barrier *barrier = findOwn(thread, address, source);
  if (!barrier) return true;
  parity &= 1;
  Polls &polls = fenceState(thread).polls;
  const int64_t asked = testedPhase(*barrier, parity);
  if (asked == int64_t(barrier->phase))
    polls.before(thread, barrier->completions, waitFor(*barrier, uint64_t(asked), source));
  if (isLate(thread, *barrier, parity, source)) return true;
  const int64_t phase = testedPhase(*barrier, parity);
  if (phase < int64_t(barrier->phase)) {
    observe(thread, barrier->completed, order, scope);
    return true;
  }
  polls.after(barrier->completions);
  return false;
}

} // namespace mmc::emu::mbarrier
