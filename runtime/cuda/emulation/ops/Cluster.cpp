// Implements accesses to other blocks' shared memory. Invariant: a block's record holds, per column of a peer, the last
// access of that column: an earlier one of the same column is ordered before it.
#include "runtime/cuda/emulation/ops/Cluster.h"

#include "runtime/cuda/emulation/ops/Fence.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <cstring>
#include <map>
#include <string>

namespace mmc::emu::cluster {

namespace {

struct Access {
  Epoch epoch = 0;
  const Thread *thread = nullptr;
  uint64_t source = 0;
};

/// Of the block that is reached into.
struct Accesses {
  std::map<uint64_t, Access> byColumn;
};

std::string rankOf(const Block &block) { return "block rank " + std::to_string(block.clusterRank) + " of the cluster"; }

/// True if `thread` is ordered after the start of a thread of `target`, which a relaxed arrival at the cluster's
/// barrier tells as well.
bool knowsStart(const Thread &thread, const Block &target) {
  for (uint32_t column = 0; column < target.threads.size(); ++column)
    if (thread.vc.contains(makeEpoch(target.serial, column, 1))) return true;
  return false;
}

void checkAtEnd(Block &block) {
  ClockPair all;
  for (const auto &thread : block.threads) all.vc.join(thread->vc);
  for (const auto &[column, access] : stateIn<Accesses>(block.remoteState).byColumn)
    if (!all.vc.contains(access.epoch))
      reports::add(Finding::sharedMemory, access.thread, access.source,
                   "reaches into the shared memory of " + rankOf(block) +
                       ", which may have exited by then: nothing orders the access before the exit");
}

} // namespace

Block *blockOf(const Thread &thread, const void *address) {
  if (memory::classify(address) != memory::Kind::shared) return nullptr;
  const uint8_t *window = memory::sharedWindowOf(address);
  for (Block *block : thread.block->cluster)
    if (block->shared == window) return block;
  return nullptr;
}

void accessBy(Epoch operation, Thread &issuer, Block &target, uint64_t source) {
  if (&target == issuer.block) return;
  if (target.unfinished == 0)
    reports::add(Finding::sharedMemory, &issuer, source,
                 "reaches into the shared memory of " + rankOf(target) + ", which has exited");
  if (!knowsStart(issuer, target))
    reports::add(Finding::sharedMemory, &issuer, source,
                 "reaches into the shared memory of " + rankOf(target) +
                     ", which may not have started: nothing orders its start before (a cluster barrier does)");
  if (!target.remoteState) target.atEnd.push_back(checkAtEnd);
  stateIn<Accesses>(target.remoteState).byColumn[operation >> 24] = {operation, &issuer, source};
}

void access(Thread &thread, Block &target, uint64_t source) {
  if (&target != thread.block) accessBy(thread.epoch(), thread, target, source);
}

namespace {

Block *remote(Thread &thread, const void *address, unsigned bytes, uint64_t source) {
  Block *block = blockOf(thread, address);
  const uint64_t offset = block ? uint64_t(static_cast<const uint8_t *>(address) - block->shared) : 0;
  if (!block || offset + bytes > block->sharedBytes) {
    reports::add(block ? Finding::outOfBounds : Finding::sharedMemory, &thread, source,
                 block ? "reaches to byte " + std::to_string(offset + bytes) + " of the shared memory of " +
                             rankOf(*block) + ", which has " + std::to_string(block->sharedBytes)
                       : "a shared::cluster address that lies in no block of the cluster");
    scheduler::abandon();
    return nullptr;
  }
  access(thread, *block, source);
  return block;
}

} // namespace
} // namespace mmc::emu::cluster

using namespace mmc::emu;

void *mmcEmuMapToRank(const void *shared, unsigned rank) {
  Thread &thread = *scheduler::current();
  const uint64_t source = MMC_EMU_SOURCE;
  const Block *own = cluster::blockOf(thread, shared);
  if (own != thread.block || rank >= thread.block->cluster.size()) {
    reports::add(Finding::sharedMemory, &thread, source,
                 own != thread.block ? std::string("mapa of an address that is not in the block's own shared memory")
                                     : "mapa to rank " + std::to_string(rank) + " of a cluster of " +
                                           std::to_string(thread.block->cluster.size()) + " blocks");
    scheduler::abandon();
    return nullptr;
  }
  return thread.block->cluster[rank]->shared + (static_cast<const uint8_t *>(shared) - own->shared);
}

void mmcEmuRemoteLoad(void *value, const void *address, unsigned bytes) {
  Thread &thread = *scheduler::current();
  const uint64_t source = MMC_EMU_SOURCE;
  scheduler::mayYield();
  if (!cluster::remote(thread, address, bytes, source)) return;
  memory::read(address, bytes, accessorOf(thread, Proxy::generic, source));
  memcpy(value, address, bytes);
}

void mmcEmuRemoteStore(void *address, const void *value, unsigned bytes) {
  Thread &thread = *scheduler::current();
  const uint64_t source = MMC_EMU_SOURCE;
  scheduler::mayYield();
  if (!cluster::remote(thread, address, bytes, source)) return;
  memory::write(address, bytes, accessorOf(thread, Proxy::generic, source));
  memcpy(address, value, bytes);
}
