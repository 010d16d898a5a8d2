// Fragments and shared tiles against global memory, and against each other.
//
// A kernel says where an element lies by a function of its coordinates; here it is decided which thread moves which
// elements at once.
//
// Invariant: `chunk` elements beginning at a multiple of `chunk` of the last dimension are contiguous and aligned
// wherever the kernel says so.
#pragma once

#include "base/tile.cuh"
#include "block/fragment.cuh"
#include "ptx/async_copy.cuh"
#include "ptx/memory.cuh"

/// What of a tile exists: elements whose every coordinate is below its bound.
struct Bounds {
  u32 sizes[3];
};
/// Of a vector, a matrix, a tile of three dimensions.
MMC_DEVICE Bounds bounds(u32 first) { return {{first, 0, 0}}; }
MMC_DEVICE Bounds bounds(u32 first, u32 second) { return {{first, second, 0}}; }
MMC_DEVICE Bounds bounds(u32 first, u32 second, u32 third) { return {{first, second, third}}; }
/// `size` entries from `first` on, of `extent` that there are.
MMC_DEVICE u32 within(u64 first, u32 size, u64 extent) {
  return first >= extent ? 0 : extent - first < size ? u32(extent - first) : size;
}
/// The smaller of a limit and a bound; a negative limit leaves nothing.
MMC_DEVICE u32 atMost(s64 limit, u32 bound) { return limit < 0 ? 0 : limit < bound ? u32(limit) : bound; }

namespace blockDetail {
/// Whether the slot holds an element that exists.
template <class Layout> MMC_DEVICE bool isWithin(const Bounds &limits, u32 slot) {
  bool inside = Layout::holds(slot) && Layout::template coordinate<0>(slot) < limits.sizes[0];
  if constexpr (Layout::kRank > 1) inside = inside && Layout::template coordinate<1>(slot) < limits.sizes[1];
  if constexpr (Layout::kRank > 2) inside = inside && Layout::template coordinate<2>(slot) < limits.sizes[2];
  return inside;
}
/// Calls address(coordinates of the slot).
template <class Layout, class F> MMC_DEVICE auto at(F address, u32 slot) {
  if constexpr (Layout::kRank == 1)
    return address(Layout::template coordinate<0>(slot));
  else if constexpr (Layout::kRank == 2)
    return address(Layout::template coordinate<0>(slot), Layout::template coordinate<1>(slot));
  else
    return address(Layout::template coordinate<0>(slot), Layout::template coordinate<1>(slot),
                   Layout::template coordinate<2>(slot));
}
/// What one instruction moves.
template <class T, u32 count> struct alignas(sizeof(T) * count) Chunk {
  T elements[count];
};
/// How many neighbours a thread has side by side, of those that are contiguous in memory; at most 16 bytes of them.
template <class Layout> constexpr u32 chunkOf(u32 chunk) { return chunk < Layout::kVector ? chunk : Layout::kVector; }
template <class T, u32 count> constexpr u32 atOnce() { return count * sizeof(T) > 16 ? 16 / sizeof(T) : count; }

// Accumulators of 16-bit elements: a thread has two neighbours, four threads half a sector of a row, and the other half
// of it in the next group of eight columns. Neighbouring threads swap, so that an even one has four neighbours of the
// first group, an odd one of the second, and the four of them access a whole sector of a row at once.
template <u32 chunk, class T, class Layout> constexpr bool swaps() {
  if constexpr (requires { Layout::kRowSlots; })
    return sizeof(T) == 2 && chunk % 4 == 0 && Layout::kRowSlots % 8 == 0;
  else
    return false;
}
/// Calls f(slot, next, row, column) for two slots in one group of columns, the first of two in the next one, and where
/// this thread's four neighbours begin.
template <class Layout, class F> MMC_DEVICE void forEachSwap(F f) {
  MMC_UNROLL for (u32 group = 0; group < Layout::kSlots; group += 8) {
    MMC_UNROLL for (u32 slot = group; slot < group + 4; slot += 2)
        f(slot, slot + 4, Layout::template coordinate<0>(slot),
          Layout::template coordinate<1>(slot) + (laneIndex() % 2 ? 6 : 0));
  }
}
template <class T> using Pair = Chunk<T, 2>;
template <class T> MMC_DEVICE Chunk<T, 4> joined(Pair<T> first, Pair<T> second) {
  return {first.elements[0], first.elements[1], second.elements[0], second.elements[1]};
}
/// What the neighbouring lane gives.
template <class T> MMC_DEVICE Pair<T> swapped(Pair<T> pair) {
  return bitCast<Pair<T>>(shuffleXor(bitCast<u32>(pair), 1));
}

template <class T, class Layout, class F>
MMC_DEVICE void loadSwapped(BlockFragment<T, Layout> &fragment, const Bounds &limits, F address) {
  const bool odd = laneIndex() % 2 != 0;
  forEachSwap<Layout>([&](u32 slot, u32 next, u32 row, u32 column) {
    Chunk<T, 4> elements = {};
    const bool exists = Layout::holds(slot) && row < limits.sizes[0];
    if (exists && column + 3 < limits.sizes[1]) {
      elements = loadPlain(reinterpret_cast<const Chunk<T, 4> *>(address(row, column)));
    } else if (exists) {
      MMC_UNROLL for (u32 i = 0; i < 4; ++i) {
        if (column + i < limits.sizes[1]) elements.elements[i] = *address(row, column + i);
      }
    }
    const Pair<T> first = {elements.elements[0], elements.elements[1]},
                  second = {elements.elements[2], elements.elements[3]};
    const Pair<T> other = swapped<T>(odd ? first : second);
    MMC_UNROLL for (u32 i = 0; i < 2; ++i) {
      fragment[slot + i] = odd ? other.elements[i] : first.elements[i];
      fragment[next + i] = odd ? second.elements[i] : other.elements[i];
    }
  });
}

template <class T, class Layout, class F>
MMC_DEVICE void storeSwapped(const BlockFragment<T, Layout> &fragment, const Bounds &limits, F address) {
  const bool odd = laneIndex() % 2 != 0;
  forEachSwap<Layout>([&](u32 slot, u32 next, u32 row, u32 column) {
    const Pair<T> here = {fragment[slot], fragment[slot + 1]}, there = {fragment[next], fragment[next + 1]};
    const Pair<T> other = swapped<T>(odd ? here : there);
    const Chunk<T, 4> elements = odd ? joined<T>(other, there) : joined<T>(here, other);
    if (!Layout::holds(slot) || row >= limits.sizes[0]) return;
    if (column + 3 < limits.sizes[1]) {
      storePlain(reinterpret_cast<Chunk<T, 4> *>(address(row, column)), elements);
    } else {
      MMC_UNROLL for (u32 i = 0; i < 4; ++i) {
        if (column + i < limits.sizes[1]) *address(row, column + i) = elements.elements[i];
      }
    }
  });
}
} // namespace blockDetail

