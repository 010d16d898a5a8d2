// cp.async: copies of 4, 8 or 16 bytes from global to shared memory, of one thread, that complete some time after they
// were issued.
//
// They belong to the generic proxy, but to an agent of their own: until the issuing thread waits for their group, its
// own accesses are not ordered after them, and other threads' are not before they also synchronise with that thread.
// Copies that complete together (a group, or what one cp.async.mbarrier.arrive covers) share a column, so that two
// of them with one destination are not told apart.
#pragma once

#include "runtime/cuda/emulation/ops/BulkCopy.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace mmc::emu::copies {

/// One cp.async, as it was issued.
struct AsyncCopy {
  uint8_t *shared;
  const uint8_t *global;
  uint32_t bytes, validBytes;
  Clock seen;     // the thread's clock without its own component
  uint32_t clock; // which is this
  uint64_t source;
};

/// Copies that complete together.
struct AsyncBatch {
  Epoch operation = 0;
  std::vector<AsyncCopy> waiting; // not executed yet
  uint64_t ticket = 0;            // of the operation that executes them; 0: none
};

/// Of one thread.
struct AsyncGroups {
  using Group = std::vector<std::shared_ptr<AsyncBatch>>;
  Group open;
  std::deque<Group> committed; // oldest first
  bool sealed = false;         // the open group's last batch takes no more copies
};

void copyAsync(Thread &thread, void *shared, const void *global, uint32_t bytes, uint32_t validBytes, uint64_t source);
void commitAsyncGroup(Thread &thread);
/// Until at most `pending` of the last committed groups are incomplete.
void waitAsyncGroups(Thread &thread, uint32_t pending);
/// cp.async.mbarrier.arrive.noinc: one arrival, once all copies of the thread so far are complete.
void arriveOnCopies(Thread &thread, void *barrier, uint64_t source);

} // namespace mmc::emu::copies
