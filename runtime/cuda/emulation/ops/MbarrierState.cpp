// Implements what the instructions on mbarriers share: finding one, its text in reports, uses, counts, the completion
// of phases.
#include "runtime/cuda/emulation/ops/MbarrierState.h"

#include "runtime/cuda/emulation/ops/Cluster.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace mmc::emu::mbarrier {

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

void misuse(const Thread *thread, uint64_t source, std::string message, uint64_t other) {
  reports::add(Finding::mbarrierMisuse, thread, source, std::move(message), other);
}

Block *blockOf(const Thread &thread, const void *address, const char *what, uint64_t source) {
  Block *block = cluster::blockOf(thread, address);
  if (block && reinterpret_cast<uintptr_t>(address) % 8 == 0) return block;
  misuse(&thread, source,
         std::string(what) + (block ? " names a barrier that is not aligned to 8 bytes, " + placeOf(*block, address)
                                    : " names a barrier outside the shared memory of its cluster"));
  scheduler::abandon();
  return nullptr;
}

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

namespace {
bool isOrdered(const Thread &thread, Epoch epoch) {
  return (epoch & ~uint64_t(0xffffff)) == thread.column || thread.vc.contains(epoch);
}
} // namespace

void use(Thread &thread, Barrier &barrier, uint64_t source) {
  if (!thread.vc.contains(barrier.initialised()))
    memory::read(barrier.address(), 8, accessorOf(thread, Proxy::atomic, source)); // finds the race
  Barrier::Use &last = thread.block == barrier.block ? barrier.uses[thread.index] : barrier.usesOfOthers[thread.column];
  last = {thread.epoch(), source, &thread};
}

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

} // namespace mmc::emu::mbarrier
