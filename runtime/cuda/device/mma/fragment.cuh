// Matrices in registers: accumulators, and left operands. Which thread holds what is decided by a policy, and hidden by
// forEach.
//
// Invariant: fragments are passed by reference and every loop over one is unrolled, so that they stay in registers;
// with policy Wgmma nobody touches one between commit() and the wait that names it.
#pragma once

#include "ptx/integers.cuh"
#include "ptx/math.cuh"
#include "ptx/warp.cuh"

/// Products of a warpgroup: blocks of 64 rows, of which each of its four warps holds 16.
struct Wgmma {
  static constexpr u32 kBlockRows = 64, kThreads = 128;
  /// First row of a block that this thread's warp holds.
  static MMC_DEVICE u32 warpRow() { return threadIndex() % 128 / 32 * 16; }
};
/// Products of one warp: blocks of 16 rows.
struct Mma {
  static constexpr u32 kBlockRows = 16, kThreads = 32;
  static MMC_DEVICE u32 warpRow() { return 0; }
};

/// An accumulator of `rows` x `columns`, held by a warpgroup or a warp: float, or s32 for products of integers.
template <u32 rows, u32 columns, class PolicyType, class D = float> struct Fragment {
  using Policy = PolicyType;
  using Value = D;
  static constexpr u32 kRows = rows, kColumns = columns, kBlocks = rows / Policy::kBlockRows;
  static_assert(rows % Policy::kBlockRows == 0 && columns % 8 == 0,
                "a fragment is whole blocks of rows by groups of 8 columns");
  D values[kBlocks][columns / 2];

  MMC_DEVICE void fill(D value) {
    MMC_UNROLL for (u32 block = 0; block < kBlocks; ++block) {
      MMC_UNROLL for (u32 i = 0; i < columns / 2; ++i) values[block][i] = value;
    }
  }
};

/// Calls f(value, row, column) for everything this thread holds. Two values in a row are neighbours in a row of the
/// matrix.
template <u32 rows, u32 columns, class Policy, class D, class F>
MMC_DEVICE void forEach(Fragment<rows, columns, Policy, D> &fragment, F f) {
  const u32 lane = laneIndex(), firstRow = Policy::warpRow() + lane / 4, firstColumn = lane % 4 * 2;
  MMC_UNROLL for (u32 block = 0; block < fragment.kBlocks; ++block) {
    MMC_UNROLL for (u32 i = 0; i < columns / 2; ++i) {
      f(fragment.values[block][i], block * Policy::kBlockRows + firstRow + i / 2 % 2 * 8,
        i / 4 * 8 + firstColumn + i % 2);
    }
  }
}
/// Calls f(first, second, row, column) for pairs of neighbours: what is packed into one word.
template <u32 rows, u32 columns, class Policy, class D, class F>
MMC_DEVICE void forEachPair(Fragment<rows, columns, Policy, D> &fragment, F f) {
  const u32 lane = laneIndex(), firstRow = Policy::warpRow() + lane / 4, firstColumn = lane % 4 * 2;
  MMC_UNROLL for (u32 block = 0; block < fragment.kBlocks; ++block) {
    MMC_UNROLL for (u32 i = 0; i < columns / 2; i += 2) {
      f(fragment.values[block][i], fragment.values[block][i + 1], block * Policy::kBlockRows + firstRow + i / 2 % 2 * 8,
        i / 4 * 8 + firstColumn);
    }
  }
}

/// One number per row of a fragment. Four lanes hold a row, and all of them its number.
template <u32 rows, class PolicyType> struct RowValues {
  using Policy = PolicyType;
  static constexpr u32 kBlocks = rows / Policy::kBlockRows;
  float values[kBlocks][2];

  MMC_DEVICE void fill(float value) {
    MMC_UNROLL for (u32 block = 0; block < kBlocks; ++block) values[block][0] = values[block][1] = value;
  }
};

