// Implements bulk copies. Invariant: every operation has its own column; a load's is joined into what its mbarrier
// releases, a store has two, for its reads and for its writes, which the two kinds of wait join into the waiting
// thread.
#include "runtime/cuda/emulation/ops/BulkCopy.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/ops/Cluster.h"
#include "runtime/cuda/emulation/ops/Mbarrier.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <cstring>
#include <string>

namespace mmc::emu::copies {

void Instruction::refuse(Finding finding, const std::string &why) const {
  reports::add(finding, &thread, source, std::string(name) + " " + why);
  scheduler::abandon();
}

Moment::Moment(const Instruction &instruction)
    : clocks(clocksOf(instruction.thread)), thread(&instruction.thread), source(instruction.source) {
  instruction.thread.tick();
}

Accessor Moment::accessor(Epoch operation) const {
  Accessor who;
  who.writesSeen = &clocks.va;
  who.readsSeen = &clocks.vc;
  who.self = who.ownColumn = operation;
  who.proxy = Proxy::async;
  who.passesOn = true;
  who.thread = thread;
  who.source = source;
  return who;
}

void Parcel::read(uint64_t at, const uint8_t *from, uint64_t count, const std::vector<Accessor> &readers) {
  counting::bulk(from, count, counting::Kind::load, readers[0].source);
  for (const Accessor &reader : readers) memory::read(from, count, reader, false);
  memcpy(bytes.data() + at, from, count);
  if (memory::isInitialised(from, count)) return;
  unwritten.resize(bytes.size());
  for (uint64_t i = 0; i < count; ++i) unwritten[at + i] = !memory::isInitialised(from + i, 1);
}

void Parcel::write(uint64_t at, uint8_t *to, uint64_t count, const Accessor &writer) const {
  counting::bulk(to, count, counting::Kind::store, writer.source);
  memory::write(to, count, writer, false);
  memcpy(to, bytes.data() + at, count);
  if (unwritten.empty()) return;
  for (uint64_t i = 0; i < count; ++i)
    if (unwritten[at + i]) memory::setInitialised(to + i, 1, false);
}

void Parcel::permute(const std::function<uint64_t(uint64_t)> &to) {
  constexpr uint64_t kChunk = 16;
  Parcel result(bytes.size());
  if (!unwritten.empty()) result.unwritten.resize(bytes.size());
  for (uint64_t at = 0; at < bytes.size(); at += kChunk) {
    const uint64_t target = to(at);
    memcpy(result.bytes.data() + target, bytes.data() + at, kChunk);
    if (!unwritten.empty())
      for (uint64_t i = 0; i < kChunk; ++i) result.unwritten[target + i] = unwritten[at + i];
  }
  *this = std::move(result);
}

Block *sharedBlockOf(const Instruction &instruction, const char *operand, const void *shared, bool own) {
  Block *block =
      memory::classify(shared) == memory::Kind::shared ? cluster::blockOf(instruction.thread, shared) : nullptr;
  if (!block)
    instruction.refuse(Finding::sharedMemory,
                       std::string("takes a ") + operand + " that does not lie in shared memory of its cluster");
  else if (own && block != instruction.thread.block)
    instruction.refuse(Finding::sharedMemory,
                       std::string("takes a ") + operand + " in the shared memory of block rank " +
                           std::to_string(block->clusterRank) + " of the cluster, expected the issuer's own");
  else
    return block;
  return nullptr;
}

void checkGlobal(const Instruction &instruction, const void *global) {
  if (memory::classify(global) != memory::Kind::global)
    instruction.refuse(Finding::outOfBounds, "takes a global address that does not lie in global memory");
}

void checkAligned(const Instruction &instruction, const char *operand, const void *address, uint64_t alignment) {
  const uint64_t over = reinterpret_cast<uint64_t>(address) % alignment;
  if (over)
    instruction.refuse(Finding::misaligned, std::string("takes a ") + operand + " that is " + std::to_string(over) +
                                                " bytes past a multiple of " + std::to_string(alignment) +
                                                ", expected such a multiple");
}

namespace {

/// One block's part of a load.
struct Target {
  Block *block;
  uint8_t *shared;
  void *barrier;
  Epoch operation;
};

struct Load {
  Moment moment;
  Parcel parcel;
  std::vector<Target> targets;
  std::function<void(Parcel &, const std::vector<Accessor> &)> gather;
};

struct StoreJob {
  Moment moment;
  Parcel parcel;
  std::function<void(Parcel &, const Accessor &)> scatter;
};

CopyState &stateOf(Thread &thread) { return stateIn<CopyState>(thread.copyState); }

std::vector<Target> targetsOf(const Instruction &instruction, void *shared, void *barrier, uint32_t mask) {
  Block *block = sharedBlockOf(instruction, "destination", shared, false);
  Block *barrierBlock = sharedBlockOf(instruction, "mbarrier", barrier, false);
  if (!block || block != barrierBlock) {
    if (block)
      instruction.refuse(Finding::sharedMemory, "takes an mbarrier that does not lie in the block of its destination");
    return {};
  }
  const std::vector<Block *> &cluster = block->cluster;
  if (!mask) return {{block, static_cast<uint8_t *>(shared), barrier, 0}};
  if (mask >> cluster.size()) {
    instruction.refuse(Finding::sharedMemory, "takes a multicast mask with bits past the " +
                                                  std::to_string(cluster.size()) + " blocks of the cluster");
    return {};
  }
  const auto place = [&](const void *address, Block *to) {
    return to->shared + (static_cast<const uint8_t *>(address) - block->shared);
  };
  std::vector<Target> targets;
  for (Block *to : cluster)
    if (mask >> to->clusterRank & 1) targets.push_back({to, place(shared, to), place(barrier, to), 0});
  return targets;
}

} // namespace

void startLoad(const Instruction &instruction, void *shared, uint64_t bytes, void *barrier, uint32_t multicastMask,
               std::function<void(Parcel &, const std::vector<Accessor> &)> gather,
               const std::function<void(Epoch)> &begun) {
  Thread &thread = instruction.thread;
  const uint64_t source = instruction.source;
  std::vector<Target> targets = targetsOf(instruction, shared, barrier, multicastMask);
  for (Target &target : targets) {
    if (!mbarrier::usableByAsync(thread, target.barrier, source)) return;
    target.operation = thread.block->beginOperation(thread, source);
    cluster::accessBy(target.operation, thread, *target.block, source);
  }
  if (begun && !targets.empty()) begun(targets[0].operation);
  auto load = std::make_shared<Load>(Load{Moment(instruction), Parcel(bytes), std::move(targets), std::move(gather)});
  const uint64_t reading = scheduler::submit([load] {
    std::vector<Accessor> readers;
    for (const Target &target : load->targets) {
      readers.push_back(load->moment.accessor(target.operation));
      // The bytes are fetched once, however many blocks they go to.
      if (readers.size() > 1) readers.back().thread = nullptr;
    }
    load->gather(load->parcel, readers);
  });
  for (size_t i = 0; i < load->targets.size(); ++i)
    scheduler::submit([load, reading, i, &thread, source] {
      scheduler::force(reading);
      const Target &target = load->targets[i];
      load->parcel.write(0, target.shared, load->parcel.bytes.size(), load->moment.accessor(target.operation));
      mbarrier::completeTransaction(thread, target.barrier, load->parcel.bytes.size(), target.operation, source);
    });
}

void startStore(const Instruction &instruction, const void *shared, uint64_t bytes,
                std::function<void(Parcel &, const Accessor &)> scatter, const std::function<void(Epoch)> &begun) {
  Thread &thread = instruction.thread;
  if (!sharedBlockOf(instruction, "source", shared, true)) return;
  Store store;
  store.read = thread.block->beginOperation(thread, instruction.source);
  if (begun) begun(store.read);
  auto job = std::make_shared<StoreJob>(StoreJob{Moment(instruction), Parcel(bytes), std::move(scatter)});
  store.written = thread.block->beginOperation(thread, instruction.source, true);
  store.readTicket = scheduler::submit([job, shared, read = store.read] {
    job->parcel.read(0, static_cast<const uint8_t *>(shared), job->parcel.bytes.size(), {job->moment.accessor(read)});
  });
  store.writeTicket = scheduler::submit([job, reading = store.readTicket, written = store.written] {
    scheduler::force(reading);
    job->scatter(job->parcel, job->moment.accessor(written));
  });
  stateOf(thread).openBulk.push_back(store);
}

void commitBulkGroup(Thread &thread) {
  CopyState &state = stateOf(thread);
  state.committedBulk.push_back(std::move(state.openBulk));
  state.openBulk.clear();
}

void waitBulkGroups(Thread &thread, uint32_t pending, bool readsOnly) {
  CopyState &state = stateOf(thread);
  std::vector<BulkGroup> &groups = state.committedBulk;
  const size_t done = groups.size() > pending ? groups.size() - pending : 0;
  const auto complete = [&](uint64_t ticket, Epoch operation) {
    scheduler::force(ticket);
    thread.vc.raise(operation);
    thread.va.raise(operation);
  };
  for (; state.readsAwaited < done; ++state.readsAwaited)
    for (const Store &store : groups[state.readsAwaited]) complete(store.readTicket, store.read);
  if (readsOnly) return;
  for (size_t i = 0; i < done; ++i)
    for (const Store &store : groups[i]) complete(store.writeTicket, store.written);
  groups.erase(groups.begin(), groups.begin() + ptrdiff_t(done));
  state.readsAwaited -= done;
}

namespace {

void checkRange(const Instruction &instruction, const void *global, uint32_t bytes) {
  checkGlobal(instruction, global);
  checkAligned(instruction, "global address", global, 16);
  if (bytes % 16)
    instruction.refuse(Finding::misaligned,
                       "takes a size of " + std::to_string(bytes) + " bytes, expected a multiple of 16");
}

} // namespace
} // namespace mmc::emu::copies

