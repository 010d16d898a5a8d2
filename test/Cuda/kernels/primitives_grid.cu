// archs: sm_90a sm_120a
// Both operations of ptx/grid.cuh, so that both readers compile it.
#include "ptx/grid.cuh"

MMC_KERNEL(32, 1) void primitives_grid(u32 *out) {
  gridDependencyWait();
  out[threadIndex()] = 1;
  gridLaunchDependents();
}
MMC_EXPORT(primitives_grid, 32, 1)
