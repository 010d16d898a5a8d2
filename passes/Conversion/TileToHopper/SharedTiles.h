// Shared tiles of a kernel, and the barriers between uses of what threads exchange values through: these tiles, and
// views with a store and another access.
//
// Where products of warpgroups read them, a fence stands in front of every barrier behind which there is something new.
//
// A tile is reused by every exchange of its type. Invariant: `written` and `read` are what was touched since the last
// barrier on some path to the insertion point; entering a loop assumes the worst of the trip before.
#pragma once

#include "dialects/Hopper/IR/Hopper.h"

#include "llvm/ADT/SetVector.h"

namespace mmc::cuda {

class SharedTiles {
public:
  SharedTiles(hopper::KernelOp kernel, mlir::OpBuilder &builder, bool fences)
      : kernel(kernel), builder(builder), fences(fences) {}

  /// The tile number `index` of this type; made at its first use.
  mlir::Value get(hopper::SharedType type, unsigned index = 0);
  /// Row-major tile of a fragment's elements.
  hopper::SharedType typeFor(hopper::FragmentType fragment) const;
  /// From now on the view is minded too: one thread may load what another stored.
  void mind(mlir::Value view) { views.insert(view); }
  bool isMinded(mlir::Value memory) const;
  /// A barrier if somebody may still read or write it.
  void beforeWrite(mlir::Value tile);
  void afterWrite(mlir::Value tile);
  /// A barrier if it was written since the last one.
  void beforeRead(mlir::Value tile);
  void afterRead(mlir::Value tile);
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

  /// What was touched since the last barrier.
  struct Touched {
    llvm::SetVector<mlir::Value> written, read;
    bool sinceLoop = true; // no barrier yet since the head or the end of a loop
    bool unfenced = true;  // written since the last fence, maybe
  };
  /// Around code that is put in front of a loop whose body is being emitted: what was touched there is not known, and
  /// what the code touches may be so still where the body goes on.
  Touched enterFront();
  void leaveFront(Touched inside);

private:
  void forget();

  hopper::KernelOp kernel;
  unsigned loops = 0;
  mlir::OpBuilder &builder;
  bool fences;
  llvm::DenseMap<std::pair<mlir::Type, unsigned>, mlir::Value> known;
  llvm::SetVector<mlir::Value> views;
  Touched touched;
};

} // namespace mmc::cuda
