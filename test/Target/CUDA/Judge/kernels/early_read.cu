// A fragment is read between the issue of a product and its wait: ptxas puts a wait in, and says C7517.
#include "block/kernel.cuh"
#include "mma/warpgroup.cuh"

struct Shared {
  alignas(1024) u8 bytes[32768];
};
static_assert(sizeof(Shared) == 32768, "as the plan says");

MMC_KERNEL(128, 1) void early_read(float *out) {
  MMC_SHARED(Shared, shared);
  const u64 operand = matrixDescriptor(shared.bytes, 16, 1024, Swizzle::bytes128);
  float sum[32] = {};
  wgmmaFence(sum);
  wgmma<bf16>(sum, operand, operand, true);
  wgmmaCommit();
  out[threadIndex()] = sum[3];
  wgmmaWait<0>(sum);
  out[threadIndex() + 128] = sum[5];
}
MMC_EXPORT(early_read, 128, 1, Shared)
