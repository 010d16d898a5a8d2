// Writes one tile.kernel and the tile.launch that runs it. A pass asks for views of the tensors it needs, in any order,
// and emits the body; the builder keeps the argument list in the order that launches bind: operands, results, then step
// fields and work lists.
//
// Invariant: kernels of one program that are equal but for their name are one kernel.
#pragma once

#include "passes/Conversion/ModelToTile/TensorViews.h"

#include "llvm/ADT/MapVector.h"

namespace mmc {

class KernelBuilder : public mlir::ImplicitLocOpBuilder {
public:
  /// A kernel of `program`; ops are emitted into its body until finish().
  KernelBuilder(model::ProgramOp program, mlir::Location loc);
  ~KernelBuilder();
  KernelBuilder(const KernelBuilder &) = delete;

  // ---------------------------------------------------------------- arguments

  /// A view of a launch operand; the same operand and type give the same argument. `access` is read or readwrite.
  mlir::Value addOperand(mlir::Value operand, tile::ViewType type, llvm::StringRef access, llvm::StringRef name);
  /// A row tensor through its reshapes, or a parameter or scalar row-major, for reading. Null, with a diagnostic, where
  /// there is no such view.
  mlir::Value read(mlir::Value tensor, llvm::StringRef name);
  /// A product's weight.
  mlir::Value readWeight(mlir::Value weight, WeightLayout layout, llvm::StringRef name);
  /// A new tensor that the launch makes.
  mlir::Value addResult(mlir::RankedTensorType type, llvm::StringRef name);
  /// The launch's next result continues the memory of `operand`, through a view of `type`. `access` is read (a value
  /// that only passes, so that it has one consumer) or readwrite.
  mlir::Value addTied(mlir::Value operand, tile::ViewType type, llvm::StringRef access, llvm::StringRef name);
  mlir::Value addStep(tile::StepField field);
  mlir::Value addWork(tile::WorkFilter filter, int64_t tileRows);

  // ---------------------------------------------------------------- work domain

  mlir::Value addPoint(tile::ExtentKind kind, int64_t value, llvm::StringRef name);
  mlir::Value addWorkPoint(mlir::Value list, llvm::StringRef name);
  void setGrain(int64_t points) { grain = points; }

  // ---------------------------------------------------------------- small emitters

  /// Gives a value the name that it has in emitted sources.
  mlir::Value named(mlir::Value value, llvm::StringRef name);

  mlir::Value index(int64_t value);
  mlir::Value integer(int64_t value);                            // i32
  mlir::Value constant(double value, mlir::Type type);           // a float scalar or a splat tile
  mlir::Value splat(int64_t value, mlir::RankedTensorType type); // an i32 tile
  mlir::Value toIndex(mlir::Value integer);
  mlir::Value toInteger(mlir::Value index);  // i32
  mlir::Value toFloat(mlir::Value integers); // i32 scalar or tile to f32
  mlir::Value load(mlir::Value view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> along,
                   llvm::ArrayRef<int64_t> shape, mlir::Value limit = {});
  mlir::Value loadScalar(mlir::Value view, mlir::ValueRange indices);
  void store(mlir::Value value, mlir::Value view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> along,
             mlir::Value limit = {});
  mlir::Value widen(mlir::Value value); // bf16 to f32
  mlir::Value convert(mlir::Value value, mlir::Type element);
  mlir::Value broadcast(mlir::Value value, llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<int64_t> shape);
  mlir::RankedTensorType tileType(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  mlir::Value minimum(mlir::Value a, mlir::Value b); // of indices

  /// Ends the body, gives the kernel the name `name` (with a suffix where another kernel has it, or shares that kernel
  /// where they are equal), and writes the launch before `before`.
  tile::LaunchOp finish(llvm::StringRef name, mlir::Operation *before);

private:
  struct Argument {
    mlir::BlockArgument value;
    mlir::NamedAttribute attribute;
  };
  mlir::BlockArgument insert(unsigned index, mlir::Type type, llvm::StringRef name);
  tile::KernelOp share(tile::KernelOp kernel, llvm::StringRef name);

  model::ProgramOp program;
  mlir::Location place; // of the dispatch, with its name
  tile::KernelOp kernel;
  mlir::Block *entry;
  llvm::SmallVector<Argument> operands, results, steps;
  llvm::SmallVector<mlir::Value> launchOperands;
  llvm::SmallVector<mlir::Type> resultTypes;
  llvm::SmallVector<int64_t> tied;
  llvm::SmallVector<std::pair<tile::ExtentKind, int64_t>> extents;
  llvm::SmallVector<mlir::Value> extentLists; // the work list of each extent, or null
  llvm::MapVector<int64_t, mlir::Value> indexConstants;
  int64_t grain = 1;
  bool finished = false;
};

/// Replaces the results of `dispatch` by `values` and erases it.
void replaceDispatch(model::DispatchOp dispatch, mlir::ValueRange values);

/// bf16 or f32 (or i32), for kernel names.
std::string getTypeName(mlir::Type element);

/// 64x128: the channels of a row tensor or the shape of a static one, for kernel names.
std::string getShapeName(llvm::ArrayRef<int64_t> shape);

} // namespace mmc
