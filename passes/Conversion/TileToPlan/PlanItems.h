// The items of a plan under construction: weights, constants, pools, buffers and work lists, each made once and named
// readably.
#pragma once

#include "dialects/Plan/IR/Plan.h"
#include "dialects/Tile/IR/Tile.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

#include <map>

namespace mmc {

/// Where a value of a function lies.
struct Placement {
  planir::BindingKind kind = planir::BindingKind::buffer;
  mlir::FlatSymbolRefAttr symbol;
};

/// When a buffer is live, on a time line of its own program.
struct Lifetime {
  int program = 0; // index of the layer kind, or kBody / kHead
  int begin = 0;   // position of the launch that writes it first
  int end = 0;     // position of the last launch that reads it
};

/// Makes plan items on demand and finds them again.
class PlanItems {
public:
  PlanItems(planir::ModuleOp plan, int64_t routesPerToken);

  /// A weight read with the layout of `view` in the layers `layers` (ignored where the name has no {layer}). The same
  /// weight of several layer kinds is one item with the union of their layers. `sources` are checkpoint tensors, one
  /// below the other, of `heights` rows (which one alone does not need). `nextElse`: as in plan.weight, or null.
  mlir::FlatSymbolRefAttr weight(mlir::Location loc, mlir::ArrayRef<mlir::StringRef> sources,
                                 mlir::ArrayRef<int64_t> heights, mlir::RankedTensorType stored, tile::ViewType view,
                                 mlir::ArrayRef<int64_t> layers, mlir::StringAttr nextElse = {});
  /// A table of the program, read with the element type of `view`.
  mlir::FlatSymbolRefAttr constant(mlir::Location loc, mlir::StringRef table, mlir::Attribute value,
                                   mlir::RankedTensorType type, tile::ViewType view);
  /// A new pool.
  mlir::FlatSymbolRefAttr pool(mlir::Location loc, mlir::StringRef name, planir::PoolKind kind,
                               mlir::RankedTensorType unit, int64_t layers);
  /// A new buffer for a tensor with a row encoding (or of fixed size).
  mlir::FailureOr<mlir::FlatSymbolRefAttr> buffer(mlir::Location loc, mlir::StringRef name, mlir::RankedTensorType type,
                                                  Lifetime lifetime);
  mlir::FlatSymbolRefAttr workList(mlir::Location loc, tile::WorkAttr work);

  Lifetime &lifetime(mlir::FlatSymbolRefAttr buffer);
  /// Buffers in the order in which they were made.
  mlir::ArrayRef<std::pair<planir::BufferOp, Lifetime>> getBuffers() const { return buffers; }

  /// A symbol made of letters, digits and underscores that no other item of the plan has.
  std::string unique(mlir::StringRef wanted);

private:
  mlir::OpBuilder atEnd();

  planir::ModuleOp plan;
  int64_t routesPerToken;
  llvm::StringMap<int> used;
  std::map<std::string, planir::WeightOp> weights;
  std::map<std::string, mlir::FlatSymbolRefAttr> constants, workLists;
  llvm::SmallVector<std::pair<planir::BufferOp, Lifetime>> buffers;
};

} // namespace mmc
