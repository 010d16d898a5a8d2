// archs: sm_90a
//
// One product per layout that operands can have: swizzles of 32, 64 and 128 bytes, K-major and MN-major, one and two
// blocks of rows, A from registers, every element type; by wgmma and by mma.sync. Tiles are written element by element.
#include "mma/warpgroup.cuh"
#include "ptx/barrier.cuh"
#include "ptx/fence.cuh"

template <class TileA, class TileB> struct LayoutShared {
  TileA a;
  TileB b;
};

/// Writes matrix[row][k] to the tile that is used as such an operand.
template <bool mnMajorTile, class TileType>
MMC_DEVICE void fillTile(TileType &tile, const typename TileType::Element *matrix, u32 rows, u32 depth) {
  MMC_NO_UNROLL for (u32 i = threadIndex(); i < rows * depth; i += 128) {
    const u32 row = i / depth, k = i % depth;
    if constexpr (mnMajorTile)
      tile.at(k, row) = matrix[i];
    else
      tile.at(row, k) = matrix[i];
  }
}

template <bool mnMajorTile, class TileType> MMC_DEVICE auto viewOf(const TileType &tile, u32 first = 0) {
  if constexpr (mnMajorTile)
    return mnMajor(tile, first);
  else
    return kMajor(tile, first);
}

/// out[rows][columns] = a b^T. `mnA`, `mnB`: how the tiles lie.
template <class TileA, bool mnA, class TileB, bool mnB, u32 rows, u32 columns, bool fromRegisters, class D>
MMC_DEVICE void productOfLayouts(D *out, const typename TileA::Element *a, const typename TileB::Element *b) {
  using Shared = LayoutShared<TileA, TileB>;
  MMC_SHARED(Shared, shared);
  constexpr u32 kDepth = mnA ? TileA::kRows : TileA::kColumns;
  fillTile<mnA>(shared.a, a, rows, kDepth);
  fillTile<mnB>(shared.b, b, columns, kDepth);
  fenceProxyAsyncShared();
  syncThreads();
  Fragment<rows, columns, Wgmma, D> sum;
  if constexpr (fromRegisters) {
    Operand<typename TileA::Element, rows, kDepth, Wgmma> left;
    loadOperand(left, viewOf<mnA>(shared.a));
    fence(sum, left);
    multiply(sum, left, viewOf<mnB>(shared.b), false);
    commit();
    wait<0>(sum, left);
  } else {
    fence(sum);
    multiply(sum, viewOf<mnA>(shared.a), viewOf<mnB>(shared.b), false);
    commit();
    wait<0>(sum);
  }
  forEach(sum, [&](D &value, u32 row, u32 column) { out[row * columns + column] = value; });
}

/// The same, a quarter of the rows by each warp.
template <class TileA, bool mnA, class TileB, bool mnB, u32 rows, u32 columns, class D>
MMC_DEVICE void productOfWarps(D *out, const typename TileA::Element *a, const typename TileB::Element *b) {
  using Shared = LayoutShared<TileA, TileB>;
  MMC_SHARED(Shared, shared);
  constexpr u32 kDepth = mnA ? TileA::kRows : TileA::kColumns;
  fillTile<mnA>(shared.a, a, rows, kDepth);
  fillTile<mnB>(shared.b, b, columns, kDepth);
  syncThreads();
  const u32 firstRow = threadIndex() / 32 * (rows / 4);
  Fragment<rows / 4, columns, Mma, D> sum;
  multiply(sum, viewOf<mnA>(shared.a, firstRow), viewOf<mnB>(shared.b), false);
  forEach(sum, [&](D &value, u32 row, u32 column) { out[(firstRow + row) * columns + column] = value; });
}

#define LAYOUTS(name, T, D, TileA, mnA, TileB, mnB, rows, columns, fromRegisters)                                      \
  using name##_a = TileA;                                                                                              \
  using name##_b = TileB;                                                                                              \
  MMC_KERNEL(128, 1) void name(D *out, const T *a, const T *b) {                                                       \
    productOfLayouts<name##_a, mnA, name##_b, mnB, rows, columns, fromRegisters>(out, a, b);                           \
  }                                                                                                                    \
  using name##_shared = LayoutShared<name##_a, name##_b>;                                                              \
  MMC_EXPORT(name, 128, 1, name##_shared)
#define LAYOUTS_OF_WARPS(name, T, D, TileA, mnA, TileB, mnB, rows, columns)                                            \
  using name##_a = TileA;                                                                                              \
  using name##_b = TileB;                                                                                              \
  MMC_KERNEL(128, 1) void name(D *out, const T *a, const T *b) {                                                       \
    productOfWarps<name##_a, mnA, name##_b, mnB, rows, columns>(out, a, b);                                            \
  }                                                                                                                    \
  using name##_shared = LayoutShared<name##_a, name##_b>;                                                              \
  MMC_EXPORT(name, 128, 1, name##_shared)
#define TILE(...) Tile<__VA_ARGS__>

LAYOUTS(layouts_64_32, bf16, float, TILE(bf16, 128, 64, Swizzle::bytes64), false, TILE(bf16, 64, 64, Swizzle::bytes32),
        false, 128, 64, false)
LAYOUTS(layouts_mn_128_64, bf16, float, TILE(bf16, 64, 128), true, TILE(bf16, 64, 64, Swizzle::bytes64), true, 128, 64,
        false)
LAYOUTS(layouts_mn_64_32, f16, float, TILE(f16, 32, 64, Swizzle::bytes64), true, TILE(f16, 32, 96, Swizzle::bytes32),
        true, 64, 96, false)
LAYOUTS(layouts_mn_32_128, f16, float, TILE(f16, 48, 64, Swizzle::bytes32), true, TILE(f16, 48, 128), true, 64, 128,
        false)
LAYOUTS(layouts_registers, bf16, float, TILE(bf16, 64, 64), false, TILE(bf16, 64, 128), true, 64, 128, true)
LAYOUTS(layouts_registers_mn, bf16, float, TILE(bf16, 64, 64), true, TILE(bf16, 64, 128), true, 64, 128, true)
LAYOUTS(layouts_s8, s8, s32, TILE(s8, 64, 256), false, TILE(s8, 48, 256), false, 64, 48, false)
LAYOUTS(layouts_u8_registers, u8, s32, TILE(u8, 64, 64), false, TILE(u8, 32, 64), false, 64, 32, true)
LAYOUTS(layouts_e4m3, e4m3, float, TILE(e4m3, 64, 128), false, TILE(e4m3, 24, 128), false, 64, 24, false)
LAYOUTS(layouts_e5m2, e5m2, float, TILE(e5m2, 128, 32), false, TILE(e5m2, 8, 32), false, 128, 8, false)
LAYOUTS_OF_WARPS(layouts_warps_mn, bf16, float, TILE(bf16, 64, 128), true, TILE(bf16, 64, 64), true, 128, 64)
LAYOUTS_OF_WARPS(layouts_warps_32, f16, float, TILE(f16, 64, 48, Swizzle::bytes32), false,
                 TILE(f16, 32, 48, Swizzle::none), false, 64, 32)
LAYOUTS_OF_WARPS(layouts_warps_e4m3, e4m3, float, TILE(e4m3, 64, 64), false, TILE(e4m3, 32, 64), false, 64, 32)
