// A product of tiles by mma.sync with nothing to object to.
#include "block/kernel.cuh"

struct Shared {
  Tile<bf16, 64, 64, Swizzle::bytes128> a;
  Tile<bf16, 64, 64, Swizzle::bytes128> b;
};
static_assert(sizeof(Shared) == 16384, "as the plan says");

MMC_KERNEL(128, 1) void good_product(const bf16 *a, const bf16 *b, float *y) {
  MMC_SHARED(Shared, shared);
  for (u32 i = threadIndex(); i < 64 * 64; i += 128) {
    shared.a.elements[i] = a[i];
    shared.b.elements[i] = b[i];
  }
  syncThreads();
  BlockFragment<float, Accumulators<128, 4, 1, 64, 64>> sum;
  assign(sum, [&](u32 slot) { return 0.0f; });
  multiply(sum, kMajor(shared.a), kMajor(shared.b));
  store<8>(sum, bounds(64, 64), [&](u32 i, u32 j) { return y + (i * 64 + j); });
}
MMC_EXPORT(good_product, 128, 1, Shared)
