// Host twin of device/ptx/barrier.cuh.
#pragma once

#include "ptx/launch.cuh"

MMC_DEVICE void syncThreads() { mmcEmuSyncThreads(); }
MMC_DEVICE void barrierSync(u32 id, u32 threads) { mmcEmuBarrierSync(id, threads); }
MMC_DEVICE void barrierArrive(u32 id, u32 threads) { mmcEmuBarrierArrive(id, threads); }
MMC_DEVICE void clusterArrive() { mmcEmuClusterArrive(1); }
MMC_DEVICE void clusterArriveRelaxed() { mmcEmuClusterArrive(0); }
MMC_DEVICE void clusterWait() { mmcEmuClusterWait(); }
MMC_DEVICE void clusterSync() {
  mmcEmuClusterArrive(1);
  mmcEmuClusterWait();
}
