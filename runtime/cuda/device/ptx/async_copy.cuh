// cp.async: copies of one thread from global to shared memory that do not wait (PTX ISA: cp.async,
// cp.async.commit_group, cp.async.wait_group). sm_80.
//
// Invariant: these are accesses by the generic proxy; after a wait the thread that issued them sees the bytes, others
// after a barrier too.
#pragma once

#include "ptx/launch.cuh"

/// Copies `bytes` (4, 8 or 16, both sides aligned to that); of the source only the first `validBytes` are read, the
/// rest becomes zeros. 16 bytes go past L1.
template <u32 bytes> MMC_DEVICE void copyAsync(void *shared, const void *global, u32 validBytes = bytes) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16, "cp.async copies 4, 8 or 16 bytes");
  const u64 source = __cvta_generic_to_global(global);
  if constexpr (bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(sharedAddress(shared)), "l"(source),
                 "r"(validBytes)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;" ::"r"(sharedAddress(shared)), "l"(source),
                 "r"(validBytes), "n"(bytes)
                 : "memory");
}
/// Ends a group: all copies of this thread since the last one.
MMC_DEVICE void copyAsyncCommit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Until at most `pending` of the last groups are incomplete.
template <u32 pending> MMC_DEVICE void copyAsyncWait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}
/// Until all copies are complete, committed or not.
MMC_DEVICE void copyAsyncWaitAll() { asm volatile("cp.async.wait_all;" ::: "memory"); }
