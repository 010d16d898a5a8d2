// Products on tensor cores: operands become shared tiles, filled by asynchronous copies where they are plain loads, or
// registers; a long k is taken in pieces through a ring of stages.
#include "passes/Conversion/TileToHopper/Lowering.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

constexpr int64_t kStages = 3;
/// k of a piece, where operands are streamed.
constexpr int64_t kPiece = 64;

/// One operand of a product: a load that is copied to shared memory, or a fragment.
struct Lowering::Operand {
  Value value;                // of the tile kernel
  unsigned depthDim;          // which of its dimensions is k
  SmallVector<int64_t> shape; // of the shared tile, as it lies in memory, padded
  Operation *load = nullptr;  // copied
  Value fragment;             // otherwise
  Value rows;                 // shared tile of a gather's rows
  Value shared;               // the tile, or the fragment itself for registers
  unsigned number = 1;        // of its shared tile: both operands may have one type
};

/// Whether 16-byte pieces of the load's rows can be copied as they are.
static bool isCopyable(Operation *op) {
  tile::ViewType view;
  ValueRange indices;
  ArrayRef<int64_t> along;
  if (auto load = dyn_cast_or_null<tile::LoadOp>(op)) {
    view = load.getView().getType(), indices = load.getIndices(), along = load.getAlong();
  } else if (auto gather = dyn_cast_or_null<tile::GatherOp>(op)) {
    view = gather.getView().getType(), indices = gather.getIndices(), along = gather.getAlong();
  } else {
    return false;
  }
  if (along.size() != 2 || !view.getElementType().isBF16()) return false;
  int64_t rank = view.getShape().size();
  if (along[1] != rank - 1 || view.getShape().back() % 8 != 0) return false;
  if (auto paged = dyn_cast_or_null<tile::PagedAttr>(view.getLayout()))
    return paged.getStrides()[2] == 1 && paged.getStrides()[0] % 8 == 0 && paged.getStrides()[1] % 8 == 0;
  SmallVector<int64_t> strides = view.getStrides();
  if (strides.empty() || strides.back() != 1 || view.getOffset() % 8 != 0) return false;
  for (int64_t stride : ArrayRef(strides).drop_back())
    if (stride % 8 != 0) return false;
  return isMultipleOf(indices.back(), 8);
}

/// The widest swizzle that a row of so many bytes allows.
static int64_t swizzleFor(int64_t bytes) {
  for (int64_t swizzle : {128, 64, 32})
    if (bytes % swizzle == 0) return swizzle;
  return 0;
}

static SharedType sharedType(MLIRContext *context, ArrayRef<int64_t> shape, int64_t stages) {
  return SharedType::get(context, shape, BFloat16Type::get(context), swizzleFor(shape.back() * 2), stages);
}

FailureOr<Lowering::Operand> Lowering::operandOf(Value value, unsigned number, unsigned depthDim, int64_t rows,
                                                 int64_t columns) {
  Operand operand{value, depthDim, {rows, columns}};
  operand.number = number;
  Operation *op = value.getDefiningOp();
  if (isCopyable(op)) {
    operand.load = op;
    if (auto gather = dyn_cast<tile::GatherOp>(op)) {
      Value list = make(gather.getRows(), layouts.typeOf(gather.getRows(), SpreadAttr::get(builder.getContext(), 1)));
      if (!list) return failure();
      operand.rows = tiles.get(tiles.typeFor(cast<FragmentType>(list.getType())), number);
      tiles.beforeWrite(operand.rows);
      PutOp::create(builder, op->getLoc(), list, operand.rows);
      tiles.afterWrite(operand.rows);
      tiles.beforeRead(operand.rows);
    }
    return operand;
  }
  operand.fragment = makeNatural(value);
  if (!operand.fragment) return failure();
  return operand;
}

