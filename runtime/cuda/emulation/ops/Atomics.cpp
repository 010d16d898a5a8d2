// Implements ordered loads and stores and atomics. Invariant: a location's `clocks` are those of the release sequence
// that its value belongs to.
#include "runtime/cuda/emulation/ops/Atomics.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/ops/Cluster.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <cstdio>
#include <cstring>
#include <string>
#include <unordered_map>

namespace mmc::emu::atomics {

namespace {

/// A strong operation, for those that come later and may not be morally strong with it.
struct Past {
  Epoch epoch = 0; // 0: none
  uint32_t cluster = 0;
  Scope scope = Scope::system;
  uint8_t bytes = 0;
  uint64_t source = 0;
};

struct Location {
  uint32_t owner = 0; // serial of the block whose shared memory it lies in: a window is used by many blocks in turn
  ReleaseClocks clocks;
  /// What the thread that made the last release has released here: its later relaxed stores release that as well.
  ReleaseClocks ofReleaser;
  Epoch releaser = 0; // its column
  /// The last operations, of two different blocks each.
  Past writes[2], reads[2];
  Pollable value;
};

struct Locations {
  std::unordered_map<uint64_t, Location> byAddress;
};

std::string placeOf(const void *address) {
  char text[32];
  snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(address)));
  return text;
}

uint64_t bitsAt(const void *address, unsigned bytes) {
  uint64_t value = 0;
  memcpy(&value, address, bytes);
  return value;
}

bool reaches(Scope scope, const Past &from, uint32_t block, uint32_t cluster) {
  if (scope == Scope::block) return epochBlock(from.epoch) == block;
  return scope != Scope::cluster || from.cluster == cluster;
}

void remember(Past (&past)[2], const Past &now) {
  Past &same = epochBlock(past[0].epoch) == epochBlock(now.epoch) ? past[0] : past[1];
  if (&same != &past[0]) std::swap(past[0], past[1]);
  past[0] = now;
}

/// A strong operation as it happens: where, by whom, with which scope.
struct Access {
  Thread &thread;
  void *address;
  unsigned bytes;
  Scope scope;
  uint64_t source;
  Location *location = nullptr;
};

/// Finds the location; anything outside of memory ends the launch.
bool locate(Access &access) {
  Thread &thread = access.thread;
  const memory::Kind kind = memory::classify(access.address);
  uint32_t owner = 0;
  if (kind == memory::Kind::shared) {
    Block *block = cluster::blockOf(thread, access.address);
    if (block) {
      cluster::access(thread, *block, access.source);
      owner = block->serial;
    }
  }
  if (kind == memory::Kind::none || (kind == memory::Kind::shared && !owner)) {
    reports::add(Finding::outOfBounds, &thread, access.source,
                 "an atomic, or a load or store with an order, at " + placeOf(access.address) +
                     ", which is neither in global memory nor in the shared memory of the thread's cluster");
    scheduler::abandon();
    return false;
  }
  Location &location =
      stateIn<Locations>(thread.block->launch->atomicState).byAddress[reinterpret_cast<uintptr_t>(access.address)];
  if (location.owner != owner) {
    location.clocks.clear();
    location.ofReleaser.clear();
    location.releaser = 0;
    for (Past *past : {location.writes, location.reads}) past[0] = past[1] = Past();
    location.owner = owner;
  }
  access.location = &location;
  return true;
}

/// Checks that nothing is in the way of the operation being strong, and records it.
void checkStrength(Access &access, bool write) {
  Thread &thread = access.thread;
  Location &location = *access.location;
  const uint32_t block = thread.block->serial, cluster = thread.block->cluster[0]->serial;
  const Past now{thread.epoch(), cluster, access.scope, uint8_t(access.bytes), access.source};
  const auto check = [&](const Past &past) {
    if (!past.epoch) return;
    const bool own = epochBlock(past.epoch) == block && epochColumn(past.epoch) == thread.index;
    if (own || thread.vc.contains(past.epoch)) return;
    if (past.bytes != access.bytes)
      reports::add(Finding::race, &thread, access.source,
                   "an atomic of " + std::to_string(access.bytes) + " bytes at " + placeOf(access.address) +
                       " races with one of " + std::to_string(past.bytes) + " bytes",
                   past.source);
    else if (!reaches(access.scope, past, block, cluster) ||
             !reaches(past.scope, now, epochBlock(past.epoch), past.cluster))
      reports::add(Finding::race, &thread, access.source,
                   "an atomic of scope " + std::string(scopeName(access.scope)) + " at " + placeOf(access.address) +
                       " races with one of scope " + scopeName(past.scope) +
                       " by another block, which that scope does not reach",
                   past.source);
  };
  for (const Past &past : location.writes) check(past);
  if (write)
    for (const Past &past : location.reads) check(past);
  remember(write ? location.writes : location.reads, now);
}

/// What the value's new owner releases: kept for its later stores.
void publishFrom(Access &access, Order order) {
  Location &location = *access.location;
  const bool releases = order == Order::release || order == Order::acquireRelease;
  if (releases) {
    location.ofReleaser.clear();
    location.ofReleaser.addFrom(access.thread, access.scope);
    location.releaser = access.thread.column;
  }
  publish(access.thread, location.clocks, order, access.scope);
}

