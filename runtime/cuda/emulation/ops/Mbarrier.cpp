// Implements mbarriers. Invariant: `phase` is the incomplete phase, `current` holds what its arrivals have released so
// far, and `completed` what the phase before it released; a phase completes when nothing is pending and the transaction
// count is zero.
#include "runtime/cuda/emulation/ops/Mbarrier.h"

#include "runtime/cuda/emulation/ops/Cluster.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>

namespace mmc::emu::mbarrier {

namespace {

constexpr uint32_t kMaxCount = (1u << 20) - 1;
constexpr int64_t kMaxTransactions = (int64_t(1) << 20) - 1;

struct Barrier {
  Block *block = nullptr;
  uint64_t offset = 0; // in the window
  bool live = false;
  uint32_t expected = 0, pending = 0;
  int64_t transactions = 0;
  uint64_t phase = 0;
  uint64_t base = 1; // of this use of the address in `column`, which counts on over all uses
  uint32_t column = 0;
  bool fenced = false; // by fence.mbarrier_init
  const Thread *initialiser = nullptr;
  uint64_t initialisedAt = 0, invalidatedAt = 0, transactionsAt = 0, arrivedAt = 0;
  ReleaseClocks current, completed;
  std::vector<Epoch> parts[3]; // what the current phase and the two before it were completed by, newest first
  /// The last use by each thread of the block (a clock value of its own) and by each column of others: inval must come
  /// after them all.
  struct Use {
    Epoch epoch = 0;
    uint64_t source = 0;
    const Thread *thread = nullptr;
  };
  std::vector<Use> uses;
  std::map<uint64_t, Use> usesOfOthers;
  Pollable completions; // changes with every completion and with mbarrier.inval