/// The row-major index of the copied tile's extents: as much of the padded tile as the load really has.
static DenseI64ArrayAttr extentsOf(OpBuilder &builder, ArrayRef<int64_t> logical, ArrayRef<int64_t> padded) {
  if (logical == padded) return {};
  return builder.getDenseI64ArrayAttr(logical);
}

void Lowering::copyTo(const Operand &operand, Value shared, Value stage, Value depth) {
  auto type = cast<SharedType>(shared.getType());
  auto logical = llvm::to_vector(cast<RankedTensorType>(operand.value.getType()).getShape());
  unsigned depthDim = operand.depthDim;
  if (depth) logical[depthDim] = type.getShape()[depthDim];
  auto emit = [&](auto load, Value rows) {
    SmallVector<Value> indices = scalarsOf(load.getIndices());
    Value &index = indices[load.getAlong()[depthDim]];
    if (depth) index = arith::AddIOp::create(builder, load.getLoc(), index, depth);
    Value view = scalar(load.getView());
    tiles.beforeRead(view);
    tiles.afterRead(view);
    CopyOp::create(builder, load.getLoc(), view, indices, load.getAlong(),
                   load.getLimit() ? scalar(load.getLimit()) : Value(), rows, shared, stage,
                   extentsOf(builder, logical, type.getShape()));
  };
  if (auto load = dyn_cast<tile::LoadOp>(operand.load)) return emit(load, Value());
  emit(cast<tile::GatherOp>(operand.load), operand.rows);
  tiles.afterRead(operand.rows);
}

/// Puts the whole operand where the product reads it.
LogicalResult Lowering::fill(Operand &operand) {
  if (operand.shared) return success();
  operand.shared = tiles.get(sharedType(builder.getContext(), operand.shape, 1), operand.number);
  tiles.beforeWrite(operand.shared);
  if (operand.load) {
    copyTo(operand, operand.shared, Value(), Value());
    tiles.afterWrite(operand.shared);
    return success();
  }
  if (cast<FragmentType>(operand.fragment.getType()).getShape() != ArrayRef(operand.shape)) {
    ClearOp::create(builder, operand.value.getLoc(), operand.shared);
    tiles.barrier();
  }
  PutOp::create(builder, operand.value.getLoc(), operand.fragment, operand.shared);
  tiles.afterWrite(operand.shared);
  return success();
}

Value Lowering::multiplyInPieces(tile::DotOp dot, Operand &a, Operand &b, Value acc, int64_t depth, int64_t piece) {
  Location loc = dot.getLoc();
  auto ring = [&](Operand &operand) {
    SmallVector<int64_t> shape = operand.shape;
    shape[operand.depthDim] = piece;
    return tiles.get(sharedType(builder.getContext(), shape, kStages), operand.number);
  };
  Value ringA = ring(a), ringB = ring(b);
  for (Value tile : {ringA, ringB}) tiles.beforeWrite(tile);
  int64_t pieces = depth / piece;
  auto copyPiece = [&](Value number, Value stage) {
    Value at = arith::MulIOp::create(builder, loc, number, constant(piece));
    copyTo(a, ringA, stage, at);
    copyTo(b, ringB, stage, at);
  };
  for (int64_t i = 0; i < kStages - 1; ++i) {
    if (i < pieces) copyPiece(constant(i), constant(i));
    CommitOp::create(builder, loc);
  }
  auto loop = scf::ForOp::create(builder, loc, constant(0), constant(pieces), constant(1), ValueRange{acc});
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    WaitOp::create(builder, loc, kStages - 2);
    BarrierOp::create(builder, loc);
    Value next = arith::AddIOp::create(builder, loc, loop.getInductionVar(), constant(kStages - 1));
    Value more = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, next, constant(pieces));
    auto branch = scf::IfOp::create(builder, loc, more, /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard inner(builder);
      builder.setInsertionPointToStart(branch.thenBlock());
      copyPiece(next, arith::RemSIOp::create(builder, loc, next, constant(kStages)));
    }
    CommitOp::create(builder, loc);
    Value stage = arith::RemSIOp::create(builder, loc, loop.getInductionVar(), constant(kStages));
    Value sum = MultiplyOp::create(builder, loc, acc.getType(), loop.getRegionIterArgs()[0], ringA, ringB, stage,
                                   dot.getTransposeA(), dot.getTransposeB());
    scf::YieldOp::create(builder, loc, sum);
  }
  for (Value tile : {ringA, ringB}) tiles.afterRead(tile);
  return loop.getResult(0);
}

