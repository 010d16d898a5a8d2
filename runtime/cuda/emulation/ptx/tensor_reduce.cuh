// Host twin of device/ptx/tensor_reduce.cuh.
#pragma once

#include "ptx/bulk_copy.cuh"

template <class... Coordinates>
MMC_DEVICE void tensorReduceAdd(const TensorMap &map, const void *shared, Coordinates... at) {
  static_assert(sizeof...(at) >= 1 && sizeof...(at) <= 5, "a tensor map has 1 to 5 axes");
  const s32 coordinates[] = {s32(at)...};
  mmcEmuTensorReduceAdd(&map, shared, sizeof...(at), coordinates);
}

template <Scope scope = Scope::device> MMC_DEVICE void fenceTensorMapRelease() {
  mmcEmuFenceTensorMapRelease(u32(scope));
}
template <Scope scope = Scope::device> MMC_DEVICE void fenceTensorMapAcquire(const TensorMap &map) {
  mmcEmuFenceTensorMapAcquire(&map, u32(scope));
}
