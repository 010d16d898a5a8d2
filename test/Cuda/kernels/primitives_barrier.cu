// archs: sm_80 sm_90a sm_120a
// Every barrier of ptx/barrier.cuh, so that both readers compile it.
#include "ptx/barrier.cuh"

template <u32 architecture> MMC_DEVICE void barriersOfClusters() {
  if constexpr (architecture >= 900) {
    clusterArrive();
    clusterWait();
    clusterArriveRelaxed();
    clusterWait();
    clusterSync();
  }
}

MMC_KERNEL(64, 1) void primitives_barrier(u32 *out) {
  syncThreads();
  if (threadIndex() < 32)
    barrierArrive(2, 64);
  else
    barrierSync(2, 64);
  barrierSync(1, 64);
  barriersOfClusters<kArchitecture>();
  out[threadIndex()] = 1;
}
MMC_EXPORT(primitives_barrier, 64, 1)
