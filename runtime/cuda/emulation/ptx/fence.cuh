// Host twin of device/ptx/fence.cuh.
#pragma once

#include "ptx/launch.cuh"

MMC_DEVICE void fenceProxyAsync() { mmcEmuFenceProxyAsync(mmcEmuAllSpaces); }
MMC_DEVICE void fenceProxyAsyncShared() { mmcEmuFenceProxyAsync(mmcEmuSharedSpace); }
MMC_DEVICE void fenceProxyAsyncGlobal() { mmcEmuFenceProxyAsync(mmcEmuGlobalSpace); }
template <Scope scope = Scope::device> MMC_DEVICE void fenceAcquireRelease() { mmcEmuFenceAcquireRelease(u32(scope)); }
MMC_DEVICE void fenceMbarrierInit() { mmcEmuFenceMbarrierInit(); }
