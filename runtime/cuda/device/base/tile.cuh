// A matrix in shared memory, laid out as copies write it and matrix instructions read it.
//
// Rows are cut into spans of 128, 64 or 32 bytes (what the swizzle permutes within); a panel is one span of all rows,
// and panels follow one another. That is what a tensor copy with a box of one span writes, one box per panel.
//
// Invariant: a tile begins at a multiple of 8 spans, rows are a multiple of 8, and every access goes through `index`,
// so nobody else knows the layout.
#pragma once

#include "ptx/launch.cuh"

/// The widest swizzle that rows of so many bytes are made of.
constexpr Swizzle widestSwizzle(u32 rowBytes) {
  return rowBytes % 128 == 0  ? Swizzle::bytes128
         : rowBytes % 64 == 0 ? Swizzle::bytes64
         : rowBytes % 32 == 0 ? Swizzle::bytes32
                              : Swizzle::none;
}
constexpr u32 spanOf(Swizzle swizzle, u32 rowBytes) {
  return swizzle == Swizzle::bytes128  ? 128
         : swizzle == Swizzle::bytes64 ? 64
         : swizzle == Swizzle::bytes32 ? 32
                                       : rowBytes;
}

template <class T, u32 rows, u32 columns, Swizzle swizzle = widestSwizzle(columns * sizeof(T))> struct Tile {
  using Element = T;
  static constexpr u32 kRows = rows, kColumns = columns, kBytes = rows * columns * sizeof(T);
  static constexpr Swizzle kSwizzle = swizzle;
  static constexpr u32 kSpan = spanOf(swizzle, columns * sizeof(T)), kPanelColumns = kSpan / sizeof(T);
  static constexpr u32 kPanels = columns / kPanelColumns, kPanelBytes = rows * kSpan;
  static constexpr u32 kAlignment = swizzle == Swizzle::none ? 128 : 8 * kSpan;
  static_assert(rows % 8 == 0, "swizzles repeat every 8 rows");
  static_assert(columns * sizeof(T) % kSpan == 0 && kSpan % 16 == 0,
                "rows are whole spans of the swizzle, spans whole 16-byte chunks");

  alignas(kAlignment) T elements[rows * columns];

  /// Where an element lies.
  static MMC_DEVICE u32 index(u32 row, u32 column) {
    const u32 panel = column / kPanelColumns;
    const u32 offset = row * kSpan + column % kPanelColumns * u32(sizeof(T));
    // The chunk's number (from bit 4 on) is xored with the number of the 128-byte line.
    const u32 permuted = swizzle == Swizzle::none ? offset : offset ^ ((offset >> 7) % (kSpan / 16)) << 4;
    return (panel * kPanelBytes + permuted) / u32(sizeof(T));
  }
  MMC_DEVICE T &at(u32 row, u32 column) { return elements[index(row, column)]; }
  MMC_DEVICE const T &at(u32 row, u32 column) const { return elements[index(row, column)]; }
};

/// A tile as an operand of a product, from a corner on. K-major: its rows are the product's rows (A) or columns (B),
/// its columns are k, as in A B^T.
template <class TileType> struct KMajor {
  using Tile = TileType;
  static constexpr bool kTransposed = false;
  static constexpr u32 kDepth = TileType::kColumns;
  const TileType &tile;
  u32 first; // row
};
/// MN-major: its rows are k, its columns are the product's rows (A) or columns (B): the operand is used transposed.
template <class TileType> struct MnMajor {
  using Tile = TileType;
  static constexpr bool kTransposed = true;
  static constexpr u32 kDepth = TileType::kRows;
  const TileType &tile;
  u32 first; // column
};
template <class TileType> MMC_DEVICE KMajor<TileType> kMajor(const TileType &tile, u32 firstRow = 0) {
  return {tile, firstRow};
}
template <class TileType> MMC_DEVICE MnMajor<TileType> mnMajor(const TileType &tile, u32 firstColumn = 0) {
  return {tile, firstColumn};
}
