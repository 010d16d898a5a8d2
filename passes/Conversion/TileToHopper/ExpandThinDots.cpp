// Products without tensor cores: one row, or k = 1. See Passes.td.
#include "passes/Conversion/TileToHopper/Layouts.h"
#include "passes/Conversion/TileToHopper/Passes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace mmc::cuda {

#define GEN_PASS_DEF_EXPANDTHINDOTS
#include "passes/Conversion/TileToHopper/Passes.h.inc"

namespace {

/// Elements of the second operand that are held at once: 64 for each of 256 threads. What a block asks for at a time is
/// what it hides the latency of memory with.
constexpr int64_t kHeld = 16384;

class Expander {
public:
  explicit Expander(tile::DotOp dot)
      : dot(dot), builder(dot), loc(dot.getLoc()), typeA(cast<RankedTensorType>(dot.getA().getType())),
        typeB(cast<RankedTensorType>(dot.getB().getType())) {}

  void run() {
    int64_t depth = typeA.getDimSize(dot.getTransposeA() ? 0 : 1);
    Value result = depth == 1 ? outer() : oneRow(depth);
    dot.replaceAllUsesWith(result);
    dot.erase();
  }

private:
  RankedTensorType f32(ArrayRef<int64_t> shape) { return RankedTensorType::get(shape, builder.getF32Type()); }
  Value widened(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return type.getElementType().isF32() ? value
                                         : arith::ExtFOp::create(builder, loc, f32(type.getShape()), value).getResult();
  }
  /// The elements of a row or column as a vector in f32. What was a vector, or is loaded, is taken as a vector from the
  /// beginning, which can then be made in the layout of the matrix that it is spread over.
  Value vectorOf(Value value) {
    Value source = value;
    if (auto wide = value.getDefiningOp<arith::ExtFOp>()) source = wide.getIn();
    if (auto reshape = source.getDefiningOp<tile::ReshapeOp>();
        reshape && cast<RankedTensorType>(reshape.getValue().getType()).getRank() == 1)
      return widened(reshape.getValue());
    if (auto load = source.getDefiningOp<tile::LoadOp>())
      if (Value vector = loadVector(load)) return widened(vector);
    value = widened(value);
    return tile::ReshapeOp::create(builder, loc, f32({cast<RankedTensorType>(value.getType()).getNumElements()}),
                                   value);
  }
  /// A load of one row or one column as that of a vector, at the same place; null where its limit is of the other
  /// dimension.
  Value loadVector(tile::LoadOp load) {
    auto type = cast<RankedTensorType>(load.getType());
    unsigned kept = type.getDimSize(0) == 1 ? 1 : 0;
    if (type.getRank() != 2 || type.getDimSize(1 - kept) != 1 || (load.getLimit() && kept != 0)) return {};
    OpBuilder here(load);
    Type vector = RankedTensorType::get({type.getDimSize(kept)}, type.getElementType());
    return tile::LoadOp::create(here, load.getLoc(), vector, load.getView(), load.getIndices(), {load.getAlong()[kept]},
                                load.getLimit());
  }
  Value spreadTo(Value vector, int64_t dim, ArrayRef<int64_t> shape) {
    return tile::BroadcastOp::create(builder, loc, f32(shape), vector, builder.getDenseI64ArrayAttr({dim}));
  }

  /// acc[m, n] + a[m] b[n].
  Value outer() {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(dot.getType()).getShape();
    Value product = arith::MulFOp::create(builder, loc, spreadTo(vectorOf(dot.getA()), 0, shape),
                                          spreadTo(vectorOf(dot.getB()), 1, shape));
    return dot.getAcc() ? arith::AddFOp::create(builder, loc, dot.getAcc(), product).getResult() : product;
  }

  /// a[k] b[k, n] or a[k] b[n, k], elementwise; `a` is a vector.
  Value products(Value a, Value b) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(b.getType()).getShape();
    return arith::MulFOp::create(builder, loc, spreadTo(a, dot.getTransposeB() ? 1 : 0, shape), widened(b));
  }

  /// So much of k that a piece of the matrix fits the registers: a power of two where that is a good part of a warp's
  /// row, because a sum along it then needs no shared memory.
  static int64_t pieceOf(int64_t depth, int64_t n) {
    int64_t piece = depth, power = depth & -depth;
    while (piece % 2 == 0 && piece * n > kHeld) piece /= 2;
    while (power > 1 && power * n > kHeld) power /= 2;
    return piece < depth && power >= 32 ? power : piece;
  }

