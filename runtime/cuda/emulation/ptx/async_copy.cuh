// Host twin of device/ptx/async_copy.cuh.
#pragma once

#include "ptx/launch.cuh"

template <u32 bytes> MMC_DEVICE void copyAsync(void *shared, const void *global, u32 validBytes = bytes) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16, "cp.async copies 4, 8 or 16 bytes");
  mmcEmuCopyAsync(shared, global, bytes, validBytes);
}
MMC_DEVICE void copyAsyncCommit() { mmcEmuCopyAsyncCommit(); }
template <u32 pending> MMC_DEVICE void copyAsyncWait() { mmcEmuCopyAsyncWait(pending); }
MMC_DEVICE void copyAsyncWaitAll() { mmcEmuCopyAsyncWaitAll(); }
