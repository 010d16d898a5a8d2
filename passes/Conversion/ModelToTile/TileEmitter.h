// Emits the elementwise ops of a dispatch on tiles: every model value of the dispatch's body has a tile of the place
// that the kernel is at. All arithmetic is f32; a value of another float type is widened before and rounded where the
// program rounds.
#pragma once

#include "passes/Conversion/ModelToTile/KernelBuilder.h"

#include "llvm/ADT/DenseMap.h"

#include <functional>

namespace mmc {

class TileEmitter {
public:
  /// Loads the tile of a value from outside the dispatch at the kernel's place; null, with a diagnostic, where that
  /// cannot be.
  using Loader = std::function<mlir::Value(mlir::Value)>;

  TileEmitter(KernelBuilder &builder, Loader loader) : builder(builder), loader(std::move(loader)) {}

  void set(mlir::Value value, mlir::Value tile) { tiles[value] = tile; }
  /// The value's tile, in its own element type. Null after a diagnostic.
  mlir::Value get(mlir::Value value);
  /// The value's tile in f32. Null after a diagnostic.
  mlir::Value getF32(mlir::Value value);
  /// A scalar of the program (a table's entry or a constant) repeated over a tile. Null after a diagnostic.
  mlir::Value getScalar(mlir::Value scalar, mlir::RankedTensorType tile);

  /// silu, sigmoid, residual, casts, arith's elementwise ops.
  mlir::LogicalResult emit(mlir::Operation *op);

private:
  mlir::Value emitSigmoid(mlir::Value x);

  KernelBuilder &builder;
  Loader loader;
  llvm::DenseMap<mlir::Value, mlir::Value> tiles;
};

/// The norm of one row, a tile [channels] of f32.
mlir::Value emitRmsNorm(KernelBuilder &builder, model::RmsNormOp norm, mlir::Value x);

/// What an elementwise op adds to the name of its kernel; empty for casts.
llvm::StringRef getEpilogueName(mlir::Operation *op);

} // namespace mmc