  Value oneRow(int64_t depth) {
    Value a = vectorOf(dot.getA()), b = dot.getB();
    int64_t n = typeB.getNumElements() / depth, piece = pieceOf(depth, n);
    Value terms = piece < depth && canCut(a) && sourceOf(b) ? inPieces(a, depth, piece) : products(a, b);
    Value sum = tile::ReduceOp::create(builder, loc, tile::ReduceKind::add, terms, dot.getTransposeB() ? 1 : 0);
    Value row = tile::ReshapeOp::create(builder, loc, dot.getType(), sum);
    return dot.getAcc() ? arith::AddFOp::create(builder, loc, dot.getAcc(), row).getResult() : row;
  }

  /// The load behind an operand, through a widening; null where there is none that can be taken in pieces.
  static tile::LoadOp sourceOf(Value value) {
    if (auto widened = value.getDefiningOp<arith::ExtFOp>()) value = widened.getIn();
    return value.getDefiningOp<tile::LoadOp>();
  }

  /// Whether a vector can be computed piece by piece: from loads, scalars and equal elements, element by element.
  static bool canCut(Value vector) {
    Operation *op = vector.getDefiningOp();
    if (!isa<RankedTensorType>(vector.getType())) return true;
    if (!op) return false;
    if (auto load = dyn_cast<tile::LoadOp>(op))
      return !load.getLimit() && llvm::none_of(load.getView().getUsers(), llvm::IsaPred<tile::StoreOp>);
    if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) return broadcast.getDims().empty();
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) return isa<SplatElementsAttr>(constant.getValue());
    return isElementwise(op) && llvm::all_of(op->getOperands(), [](Value operand) { return canCut(operand); });
  }

  /// Elements `at` to `at` + `piece` of a vector that can be cut.
  Value cut(Value vector, Value at, int64_t piece) {
    auto type = dyn_cast<RankedTensorType>(vector.getType());
    if (!type) return vector;
    Operation *op = vector.getDefiningOp();
    RankedTensorType part = RankedTensorType::get({piece}, type.getElementType());
    if (auto load = dyn_cast<tile::LoadOp>(op)) return loadPiece(load, 0, at, part);
    if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
      return tile::BroadcastOp::create(builder, loc, part, broadcast.getValue(), broadcast.getDims());
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      return arith::ConstantOp::create(builder, loc, cast<SplatElementsAttr>(constant.getValue()).resizeSplat(part));
    SmallVector<Value> operands = llvm::map_to_vector(op->getOperands(), [&](Value v) { return cut(v, at, piece); });
    OperationState state(op->getLoc(), op->getName(), operands, {part}, op->getAttrs());
    return builder.create(state)->getResult(0);
  }

  /// A part of what is loaded, from `at` on along its dimension `dim`.
  Value loadPiece(tile::LoadOp load, unsigned dim, Value at, RankedTensorType part) {
    SmallVector<Value> indices(load.getIndices());
    Value &index = indices[load.getAlong()[dim]];
    index = arith::AddIOp::create(builder, loc, index, at);
    return tile::LoadOp::create(builder, loc, part, load.getView(), indices, load.getAlong(), load.getLimit());
  }

  Value inPieces(Value a, int64_t depth, int64_t piece) {
    unsigned dim = dot.getTransposeB() ? 1 : 0;
    SmallVector<int64_t> shape(typeB.getShape());
    shape[dim] = piece;
    auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); };
    Value zero = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(f32(shape), 0.0f));
    auto loop = scf::ForOp::create(builder, loc, index(0), index(depth), index(piece), ValueRange{zero});
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    tile::LoadOp matrix = sourceOf(dot.getB());
    Value at = loop.getInductionVar();
    auto stored = cast<RankedTensorType>(matrix.getType()).clone(shape);
    Value part = products(cut(a, at, piece), loadPiece(matrix, dim, at, stored));
    Value sum = arith::AddFOp::create(builder, loc, loop.getRegionIterArgs()[0], part);
    scf::YieldOp::create(builder, loc, sum);
    return loop.getResult(0);
  }

  tile::DotOp dot;
  OpBuilder builder;
  Location loc;
  RankedTensorType typeA, typeB;
};

struct ExpandThinDots : impl::ExpandThinDotsBase<ExpandThinDots> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<tile::DotOp> dots;
    getOperation().walk([&](tile::DotOp dot) {
      auto a = cast<RankedTensorType>(dot.getA().getType());
      int64_t rows = a.getDimSize(dot.getTransposeA() ? 1 : 0), depth = a.getDimSize(dot.getTransposeA() ? 0 : 1);
      if (rows == 1 || depth == 1) dots.push_back(dot);
    });
    for (tile::DotOp dot : dots) Expander(dot).run();
  }
};

} // namespace
} // namespace mmc::cuda
