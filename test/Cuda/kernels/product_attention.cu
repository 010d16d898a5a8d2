// archs: sm_90a
//
// out = softmax(q k^T) v of one head, 64 queries, 128 keys, 128 numbers each, by one warpgroup: a product whose left
// operand is the result of another, and an operand used transposed (v).
#include "copy/tensor.cuh"
#include "mma/warpgroup.cuh"
#include "ptx/barrier.cuh"
#include "ptx/fence.cuh"

struct AttentionShared {
  Tile<bf16, 64, 128> q;
  Tile<bf16, 128, 128> k, v;
  Mbarrier full;
};

MMC_KERNEL(128, 1)
void product_attention(MMC_GRID_CONSTANT TensorMap q, MMC_GRID_CONSTANT TensorMap k, MMC_GRID_CONSTANT TensorMap v,
                       float *out) {
  MMC_SHARED(AttentionShared, shared);
  if (threadIndex() == 0) {
    mbarrierInit(shared.full, 1);
    fenceMbarrierInit();
    mbarrierArriveExpect(shared.full, shared.q.kBytes + shared.k.kBytes + shared.v.kBytes);
    tensorLoadTile(shared.q, q, shared.full, 0, 0);
    tensorLoadTile(shared.k, k, shared.full, 0, 0);
    tensorLoadTile(shared.v, v, shared.full, 0, 0);
  }
  syncThreads();
  mbarrierWait(shared.full, 0);

  Fragment<64, 128, Wgmma> scores, sum;
  fence(scores);
  multiply(scores, kMajor(shared.q), kMajor(shared.k), false);
  commit();
  wait<0>(scores);

  RowValues<64, Wgmma> most, total;
  rowMax(most, scores);
  forEachWithRow(scores, most,
                 [](float &score, float largest) { score = exp2Approx((score - largest) * 1.44269504f); });
  rowSum(total, scores);
  Operand<bf16, 64, 128, Wgmma> weights;
  toOperand(weights, scores);

  fence(sum, weights);
  multiply(sum, weights, mnMajor(shared.v), false);
  commit();
  wait<0>(sum);
  forEachWithRow(sum, total, [](float &value, float weight) { value *= reciprocalApprox(weight); });
  forEachPair(sum, [&](float &first, float &second, u32 row, u32 column) {
    out[row * 128 + column] = first;
    out[row * 128 + column + 1] = second;
  });
}
MMC_EXPORT(product_attention, 128, 1, AttentionShared)