using namespace mmc::emu;
using namespace mmc::emu::copies;

void mmcEmuBulkLoad(void *shared, const void *global, unsigned bytes, void *mbarrier, unsigned multicastMask) {
  scheduler::mayYield();
  const Instruction instruction{*scheduler::current(), "cp.async.bulk", MMC_EMU_SOURCE};
  checkRange(instruction, global, bytes);
  checkAligned(instruction, "destination", shared, 16);
  startLoad(instruction, shared, bytes, mbarrier, multicastMask,
            [global](Parcel &parcel, const std::vector<Accessor> &readers) {
              parcel.read(0, static_cast<const uint8_t *>(global), parcel.bytes.size(), readers);
            });
}

void mmcEmuBulkStore(void *global, const void *shared, unsigned bytes) {
  scheduler::mayYield();
  const Instruction instruction{*scheduler::current(), "cp.async.bulk", MMC_EMU_SOURCE};
  checkRange(instruction, global, bytes);
  checkAligned(instruction, "source", shared, 16);
  startStore(instruction, shared, bytes, [global](Parcel &parcel, const Accessor &writer) {
    parcel.write(0, static_cast<uint8_t *>(global), parcel.bytes.size(), writer);
  });
}

void mmcEmuBulkCopyToCluster(void *remote, const void *shared, unsigned bytes, void *remoteMbarrier) {
  scheduler::mayYield();
  const Instruction instruction{*scheduler::current(), "cp.async.bulk", MMC_EMU_SOURCE};
  if (!sharedBlockOf(instruction, "source", shared, true)) return;
  if (sharedBlockOf(instruction, "destination", remote, false) == instruction.thread.block)
    return instruction.refuse(Finding::sharedMemory,
                              "copies to the issuer's own block, expected another one of the cluster");
  checkAligned(instruction, "source", shared, 16);
  checkAligned(instruction, "destination", remote, 16);
  if (bytes % 16)
    instruction.refuse(Finding::misaligned,
                       "takes a size of " + std::to_string(bytes) + " bytes, expected a multiple of 16");
  startLoad(instruction, remote, bytes, remoteMbarrier, 0,
            [shared](Parcel &parcel, const std::vector<Accessor> &readers) {
              parcel.read(0, static_cast<const uint8_t *>(shared), parcel.bytes.size(), readers);
            });
}

void mmcEmuBulkPrefetch(const void *global, unsigned bytes) {
  checkRange({*scheduler::current(), "cp.async.bulk.prefetch", MMC_EMU_SOURCE}, global, bytes);
}

void mmcEmuBulkCommit() { commitBulkGroup(*scheduler::current()); }

void mmcEmuBulkWait(unsigned pending, unsigned readsOnly) {
  scheduler::mayYield();
  waitBulkGroups(*scheduler::current(), pending, readsOnly != 0);
}
