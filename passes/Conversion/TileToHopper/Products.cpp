// Products on tensor cores: operands become shared tiles, filled by asynchronous copies where they are plain loads, or
// registers.
#include "passes/Conversion/TileToHopper/Operand.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

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

tile::LoadOp listOf(tile::GatherOp gather) {
  auto load = gather.getRows().getDefiningOp<tile::LoadOp>();
  if (!load || load.getView().getType().getShape().size() != 1 || load.getLimit() != gather.getLimit()) return {};
  auto argument = dyn_cast<BlockArgument>(load.getView());
  auto kernel = argument ? dyn_cast<tile::KernelOp>(argument.getOwner()->getParentOp()) : tile::KernelOp();
  auto access = kernel ? kernel.getArgAttrOfType<StringAttr>(argument.getArgNumber(), tile::kAccessAttr) : StringAttr();
  return access && access.getValue() == "read" ? load : tile::LoadOp();
}

SharedType sharedOperandType(MLIRContext *context, ArrayRef<int64_t> shape, int64_t stages) {
  int64_t swizzle = 0; // the widest that a row allows
  for (int64_t span : {32, 64, 128})
    if (shape.back() * 2 % span == 0) swizzle = span;
  return SharedType::get(context, shape, BFloat16Type::get(context), swizzle, stages);
}

SharedType Lowering::Operand::pieceType(int64_t piece, int64_t stages) const {
  SmallVector<int64_t> pieceShape = shape;
  pieceShape[depthDim] = piece;
  return sharedOperandType(value.getContext(), pieceShape, stages);
}

