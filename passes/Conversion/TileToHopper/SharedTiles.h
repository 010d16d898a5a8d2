// Shared tiles of a kernel and the barriers between their uses.
//
// A tile is reused by every exchange of its type. Invariant: `written` and `read` are the tiles touched since the last
// barrier on every path to the insertion point; entering a loop assumes the worst of the trip before.
#pragma once

#include "dialects/Hopper/IR/Hopper.h"

#include "llvm/ADT/SetVector.h"

namespace mmc::cuda {

class SharedTiles {
public:
  SharedTiles(hopper::KernelOp kernel, mlir::OpBuilder &builder) : kernel(kernel), builder(builder) {}

  /// The tile number `index` of this type; made at its first use.
  mlir::Value get(hopper::SharedType type, unsigned index = 0);
  /// Row-major tile of a fragment's elements.
  hopper::SharedType typeFor(hopper::FragmentType fragment) const;
  /// A barrier if somebody may still read or write it.
  void beforeWrite(mlir::Value tile);
  void afterWrite(mlir::Value tile) { written.insert(tile); }
  /// A barrier if it was written since the last one.
  void beforeRead(mlir::Value tile);
  void afterRead(mlir::Value tile) { read.insert(tile); }
  void barrier();
  /// At a loop's head, and after it.
  void enterLoop() {
    ++loops;
    forget();
  }
  void leaveLoop() {
    --loops;
    forget();
  }

private:
  void forget();

  hopper::KernelOp kernel;
  unsigned loops = 0;
  mlir::OpBuilder &builder;
  llvm::DenseMap<std::pair<mlir::Type, unsigned>, mlir::Value> known;
  llvm::SetVector<mlir::Value> written, read;
};

} // namespace mmc::cuda
