// Tiles by the threads of a team: rows come by cp.async, and go by 16-byte stores. Every architecture.
//
// Invariant: all threads of the team call it with their number in the team; rows in global memory are aligned to 16
// bytes.
#pragma once

#include "base/tile.cuh"
#include "ptx/async_copy.cuh"
#include "ptx/memory.cuh"

/// Starts the copies of a tile's rows: rowOf(row) is where a row begins, or null for a row of zeros. Of each row the
/// first `validColumns` elements exist. `fallback` is any readable address (a row of zeros reads nothing, but names
/// one). Then copyAsyncCommit() or an arrival on the copies.
template <u32 threads, class TileType, class F>
MMC_DEVICE void loadRows(TileType &tile, u32 thread, const void *fallback, u32 validColumns, F rowOf) {
  using T = typename TileType::Element;
  constexpr u32 kChunk = 16 / sizeof(T), kChunksPerRow = TileType::kColumns / kChunk,
                kChunks = TileType::kRows * kChunksPerRow;
  static_assert(kChunks % threads == 0, "every thread of the team copies as many chunks");
  MMC_UNROLL for (u32 i = 0; i < kChunks / threads; ++i) {
    const u32 chunk = i * threads + thread, row = chunk / kChunksPerRow, column = chunk % kChunksPerRow * kChunk;
    const T *source = rowOf(row);
    const u32 left = source && column < validColumns ? validColumns - column : 0;
    const u32 bytes = left < kChunk ? left * u32(sizeof(T)) : 16;
    copyAsync<16>(&tile.at(row, column), bytes ? static_cast<const void *>(source + column) : fallback, bytes);
  }
}

/// Stores a tile's rows: rowOf(row) is where a row begins, or null for a row that is dropped. The tile has been
/// written, and a barrier passed.
template <u32 threads, class TileType, class F> MMC_DEVICE void storeRows(const TileType &tile, u32 thread, F rowOf) {
  using T = typename TileType::Element;
  constexpr u32 kChunk = 16 / sizeof(T), kChunksPerRow = TileType::kColumns / kChunk,
                kChunks = TileType::kRows * kChunksPerRow;
  static_assert(kChunks % threads == 0, "every thread of the team stores as many chunks");
  MMC_UNROLL for (u32 i = 0; i < kChunks / threads; ++i) {
    const u32 chunk = i * threads + thread, row = chunk / kChunksPerRow, column = chunk % kChunksPerRow * kChunk;
    T *target = rowOf(row);
    if (target) storeGlobal(reinterpret_cast<Vector16 *>(target + column), loadShared<Vector16>(&tile.at(row, column)));
  }
}
