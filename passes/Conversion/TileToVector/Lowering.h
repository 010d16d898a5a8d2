// Lowers one tile.kernel to a function over vectors and pointers, for one CPU variant.
//
// The body is walked in program order. Tile values stay expressions until something consumes them: a store, a product,
// a reduction, a loop value. A consumer makes a nest of loops over rows and over vectors as wide as a register, and
// evaluates the expression per vector. Values that ValueUses says need memory are written to scratch memory where they
// are defined.
//
// Invariants: a vector is never wider than a register (of one f32 per lane); every access to a view is within its
// bounds, or masked; scratch rows are padded to whole vectors; each element of a product is summed in ascending k by
// one accumulator, whatever the number of rows.
#pragma once

#include "passes/Conversion/TileToVector/CpuTarget.h"
#include "passes/Conversion/TileToVector/Emitter.h"
#include "passes/Conversion/TileToVector/Place.h"
#include "passes/Conversion/TileToVector/ValueUses.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

#include <map>

namespace mmc::cpu {

class Lowering {
public:
  Lowering(tile::KernelOp kernel, const CpuTarget &target, mlir::OpBuilder &builder);

  /// Emits the function at the builder's insertion point. Fails after reporting what it does not support.
  llvm::FailureOr<mlir::func::FuncOp> run();

private:
  // Values evaluated already within the current straight-line code, by value and coordinates.
  using Memo = std::map<std::vector<const void *>, mlir::Value>;
  /// What a product's consumer does with one vector of the result.
  using Consumer = std::function<void(const At &, Memo &)>;

  // Lowering.cpp: the walk.
  void bindArguments(mlir::Block &entry);
  void bindPoints(mlir::Value point);
  void lowerBlock(mlir::Block &block);
  void lowerOp(mlir::Operation *op);
  void lowerScalarOp(mlir::Operation *op);
  void lowerFor(mlir::scf::ForOp op);
  void lowerIf(mlir::scf::IfOp op);
  void lowerPoint(tile::PointOp op);
  void lowerTileResult(mlir::Operation *op);
  void lowerReshape(tile::ReshapeOp op);
  mlir::Value scalar(mlir::Value value);
  void fail(mlir::Operation *op, const llvm::Twine &message);

  // Views.cpp: places of views, scratch memory.
  Place placeOf(mlir::Operation *op, mlir::Value view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> along,
                llvm::ArrayRef<int64_t> shape, mlir::Value limit, mlir::Value rows = {});
  Place panelPlace(mlir::Operation *op, tile::ViewType view, mlir::Value base, mlir::ValueRange indices,
                   llvm::ArrayRef<int64_t> along);
  mlir::Value pageStart(tile::ViewType view, mlir::Value viewArgument, mlir::ValueRange indices);
  Place allocate(llvm::ArrayRef<int64_t> shape, mlir::Type element, bool compact = false);
  mlir::Value globalConstant(mlir::DenseElementsAttr values);

  // Memory.cpp: one vector between a place and registers.
  mlir::Value addressOf(const Place &place, llvm::ArrayRef<mlir::Value> coords);
  mlir::Value loadVector(const Place &place, const At &at);
  void storeVector(const Place &place, const At &at, mlir::Value value);
  mlir::Value rowCondition(const Place &place, const At &at);
  mlir::Value loadStored(const Place &place, const At &at);

  // Evaluate.cpp: expressions on one vector.
  mlir::Value evaluate(mlir::Value tile, const At &at, Memo &memo);
  mlir::Value evaluateOp(mlir::Operation *op, const At &at, Memo &memo);
  mlir::Value evaluateBroadcast(tile::BroadcastOp op, const At &at, Memo &memo);
  mlir::Value emitElementwise(mlir::Operation *op, llvm::ArrayRef<mlir::Value> operands, int lanes);
  mlir::Value widenBf16(mlir::Value carried);
  mlir::Value narrowToBf16(mlir::Value f32);
  static std::vector<const void *> memoKey(mlir::Value tile, const At &at);

  // Nests.cpp: loops over the vectors of a tile.
  void forEachVector(llvm::ArrayRef<int64_t> shape, mlir::Value rowLimit, const std::function<void(const At &)> &body);
  mlir::Value clampedRows(mlir::Value limit, int64_t rows);
  void materialise(mlir::Value value, const Place &place, mlir::Value rowLimit, mlir::Operation *sink);
  void lowerStore(tile::StoreOp op);
  void copyTile(mlir::Value value, const Place &place, mlir::Value rowLimit);

