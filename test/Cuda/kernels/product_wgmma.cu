// archs: sm_90a
//
// out[m][n] = sum over k of a[m][k] b[n][k], bf16: persistent and warp-specialised, tensor copies into a ring of four
// stages, wgmma out of it. Tiles beyond the edges read zeros and store nothing. The second kernel rounds to bf16 and
// stores by tensor copies.
#include "copy/fragments.cuh"
#include "copy/tensor.cuh"
#include "mma/warpgroup.cuh"
#include "ptx/registers.cuh"
#include "sync/ring.cuh"
#include "sync/team.cuh"

constexpr u32 kTileM = 128, kTileN = 128, kTileK = 64, kStages = 4;

struct ProductStage {
  Tile<bf16, kTileM, kTileK> a;
  Tile<bf16, kTileN, kTileK> b;
};
struct ProductShared {
  Ring<ProductStage, kStages> ring;
  Tile<bf16, 64, kTileN> out[2]; // one per math warpgroup
};

/// The producer: one thread keeps the ring full.
MMC_DEVICE void produce(ProductShared &shared, const TensorMap &a, const TensorMap &b, u32 tilesM, u32 tiles,
                        u32 depth) {
  Position<kStages> at;
  MMC_NO_UNROLL for (u32 tile = blockIndex(); tile < tiles; tile += blockCount()) {
    const s32 m = s32(tile % tilesM * kTileM), n = s32(tile / tilesM * kTileN);
    MMC_NO_UNROLL for (u32 k = 0; k < depth; k += kTileK) {
      shared.ring.waitEmpty(at);
      ProductStage &stage = shared.ring.stages[at.stage];
      Mbarrier &full = shared.ring.full[at.stage];
      shared.ring.expect(at, stage.a.kBytes + stage.b.kBytes);
      tensorLoadTile(stage.a, a, full, s32(k), m);
      tensorLoadTile(stage.b, b, full, s32(k), n);
      at.advance();
    }
  }
}

/// One tile of a math warpgroup: 64 rows. A stage is released when the product after it has been issued.
template <class Sum>
MMC_DEVICE void consume(ProductShared &shared, Position<kStages> &at, Sum &sum, u32 firstRow, u32 depth) {
  MMC_NO_UNROLL for (u32 k = 0; k < depth; k += kTileK) {
    shared.ring.waitFull(at);
    const ProductStage &stage = shared.ring.stages[at.stage];
    fence(sum);
    multiply(sum, kMajor(stage.a, firstRow), kMajor(stage.b), k > 0);
    commit();
    if (k > 0) {
      wait<1>();
      if (threadIndex() % 128 == 0) shared.ring.release(at.previous());
    }
    at.advance();
  }
  wait<0>(sum);
  if (threadIndex() % 128 == 0) shared.ring.release(at.previous());
}

MMC_DEVICE void begin(ProductShared &shared) {
  if (threadIndex() == 0) shared.ring.initialise(1, 2);
  syncThreads();
}

MMC_KERNEL(384, 1)
void product_wgmma(MMC_GRID_CONSTANT TensorMap a, MMC_GRID_CONSTANT TensorMap b, float *out, u32 rows, u32 columns,
                   u32 depth) {
  MMC_SHARED(ProductShared, shared);
  begin(shared);
  const u32 role = warpgroupIndex();
  const u32 tilesM = (rows + kTileM - 1) / kTileM, tiles = tilesM * ((columns + kTileN - 1) / kTileN);
  if (role == 0) {
    lowerRegisters<40>();
    if (threadIndex() == 0) produce(shared, a, b, tilesM, tiles, depth);
  } else {
    raiseRegisters<232>();
    Position<kStages> at;
    MMC_NO_UNROLL for (u32 tile = blockIndex(); tile < tiles; tile += blockCount()) {
      Fragment<64, kTileN, Wgmma> sum;
      consume(shared, at, sum, (role - 1) * 64, depth);
      const u32 firstRow = tile % tilesM * kTileM + (role - 1) * 64, firstColumn = tile / tilesM * kTileN;
      forEach(sum, [&](float &value, u32 row, u32 column) {
        if (firstRow + row < rows && firstColumn + column < columns)
          out[u64(firstRow + row) * columns + firstColumn + column] = value;
      });
    }
  }
}
MMC_EXPORT(product_wgmma, 384, 1, ProductShared)

MMC_KERNEL(384, 1)
void product_wgmma_rounded(MMC_GRID_CONSTANT TensorMap a, MMC_GRID_CONSTANT TensorMap b,
                           MMC_GRID_CONSTANT TensorMap out, u32 rows, u32 columns, u32 depth) {
  MMC_SHARED(ProductShared, shared);
  begin(shared);
  const u32 role = warpgroupIndex();
  const u32 tilesM = (rows + kTileM - 1) / kTileM, tiles = tilesM * ((columns + kTileN - 1) / kTileN);
  if (role == 0) {
    lowerRegisters<40>();
    if (threadIndex() == 0) produce(shared, a, b, tilesM, tiles, depth);
  } else {
    raiseRegisters<232>();
    const bool leader = threadIndex() % 128 == 0;
    auto &staged = shared.out[role - 1];
    Position<kStages> at;
    MMC_NO_UNROLL for (u32 tile = blockIndex(); tile < tiles; tile += blockCount()) {
      Fragment<64, kTileN, Wgmma> sum;
      consume(shared, at, sum, (role - 1) * 64, depth);
      // The store of the tile before has read what is overwritten here.
      if (leader) bulkWaitRead<0>();
      barrierSync(role, 128);
      storeFragment(staged, sum);
      fenceProxyAsyncShared();
      barrierSync(role, 128);
      if (leader) {
        store(out, staged, s32(tile / tilesM * kTileN), s32(tile % tilesM * kTileM + (role - 1) * 64));
        bulkCommit();
      }
    }
    if (leader) bulkWait<0>();
  }
}
MMC_EXPORT(product_wgmma_rounded, 384, 1, ProductShared)
