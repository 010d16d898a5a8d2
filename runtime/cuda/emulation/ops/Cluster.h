// Distributed shared memory: the windows of the blocks of one cluster.
//
// A peer's shared memory exists from its start to its exit. Who reaches into it must know that the peer has started,
// and the peer must know before it exits that nobody will again: both are questions to the clocks, so they are found
// under every order of blocks.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>

namespace mmc::emu::cluster {

/// The block of the thread's cluster whose window holds the address; null if there is none.
Block *blockOf(const Thread &thread, const void *address);

/// `thread` is about to reach into the shared memory of `target` (nothing happens where that is its own block): checks
/// that the target has started and not exited, and records the access for the target's exit.
void access(Thread &thread, Block &target, uint64_t source);

/// The same for an asynchronous operation with the epoch `operation` that `issuer` started: multicast and copies
/// between blocks call it at issue.
void accessBy(Epoch operation, Thread &issuer, Block &target, uint64_t source);

} // namespace mmc::emu::cluster
