// A tile in the registers of a block's threads, and what is done with one: element by element, sums and maxima along a
// dimension, the largest of a row.
//
// Emitted kernels are made of these calls, so that a kernel's text says what is computed and not which lane has it.
//
// Invariant: fragments are passed by reference and loops over slots are unrolled, so elements stay in registers; all
// threads of the block make a call together, those without elements too.
#pragma once

#include "block/layouts.cuh"
#include "ptx/barrier.cuh"

/// A thread's elements of a tile, by slot; `LayoutType` (block/layouts.cuh) says which ones they are. A slot that holds
/// nothing has a value that nobody uses.
template <class T, class LayoutType> struct BlockFragment {
  using Element = T;
  using Layout = LayoutType;
  T values[Layout::kSlots];
  MMC_DEVICE T &operator[](u32 slot) { return values[slot]; }
  MMC_DEVICE const T &operator[](u32 slot) const { return values[slot]; }
};

/// Every element is what f says of its slot.
template <class T, class Layout, class F> MMC_DEVICE void assign(BlockFragment<T, Layout> &fragment, F f) {
  MMC_UNROLL for (u32 slot = 0; slot < Layout::kSlots; ++slot) fragment[slot] = f(slot);
}

/// to = from.
template <class T, class Layout>
MMC_DEVICE void copy(BlockFragment<T, Layout> &to, const BlockFragment<T, Layout> &from) {
  MMC_UNROLL for (u32 slot = 0; slot < Layout::kSlots; ++slot) to[slot] = from[slot];
}
/// The same registers under another shape.
template <class T, class To, class From>
MMC_DEVICE void reshape(BlockFragment<T, To> &to, const BlockFragment<T, From> &from) {
  static_assert(To::kSlots == From::kSlots && To::kVector == From::kVector, "a reshape moves nothing");
  MMC_UNROLL for (u32 slot = 0; slot < To::kSlots; ++slot) to[slot] = from[slot];
}

/// The index along dimension `dim` of the element in a slot. The fragment stands for its layout: its elements are not
/// read.
template <u32 dim, class T, class Layout> MMC_DEVICE s32 coordinate(const BlockFragment<T, Layout> &, u32 slot) {
  return s32(Layout::template coordinate<dim>(slot));
}

/// The entry of a vector beside a fragment, at one of the fragment's slots. The fragment stands for its layout.
template <class T, class Whole, class U, class Layout>
MMC_DEVICE U beside(const BlockFragment<T, Whole> &, const BlockFragment<U, Layout> &vector, u32 slot) {
  if constexpr (requires { Whole::kRowSlots; })
    return vector[Layout::ofParent(slot, Whole::kRowSlots)];
  else
    return vector[Layout::ofParent(slot)];
}

/// The threads that have fragments meet: all of the block, but for warps with a role of their own. Named barrier 1 is
/// theirs.
template <u32 threads> MMC_DEVICE void syncFragments() { barrierSync(1, threads); }

/// How a reduction combines: `nothing()` changes no result, `combine` is associative but for rounding.
struct Add {
  static MMC_DEVICE float nothing() { return 0.0f; }
  static MMC_DEVICE float combine(float a, float b) { return a + b; }
};
/// The largest.
struct Max {
  static MMC_DEVICE float nothing() { return bitCast<float>(0xff800000u); } // minus infinity
  /// NaN wins, as in the definition.
  static MMC_DEVICE float combine(float a, float b) { return a != a || a > b ? a : b; }
};

/// What threads exchange in a reduction: at most this many partial results.
constexpr u32 kReduceScratch = 1024;

namespace reduceDetail {
/// Combines lanes whose numbers differ in the bits from `from` up to `below`; each of them gets the result.
template <class Kind> MMC_DEVICE float acrossLanes(float value, u32 from, u32 below) {
  MMC_UNROLL for (u32 distance = from; distance < below; distance *= 2) value =
      Kind::combine(value, shuffleXor(value, distance));
  return value;
}
} // namespace reduceDetail

/// All elements of a vector, in every thread: each thread its own in ascending slots, then lanes by doubling distance,
/// then warps in order.
template <class Kind, u32 threads, u32 vector, u32 size>
MMC_DEVICE float reduceAll(const BlockFragment<float, Spread<threads, vector, size>> &fragment,
                           float (&scratch)[kReduceScratch]) {
  using Layout = Spread<threads, vector, size>;
  float sum = Kind::nothing();
  MMC_UNROLL for (u32 slot = 0; slot < Layout::kSlots; ++slot) sum =
      Kind::combine(sum, Layout::holds(slot) ? fragment[slot] : Kind::nothing());
  sum = reduceDetail::acrossLanes<Kind>(sum, 1, 32);
  if constexpr (threads > 32) {
    syncFragments<threads>();
    if (laneIndex() == 0) scratch[threadIndex() / 32] = sum;
    syncFragments<threads>();
    sum = scratch[0];
    MMC_UNROLL for (u32 warp = 1; warp < threads / 32; ++warp) sum = Kind::combine(sum, scratch[warp]);
  }
  return sum;
}

