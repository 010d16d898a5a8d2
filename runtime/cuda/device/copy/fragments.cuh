// Accumulators to tiles in shared memory, rounded to bf16: by stmatrix where the architecture has it, else by words.
//
// Invariant: the fragment is not in flight; nobody reads the tile before the barrier that follows (and a proxy fence
// before it, for tensor stores and wgmma).
#pragma once

#include "base/tile.cuh"
#include "mma/fragment.cuh"
#include "ptx/matrix.cuh"
#include "ptx/memory.cuh"

/// storeFragment<800> is what runs where there is no stmatrix. The fragment's corner goes to (firstRow, firstColumn).
template <u32 architecture = kArchitecture, u32 rows, u32 columns, class Policy, class TileType>
MMC_DEVICE void storeFragment(TileType &tile, const Fragment<rows, columns, Policy> &fragment, u32 firstRow = 0,
                              u32 firstColumn = 0) {
  static_assert(Element<typename TileType::Element>::kCode == Element<bf16>::kCode, "fragments are stored as bf16");
  const u32 lane = laneIndex(), warpRow = firstRow + Policy::warpRow();
  MMC_UNROLL for (u32 block = 0; block < fragment.kBlocks; ++block) {
    const u32 row = warpRow + block * Policy::kBlockRows;
    if constexpr (architecture >= 900 && columns % 16 == 0) {
      MMC_UNROLL for (u32 pair = 0; pair < columns / 16; ++pair) {
        u32 words[4];
        MMC_UNROLL for (u32 i = 0; i < 4; ++i) {
          words[i] = packBf16(fragment.values[block][pair * 8 + 2 * i], fragment.values[block][pair * 8 + 2 * i + 1]);
        }
        storeMatrix(&tile.at(row + lane % 16, firstColumn + pair * 16 + lane / 16 * 8), words);
      }
    } else {
      MMC_UNROLL for (u32 i = 0; i < columns / 2; i += 2) {
        const u32 word = packBf16(fragment.values[block][i], fragment.values[block][i + 1]);
        storeShared(&tile.at(row + lane / 4 + i / 2 % 2 * 8, firstColumn + i / 4 * 8 + lane % 4 * 2), word);
      }
    }
  }
}
