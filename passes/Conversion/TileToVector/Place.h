// Where a tile lies in memory: in a view, in scratch memory, or in panels of a weight.
#pragma once

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>

namespace mmc::cpu {

struct Place {
  /// !llvm.ptr of the tile's element (0, 0, ...).
  mlir::Value base;
  /// The tile's element type; bf16 elements are stored as i16, i1 as i8.
  mlir::Type element;
  /// In elements, one per dimension of the tile.
  llvm::SmallVector<int64_t, 3> strides;
  /// Per dimension of the tile: how many entries exist (index; may be negative or larger than the tile), the others
  /// read as zero and are not written. Null: all.
  llvm::SmallVector<mlir::Value, 3> bounds;
  /// Scratch memory: whole vectors may be read and written past the last column.
  bool padded = false;
  /// Elements lie as bf16 (as i16) and are f32 once read.
  bool widened = false;
  /// Everything up to the tile's size may be read, also beyond the bounds (a page of a cache).
  bool readable = false;
  /// A gathered tile: where its row numbers (i32) lie; entry i along dimension 0 is at row rows[i].
  std::shared_ptr<Place> rows;

  /// Weights in panels: `base` is the first panel of the weight's matrix; element (row, column) of the tile is column
  /// `column` of row `firstRow + row`. strides and bounds are not used.
  struct Panels {
    int64_t n = 0, k = 0;
    /// Elements of one panel.
    int64_t size = 0;
    mlir::Value firstRow, firstColumn;
  };
  std::shared_ptr<Panels> panels;
};

/// Which vector of a tile to evaluate: entries coords[d] .. coords[d] + lanes - 1 along its vector dimension d, as a
/// rule the last one.
struct At {
  llvm::SmallVector<mlir::Value, 3> coords;
  /// The vector dimension counted from the last one.
  unsigned fromLast = 0;
  size_t dim() const { return coords.size() - 1 - fromLast; }
  int lanes = 1;
  /// Lanes that exist in the tile; fewer than `lanes` in the tail of a row whose length is no multiple of it.
  int active = 1;
  /// coords[0] is known to be below this bound (null: unknown).
  mlir::Value rowLimit;
};

} // namespace mmc::cpu
