// Implements cp.async. Invariant: a batch's operation is pending in the scheduler exactly while copies of it wait.
#include "runtime/cuda/emulation/ops/AsyncCopy.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/ops/Mbarrier.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace mmc::emu::copies {

namespace {

AsyncGroups &groupsOf(Thread &thread) {
  CopyState &state = stateIn<CopyState>(thread.copyState);
  if (!state.async) state.async = std::make_shared<AsyncGroups>();
  return *state.async;
}

void execute(Thread &thread, Epoch operation, const AsyncCopy &copy) {
  Clock seen = copy.seen;
  seen.raise(thread.column | copy.clock);
  Accessor who;
  who.writesSeen = who.readsSeen = &seen;
  who.self = who.ownColumn = operation;
  who.passesOn = true;
  who.thread = &thread;
  who.source = copy.source;
  memory::read(copy.global, copy.validBytes, who, false);
  memory::write(copy.shared, copy.bytes, who, false);
  memcpy(copy.shared, copy.global, copy.validBytes);
  memset(copy.shared + copy.validBytes, 0, copy.bytes - copy.validBytes);
  if (memory::isInitialised(copy.global, copy.validBytes)) return;
  for (uint32_t i = 0; i < copy.validBytes; ++i)
    if (!memory::isInitialised(copy.global + i, 1)) memory::setInitialised(copy.shared + i, 1, false);
}

void executeWaiting(Thread &thread, AsyncBatch &batch) {
  const std::vector<AsyncCopy> copies = std::move(batch.waiting);
  batch.waiting.clear();
  for (const AsyncCopy &copy : copies) execute(thread, batch.operation, copy);
}

void force(const AsyncBatch &batch) {
  if (batch.ticket) scheduler::force(batch.ticket);
}

/// The batch that takes the next copy.
AsyncBatch &batchOf(AsyncGroups &groups, const Instruction &instruction) {
  if (groups.open.empty() || groups.sealed) {
    Thread &thread = instruction.thread;
    // A thread that completes on mbarriers may never commit; what it knows to be complete needs no wait any more.
    std::erase_if(groups.open, [&](const auto &batch) { return thread.vc.contains(batch->operation); });
    groups.open.push_back(std::make_shared<AsyncBatch>());
    // The end of a kernel waits for its copies, and nobody can look at shared memory after it.
    groups.open.back()->operation = thread.block->beginOperation(thread, instruction.source, true);
    groups.sealed = false;
  }
  return *groups.open.back();
}

/// The phases of mbarriers that the thread knows to be complete. The arrival of copies releases no writes of the
/// thread, but it comes after whatever the thread has waited for: who waits for it may count on that.
ClockPair knownPhases(const Thread &thread) {
  const Block &block = *thread.block;
  ClockPair known{Clock(block.serial, thread.vc.getStreams()), Clock(block.serial, thread.vc.getStreams())};
  for (uint32_t i = 0; i < block.operations.size(); ++i) {
    const uint32_t column = uint32_t(block.threads.size()) + i;
    if (!block.operations[i].reserved) continue;
    if (const uint32_t phases = thread.vc.knownOf(column)) known.vc.raise(block.serial, column, phases);
  }
  return known;
}

bool check(const Instruction &instruction, const void *shared, const void *global, uint32_t bytes,
           uint32_t validBytes) {
  if (!sharedBlockOf(instruction, "destination", shared, true)) return false;
  checkAligned(instruction, "destination", shared, bytes);
  checkAligned(instruction, "source", global, bytes);
  if (validBytes > bytes) {
    instruction.refuse(Finding::other, "reads " + std::to_string(validBytes) + " bytes for a copy of " +
                                           std::to_string(bytes) + ", expected at most as many");
    return false;
  }
  if (validBytes) checkGlobal(instruction, global);
  return true;
}

} // namespace

void copyAsync(Thread &thread, void *shared, const void *global, uint32_t bytes, uint32_t validBytes, uint64_t source) {
  const Instruction instruction{thread, "cp.async", source};
  if (!check(instruction, shared, global, bytes, validBytes)) return;
  counting::access(thread, global, validBytes, counting::Kind::load, source);
  counting::access(thread, shared, bytes, counting::Kind::store, source);
  AsyncBatch &batch = batchOf(groupsOf(thread), instruction);
  batch.waiting.push_back({static_cast<uint8_t *>(shared), static_cast<const uint8_t *>(global), bytes, validBytes,
                           thread.vc, thread.clock, source});
  thread.tick();
  if (batch.ticket && scheduler::pending(batch.ticket)) return;
  const std::shared_ptr<AsyncBatch> shares = groupsOf(thread).open.back();
  batch.ticket = scheduler::submit([&thread, shares] { executeWaiting(thread, *shares); });
}

void commitAsyncGroup(Thread &thread) {
  AsyncGroups &groups = groupsOf(thread);
  groups.committed.push_back(std::move(groups.open));
  groups.open.clear();
  groups.sealed = false;
}

void waitAsyncGroups(Thread &thread, uint32_t pending) {
  AsyncGroups &groups = groupsOf(thread);
  while (groups.committed.size() > pending) {
    for (const auto &batch : groups.committed.front()) {
      force(*batch);
      thread.vc.raise(batch->operation);
    }
    groups.committed.pop_front();
  }
}

void arriveOnCopies(Thread &thread, void *barrier, uint64_t source) {
  if (!mbarrier::beginCopyArrive(thread, barrier, true, source)) return;
  AsyncGroups &groups = groupsOf(thread);
  AsyncGroups::Group covered = groups.open;
  for (const AsyncGroups::Group &group : groups.committed) covered.insert(covered.end(), group.begin(), group.end());
  groups.sealed = true;
  scheduler::submit([&thread, barrier, source, covered, clocks = knownPhases(thread)]() mutable {
    for (const auto &batch : covered) {
      force(*batch);
      clocks.vc.raise(batch->operation);
    }
    mbarrier::completeCopyArrive(thread, barrier, clocks, source);
  });
}

} // namespace mmc::emu::copies

using namespace mmc::emu;

void mmcEmuCopyAsync(void *shared, const void *global, unsigned bytes, unsigned validBytes) {
  scheduler::mayYield();
  copies::copyAsync(*scheduler::current(), shared, global, bytes, validBytes, MMC_EMU_SOURCE);
}

void mmcEmuCopyAsyncCommit() { copies::commitAsyncGroup(*scheduler::current()); }

void mmcEmuCopyAsyncWait(unsigned pending) {
  scheduler::mayYield();
  copies::waitAsyncGroups(*scheduler::current(), pending);
}

void mmcEmuCopyAsyncWaitAll() {
  scheduler::mayYield();
  copies::commitAsyncGroup(*scheduler::current());
  copies::waitAsyncGroups(*scheduler::current(), 0);
}

void mmcEmuMbarrierArriveOnCopies(void *mbarrier) {
  scheduler::mayYield();
  copies::arriveOnCopies(*scheduler::current(), mbarrier, MMC_EMU_SOURCE);
}
