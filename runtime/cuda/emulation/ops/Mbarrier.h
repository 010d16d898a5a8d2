// mbarriers: phases, arrivals and transaction bytes, with the clocks that each phase hands from those who arrive to
// those who wait.
//
// The eight bytes in shared memory hold only a token; the state lives beside the block, by address. Every phase owns
// its clocks, so that a waiter acquires what its phase released and nothing later. An mbarrier also owns a column of
// its block's clock segment, which counts its initialisation, the fence of it, and the completion of its phases:
// whether a thread knows of one of them, by itself or through others, is then one look into its clock, and tells which
// phase a wait by parity means.
//
// For colleagues: asynchronous copies call usableByAsync() when they are issued and completeTransaction() when they
// have written.
#pragma once

#include "runtime/cuda/emulation/ops/Fence.h"

#include <cstdint>

namespace mmc::emu::mbarrier {

/// A bulk copy names `barrier` as its completion mechanism: it must be initialised, and its initialisation visible to
/// the async proxy through `issuer` (fence.mbarrier_init by the initialising thread or fence.proxy.async, then a
/// barrier). Reports, and is false if the copy should be dropped.
bool usableByAsync(const Thread &issuer, const void *barrier, uint64_t source);

/// The copy has written `bytes` bytes: takes them off the transaction count of the current phase and lets who waits for
/// it acquire `operation`. `issuer` is the thread that issued the copy at `source`; the barrier may lie in any block of
/// its cluster.
void completeTransaction(const Thread &issuer, void *barrier, uint64_t bytes, Epoch operation, uint64_t source);

/// cp.async.mbarrier.arrive, when it is executed; without `noIncrement` the pending count grows by one.
bool beginCopyArrive(Thread &issuer, void *barrier, bool noIncrement, uint64_t source);
/// ... and when the thread's earlier cp.async have completed: arrives once and lets waiters acquire `clocks`.
void completeCopyArrive(const Thread &issuer, void *barrier, const ClockPair &clocks, uint64_t source);

/// "mbarrier at shared+0x40 (phase 3, 1 of 2 arrivals pending, 4096 bytes outstanding)": for deadlock reports of other
/// ops.
std::string describe(const Thread &issuer, const void *barrier);

/// The instructions, for a running thread. `remote`: the barrier is named by a shared::cluster address.
void initialise(Thread &thread, void *barrier, uint32_t count, uint64_t source);
void invalidate(Thread &thread, void *barrier, uint64_t source);
/// fence.mbarrier_init.release.cluster: what this thread has initialised, other blocks and the async proxy may use once
/// they are ordered after the fence.
void fenceInitialisation(Thread &thread);
struct Arrival {
  uint32_t count = 1;       // 0: expect_tx alone
  int64_t transactions = 0; // added to the transaction count before the arrival
  Order order = Order::release;
  Scope scope = Scope::block;
  bool remote = false;
};
void arrive(Thread &thread, void *barrier, const Arrival &arrival, uint64_t source);
/// Suspends until the phase with this parity is complete.
void waitParity(Thread &thread, void *barrier, uint32_t parity, Order order, Scope scope, uint64_t source);
/// One poll. A thread that only polls is suspended after some polls of one phase, so that a loop of polls ends.
bool testParity(Thread &thread, void *barrier, uint32_t parity, Order order, Scope scope, uint64_t source);

} // namespace mmc::emu::mbarrier