FailureOr<Lowering::Operand> Lowering::operandOf(Value value, unsigned number, unsigned depthDim, int64_t rows,
                                                 int64_t columns) {
  Operand operand{value, depthDim, {rows, columns}};
  operand.number = number;
  Operation *op = value.getDefiningOp();
  if (isCopyable(op)) {
    operand.load = op;
    if (auto gather = dyn_cast<tile::GatherOp>(op)) {
      if (roles && scopes.size() > 1) operand.list = listOf(gather);
      if (operand.list) return operand;
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

void Lowering::copyTo(const Operand &operand, Value shared, Value stage, Value depth, bool byTensor) {
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
    if (byTensor) {
      TensorCopyOp::create(builder, load.getLoc(), view, indices, load.getAlong(), shared, stage);
      return;
    }
    tile::LoadOp rowsOfList = operand.list;
    Value list = rowsOfList ? scalar(rowsOfList.getView()) : Value();
    Value first = rowsOfList ? scalar(rowsOfList.getIndices().front()) : Value();
    CopyOp::create(builder, load.getLoc(), view, indices, load.getAlong(),
                   load.getLimit() ? scalar(load.getLimit()) : Value(), rows, list, first, shared, stage,
                   extentsOf(builder, logical, type.getShape()));
  };
  if (auto load = dyn_cast<tile::LoadOp>(operand.load)) return emit(load, Value());
  emit(cast<tile::GatherOp>(operand.load), operand.rows);
  if (operand.rows) tiles.afterRead(operand.rows);
}

/// Puts the whole operand where the product reads it.
LogicalResult Lowering::fill(Operand &operand) {
  if (operand.shared) return success();
  SharedType type = sharedOperandType(builder.getContext(), operand.shape, 1);
  if (!operand.load) return place(operand, type);
  operand.shared = tiles.get(type, operand.number);
  tiles.beforeWrite(operand.shared);
  copyTo(operand, operand.shared, Value(), Value());
  tiles.afterWrite(operand.shared);
  return success();
}

/// Puts a fragment: one from outside of the loop in front of it, once, into a tile of its own.
LogicalResult Lowering::place(Operand &operand, SharedType type) {
  Scope &home = scopes[scopeOf(operand.value)];
  const bool fromOutside = &home != &scopes.back();
  if (Value known = home.placed.lookup({operand.value, type})) return operand.shared = known, success();
  OpBuilder::InsertionGuard guard(builder);
  std::optional<SharedTiles::Touched> inside;
  if (fromOutside) {
    builder.setInsertionPoint((&home + 1)->loop);
    inside = tiles.enterFront();
    operand.number += 2 * ++placedTiles;
  }
  operand.shared = tiles.get(type, operand.number);
  tiles.beforeWrite(operand.shared);
  if (cast<FragmentType>(operand.fragment.getType()).getShape() != ArrayRef(operand.shape)) {
    ClearOp::create(builder, operand.value.getLoc(), operand.shared);
    tiles.barrier();
  }
  PutOp::create(builder, operand.value.getLoc(), operand.fragment, operand.shared);
  tiles.afterWrite(operand.shared);
  if (!fromOutside) return success();
  tiles.barrier();
  tiles.leaveFront(std::move(*inside));
  home.placed[{operand.value, type}] = operand.shared;
  return success();
}

bool Lowering::isAsync(tile::DotOp dot, Type acc, Type a, Type b) const {
  return byWarpgroups &&
         fitsWgmma(cast<FragmentType>(acc), a, cast<SharedType>(b), dot.getTransposeA(), dot.getTransposeB());
}

Value Lowering::product(tile::DotOp dot, Value acc, Value a, Value b, Value stage) {
  if (isAsync(dot, acc.getType(), a.getType(), b.getType()))
    return WgmmaOp::create(builder, dot.getLoc(), acc.getType(), acc, a, b, stage, dot.getTransposeA(),
                           dot.getTransposeB());
  return MultiplyOp::create(builder, dot.getLoc(), acc.getType(), acc, a, b, stage, dot.getTransposeA(),
                            dot.getTransposeB());
}

/// The product when it is complete.
Value Lowering::complete(Value product) {
  if (!product.getDefiningOp<WgmmaOp>()) return product;
  return WgmmaWaitOp::create(builder, product.getLoc(), TypeRange{product.getType()}, 0, ValueRange{product})
      .getResult(0);
}

Value Lowering::startOf(tile::DotOp dot) {
  FragmentType type = layouts.naturalType(dot.getResult());
  if (dot.getAcc()) return make(dot.getAcc(), type);
  auto zero = MapOp::create(builder, dot.getLoc(), TypeRange{type}, ValueRange());
  Block *body = new Block;
  zero.getBody().push_back(body);
  OpBuilder inner = OpBuilder::atBlockEnd(body); // in the map by now
  Value nothing = arith::ConstantOp::create(inner, dot.getLoc(), builder.getF32FloatAttr(0));
  YieldOp::create(inner, dot.getLoc(), nothing);
  return zero.getResult(0);
}

/// All of k at once; operands come by a ring, by copies of those who compute, or out of registers.
Value Lowering::multiplyWhole(tile::DotOp dot, Operand &a, Operand &b, Value acc) {
  const bool ringA = comesByRing(a), ringB = comesByRing(b);
  Value stage;
  std::optional<RingTiles> ring;
  if (!takeHeld(a, b, stage)) ring = bringByRing(a, b);
  if (failed(fill(a)) || failed(fill(b))) return {};
  if ((a.load && !ringA) || (b.load && !ringB)) {
    CommitOp::create(builder, dot.getLoc());
    WaitOp::create(builder, dot.getLoc(), 0);
  }
  SmallVector<Value> exchanged; // through tiles that the computing warps write themselves
  if (!ringA && isa<SharedType>(a.shared.getType())) exchanged.push_back(a.shared);
  if (!ringB) exchanged.push_back(b.shared);
  for (Value tile : exchanged) tiles.beforeRead(tile);
  if (ring) stage = acquire(*ring);
  Value result = complete(product(dot, acc, a.shared, b.shared, stage));
  if (ring) holdOrRelease(*ring, a, b, stage);
  for (Value tile : exchanged) tiles.afterRead(tile);
  return result;
}

LogicalResult Lowering::emitDot(tile::DotOp dot) {
  if (scopes.back().made.contains(dot.getResult())) return success(); // beside another one
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

  Value acc = startOf(dot);
  if (!acc) return failure();
  FailureOr<Operand> a = operandOf(dot.getA(), 1, dot.getTransposeA() ? 0 : 1, rowsA, columnsA);
  FailureOr<Operand> b = operandOf(dot.getB(), 2, dot.getTransposeB() ? 1 : 0, rowsB, columnsB);
  if (failed(a) || failed(b)) return failure();

  if (a->load && b->load && isStreamed(depth)) return emitStreamed(dot, *a, *b, acc, depth);
  // Whole rows per warp: accumulators rounded to bf16 are operands as they are.
  if (a->fragment && a->depthDim == 1) {
    auto fragment = cast<FragmentType>(a->fragment.getType());
    auto layout = dyn_cast<AccumulatorAttr>(fragment.getLayout());
    if (layout && layout == type.getLayout() && layout.getColumns() == 1 && fragment.getShape()[1] == depth)
      a->shared = a->fragment;
  }
  Value result = multiplyWhole(dot, *a, *b, acc);
  if (!result) return failure();
  keep(dot.getResult(), result);
  return success();
}

} // namespace mmc::cuda
