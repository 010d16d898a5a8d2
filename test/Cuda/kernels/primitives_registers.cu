// archs: sm_90a sm_120a
// Both operations of ptx/registers.cuh, so that both readers compile it.
#include "ptx/registers.cuh"

MMC_KERNEL(384, 1) void primitives_registers(u32 *out) {
  if (warpgroupIndex() == 0) {
    lowerRegisters<40>();
    out[threadIndex()] = 1;
  } else {
    raiseRegisters<232>();
    out[threadIndex()] = 2;
  }
}
MMC_EXPORT(primitives_registers, 384, 1)
