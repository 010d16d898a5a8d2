// The linear recurrence while its kernels are written: what they share. SplitLightningAttention.cpp says what they
// compute.
#pragma once

#include "passes/Conversion/ModelToTile/Parts.h"
#include "passes/Fusion/Dispatches.h"

namespace mmc {

/// Views, sizes and values of one kernel.
struct Recurrence {
  KernelBuilder b;
  model::LinearAttentionOp op;
  int64_t block;                // rows of a tile; 1 in the decode kernel
  int64_t keys = 0, values = 0; // channels
  mlir::Value q, k, v, o;
  mlir::Value rate; // scalar, null without decay
  mlir::Value head;
  mlir::Value mask, queryDecay; // the same in every block: [C, C] and [C, K], null without decay or with one row

  Recurrence(model::LinearAttentionOp op, int64_t block);

  /// exp(-g * count) for a scalar or a tile of counts.
  mlir::Value decay(mlir::Value count);
  /// The decay mask M[i, j] = i >= j ? exp(-g (i - j)) : 0 and the queries' decay exp(-g (i + 1)).
  void emitConstants();
  /// The outputs of the block's `rows` rows from `row` on are stored; the new state is returned.
  mlir::Value emitBlock(mlir::Value row, mlir::Value rows, mlir::Value state);
  /// The state after the block; nothing is stored.
  mlir::Value emitUpdate(mlir::Value row, mlir::Value rows, mlir::Value state);
  /// The blocks of rows [begin, end) of a sequence whose first row is `first`: the state after them. `outputs`: the
  /// rows' outputs are stored too.
  mlir::Value emitBlocks(mlir::Value first, mlir::Value begin, mlir::Value end, mlir::Value state, bool outputs);

  mlir::RankedTensorType stateType() { return b.tileType({keys, values}, b.getF32Type()); }
  /// The view of the states of all slots, and of one: f32 [keys, values].
  tile::ViewType stateView(mlir::RankedTensorType state);
  /// A state that lies in the last two dimensions of a view.
  mlir::Value loadState(mlir::Value view, mlir::ValueRange indices) {
    int64_t rank = static_cast<int64_t>(indices.size());
    return b.widen(b.load(view, indices, {rank - 2, rank - 1}, {keys, values}));
  }

private:
  mlir::Value load(mlir::Value view, int64_t channels, mlir::Value row, mlir::Value rows);
  mlir::Value update(mlir::Value K, mlir::Value V, mlir::Value rows, mlir::Value state);
  mlir::Value dot(mlir::Value x, mlir::Value y, mlir::Value acc = {}, bool transposeX = false,
                  bool transposeY = false) {
    return tile::DotOp::create(b, x, y, acc, transposeX, transposeY);
  }
  mlir::Value multiply(mlir::Value x, mlir::Value y) { return mlir::arith::MulFOp::create(b, x, y); }
};

/// What the kernels of one linear attention start from: the tensors as they are after the launches so far.
struct RecurrenceLaunch {
  model::LinearAttentionOp op;
  model::DispatchOp dispatch;
  mlir::RankedTensorType outputType;
  mlir::Value output, state; // a null output is made
};

/// Writes the kernel of each segment's state and the prefill kernel that goes on from them. On success `launch.output`
/// and `launch.state` are the tensors after it.
mlir::LogicalResult emitSegmentedPrefill(RecurrenceLaunch &launch, int64_t block, const Parts &segments);

} // namespace mmc
