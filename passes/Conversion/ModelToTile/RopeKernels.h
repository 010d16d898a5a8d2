// Rotary position embedding as kernels: the table of cosines and sines of a step's positions, the rotation of a head's
// channels, and the kernel of a rope that stands alone.
#pragma once

#include "passes/Conversion/ModelToTile/KernelBuilder.h"

namespace mmc {

/// Cosines and sines, f32 tiles [rotaryDim / 2], of one position (i32).
std::pair<mlir::Value, mlir::Value> emitRotation(KernelBuilder &builder, model::RopeOp rope, mlir::Value position);

/// Cosines and sines tensor<? x rotaryDim/2 x f32, tokens> of the step's positions, from a launch before `before`. One
/// launch serves all ropes of a block that agree on theta and rotaryDim and come after it.
std::pair<mlir::Value, mlir::Value> getRopeTable(model::RopeOp rope, mlir::Operation *before);

/// Cosines and sines of row `row` of a rope's table, as f32 tiles.
std::pair<mlir::Value, mlir::Value> loadRotation(KernelBuilder &builder, mlir::Value cosines, mlir::Value sines,
                                                 mlir::Value row);

/// A head's channels on their way through a chain of casts and ropes: loaded in the pieces that the ropes need, kept as
/// f32 or as the casts say.
class HeadChain {
public:
  /// The chain of casts and ropes inside `dispatch` that ends in `value`.
  HeadChain(model::DispatchOp dispatch, mlir::Value value);

  /// The value from outside that the chain starts from.
  mlir::Value getSource() const { return source; }
  bool hasRope() const { return static_cast<bool>(getRope()); }
  model::RopeOp getRope() const;
  /// Fails, with a diagnostic, where the chain has an op that is neither a cast nor its only rope.
  mlir::LogicalResult verify() const;

  /// Pieces (first channel, tile) of row `row` and head `head` of the source's view, after the chain's ops. `rotation`
  /// gives the cosines and sines of the row's position, where a rope asks for them.
  using Piece = std::pair<int64_t, mlir::Value>;
  using Rotation = llvm::function_ref<std::pair<mlir::Value, mlir::Value>()>;
  llvm::SmallVector<Piece> emit(KernelBuilder &builder, mlir::Value view, Rotation rotation, mlir::Value row,
                                mlir::Value head) const;

private:
  mlir::Value source;
  llvm::SmallVector<mlir::Operation *> ops; // from the source on
};

/// A dispatch of kind `rope`: one launch, one work point per token.
mlir::LogicalResult convertRope(model::DispatchOp dispatch);

} // namespace mmc
