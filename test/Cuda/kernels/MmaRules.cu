// archs: none (variants are undefined on a device)
//
// Who executes mma.sync: the whole warp, from one place.
#include "base/types.cuh"
#include "ptx/launch.cuh"
#include "ptx/mma.cuh"

MMC_KERNEL(32, 1) void mmaByHalf(u32 broken, float *out) {
  if (broken && threadIndex() >= 16) return;
  float d[4] = {0, 0, 0, 0};
  const u32 a[4] = {0, 0, 0, 0}, b[2] = {0, 0};
  mma16x8x16<bf16>(d, a, b); // BAD: half a warp
  out[threadIndex()] = d[0];
}
MMC_EXPORT(mmaByHalf, 32, 1)

MMC_KERNEL(32, 1) void mmaFromTwoPlaces(u32 broken, float *out) {
  float d[4] = {0, 0, 0, 0};
  const u32 a[4] = {0, 0, 0, 0}, b[2] = {0, 0};
  if (broken && threadIndex() == 7) {
    mma16x8x16<bf16>(d, a, b); // BAD: one lane
  } else {
    mma16x8x16<bf16>(d, a, b); // BAD: the others
  }
  out[threadIndex()] = d[0];
}
MMC_EXPORT(mmaFromTwoPlaces, 32, 1)
