// How a block's threads hold a tile in registers: which element is in which slot of which thread.
//
// These are the layouts of the hopper dialect, in numbers. A layout has kSlots slots per thread, of which kVector
// neighbours along the last dimension lie side by side; coordinate<dim>(slot) and element(slot) say what a slot of this
// thread stands for (element: in row-major order), holds(slot) whether there is an element in it at all. A slice is a
// vector beside a matrix: a row's (dimension 1 is gone) or a column's (dimension 0 is gone) entries, held by every
// thread that has elements of the row or column; ofParent(slot) is the entry beside a slot of the matrix, and
// owns(slot) picks one of the threads that hold an entry. kRun slots from a multiple of it on are neighbours, in memory
// as in registers.
//
// Invariant: slots are compile-time numbers wherever they are used (loops over them are unrolled), so fragments stay in
// registers; every element of a layout that is no slice is held by exactly one slot of one thread.
#pragma once

#include "mma/fragment.cuh"

/// a / b, rounded up.
constexpr u32 divideUp(u32 a, u32 b) { return (a + b - 1) / b; }

/// Sizes of dimensions, the last one running fastest: coordinates of an element's number.
template <u32... sizes> struct Shape;
template <u32 first> struct Shape<first> {
  static constexpr u32 kRank = 1, kElements = first, kLast = first;
  template <u32 dim> static MMC_DEVICE u32 coordinate(u32 element) { return element; }
};
template <u32 first, u32 second, u32... rest> struct Shape<first, second, rest...> {
  using Inner = Shape<second, rest...>;
  static constexpr u32 kRank = 1 + Inner::kRank, kElements = first * Inner::kElements, kLast = Inner::kLast;
  template <u32 dim> static MMC_DEVICE u32 coordinate(u32 element) {
    if constexpr (dim == 0)
      return element / Inner::kElements;
    else
      return Inner::template coordinate<dim - 1>(element % Inner::kElements);
  }
};

/// Elements in row-major order, `vector` neighbours per thread, then the next thread.
template <u32 threads, u32 vector, u32... sizes> struct Spread {
  using Sizes = Shape<sizes...>;
  static constexpr u32 kRank = Sizes::kRank, kThreads = threads, kElements = Sizes::kElements, kColumns = Sizes::kLast;
  static constexpr u32 kVector = vector, kRun = vector, kSlots = divideUp(kElements, threads *vector) * vector;
  static_assert(kColumns % vector == 0, "a thread's neighbours are in one row");

  static MMC_DEVICE u32 element(u32 slot) { return (slot / vector * threads + threadIndex()) * vector + slot % vector; }
  static MMC_DEVICE bool holds(u32 slot) { return kElements % (threads * vector) == 0 || element(slot) < kElements; }
  template <u32 dim> static MMC_DEVICE u32 coordinate(u32 slot) {
    return Sizes::template coordinate<dim>(element(slot));
  }
};

/// Where a thread's warp stands in a grid of warps, a column of warps after the other.
template <u32 rowWarps, u32 columnWarps> struct WarpGrid {
  // With one column the compiler would not see that there is no other.
  static MMC_DEVICE u32 row() { return columnWarps == 1 ? threadIndex() / 32 : threadIndex() / 32 % rowWarps; }
  static MMC_DEVICE u32 column() { return columnWarps == 1 ? 0 : threadIndex() / 32 / rowWarps; }
};

/// A matrix as mma.sync leaves it, over a grid of warps; warps beyond the grid hold nothing. Four warps with 16 rows
/// each hold 64 rows as wgmma leaves them.
template <u32 threads, u32 rowWarps, u32 columnWarps, u32 rows, u32 columns> struct Accumulators {
  static constexpr u32 kRank = 2, kThreads = threads, kElements = rows * columns, kColumns = columns;
  static constexpr u32 kRowWarps = rowWarps, kColumnWarps = columnWarps;
  static constexpr u32 kWarpRows = rows / rowWarps, kWarpColumns = columns / columnWarps;
  static constexpr u32 kVector = 2, kRun = 2, kSlots = kWarpRows * kWarpColumns / 32, kRowSlots = kWarpColumns / 2;
  static_assert(rows % (16 * rowWarps) == 0 && columns % (16 * columnWarps) == 0, "a warp has whole products");

  /// Whether this thread's warp is in the grid.
  static MMC_DEVICE bool active() {
    return rowWarps * columnWarps * 32 == threads || threadIndex() < rowWarps * columnWarps * 32;
  }
  /// Where the warp's part of the matrix begins.
  static MMC_DEVICE u32 firstRow() { return WarpGrid<rowWarps, columnWarps>::row() * kWarpRows; }
  static MMC_DEVICE u32 firstColumn() { return WarpGrid<rowWarps, columnWarps>::column() * kWarpColumns; }
  static MMC_DEVICE bool holds(u32) { return active(); }
  static MMC_DEVICE u32 element(u32 slot) { return coordinate<0>(slot) * columns + coordinate<1>(slot); }
  template <u32 dim> static MMC_DEVICE u32 coordinate(u32 slot) {
    const u32 within = slot % kRowSlots;
    if constexpr (dim == 0)
      return firstRow() + slot / kRowSlots * 16 + within / 2 % 2 * 8 + laneIndex() / 4;
    else
      return firstColumn() + within / 4 * 8 + laneIndex() % 4 * 2 + within % 2;
  }
};

