// Bulk copies: asynchronous operations that move bytes through the async proxy while their issuer goes on, and complete
// on an mbarrier (loads) or with a bulk group of the issuer (stores). Tensor copies are the same with boxes in the
// place of ranges; what both need is here.
//
// An operation sees memory as its issuer did when it issued: writes of the generic proxy only as far as a proxy fence
// has shown them to the async proxy, reads as far as the issuer was ordered after them. It moves the bytes when it is
// executed, early or late, so a source that changes too early shows in the result as well as in a report. Bytes that
// nothing has written stay unwritten where they go: to copy them is allowed, to use them is not.
#pragma once

#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/core/Scheduler.h"
#include "runtime/cuda/emulation/ops/Fence.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace mmc::emu::copies {

/// The instruction that a thread executes: where, and by which name reports call it.
struct Instruction {
  Thread &thread;
  const char *name; // "cp.async.bulk"
  uint64_t source;

  /// Reports, and ends the launch: the hardware does not execute it. Returns only outside of a launch.
  void refuse(Finding finding, const std::string &why) const;
};

/// The clocks of a thread at one moment, its own included; ends the thread's clock value, so that what it does next is
/// told from what it did before.
class Moment {
public:
  explicit Moment(const Instruction &instruction);
  /// An access by an asynchronous operation that was issued then.
  Accessor accessor(Epoch operation) const;

private:
  ClockPair clocks;
  Thread *thread;
  uint64_t source;
};

/// Bytes on their way.
struct Parcel {
  std::vector<uint8_t> bytes;
  std::vector<bool> unwritten; // empty: none of them

  explicit Parcel(uint64_t size) : bytes(size) {}
  /// Reads memory to the place `at`, by all of the accessors: one operation that completes in several places.
  void read(uint64_t at, const uint8_t *from, uint64_t count, const std::vector<Accessor> &readers);
  /// Writes `count` bytes from the place `at`.
  void write(uint64_t at, uint8_t *to, uint64_t count, const Accessor &writer) const;
  /// The byte of the place `at` goes to `to(at)`, a permutation of chunks of 16 bytes.
  void permute(const std::function<uint64_t(uint64_t)> &to);
};

/// Checks that the bytes lie in shared memory of a block of the thread's cluster and returns the block; with `own`, of
/// the thread's own block.
Block *sharedBlockOf(const Instruction &instruction, const char *operand, const void *shared, bool own);
void checkGlobal(const Instruction &instruction, const void *global);
void checkAligned(const Instruction &instruction, const char *operand, const void *address, uint64_t alignment);

/// Starts a load of `bytes` bytes to `shared` that completes on `barrier`: in the blocks of the mask at the same
/// offsets, or (0) where the pointers lie. `gather` fills the parcel, which is the destination's image. `begun` is
/// called at the issue with the operation.
void startLoad(const Instruction &instruction, void *shared, uint64_t bytes, void *barrier, uint32_t multicastMask,
               std::function<void(Parcel &, const std::vector<Accessor> &)> gather,
               const std::function<void(Epoch)> &begun = nullptr);

/// Starts a store of `bytes` bytes at `shared`, of the thread's current bulk group. `scatter` writes the parcel,
/// and may change it for that.
void startStore(const Instruction &instruction, const void *shared, uint64_t bytes,
                std::function<void(Parcel &, const Accessor &)> scatter,
                const std::function<void(Epoch)> &begun = nullptr);

/// cp.async.bulk.commit_group and wait_group(.read).
void commitBulkGroup(Thread &thread);
void waitBulkGroups(Thread &thread, uint32_t pending, bool readsOnly);

/// A store, from its issue to the wait for its group.
struct Store {
  Epoch read = 0, written = 0;
  uint64_t readTicket = 0, writeTicket = 0;
};
using BulkGroup = std::vector<Store>;

struct AsyncGroups; // of cp.async
struct TensorMapFence {
  const void *map;
  Clock seen; // what the fence has shown of it
};

/// Thread::copyState.
struct CopyState {
  BulkGroup openBulk;
  std::vector<BulkGroup> committedBulk; // oldest first
  size_t readsAwaited = 0;              // of these: groups whose reads the thread knows to be complete
  std::shared_ptr<AsyncGroups> async;
  std::vector<TensorMapFence> tensorMaps;
};

} // namespace mmc::emu::copies
