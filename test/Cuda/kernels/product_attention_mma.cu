// archs: sm_80 sm_90a sm_120a
//
// out = softmax(q k^T) v of one head, 64 queries, 64 keys, 64 numbers each, a warp per 16 queries, on every
// architecture; and a product of 8-bit integers.
#include "copy/rows.cuh"
#include "mma/product.cuh"
#include "ptx/barrier.cuh"

struct PortableAttentionShared {
  Tile<bf16, 64, 64> q, k, v;
};

MMC_KERNEL(128, 1) void product_attention_mma(const bf16 *q, const bf16 *k, const bf16 *v, float *out) {
  MMC_SHARED(PortableAttentionShared, shared);
  const u32 thread = threadIndex(), firstRow = thread / 32 * 16;
  loadRows<128>(shared.q, thread, q, 64, [&](u32 row) { return q + row * 64; });
  loadRows<128>(shared.k, thread, k, 64, [&](u32 row) { return k + row * 64; });
  loadRows<128>(shared.v, thread, v, 64, [&](u32 row) { return v + row * 64; });
  copyAsyncCommit();
  copyAsyncWait<0>();
  syncThreads();

  Operand<bf16, 16, 64, Mma> queries, weights;
  loadOperand(queries, kMajor(shared.q, firstRow));
  Fragment<16, 64, Mma> scores, sum;
  multiply(scores, queries, kMajor(shared.k), false);
  RowValues<16, Mma> most, total;
  rowMax(most, scores);
  forEachWithRow(scores, most,
                 [](float &score, float largest) { score = exp2Approx((score - largest) * 1.44269504f); });
  rowSum(total, scores);
  toOperand(weights, scores);
  multiply(sum, weights, mnMajor(shared.v), false);
  forEachWithRow(sum, total, [](float &value, float weight) { value *= reciprocalApprox(weight); });
  forEach(sum, [&](float &value, u32 row, u32 column) { out[(firstRow + row) * 64 + column] = value; });
}
MMC_EXPORT(product_attention_mma, 128, 1, PortableAttentionShared)

struct ByteProductShared {
  Tile<s8, 64, 128> a;
  Tile<s8, 32, 128> b;
};

/// out[64][32] = a[64][128] b[32][128]^T in integers.
MMC_KERNEL(128, 1) void product_bytes_mma(const s8 *a, const s8 *b, s32 *out) {
  MMC_SHARED(ByteProductShared, shared);
  const u32 thread = threadIndex(), firstRow = thread / 32 * 16;
  loadRows<128>(shared.a, thread, a, 128, [&](u32 row) { return a + row * 128; });
  loadRows<128>(shared.b, thread, b, 128, [&](u32 row) { return b + row * 128; });
  copyAsyncWaitAll();
  syncThreads();
  Fragment<16, 32, Mma, s32> sum;
  multiply(sum, kMajor(shared.a, firstRow), kMajor(shared.b), false);
  forEach(sum, [&](s32 &value, u32 row, u32 column) { out[(firstRow + row) * 32 + column] = value; });
}
MMC_EXPORT(product_bytes_mma, 128, 1, ByteProductShared)
