// Softmax attention over a paged cache while it is converted: what its kernels share. SplitAttention.cpp says what they
// compute.
#pragma once

#include "passes/Conversion/ModelToTile/Parts.h"
#include "passes/Fusion/Dispatches.h"

namespace mmc {

struct CacheLayout {
  int64_t page;  // positions of a page
  int64_t table; // pages of a sequence
  bool keysByChannel;

  /// Values lie position-major in a page. So do keys, whose rows are then copied as they are, or channel-major: both
  /// are then panels with the contracted dimension outermost.
  tile::ViewType getView(mlir::RankedTensorType cache, bool keys) const;
};

/// One attention dispatch while it is converted.
struct Attention {
  model::DispatchOp dispatch;
  CacheLayout layout;
  bool appendByHead;
  Parts parts; // of a decoding sequence's cached positions
  model::AttentionOp op;
  int64_t heads = 0, kvHeads = 0, channels = 0, valueChannels = 0;
  mlir::RankedTensorType outputType;
  mlir::Value q, keys, values; // tensors as they are after the launches so far

  Attention(model::DispatchOp dispatch, CacheLayout layout, bool appendByHead, Parts parts)
      : dispatch(dispatch), layout(layout), appendByHead(appendByHead), parts(parts) {}

  mlir::LogicalResult prepare();
  /// Writes the kernel that appends the step's keys and values.
  mlir::LogicalResult append();
  /// Writes one attention kernel, for query tiles of `tileRows` rows (1 in the decode kernel), and returns its output.
  /// A null `output` is made, else completed in place.
  mlir::FailureOr<mlir::Value> attend(bool prefill, int64_t tileRows, mlir::Value output);
  /// Writes the decode kernel over parts of the positions and the one that combines them into `output`.
  mlir::FailureOr<mlir::Value> attendInParts(mlir::Value output);

  int64_t group() const { return heads / kvHeads; }
  /// Positions of a block: a block never crosses a page.
  int64_t columns() const { return std::min<int64_t>(64, layout.page); }
  /// The queries of a KV head's group, widened and scaled: f32 [tileRows x group, channels].
  mlir::Value loadQueries(KernelBuilder &b, mlir::Value view, mlir::ValueRange place, int64_t tileRows,
                          mlir::Value limit);
};

/// Blocks of positions of one work point: their sizes and the values that each block needs.
struct AttentionBlock {
  KernelBuilder &b;
  int64_t rows, columns, channels, valueChannels; // rows = query rows times heads of the group
  int64_t window;
  mlir::Value keyCache, valueCache, slot, head, queries;
  mlir::Value rowPositions; // i32 [rows]: the position of each row
  mlir::Value end;          // positions to read

  /// The blocks from position `first` on: the largest score, the sum of weights and the weighted values of each row,
  /// f32 [rows], [rows] and [rows, valueChannels].
  llvm::SmallVector<mlir::Value> emitLoop(mlir::Value first);

private:
  mlir::RankedTensorType floats(llvm::ArrayRef<int64_t> shape) { return b.tileType(shape, b.getF32Type()); }
  mlir::Value emitScores(mlir::Value first, mlir::Value keyTile);
  llvm::SmallVector<mlir::Value> emit(mlir::Value first, mlir::ValueRange carried);
};

/// The online softmax's start: a finite maximum, so that a block without any allowed position gives exp(-inf) = 0 and
/// not exp(-inf + inf), a sum of zero, and values of zero.
llvm::SmallVector<mlir::Value> emitSoftmaxStart(KernelBuilder &b, int64_t rows, int64_t channels);

/// Names what a loop of the online softmax carries.
void nameCarried(KernelBuilder &b, mlir::scf::ForOp loop);

} // namespace mmc