/// Elements within the bounds are read, the others are zero. address(i, j, ...) is the pointer to element (i, j, ...).
template <u32 chunk, class T, class Layout, class F>
MMC_DEVICE void load(BlockFragment<T, Layout> &fragment, const Bounds &limits, F address) {
  if constexpr (blockDetail::swaps<chunk, T, Layout>()) return blockDetail::loadSwapped(fragment, limits, address);
  constexpr u32 kCount = blockDetail::atOnce<T, blockDetail::chunkOf<Layout>(chunk)>();
  MMC_UNROLL for (u32 first = 0; first < Layout::kSlots; first += kCount) {
    blockDetail::Chunk<T, kCount> elements = {};
    if (blockDetail::isWithin<Layout>(limits, first + kCount - 1)) {
      elements =
          loadPlain(reinterpret_cast<const blockDetail::Chunk<T, kCount> *>(blockDetail::at<Layout>(address, first)));
    } else if constexpr (kCount > 1) {
      MMC_UNROLL for (u32 i = 0; i < kCount; ++i) {
        if (blockDetail::isWithin<Layout>(limits, first + i))
          elements.elements[i] = *blockDetail::at<Layout>(address, first + i);
      }
    }
    MMC_UNROLL for (u32 i = 0; i < kCount; ++i) fragment[first + i] = elements.elements[i];
  }
}

/// Elements within the bounds are written, each by one thread.
template <u32 chunk, class T, class Layout, class F>
MMC_DEVICE void store(const BlockFragment<T, Layout> &fragment, const Bounds &limits, F address) {
  if constexpr (blockDetail::swaps<chunk, T, Layout>()) return blockDetail::storeSwapped(fragment, limits, address);
  constexpr u32 kCount = blockDetail::atOnce<T, blockDetail::chunkOf<Layout>(chunk)>();
  MMC_UNROLL for (u32 first = 0; first < Layout::kSlots; first += kCount) {
    if constexpr (requires { Layout::owns(0); }) {
      if (!Layout::owns(first)) continue;
    }
    if (blockDetail::isWithin<Layout>(limits, first + kCount - 1)) {
      blockDetail::Chunk<T, kCount> elements;
      MMC_UNROLL for (u32 i = 0; i < kCount; ++i) elements.elements[i] = fragment[first + i];
      storePlain(reinterpret_cast<blockDetail::Chunk<T, kCount> *>(blockDetail::at<Layout>(address, first)), elements);
    } else if constexpr (kCount > 1) {
      MMC_UNROLL for (u32 i = 0; i < kCount; ++i) {
        if (blockDetail::isWithin<Layout>(limits, first + i))
          *blockDetail::at<Layout>(address, first + i) = fragment[first + i];
      }
    }
  }
}

