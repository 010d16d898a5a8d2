// Decides, before any code is emitted, which tile values need memory, which products are evaluated inside their
// consumer, and how many rows of a tile anybody reads.
//
// A tile value is evaluated where it is consumed. Its "sinks" are the ops that consume it, looking through elementwise
// ops that are not materialised themselves: stores, reductions, products, loop yields.
#pragma once

#include "dialects/Tile/IR/Tile.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace mmc::cpu {

class ValueUses {
public:
  explicit ValueUses(tile::KernelOp kernel);

  /// The value is written to memory where it is defined (elementwise ops, broadcasts, loads that a later store could
  /// overtake).
  bool isMaterialised(mlir::Value value) { return infoOf(value).memory; }
  /// The op into whose emission the product is fused: a store, a materialised elementwise op, a yield's place or
  /// another product. Null: the product is materialised where it stands.
  mlir::Operation *fusedInto(mlir::Operation *dot) { return fused.lookup(dot); }
  /// The product, if any, that is fused into `sink`.
  tile::DotOp fusedDotOf(mlir::Operation *sink) { return fusedDots.lookup(sink); }
  /// Number of rows (an index value of the kernel) that consumers read; null: all of them.
  mlir::Value rowsRead(mlir::Value value);
  /// Number of steps along k after which one operand of the product is zero; null: all.
  mlir::Value stepsOf(tile::DotOp dot);
  /// The loop and its loop value for which `value` is the next trip's value and may be built in place.
  std::optional<std::pair<mlir::Operation *, unsigned>> carriedBy(mlir::Value value);

private:
  struct Info {
    bool memory = false;
    /// Evaluated more than once for a consumer: in a deeper loop, or under a broadcast.
    bool repeated = false;
    llvm::SmallPtrSet<mlir::Operation *, 4> sinks;
  };
  Info &infoOf(mlir::Value value);
  void addUse(mlir::Value value, mlir::OpOperand &use, Info &info);
  int costOf(mlir::Value value);
  mlir::Value zeroFrom(mlir::Value value);
  void fuseDots(tile::KernelOp kernel);
  bool canFuse(tile::DotOp dot, mlir::Operation *sink);
  void guardLoads(tile::KernelOp kernel);
  bool overtaken(mlir::Operation *load, mlir::Value view, tile::StoreOp store);

  llvm::DenseMap<mlir::Value, Info> infos;
  llvm::DenseMap<mlir::Value, int> costs;
  llvm::DenseMap<mlir::Value, mlir::Value> rows;
  llvm::DenseMap<mlir::Operation *, mlir::Operation *> fused;
  llvm::DenseMap<mlir::Operation *, tile::DotOp> fusedDots;
};

/// A tile value, as opposed to a scalar.
inline bool isTile(mlir::Type type) { return mlir::isa<mlir::RankedTensorType>(type); }
/// An arith or math op that works on tiles element by element.
bool isElementwise(mlir::Operation *op);

} // namespace mmc::cpu