/// Accumulators along dimension `gone`: each thread its own in ascending slots, then the lanes that share a row or
/// column, then the warps that do, in order.
template <class Kind, u32 gone, u32 threads, u32 rowWarps, u32 columnWarps, u32 rows, u32 columns, u32 size>
MMC_DEVICE void
reduce(BlockFragment<float, AccumulatorSlice<threads, rowWarps, columnWarps, size, gone>> &result,
       const BlockFragment<float, Accumulators<threads, rowWarps, columnWarps, rows, columns>> &fragment,
       float (&scratch)[kReduceScratch]) {
  using Whole = Accumulators<threads, rowWarps, columnWarps, rows, columns>;
  using Part = AccumulatorSlice<threads, rowWarps, columnWarps, size, gone>;
  assign(result, [&](u32) { return Kind::nothing(); });
  MMC_UNROLL for (u32 slot = 0; slot < Whole::kSlots; ++slot) {
    float &entry = result[Part::ofParent(slot, Whole::kRowSlots)];
    entry = Kind::combine(entry, fragment[slot]);
  }
  MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) result[slot] =
      gone == 1 ? reduceDetail::acrossLanes<Kind>(result[slot], 1, 4)
                : reduceDetail::acrossLanes<Kind>(result[slot], 4, 32);
  constexpr u32 kWarps = gone == 1 ? columnWarps : rowWarps;
  if constexpr (kWarps > 1) {
    static_assert(size * kWarps <= kReduceScratch, "partial results fit the scratch");
    using Grid = WarpGrid<rowWarps, columnWarps>;
    const u32 mine = gone == 1 ? Grid::column() : Grid::row();
    const bool writes = gone == 1 ? laneIndex() % 4 == 0 : laneIndex() / 4 == 0;
    syncFragments<threads>();
    MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) {
      if (writes && Whole::active()) scratch[mine * size + Part::element(slot)] = result[slot];
    }
    syncFragments<threads>();
    if (Whole::active()) {
      MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) {
        result[slot] = scratch[Part::element(slot)];
        MMC_UNROLL for (u32 warp = 1; warp < kWarps; ++warp) result[slot] =
            Kind::combine(result[slot], scratch[warp * size + Part::element(slot)]);
      }
    }
  }
}

/// A spread matrix along dimension `gone`: each thread its own in ascending slots, then lanes, then through shared
/// memory in the order of threads.
template <class Kind, u32 gone, u32 threads, u32 vector, u32 rows, u32 columns>
MMC_DEVICE void reduce(BlockFragment<float, Slice<Spread<threads, vector, rows, columns>, gone>> &result,
                       const BlockFragment<float, Spread<threads, vector, rows, columns>> &fragment,
                       float (&scratch)[kReduceScratch]) {
  using Whole = Spread<threads, vector, rows, columns>;
  using Part = Slice<Whole, gone>;
  // So many threads have one row; threads whose numbers differ by a multiple of it share columns.
  constexpr u32 kGroup = columns / vector;
  assign(result, [&](u32) { return Kind::nothing(); });
  MMC_UNROLL for (u32 slot = 0; slot < Whole::kSlots; ++slot) {
    float &entry = result[Part::ofParent(slot)];
    entry = Kind::combine(entry, Whole::holds(slot) ? fragment[slot] : Kind::nothing());
  }
  if constexpr (gone == 1 && (kGroup & (kGroup - 1)) == 0 && kGroup <= 32) {
    // A row lies within a warp.
    MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) result[slot] =
        reduceDetail::acrossLanes<Kind>(result[slot], 1, kGroup);
  } else if constexpr (gone == 1 && kGroup % 32 == 0) {
    // A row lies across warps, and each warp has elements of one row per slot.
    constexpr u32 kWarps = threads / 32;
    static_assert(Part::kSlots * kWarps <= kReduceScratch, "partial results fit the scratch");
    syncFragments<threads>();
    MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) {
      const float part = reduceDetail::acrossLanes<Kind>(result[slot], 1, 32);
      if (laneIndex() == 0) scratch[slot * kWarps + threadIndex() / 32] = part;
    }
    syncFragments<threads>();
    if constexpr (threads % kGroup == 0) {
      // Whole rows per slot: the warps that have a thread's row are neighbours.
      const u32 first = threadIndex() / kGroup * (kGroup / 32);
      MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) {
        float sum = Kind::nothing();
        MMC_UNROLL for (u32 warp = 0; warp < kGroup / 32; ++warp) sum =
            Kind::combine(sum, scratch[slot * kWarps + first + warp]);
        result[slot] = sum;
      }
    } else {
      // Group g of a thread is the g-th of `threads` groups of neighbours: its row has those with the same quotient.
      MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) {
        const u32 row = Part::element(slot);
        float sum = Kind::nothing();
        MMC_UNROLL for (u32 other = 0; other < Part::kSlots; ++other) {
          MMC_UNROLL for (u32 warp = 0; warp < kWarps; ++warp) {
            const u32 theirs = (other * threads + warp * 32) / kGroup;
            sum = theirs == row ? Kind::combine(sum, scratch[other * kWarps + warp]) : sum;
          }
        }
        result[slot] = sum;
      }
    }
  } else if constexpr (gone == 1) {
    // A row begins anywhere: what the threads have of one slot after the other.
    static_assert(threads <= kReduceScratch, "partial results fit the scratch");
    BlockFragment<float, Part> sums;
    assign(sums, [&](u32) { return Kind::nothing(); });
    MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) {
      syncFragments<threads>();
      scratch[threadIndex()] = result[slot];
      syncFragments<threads>();
      MMC_UNROLL for (u32 mine = 0; mine < Part::kSlots; ++mine) {
        const u32 begin = Part::element(mine) * kGroup, end = begin + kGroup, turn = slot * threads;
        for (u32 group = begin > turn ? begin : turn; group < end && group < turn + threads; ++group)
          sums[mine] = Kind::combine(sums[mine], scratch[group - turn]);
      }
    }
    copy(result, sums);
  } else if constexpr (!Part::kRepeats) {
    // A thread's columns differ from slot to slot: what the threads have of one group of neighbours after the other.
    static_assert(threads * vector <= kReduceScratch, "partial results fit the scratch");
    assign(result, [&](u32) { return Kind::nothing(); });
    MMC_UNROLL for (u32 first = 0; first < Whole::kSlots; first += vector) {
      syncFragments<threads>();
      MMC_UNROLL for (u32 i = 0; i < vector; ++i) scratch[threadIndex() * vector + i] =
          Whole::holds(first + i) ? fragment[first + i] : Kind::nothing();
      syncFragments<threads>();
      const u32 turn = first * threads % columns; // the column of the first of them
      MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) {
        for (u32 at = (Part::element(slot) + columns - turn) % columns; at < threads * vector; at += columns)
          result[slot] = Kind::combine(result[slot], scratch[at]);
      }
    }
  } else {
    constexpr u32 kShares = threads * vector / columns; // threads that have one column
    static_assert(threads * vector <= kReduceScratch, "partial results fit the scratch");
    // Slot by slot, so that lanes have neighbouring words.
    syncFragments<threads>();
    MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) scratch[slot * threads + threadIndex()] = result[slot];
    syncFragments<threads>();
    MMC_UNROLL for (u32 slot = 0; slot < Part::kSlots; ++slot) {
      const u32 first = slot * threads + threadIndex() % kGroup;
      float sum = scratch[first];
      MMC_UNROLL for (u32 share = 1; share < kShares; ++share) sum =
          Kind::combine(sum, scratch[first + share * kGroup]);
      result[slot] = sum;
    }
  }
}