Wait waitFor(const Access &access) {
  return {"poll of a flag", access.source, [address = access.address, bytes = access.bytes] {
            return placeOf(address) + ", whose " + std::to_string(bytes) + " bytes hold " +
                   std::to_string(bitsAt(address, bytes)) + " and do not change";
          }};
}

/// Forms that loops spin on: locks, and reads spelled as atomics.
bool mayBePoll(Operation operation, uint64_t operand) {
  if (operation == Operation::add || operation == Operation::bitOr) return operand == 0;
  return operation == Operation::compareExchange || operation == Operation::exchange;
}

} // namespace

uint64_t load(Thread &thread, const void *address, unsigned bytes, Order order, Scope scope, uint64_t source) {
  scheduler::mayYield();
  Access access{thread, const_cast<void *>(address), bytes, scope, source};
  if (!locate(access)) return 0;
  Polls &polls = fenceState(thread).polls;
  polls.before(thread, access.location->value, waitFor(access));
  counting::access(thread, address, bytes, counting::Kind::load, source);
  memory::read(address, bytes, accessorOf(thread, Proxy::atomic, source));
  checkStrength(access, false);
  observe(thread, access.location->clocks, order, scope);
  polls.after(access.location->value);
  return bitsAt(address, bytes);
}

void store(Thread &thread, void *address, uint64_t value, unsigned bytes, Order order, Scope scope, uint64_t source) {
  scheduler::mayYield();
  Access access{thread, address, bytes, scope, source};
  if (!locate(access)) return;
  counting::access(thread, address, bytes, counting::Kind::store, source);
  memory::write(address, bytes, accessorOf(thread, Proxy::atomic, source));
  checkStrength(access, true);
  Location &location = *access.location;
  if (order == Order::relaxed && location.releaser == thread.column)
    location.clocks = location.ofReleaser;
  else
    location.clocks.clear();
  publishFrom(access, order);
  memcpy(address, &value, bytes);
  location.value.changed();
}

uint64_t modify(Thread &thread, void *address, Operation operation, Type type, uint64_t operand, uint64_t compare,
                Order order, Scope scope, uint64_t source) {
  scheduler::mayYield();
  const unsigned bytes = type == Type::u64 ? 8 : 4;
  Access access{thread, address, bytes, scope, source};
  if (!locate(access)) return 0;
  Polls &polls = fenceState(thread).polls;
  const bool poll = mayBePoll(operation, operand);
  if (poll) polls.before(thread, access.location->value, waitFor(access));
  const Accessor who = accessorOf(thread, Proxy::atomic, source);
  counting::access(thread, address, bytes, counting::Kind::atomic, source);
  memory::read(address, bytes, who);
  const uint64_t old = bitsAt(address, bytes);
  const bool writes = operation != Operation::compareExchange || old == compare;
  if (writes) memory::write(address, bytes, who);
  checkStrength(access, writes);
  const Result result =
      apply(operation, type, old, operand, compare, memory::classify(address) == memory::Kind::global);
  if (!result.valid) reports::add(Finding::other, &thread, source, "no such atomic exists for this type");
  observe(thread, access.location->clocks, order, scope);
  if (writes) publishFrom(access, order);
  memcpy(address, &result.value, bytes);
  if (poll && old == result.value) polls.after(access.location->value);
  if (old != result.value) access.location->value.changed();
  return old;
}

} // namespace mmc::emu::atomics

using namespace mmc::emu;

unsigned long mmcEmuLoadOrdered(const void *address, unsigned bytes, unsigned order, unsigned scope) {
  return atomics::load(*scheduler::current(), address, bytes, Order(order), Scope(scope), MMC_EMU_SOURCE);
}

void mmcEmuStoreOrdered(void *address, unsigned long value, unsigned bytes, unsigned order, unsigned scope) {
  atomics::store(*scheduler::current(), address, value, bytes, Order(order), Scope(scope), MMC_EMU_SOURCE);
}

unsigned long mmcEmuAtomic(unsigned operation, unsigned type, void *address, unsigned long operand,
                           unsigned long compare, unsigned order, unsigned scope) {
  return atomics::modify(*scheduler::current(), address, atomics::Operation(operation), atomics::Type(type), operand,
                         compare, Order(order), Scope(scope), MMC_EMU_SOURCE);
}

void mmcEmuReduction(unsigned operation, unsigned type, void *address, unsigned long operand, unsigned order,
                     unsigned scope) {
  atomics::modify(*scheduler::current(), address, atomics::Operation(operation), atomics::Type(type), operand, 0,
                  Order(order), Scope(scope), MMC_EMU_SOURCE);
}

void mmcEmuLoadReadOnly(void *value, const void *global, unsigned bytes) {
  Thread &thread = *scheduler::current();
  // Only what was written before the launch may be read this way: the launch's clock alone, and no program order. The
  // read is stamped with a column that nobody acquires, so that a later write of the launch conflicts with it, whatever
  // orders the two.
  const Clock launchStart(0, thread.vc.getStreams());
  Accessor who = accessorOf(thread, Proxy::generic, MMC_EMU_SOURCE);
  who.writesSeen = &launchStart;
  who.self = makeEpoch(thread.block->serial, kMaxColumns - 1, 1);
  who.ownColumn = 0;
  counting::access(thread, global, bytes, counting::Kind::load, MMC_EMU_SOURCE);
  memory::read(global, bytes, who);
  memcpy(value, global, bytes);
}
