// Where a row tensor of a program lies in memory: reshapes (split_heads, merge_heads) and slices of channels cost
// nothing, they only change strides and offsets.
#pragma once

#include "dialects/Model/IR/Model.h"
#include "dialects/Tile/IR/Tile.h"

namespace mmc {

/// A tensor as part of the memory of `root`, a value that a launch can be given. Strides and offset are in elements.
struct TensorView {
  mlir::Value root;
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<int64_t> strides;
  int64_t offset = 0;

  /// The view type: without a layout where the elements lie row-major from the root's start.
  tile::ViewType getType() const;
};

/// Follows the reshapes and slices that produce `value` to the tensor that is in memory. Fails, with a diagnostic,
/// where heads are merged that do not lie next to each other (a part of an interleaved split).
mlir::FailureOr<TensorView> resolveView(mlir::Value value);

/// A row-major view of a tensor's shape, rank 0 for a scalar.
tile::ViewType getRowMajorView(mlir::Type type);

/// How a product's weight [N, K] or [E, N, K] lies in memory.
enum class WeightLayout {
  panels, ///< panels of 16 rows, two columns together for bf16, one for f32: what the CPU's registers take
  rows    ///< row-major, each expert at a multiple of 64 bytes: what copies to shared memory take
};

/// The layout of that name, or nothing.
std::optional<WeightLayout> parseWeightLayout(llvm::StringRef name);

/// A view of a product's weight.
tile::ViewType getWeightView(mlir::RankedTensorType weight, WeightLayout layout);

} // namespace mmc
