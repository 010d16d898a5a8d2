// An array is indexed by numbers that are known at run time only: it lies in local memory, a stack frame without a spill.
#include "block/kernel.cuh"

MMC_KERNEL(32, 1) void indexed(float *out, u32 n) {
  float parts[64];
  for (u32 i = 0; i < 64; ++i) parts[i] = out[i];
  for (u32 i = 0; i < n; ++i) parts[i * n % 64] += parts[(i + n) % 64];
  for (u32 i = 0; i < 64; ++i) out[i] = parts[i];
}
MMC_EXPORT(indexed, 32, 1)
