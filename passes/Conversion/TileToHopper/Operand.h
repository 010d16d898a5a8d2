// Operands of products on tensor cores, for those who emit them.
#pragma once

#include "passes/Conversion/TileToHopper/Lowering.h"

namespace mmc::cuda {

/// One operand of a product: a load that is copied to shared memory, or a fragment.
struct Lowering::Operand {
  mlir::Value value;                // of the tile kernel
  unsigned depthDim;                // which of its dimensions is k
  llvm::SmallVector<int64_t> shape; // of the shared tile, as it lies in memory, padded
  mlir::Operation *load = nullptr;  // copied
  mlir::Value fragment = {};        // otherwise
  mlir::Value rows = {};            // shared tile of a gather's rows
  tile::LoadOp list = {};           // or the load of them, where others than those who compute copy
  mlir::Value shared = {};          // the tile, or the fragment itself for registers
  unsigned number = 1;              // of its shared tile: both operands may have one type

  /// The shared tile of so much of k, in so many stages.
  hopper::SharedType pieceType(int64_t piece, int64_t stages) const;
};

/// One of the products that share their left operand.
struct Lowering::StreamedProduct {
  tile::DotOp dot;
  Operand b;
  mlir::Value acc, ring;
};

/// The load of a gather's rows, if whoever copies can read them for himself: from a list that the kernel only reads,
/// and as many as the gather takes. Null otherwise.
tile::LoadOp listOf(tile::GatherOp gather);

/// A tile of bf16 under the widest swizzle that its rows allow.
hopper::SharedType sharedOperandType(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> shape, int64_t stages);

/// Whether a product of two loads takes k in pieces.
bool isStreamed(int64_t depth);

} // namespace mmc::cuda