/// The `count` largest of each row in descending order with their columns; ties go to the lowest column, NaN is the
/// smallest. Every thread looks how many of its element's row come before it: that is the element's place, and those
/// with a place below `count` are put there. columns^2 comparisons per row, for the short rows of a router.
template <u32 threads, u32 vector, u32 rows, u32 columns, u32 count>
MMC_DEVICE void topK(BlockFragment<float, Spread<threads, 1, rows, count>> &values,
                     BlockFragment<s32, Spread<threads, 1, rows, count>> &chosen,
                     const BlockFragment<float, Spread<threads, vector, rows, columns>> &fragment,
                     float (&scratch)[kReduceScratch]) {
  using From = Spread<threads, vector, rows, columns>;
  using To = Spread<threads, 1, rows, count>;
  static_assert(rows * (columns + 2 * count) <= kReduceScratch, "the rows, their best and the columns fit the scratch");
  float *best = scratch + rows * columns, *columnOfBest = best + rows * count;
  syncFragments<threads>();
  MMC_UNROLL for (u32 slot = 0; slot < From::kSlots; ++slot) {
    if (From::holds(slot)) scratch[From::element(slot)] = fragment[slot];
  }
  syncFragments<threads>();
  MMC_UNROLL for (u32 slot = 0; slot < From::kSlots; ++slot) {
    if (!From::holds(slot)) continue;
    const u32 row = From::template coordinate<0>(slot), column = From::template coordinate<1>(slot);
    const float mine = fragment[slot];
    u32 place = 0;
    for (u32 other = 0; other < columns; ++other) {
      const float theirs = scratch[row * columns + other];
      const bool larger = theirs > mine || (mine != mine && theirs == theirs);
      const bool equal = theirs == mine || (theirs != theirs && mine != mine);
      place += larger || (equal && other < column) ? 1 : 0;
    }
    if (place >= count) continue;
    best[row * count + place] = mine;
    columnOfBest[row * count + place] = bitCast<float>(column);
  }
  syncFragments<threads>();
  MMC_UNROLL for (u32 slot = 0; slot < To::kSlots; ++slot) {
    const bool holds = To::holds(slot);
    values[slot] = holds ? best[To::element(slot)] : 0.0f;
    chosen[slot] = holds ? bitCast<s32>(columnOfBest[To::element(slot)]) : 0;
  }
}