  // Reduce.cpp
  void lowerReduce(tile::ReduceOp op);
  mlir::Value reduceRow(tile::ReduceOp op, llvm::ArrayRef<mlir::Value> leading, mlir::Value rowLimit);
  mlir::Value combine(tile::ReduceKind kind, mlir::Value a, mlir::Value b);
  mlir::Value acrossLanes(tile::ReduceKind kind, mlir::Value vector);
  void reduceColumns(tile::ReduceOp op, const Place &place);
  // TopK.cpp
  void lowerTopK(tile::TopKOp op);

  // Transpose.cpp
  void copyTransposed(mlir::Value value, const Place &place);
  Place sourceOf(mlir::Value value);

  // DotOperands.cpp: operands of products in the form that the register tile reads.
  /// A product's operands as addresses.
  struct DotForm {
    int64_t m = 0, n = 0, k = 0;
    /// Element (row, k) of A.
    Place a;
    bool aTransposed = false;
    /// Element (k, column) of B: either in panels, or with columns adjacent at stride bStep along k.
    Place b;
    int64_t bStep = 0;
    /// How many columns of B exist; null: all.
    mlir::Value columns;
    /// Steps along k to do (index); pairs count as one.
    mlir::Value steps;
    /// B holds bf16 pairs; A then holds pairs too (nativePairs), or f32.
    bool pairs = false, nativePairs = false;
  };
  void prepareOperands(mlir::Value value);
  void prepareOperand(mlir::Value value, tile::DotOp dot, unsigned operand);
  DotForm formOf(tile::DotOp dot);
  bool readsInPlace(const Place &place, tile::DotOp dot, unsigned operand);
  bool takesPairs(tile::DotOp dot);

  // Dot.cpp: loops over register tiles; DotTile.cpp: one register tile.
  void emitDot(tile::DotOp dot, const Consumer &consume);
  void emitRows(tile::DotOp dot, mlir::Value rows, int64_t mostRows, mlir::Value firstColumn, int vectors,
                int lastActive, int atLeast, const Consumer &consume);
  void emitTile(tile::DotOp dot, mlir::Value row, int rows, mlir::Value column, int vectors, int lastActive,
                const Consumer &consume);
  llvm::SmallVector<mlir::Value> accumulate(tile::DotOp dot, llvm::ArrayRef<At> tiles, int rows, int vectors,
                                            Memo &memo);
  int64_t vectorOffset(const DotForm &form, int v) const;
  void stepF32(const DotForm &form, llvm::ArrayRef<mlir::Value> rowPointers, mlir::Value column, mlir::Value step,
               int lastActive, llvm::SmallVectorImpl<mlir::Value> &sums, int vectors);
  void stepPairs(const DotForm &form, llvm::ArrayRef<mlir::Value> rowPointers, mlir::Value column, mlir::Value step,
                 llvm::SmallVectorImpl<mlir::Value> &sums, int vectors);

  tile::KernelOp kernel;
  const CpuTarget target;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  Emitter emit;
  ValueUses uses;
  mlir::func::FuncOp function;
  mlir::Value scratch;
  /// Scalars of the kernel to scalars of the function.
  mlir::IRMapping scalars;
  /// Tile values that lie in memory.
  llvm::DenseMap<mlir::Value, Place> places;
  /// Copies of product operands in the form that the product reads, by (value, form).
  std::map<std::pair<const void *, int>, Place> operandPlaces;
  /// Kernel arguments: pointer (views, work lists) and, for paged views, the page table.
  llvm::DenseMap<mlir::Value, std::pair<mlir::Value, mlir::Value>> arguments;
  /// Where the next trip's value of a loop value is built: (loop, loop value).
  std::map<std::pair<mlir::Operation *, unsigned>, Place> nextPlaces;
  /// Of the product being emitted and those fused into it.
  std::map<mlir::Operation *, DotForm> forms;
  /// How many rows of it are wanted; null: all.
  mlir::Value dotLimit;
  int64_t scratchTop = 0, scratchPeak = 0;
  int globals = 0;
  bool failed = false;
};

} // namespace mmc::cpu