  uint64_t token() const { return 0x6d6d63'62'00000000ull | offset; }
  void *address() const { return block->shared + offset; }
  /// What has happened to the barrier, as values of its column: initialised, fenced, then the completion of all phases
  /// before `number`.
  Epoch event(uint64_t value) const { return makeEpoch(block->serial, column, uint32_t(base + value) & 0xffffff); }
  Epoch initialised() const { return event(0); }
  Epoch fencedAt() const { return event(1); }
  Epoch completionOf(uint64_t number) const { return event(1 + number); }
};

struct Barriers {
  std::map<uint64_t, Barrier> byOffset;
};

std::string placeOf(const Block &block, const void *address) {
  char text[64];
  snprintf(text, sizeof text, "shared+0x%llx",
           static_cast<unsigned long long>(static_cast<const uint8_t *>(address) - block.shared));
  return text;
}

std::string nameOf(const Barrier &barrier) { return "mbarrier at " + placeOf(*barrier.block, barrier.address()); }

std::string stateOf(const Barrier &barrier) {
  return nameOf(barrier) + " is in phase " + std::to_string(barrier.phase) + ", " + std::to_string(barrier.pending) +
         " of " + std::to_string(barrier.expected) + " arrivals pending, " + std::to_string(barrier.transactions) +
         " bytes outstanding";
}

void misuse(const Thread *thread, uint64_t source, std::string message, uint64_t other = 0) {
  reports::add(Finding::mbarrierMisuse, thread, source, std::move(message), other);
}

/// Anything but an aligned address in the window of a block of the cluster ends the launch.
Block *blockOf(const Thread &thread, const void *address, const char *what, uint64_t source) {
  Block *block = cluster::blockOf(thread, address);
  if (block && reinterpret_cast<uintptr_t>(address) % 8 == 0) return block;
  misuse(&thread, source,
         std::string(what) + (block ? " names a barrier that is not aligned to 8 bytes, " + placeOf(*block, address)
                                    : " names a barrier outside the shared memory of its cluster"));
  scheduler::abandon();
  return nullptr;
}

/// The live barrier at an address; null, and a finding, where there is none.
Barrier *find(const Thread &thread, const void *address, const char *what, uint64_t source) {
  Block *block = blockOf(thread, address, what, source);
  if (!block) return nullptr;
  const uint64_t offset = uint64_t(static_cast<const uint8_t *>(address) - block->shared);
  auto &barriers = stateIn<Barriers>(block->mbarrierState).byOffset;
  const auto found = barriers.find(offset);
  if (found == barriers.end() || !found->second.live) {
    const bool was = found != barriers.end();
    misuse(&thread, source,
           std::string(what) + " names " + placeOf(*block, address) +
               (was ? ", whose mbarrier has been invalidated" : ", where no mbarrier has been initialised"),
           was ? found->second.invalidatedAt : 0);
    return nullptr;
  }
  Barrier &barrier = found->second;
  uint64_t bytes = 0;
  memcpy(&bytes, address, sizeof bytes);
  if (bytes != barrier.token()) {
    const uint64_t expected = barrier.token();
    misuse(&thread, source,
           std::string(what) + " finds that the bytes of the " + nameOf(barrier) + " have been overwritten",
           memory::writerSourceOf(address));
    memcpy(const_cast<void *>(address), &expected, sizeof expected);
  }
  return &barrier;
}

bool isOrdered(const Thread &thread, Epoch epoch) {
  return (epoch & ~uint64_t(0xffffff)) == thread.column || thread.vc.contains(epoch);
}

/// Every use by a thread: ordered after the initialisation, and recorded.
void use(Thread &thread, Barrier &barrier, uint64_t source) {
  if (!thread.vc.contains(barrier.initialised()))
    memory::read(barrier.address(), 8, accessorOf(thread, Proxy::atomic, source)); // finds the race
  Barrier::Use &last = thread.block == barrier.block ? barrier.uses[thread.index] : barrier.usesOfOthers[thread.column];
  last = {thread.epoch(), source, &thread};
}

/// Nobody may use the barrier any more when `thread` takes it away.
void checkUnused(const Thread &thread, const Barrier &barrier, uint64_t source) {
  const auto check = [&](const Barrier::Use &last) {
    if (!last.epoch || isOrdered(thread, last.epoch)) return;
    reports::add(Finding::race, &thread, source,
                 "mbarrier.inval of the " + nameOf(barrier) + ", which thread " + std::to_string(last.thread->index) +
                     (last.thread->block == barrier.block ? "" : " of another block") +
                     " has used; nothing orders the two",
                 last.source);
  };
  for (const Barrier::Use &last : barrier.uses) check(last);
  for (const auto &[column, last] : barrier.usesOfOthers) check(last);
}

/// True if the thread knows that all phases before `number` are complete: by a wait, its own or one that it is ordered
/// after, or because it is ordered after everything that completed the last of them.
bool knows(const Thread &thread, const Barrier &barrier, uint64_t number) {
  if (number == 0 || thread.vc.contains(barrier.completionOf(number))) return true;
  const uint64_t back = barrier.phase - (number - 1);
  if (back == 0 || back > 2) return false;
  const std::vector<Epoch> &parts = barrier.parts[back];
  return std::all_of(parts.begin(), parts.end(), [&](Epoch epoch) { return isOrdered(thread, epoch); });
}

void completeIfDone(Barrier &barrier) {
  if (barrier.pending || barrier.transactions) return;
  ++barrier.phase;
  barrier.pending = barrier.expected;
  ClockPair completion;
  completion.vc.raise(barrier.completionOf(barrier.phase));
  barrier.current.add(*barrier.block, Scope::block, completion);
  barrier.completed = std::move(barrier.current);
  barrier.current = ReleaseClocks();
  std::rotate(barrier.parts, barrier.parts + 2, barrier.parts + 3);
  barrier.parts[0].clear();
  barrier.completions.changed();
}

void addTransactions(const Thread &thread, Barrier &barrier, int64_t bytes, uint64_t source) {
  barrier.transactions += bytes;
  barrier.transactionsAt = source;
  if (barrier.transactions > kMaxTransactions || barrier.transactions < -kMaxTransactions)
    misuse(&thread, source,
           "the transaction count of the " + nameOf(barrier) + " becomes " + std::to_string(barrier.transactions) +
               ", expected within " + std::to_string(kMaxTransactions));
}

/// An arrival is counted for whatever phase is current, so one that nothing orders after the completion of the phase
/// before could have been counted for that one: in a cluster others' copies carry the knowledge, which clocks do not
/// show, so only lone blocks are judged.
void checkPhase(const Thread &thread, const Barrier &barrier, uint64_t source) {
  if (thread.block->cluster.size() > 1 || knows(thread, barrier, barrier.phase)) return;
  misuse(&thread, source,
         "arrives in phase " + std::to_string(barrier.phase) + " of the " + nameOf(barrier) +
             ", but nothing orders it after the completion of phase " + std::to_string(barrier.phase - 1) +
             ", for which it could have counted",
         barrier.arrivedAt);
}

void countArrivals(const Thread &thread, Barrier &barrier, uint32_t count, uint64_t source) {
  barrier.parts[0].push_back(thread.epoch());
  if (count > barrier.pending) {
    misuse(&thread, source, "arrives " + std::to_string(count) + " times, but the " + stateOf(barrier),
           barrier.arrivedAt);
    count = barrier.pending;
  }
  barrier.pending -= count;
  barrier.arrivedAt = source;
}

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

uint64_t arrive(Thread &thread, void *address, const Arrival &arrival, uint64_t source) {
  scheduler::mayYield();
  const char *what = arrival.count ? "mbarrier.arrive" : "mbarrier.expect_tx";
  Barrier *barrier = find(thread, address, what, source);
  if (!barrier) return 0;
  if (barrier->block != thread.block) {
    if (!arrival.remote) {
      misuse(&thread, source,
             std::string(what) + " names the " + nameOf(*barrier) +
                 " of another block of the cluster, expected the form for shared::cluster");
      return 0;
    }
    cluster::access(thread, *barrier->block, source);
  }
  use(thread, *barrier, source);
  if (arrival.transactions) addTransactions(thread, *barrier, arrival.transactions, source);
  if (!arrival.count) {
    completeIfDone(*barrier);
    return barrier->phase;
  }
  if (barrier->pending) checkPhase(thread, *barrier, source);
  countArrivals(thread, *barrier, arrival.count, source);
  publish(thread, barrier->current, arrival.order, arrival.scope);
  const uint64_t phase = barrier->phase;
  completeIfDone(*barrier);
  return phase;
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

void waitToken(Thread &thread, void *address, uint64_t token, Order order, Scope scope, uint64_t source) {
  scheduler::mayYield();
  if (Barrier *barrier = findOwn(thread, address, source)) waitPhase(thread, *barrier, token, order, scope, source);
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

using namespace mmc::emu;

void mmcEmuMbarrierInit(void *mbarrier, unsigned count) {
  mbarrier::initialise(*scheduler::current(), mbarrier, count, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierInvalidate(void *mbarrier) { mbarrier::invalidate(*scheduler::current(), mbarrier, MMC_EMU_SOURCE); }

void mmcEmuMbarrierExpect(void *mbarrier, unsigned bytes) {
  mbarrier::Arrival arrival;
  arrival.count = 0;
  arrival.transactions = bytes;
  mbarrier::arrive(*scheduler::current(), mbarrier, arrival, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierArrive(void *mbarrier, unsigned count) {
  mbarrier::Arrival arrival;
  arrival.count = count;
  mbarrier::arrive(*scheduler::current(), mbarrier, arrival, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierArriveExpect(void *mbarrier, unsigned bytes) {
  mbarrier::Arrival arrival;
  arrival.transactions = bytes;
  mbarrier::arrive(*scheduler::current(), mbarrier, arrival, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierArriveRemote(void *remote, unsigned count) {
  mbarrier::Arrival arrival;
  arrival.count = count;
  arrival.scope = Scope::cluster;
  arrival.remote = true;
  mbarrier::arrive(*scheduler::current(), remote, arrival, MMC_EMU_SOURCE);
}

void mmcEmuMbarrierArriveExpectRemote(void *remote, unsigned bytes) {
  mbarrier::Arrival arrival;
  arrival.transactions = bytes;
  arrival.scope = Scope::cluster;
  arrival.remote = true;
  mbarrier::arrive(*scheduler::current(), remote, arrival, MMC_EMU_SOURCE);
}

unsigned mmcEmuMbarrierTest(void *mbarrier, unsigned parity, unsigned scope) {
  return mbarrier::testParity(*scheduler::current(), mbarrier, parity, Order::acquire, Scope(scope), MMC_EMU_SOURCE);
}

unsigned mmcEmuMbarrierTry(void *mbarrier, unsigned parity, unsigned scope) {
  // The hardware may give up at any time: some seeds let it, and the caller's loop must be able to take that.
  const uint64_t source = MMC_EMU_SOURCE;
  if (scheduler::oneIn(4))
    return mbarrier::testParity(*scheduler::current(), mbarrier, parity, Order::acquire, Scope(scope), source);
  mbarrier::waitParity(*scheduler::current(), mbarrier, parity, Order::acquire, Scope(scope), source);
  return 1;
}

void mmcEmuMbarrierWait(void *mbarrier, unsigned parity, unsigned scope) {
  mbarrier::waitParity(*scheduler::current(), mbarrier, parity, Order::acquire, Scope(scope), MMC_EMU_SOURCE);
}

void mmcEmuFenceMbarrierInit() { mbarrier::fenceInitialisation(*scheduler::current()); }