/// A vector beside a matrix of layout `Whole`.
template <class Whole, u32 gone> struct Slice;

/// Beside a spread matrix: one entry per group of neighbours for rows, one per column of a thread for columns.
template <u32 threads, u32 vector, u32 rows, u32 columns, u32 gone>
struct Slice<Spread<threads, vector, rows, columns>, gone> {
  using Parent = Spread<threads, vector, rows, columns>;
  /// The threads' columns repeat with every group.
  static constexpr bool kRepeats = threads * vector % columns == 0;
  static constexpr u32 kRank = 1, kThreads = threads, kElements = gone == 1 ? rows : columns, kColumns = kElements,
                       kVector = 1;
  static constexpr u32 kSlots = gone == 1 ? Parent::kSlots / vector : kRepeats ? vector : Parent::kSlots;
  static constexpr u32 kRun = gone == 1 ? 1 : vector;

  static constexpr u32 ofParent(u32 slot) { return gone == 1 ? slot / vector : kRepeats ? slot % vector : slot; }
  static constexpr u32 parentSlot(u32 slot) { return gone == 1 ? slot * vector : slot; }
  static MMC_DEVICE bool holds(u32 slot) { return Parent::holds(parentSlot(slot)); }
  template <u32 dim> static MMC_DEVICE u32 coordinate(u32 slot) {
    return Parent::template coordinate<1 - gone>(parentSlot(slot));
  }
  static MMC_DEVICE u32 element(u32 slot) { return coordinate<0>(slot); }
  /// Whether this thread is the one that writes the entry.
  static MMC_DEVICE bool owns(u32 slot) {
    return holds(slot) && Parent::template coordinate<gone>(parentSlot(slot)) == 0;
  }
};

/// Beside accumulators, whatever the size of the dimension that is gone: `size` entries.
template <u32 threads, u32 rowWarps, u32 columnWarps, u32 size, u32 gone> struct AccumulatorSlice {
  static constexpr u32 kRank = 1, kThreads = threads, kElements = size, kColumns = size, kVector = 1;
  static constexpr u32 kWarpSize = size / (gone == 1 ? rowWarps : columnWarps);
  static constexpr u32 kSlots = gone == 1 ? kWarpSize / 8 : kWarpSize / 4, kRun = gone == 1 ? 1 : 2;

  /// The slot beside slot `slot` of accumulators with so many columns per warp.
  static constexpr u32 ofParent(u32 slot, u32 rowSlots) {
    return gone == 1 ? slot / rowSlots * 2 + slot % rowSlots / 2 % 2 : slot % rowSlots / 4 * 2 + slot % 2;
  }
  static MMC_DEVICE bool holds(u32) {
    return rowWarps * columnWarps * 32 == threads || threadIndex() < rowWarps * columnWarps * 32;
  }
  template <u32 dim> static MMC_DEVICE u32 coordinate(u32 slot) {
    if constexpr (gone == 1)
      return WarpGrid<rowWarps, columnWarps>::row() * kWarpSize + slot / 2 * 16 + slot % 2 * 8 + laneIndex() / 4;
    else
      return WarpGrid<rowWarps, columnWarps>::column() * kWarpSize + slot / 2 * 8 + laneIndex() % 4 * 2 + slot % 2;
  }
  static MMC_DEVICE u32 element(u32 slot) { return coordinate<0>(slot); }
  static MMC_DEVICE bool owns(u32 slot) {
    const bool first = gone == 1 ? WarpGrid<rowWarps, columnWarps>::column() == 0 && laneIndex() % 4 == 0
                                 : WarpGrid<rowWarps, columnWarps>::row() == 0 && laneIndex() / 4 == 0;
    return holds(slot) && first;
  }
};
