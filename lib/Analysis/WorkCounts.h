// How often an op of a tile kernel runs in a launch, and how many different values its indices take: numbers times a
// unit of work.
#pragma once

#include "dialects/Tile/IR/Tile.h"
#include "lib/Analysis/KernelFloor.h"

#include "llvm/ADT/SetVector.h"

#include <optional>

namespace mmc::analysis {

/// So many units.
struct Count {
  Unit unit = Unit::launch;
  double factor = 1;
};

/// What a value depends on.
struct Sources {
  llvm::SetVector<mlir::Value> axes;        // points of the domain; of a work list also the slots of its records
  llvm::SetVector<mlir::Operation *> loops; // scf.for, by their induction variables
  llvm::SetVector<mlir::Operation *> loads; // data
  llvm::SmallVector<int64_t> constants;

  void add(const Sources &other);
};

class WorkCounts {
public:
  explicit WorkCounts(tile::KernelOp kernel) : kernel(kernel) {}

  /// Everything that `value` depends on.
  void collect(mlir::Value value, Sources &sources) const;
  /// Adds the loops around the op that only say which of the points in `sources` exist.
  void addConditions(mlir::Operation *op, Sources &sources) const;
  /// Runs of the op. Nothing where a loop has a form that is not known.
  std::optional<Count> ofOp(mlir::Operation *op) const;
  /// Different combinations of what is in `sources`.
  std::optional<Count> of(const Sources &sources) const;
  /// Equal for sources of equal counts, data apart.
  std::string describe(const Sources &sources) const;

private:
  struct Trip {
    Count count;
    llvm::SetVector<mlir::Value> absorbed; // axes that make up the unit together with the loop
    bool absorbsAll = false;
    bool condition = false; // it turns once, for points that exist
  };
  std::optional<Trip> tripOf(mlir::scf::ForOp loop, const Sources &within) const;
  std::optional<Trip> tripOverParts(mlir::scf::ForOp loop) const;
  std::optional<Trip> tripOverRecord(mlir::scf::ForOp loop, double step, const Sources &within) const;
  Count axisCount(mlir::Value axis) const;
  tile::WorkAttr workOf(tile::PointOp point) const;

  mutable tile::KernelOp kernel; // a handle, whose methods are not const
};

} // namespace mmc::analysis
