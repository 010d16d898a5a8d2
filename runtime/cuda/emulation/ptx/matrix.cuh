// Host twin of device/ptx/matrix.cuh.
#pragma once

#include "ptx/launch.cuh"

template <u32 count> MMC_DEVICE void loadMatrix(u32 (&registers)[count], const void *row) {
  static_assert(count == 1 || count == 2 || count == 4, "ldmatrix loads 1, 2 or 4 matrices");
  mmcEmuLoadMatrix(registers, row, count, 0);
}
template <u32 count> MMC_DEVICE void loadMatrixTransposed(u32 (&registers)[count], const void *row) {
  static_assert(count == 1 || count == 2 || count == 4, "ldmatrix loads 1, 2 or 4 matrices");
  mmcEmuLoadMatrix(registers, row, count, 1);
}
template <u32 count> MMC_DEVICE void storeMatrix(void *row, const u32 (&registers)[count]) {
  static_assert(count == 1 || count == 2 || count == 4, "stmatrix stores 1, 2 or 4 matrices");
  mmcEmuStoreMatrix(row, registers, count, 0);
}
template <u32 count> MMC_DEVICE void storeMatrixTransposed(void *row, const u32 (&registers)[count]) {
  static_assert(count == 1 || count == 2 || count == 4, "stmatrix stores 1, 2 or 4 matrices");
  mmcEmuStoreMatrix(row, registers, count, 1);
}
