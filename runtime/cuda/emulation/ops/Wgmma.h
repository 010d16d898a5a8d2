// wgmma: products of a warpgroup (four warps, 128 threads) that run behind it, in batches.
//
// Every wgmma instruction of a thread (fence, mma_async, commit_group, wait_group) is the next entry of its warpgroup's
// sequence: the first thread to get there makes the entry, and the others must match it in place and operands. Nobody
// waits at an issue. When the last of the 128 threads commits, the batch becomes one operation of the scheduler, which
// runs at once or as late as at the wait; batches of a warpgroup run in order.
//
// Clocks: an instruction reads shared memory through the async proxy, with what its 128 issuers knew at its issue; all
// reads of a batch are stamped with the batch's column, which a thread acquires when its wait_group covers the batch.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"
#include "runtime/cuda/emulation/ops/Descriptor.h"
#include "runtime/cuda/emulation/ops/Product.h"

#include <cstdint>
#include <string>

namespace mmc::emu {

/// wgmma.mma_async as one thread issues it.
struct WgmmaArguments {
  void *d = nullptr;                    // n / 2 floats or int32 of this thread
  const uint32_t *aRegisters = nullptr; // 4 of this thread, or null
  uint64_t aDescriptor = 0;             // where aRegisters is null
  uint64_t bDescriptor = 0;
  uint32_t n = 0;
  Element a = Element::bf16, b = Element::bf16;
  uint32_t flags = 0; // MmcEmuWgmmaFlags
};

/// Empty if there is such an instruction; otherwise why not.
std::string checkShape(const WgmmaArguments &arguments);

namespace wgmma {
void fence(Thread &thread, uint64_t source);
void issue(Thread &thread, const WgmmaArguments &arguments, uint64_t source);
void commit(Thread &thread, uint64_t source);
void wait(Thread &thread, uint32_t pending, uint64_t source);
} // namespace wgmma

} // namespace mmc::emu
