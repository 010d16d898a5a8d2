// Which layout each tile value of a kernel wants by nature: accumulators come from products, slices from their
// reductions, and what is computed from either stays with it. Everything else is spread over the threads.
#pragma once

#include "dialects/Hopper/IR/Hopper.h"

namespace mmc::cuda {

class Layouts {
public:
  explicit Layouts(int64_t threads) : threads(threads) {}

  /// The fragment that the value is by nature; spread where nothing says otherwise.
  hopper::FragmentType naturalType(mlir::Value value);
  /// A tile under a layout, padded to what the layout needs.
  hopper::FragmentType typeOf(mlir::Value value, mlir::Attribute layout) const;
  /// Accumulators for a product of this size.
  hopper::AccumulatorAttr accumulator(mlir::MLIRContext *context, int64_t rows, int64_t columns) const;
  /// The layout of a value of this type that is spread over the threads.
  hopper::SpreadAttr spread(mlir::RankedTensorType type) const;
  /// Layouts of a loop's values, decided before its body is emitted.
  void decide(mlir::scf::ForOp loop);

private:
  mlir::Attribute natural(mlir::Value value);
  mlir::Attribute naturalOf(mlir::Operation *op, mlir::Value value);
  mlir::Attribute wantedByLoop(mlir::Value value);

  int64_t threads;
  llvm::DenseMap<mlir::Value, mlir::Attribute> known; // null: none by nature
};

/// Whether the op computes each element of its results from the operands' elements at the same place.
bool isElementwise(mlir::Operation *op);

} // namespace mmc::cuda
