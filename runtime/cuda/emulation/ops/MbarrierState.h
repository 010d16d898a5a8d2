// The state of mbarriers and the rules that their instructions share: for ops/Mbarrier*.cpp alone.
//
// Invariant: `phase` is the incomplete phase, `current` holds what its arrivals have released so far, and `completed`
// what the phase before it released; a phase completes when nothing is pending and the transaction count is zero.
#pragma once

#include "runtime/cuda/emulation/ops/Mbarrier.h"

#include <map>
#include <string>
#include <vector>

namespace mmc::emu::mbarrier {

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

/// "shared+0x40"
std::string placeOf(const Block &block, const void *address);
/// "mbarrier at shared+0x40"
std::string nameOf(const Barrier &barrier);
/// ... with phase, arrivals and bytes.
std::string stateOf(const Barrier &barrier);
void misuse(const Thread *thread, uint64_t source, std::string message, uint64_t other = 0);

/// The live barrier at an address; null, and a finding, where there is none. Anything but an aligned address in the
/// window of a block of the cluster ends the launch.
Barrier *find(const Thread &thread, const void *address, const char *what, uint64_t source);
/// Every use by a thread: ordered after the initialisation, and recorded.
void use(Thread &thread, Barrier &barrier, uint64_t source);
/// The block that an address lies in, as find() sees it.
Block *blockOf(const Thread &thread, const void *address, const char *what, uint64_t source);
/// Nobody may use the barrier any more when `thread` takes it away.
void checkUnused(const Thread &thread, const Barrier &barrier, uint64_t source);

/// True if the thread knows that all phases before `number` are complete: by a wait, its own or one that it is ordered
/// after, or because it is ordered after everything that completed the last of them.
bool knows(const Thread &thread, const Barrier &barrier, uint64_t number);
void completeIfDone(Barrier &barrier);
void addTransactions(const Thread &thread, Barrier &barrier, int64_t bytes, uint64_t source);
/// An arrival is counted for whatever phase is current, so one that nothing orders after the completion of the phase
/// before could have been counted for that one: in a cluster others' copies carry the knowledge, which clocks do not
/// show, so only lone blocks are judged.
void checkPhase(const Thread &thread, const Barrier &barrier, uint64_t source);
void countArrivals(const Thread &thread, Barrier &barrier, uint32_t count, uint64_t source);

} // namespace mmc::emu::mbarrier
