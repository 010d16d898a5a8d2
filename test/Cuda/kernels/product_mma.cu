// archs: sm_80 sm_90a sm_120a
//
// out[m][n] = sum over k of a[m][k] b[n][k], bf16, or of a[m][k] b[k][n]: cp.async into three stages, ldmatrix and
// mma.sync out of them; every architecture. Rows, columns and depth need not fill their tiles; in memory rows of
// operands begin at multiples of 8 elements.
#include "copy/fragments.cuh"
#include "copy/rows.cuh"
#include "mma/product.cuh"
#include "ptx/barrier.cuh"

constexpr u32 kTileM = 64, kTileN = 64, kTileK = 64, kStages = 3, kThreads = 128;

struct PortableStage {
  Tile<bf16, kTileM, kTileK> a;
  Tile<bf16, 64, 64> b; // [n][k], or [k][n]
};
struct PortableShared {
  PortableStage stages[kStages];
  Tile<bf16, kTileM, kTileN> out;
};

/// The block's tile of the product, into each warp's 32 x 32 corner of it.
template <bool columnsFirst, class Sum>
MMC_DEVICE void multiplyTiles(PortableShared &shared, Sum &sum, const bf16 *a, const bf16 *b, u32 firstRow,
                              u32 firstColumn, u32 rows, u32 columns, u32 depth) {
  const u64 pitch = (depth + 7) / 8 * 8, pitchOfColumns = (columns + 7) / 8 * 8;
  const u32 thread = threadIndex(), blocks = (depth + kTileK - 1) / kTileK;
  const u32 warpRow = thread / 64 * 32, warpColumn = thread / 32 % 2 * 32;
  const auto loadStage = [&](u32 block) {
    PortableStage &stage = shared.stages[block % kStages];
    const u32 k = block * kTileK;
    loadRows<kThreads>(stage.a, thread, a, depth - k,
                       [&](u32 row) { return firstRow + row < rows ? a + (firstRow + row) * pitch + k : nullptr; });
    if constexpr (columnsFirst)
      loadRows<kThreads>(stage.b, thread, b, columns - firstColumn, [&](u32 row) {
        return k + row < depth ? b + (k + row) * pitchOfColumns + firstColumn : nullptr;
      });
    else
      loadRows<kThreads>(stage.b, thread, b, depth - k, [&](u32 row) {
        return firstColumn + row < columns ? b + (firstColumn + row) * pitch + k : nullptr;
      });
  };
  MMC_UNROLL for (u32 block = 0; block < kStages - 1; ++block) {
    if (block < blocks) loadStage(block);
    copyAsyncCommit();
  }
  sum.fill(0.0f);
  MMC_NO_UNROLL for (u32 block = 0; block < blocks; ++block) {
    // This thread's copies of the block are there; after the barrier everybody's are, and the stage before is free.
    copyAsyncWait<kStages - 2>();
    syncThreads();
    if (block + kStages - 1 < blocks) loadStage(block + kStages - 1);
    copyAsyncCommit();
    const PortableStage &stage = shared.stages[block % kStages];
    if constexpr (columnsFirst)
      multiply(sum, kMajor(stage.a, warpRow), mnMajor(stage.b, warpColumn));
    else
      multiply(sum, kMajor(stage.a, warpRow), kMajor(stage.b, warpColumn));
  }
}

template <bool columnsFirst>
MMC_DEVICE void productToFloat(PortableShared &shared, const bf16 *a, const bf16 *b, float *out, u32 rows, u32 columns,
                               u32 depth) {
  const u32 firstRow = blockIndex() * kTileM, firstColumn = blockIndexY() * kTileN;
  Fragment<32, 32, Mma> sum;
  multiplyTiles<columnsFirst>(shared, sum, a, b, firstRow, firstColumn, rows, columns, depth);
  const u32 warpRow = threadIndex() / 64 * 32, warpColumn = threadIndex() / 32 % 2 * 32;
  forEach(sum, [&](float &value, u32 row, u32 column) {
    const u32 m = firstRow + warpRow + row, n = firstColumn + warpColumn + column;
    if (m < rows && n < columns) out[u64(m) * columns + n] = value;
  });
}

MMC_KERNEL(128, 1)
void product_mma(const bf16 *a, const bf16 *b, float *out, u32 rows, u32 columns, u32 depth) {
  MMC_SHARED(PortableShared, shared);
  productToFloat<false>(shared, a, b, out, rows, columns, depth);
}
MMC_EXPORT(product_mma, 128, 1, PortableShared)

MMC_KERNEL(128, 1)
void product_mma_columns(const bf16 *a, const bf16 *b, float *out, u32 rows, u32 columns, u32 depth) {
  MMC_SHARED(PortableShared, shared);
  productToFloat<true>(shared, a, b, out, rows, columns, depth);
}
MMC_EXPORT(product_mma_columns, 128, 1, PortableShared)

/// Rounded to bf16, in whole 16-byte stores: columns are a multiple of 64.
MMC_KERNEL(128, 1)
void product_mma_rounded(const bf16 *a, const bf16 *b, bf16 *out, u32 rows, u32 columns, u32 depth) {
  MMC_SHARED(PortableShared, shared);
  const u32 firstRow = blockIndex() * kTileM, firstColumn = blockIndexY() * kTileN;
  Fragment<32, 32, Mma> sum;
  multiplyTiles<false>(shared, sum, a, b, firstRow, firstColumn, rows, columns, depth);
  storeFragment<800>(shared.out, sum, threadIndex() / 64 * 32, threadIndex() / 32 % 2 * 32);
  syncThreads();
  storeRows<kThreads>(shared.out, threadIndex(), [&](u32 row) {
    return firstRow + row < rows ? out + u64(firstRow + row) * columns + firstColumn : nullptr;
  });
}
MMC_EXPORT(product_mma_rounded, 128, 1, PortableShared)
