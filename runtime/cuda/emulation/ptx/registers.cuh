// Host twin of device/ptx/registers.cuh.
#pragma once

#include "ptx/launch.cuh"

template <u32 count> MMC_DEVICE void lowerRegisters() {
  static_assert(count >= 24 && count <= 256 && count % 8 == 0, "register counts are multiples of 8 from 24 to 256");
  mmcEmuSetRegisters(count, 0);
}
template <u32 count> MMC_DEVICE void raiseRegisters() {
  static_assert(count >= 24 && count <= 256 && count % 8 == 0, "register counts are multiples of 8 from 24 to 256");
  mmcEmuSetRegisters(count, 1);
}