LogicalResult Lowering::emitDot(tile::DotOp dot) {
  auto typeA = cast<RankedTensorType>(dot.getA().getType());
  if (!typeA.getElementType().isBF16())
    return dot.emitOpError("expected operands of bf16 below mmc-round-dot-operands and mmc-expand-thin-dots");
  FragmentType type = layouts.naturalType(dot.getResult());
  int64_t m = type.getShape()[0], n = type.getShape()[1];
  int64_t depth = llvm::alignTo(typeA.getDimSize(dot.getTransposeA() ? 0 : 1), 16);
  auto shapeOf = [](int64_t rows, int64_t columns, bool transposed) {
    return transposed ? std::pair(columns, rows) : std::pair(rows, columns);
  };
  auto [rowsA, columnsA] = shapeOf(m, depth, dot.getTransposeA());
  auto [rowsB, columnsB] = shapeOf(depth, n, dot.getTransposeB());

  Value acc;
  if (dot.getAcc()) {
    acc = make(dot.getAcc(), type);
  } else {
    auto zero = MapOp::create(builder, dot.getLoc(), TypeRange{type}, ValueRange());
    Block *body = new Block;
    zero.getBody().push_back(body);
    OpBuilder inner = OpBuilder::atBlockEnd(body); // in the map by now
    Value nothing = arith::ConstantOp::create(inner, dot.getLoc(), builder.getF32FloatAttr(0));
    YieldOp::create(inner, dot.getLoc(), nothing);
    acc = zero.getResult(0);
  }
  if (!acc) return failure();
  FailureOr<Operand> a = operandOf(dot.getA(), 1, dot.getTransposeA() ? 0 : 1, rowsA, columnsA);
  FailureOr<Operand> b = operandOf(dot.getB(), 2, dot.getTransposeB() ? 1 : 0, rowsB, columnsB);
  if (failed(a) || failed(b)) return failure();

  int64_t piece = depth % kPiece == 0 ? kPiece : depth % 32 == 0 ? 32 : 16;
  if (a->load && b->load && depth > 2 * kPiece) {
    keep(dot.getResult(), multiplyInPieces(dot, *a, *b, acc, depth, piece));
    return success();
  }
  // Whole rows per warp: accumulators rounded to bf16 are operands as they are.
  if (a->fragment && a->depthDim == 1) {
    auto fragment = cast<FragmentType>(a->fragment.getType());
    auto layout = dyn_cast<AccumulatorAttr>(fragment.getLayout());
    if (layout && layout == type.getLayout() && layout.getColumns() == 1 && fragment.getShape()[1] == depth)
      a->shared = a->fragment;
  }
  bool inRegisters = a->shared != nullptr;
  if (failed(fill(*a)) || failed(fill(*b))) return failure();
  if (a->load || b->load) {
    CommitOp::create(builder, dot.getLoc());
    WaitOp::create(builder, dot.getLoc(), 0);
  }
  if (!inRegisters) tiles.beforeRead(a->shared);
  tiles.beforeRead(b->shared);
  Value result = MultiplyOp::create(builder, dot.getLoc(), type, acc, a->shared, b->shared, Value(),
                                    dot.getTransposeA(), dot.getTransposeB());
  if (!inRegisters) tiles.afterRead(a->shared);
  tiles.afterRead(b->shared);
  keep(dot.getResult(), result);
  return success();
}

} // namespace mmc::cuda