/// Starts copying rows of a tile by pieces of 16 bytes; what lies beyond the bounds becomes zero. Complete for this
/// thread after copyAsyncWait, for the others after a barrier too. By `threads` threads from `firstThread` on.
template <u32 threads, u32 firstThread = 0, class T, u32 rows, u32 columns, Swizzle swizzle, class F>
MMC_DEVICE void copyTile(Tile<T, rows, columns, swizzle> &tile, const Bounds &limits, F address) {
  constexpr u32 kPiece = 16 / sizeof(T), kPieces = rows * (columns / kPiece);
  // A loop, because addresses of unrolled copies are computed in front of the loops around and take registers there.
  MMC_NO_UNROLL for (u32 i = 0; i < divideUp(kPieces, threads); ++i) {
    const u32 piece = i * threads + threadIndex() - firstThread, row = piece / (columns / kPiece),
              column = piece % (columns / kPiece) * kPiece;
    if (kPieces % threads != 0 && piece >= kPieces) continue;
    const bool exists = row < limits.sizes[0] && column < limits.sizes[1];
    const u32 valid = !exists ? 0 : limits.sizes[1] - column < kPiece ? limits.sizes[1] - column : kPiece;
    copyAsync<16>(&tile.at(row, column), exists ? address(row, column) : address(0, 0), valid * u32(sizeof(T)));
  }
}

// ------------------------------------------------------------------------------------------------ shared memory

/// Each element to its own place; the rest of the tile is left alone. Complete for other threads after a barrier.
template <class T, class Layout, u32 rows, u32 columns, Swizzle swizzle>
MMC_DEVICE void put(const BlockFragment<T, Layout> &fragment, Tile<T, rows, columns, swizzle> &tile) {
  static_assert(Layout::kRank == 2, "a tile has rows and columns");
  constexpr u32 kCount = blockDetail::atOnce<T, blockDetail::chunkOf<Layout>(16 / sizeof(T))>();
  MMC_UNROLL for (u32 first = 0; first < Layout::kSlots; first += kCount) {
    if (!Layout::holds(first)) continue;
    blockDetail::Chunk<T, kCount> elements;
    MMC_UNROLL for (u32 i = 0; i < kCount; ++i) elements.elements[i] = fragment[first + i];
    T &place = tile.at(Layout::template coordinate<0>(first), Layout::template coordinate<1>(first));
    storePlain(reinterpret_cast<blockDetail::Chunk<T, kCount> *>(&place), elements);
  }
}
/// Elements to a vector in row-major order, which is aligned to 16 bytes.
template <class T, class Layout, u32 size>
MMC_DEVICE void put(const BlockFragment<T, Layout> &fragment, T (&row)[size]) {
  constexpr u32 kCount = blockDetail::atOnce<T, Layout::kRun>();
  MMC_UNROLL for (u32 first = 0; first < Layout::kSlots; first += kCount) {
    bool writes = Layout::holds(first);
    if constexpr (requires { Layout::owns(0); }) writes = Layout::owns(first);
    if (!writes) continue;
    blockDetail::Chunk<T, kCount> elements;
    MMC_UNROLL for (u32 i = 0; i < kCount; ++i) elements.elements[i] = fragment[first + i];
    storePlain(reinterpret_cast<blockDetail::Chunk<T, kCount> *>(&row[Layout::element(first)]), elements);
  }
}
/// Each element from its own place.
template <class T, class Layout, u32 rows, u32 columns, Swizzle swizzle>
MMC_DEVICE void get(BlockFragment<T, Layout> &fragment, const Tile<T, rows, columns, swizzle> &tile) {
  static_assert(Layout::kRank == 2, "a tile has rows and columns");
  constexpr u32 kCount = blockDetail::atOnce<T, blockDetail::chunkOf<Layout>(16 / sizeof(T))>();
  MMC_UNROLL for (u32 first = 0; first < Layout::kSlots; first += kCount) {
    blockDetail::Chunk<T, kCount> elements = {};
    if (Layout::holds(first)) {
      const T &place = tile.at(Layout::template coordinate<0>(first), Layout::template coordinate<1>(first));
      elements = loadPlain(reinterpret_cast<const blockDetail::Chunk<T, kCount> *>(&place));
    }
    MMC_UNROLL for (u32 i = 0; i < kCount; ++i) fragment[first + i] = elements.elements[i];
  }
}
/// Elements from a vector in row-major order, which is aligned to 16 bytes.
template <class T, class Layout, u32 size>
MMC_DEVICE void get(BlockFragment<T, Layout> &fragment, const T (&row)[size]) {
  constexpr u32 kCount = blockDetail::atOnce<T, Layout::kRun>();
  MMC_UNROLL for (u32 first = 0; first < Layout::kSlots; first += kCount) {
    blockDetail::Chunk<T, kCount> elements = {};
    if (Layout::holds(first))
      elements = loadPlain(reinterpret_cast<const blockDetail::Chunk<T, kCount> *>(&row[Layout::element(first)]));
    MMC_UNROLL for (u32 i = 0; i < kCount; ++i) fragment[first + i] = elements.elements[i];
  }
}
/// The whole tile becomes zero.
template <u32 threads, class T, u32 rows, u32 columns, Swizzle swizzle>
MMC_DEVICE void clear(Tile<T, rows, columns, swizzle> &tile) {
  constexpr u32 kVectors = rows * columns * sizeof(T) / 16;
  for (u32 i = threadIndex(); i < kVectors; i += threads) reinterpret_cast<Vector16 *>(tile.elements)[i] = Vector16{};
}