/// Calls f(value, row).
template <u32 rows, class Policy, class F> MMC_DEVICE void forEachRow(RowValues<rows, Policy> &numbers, F f) {
  const u32 firstRow = Policy::warpRow() + laneIndex() / 4;
  MMC_UNROLL for (u32 block = 0; block < numbers.kBlocks; ++block) {
    MMC_UNROLL for (u32 half = 0; half < 2; ++half)
        f(numbers.values[block][half], block * Policy::kBlockRows + firstRow + half * 8);
  }
}
/// Calls f(value, number of its row).
template <u32 rows, u32 columns, class Policy, class F>
MMC_DEVICE void forEachWithRow(Fragment<rows, columns, Policy> &fragment, const RowValues<rows, Policy> &numbers, F f) {
  MMC_UNROLL for (u32 block = 0; block < fragment.kBlocks; ++block) {
    MMC_UNROLL for (u32 i = 0; i < columns / 2; ++i) f(fragment.values[block][i], numbers.values[block][i / 2 % 2]);
  }
}

namespace fragmentDetail {
template <u32 rows, u32 columns, class Policy, class F>
MMC_DEVICE void reduceRows(RowValues<rows, Policy> &numbers, const Fragment<rows, columns, Policy> &fragment,
                           F combine) {
  MMC_UNROLL for (u32 block = 0; block < fragment.kBlocks; ++block) {
    MMC_UNROLL for (u32 half = 0; half < 2; ++half) {
      float result = fragment.values[block][half * 2];
      result = combine(result, fragment.values[block][half * 2 + 1]);
      MMC_UNROLL for (u32 group = 1; group < columns / 8; ++group) {
        result = combine(result, fragment.values[block][group * 4 + half * 2]);
        result = combine(result, fragment.values[block][group * 4 + half * 2 + 1]);
      }
      result = combine(result, shuffleXor(result, 1));
      numbers.values[block][half] = combine(result, shuffleXor(result, 2));
    }
  }
}
} // namespace fragmentDetail

/// The largest value of each row, and the sum of each row (in a fixed order). By whole warps.
template <u32 rows, u32 columns, class Policy>
MMC_DEVICE void rowMax(RowValues<rows, Policy> &numbers, const Fragment<rows, columns, Policy> &fragment) {
  fragmentDetail::reduceRows(numbers, fragment, [](float a, float b) { return larger(a, b); });
}
template <u32 rows, u32 columns, class Policy>
MMC_DEVICE void rowSum(RowValues<rows, Policy> &numbers, const Fragment<rows, columns, Policy> &fragment) {
  fragmentDetail::reduceRows(numbers, fragment, [](float a, float b) { return a + b; });
}

/// A left operand of `rows` x `depth` 16- or 8-bit elements.
template <class T, u32 rows, u32 depth, class PolicyType> struct Operand {
  using Policy = PolicyType;
  using Element = T;
  /// k of one instruction.
  static constexpr u32 kStep = 32 / sizeof(T);
  static constexpr u32 kRows = rows, kDepth = depth, kBlocks = rows / Policy::kBlockRows, kSteps = depth / kStep;
  static_assert(rows % Policy::kBlockRows == 0 && depth % kStep == 0,
                "an operand is whole blocks of rows by whole steps of k");
  u32 values[kBlocks][kSteps][4];
};

/// Rounds an accumulator to bf16 as the left operand of the next product (P of P V).
template <u32 rows, u32 columns, class Policy>
MMC_DEVICE void toOperand(Operand<bf16, rows, columns, Policy> &operand,
                          const Fragment<rows, columns, Policy> &fragment) {
  MMC_UNROLL for (u32 block = 0; block < operand.kBlocks; ++block) {
    MMC_UNROLL for (u32 step = 0; step < operand.kSteps; ++step) {
      MMC_UNROLL for (u32 i = 0; i < 4; ++i) {
        operand.values[block][step][i] =
            packBf16(fragment.values[block][step * 8 + 2 * i], fragment.values[block][step * 8 + 2 * i + 1]);
      }
    }
  }
}
