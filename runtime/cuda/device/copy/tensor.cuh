// Tiles by tensor copies: one box per panel, issued by one thread. sm_90.
//
// Invariant: the map's box is one span of the tile's swizzle by the tile's rows, with the map's swizzle that of the
// tile; the first coordinate counts elements along rows.
#pragma once

#include "base/tile.cuh"
#include "ptx/bulk_copy.cuh"

/// Loads the tile whose corner is at the coordinates; its kBytes are counted by the barrier.
template <class TileType, class... Others>
MMC_DEVICE void tensorLoadTile(TileType &tile, const TensorMap &map, Mbarrier &barrier, s32 column, Others... others) {
  MMC_UNROLL for (u32 panel = 0; panel < TileType::kPanels; ++panel) {
    tensorLoad(&tile.elements[panel * TileType::kRows * TileType::kPanelColumns], map, barrier,
               column + s32(panel * TileType::kPanelColumns), others...);
  }
}
/// To the same place in the blocks of the cluster whose bit is set; each one's barrier counts.
template <class TileType, class... Others>
MMC_DEVICE void loadMulticast(TileType &tile, const TensorMap &map, Mbarrier &barrier, u16 blocks, s32 column,
                              Others... others) {
  MMC_UNROLL for (u32 panel = 0; panel < TileType::kPanels; ++panel) {
    tensorLoadMulticast(&tile.elements[panel * TileType::kRows * TileType::kPanelColumns], map, barrier, blocks,
                        column + s32(panel * TileType::kPanelColumns), others...);
  }
}
/// Stores the tile; then bulkCommit(), and bulkWaitRead before the tile is written again.
template <class TileType, class... Others>
MMC_DEVICE void store(const TensorMap &map, const TileType &tile, s32 column, Others... others) {
  MMC_UNROLL for (u32 panel = 0; panel < TileType::kPanels; ++panel) {
    tensorStore(map, &tile.elements[panel * TileType::kRows * TileType::kPanelColumns],
                column + s32(panel * TileType::kPanelColumns), others...);
  }
}
/// A contiguous range (packed weights), as it lies.
template <class T, u32 count> MMC_DEVICE void loadBulk(T (&slot)[count], const T *global, Mbarrier &barrier) {
  static_assert(count * sizeof(T) % 16 == 0, "bulk copies move multiples of 16 bytes");
  bulkLoad(slot, global, u32(count * sizeof(T)), barrier);
}
