// Reductions: along rows with several vector accumulators and then a tree across lanes, along columns one vector of
// columns at a time. The order depends on the tile's shape and the variant only.
#include "passes/Conversion/TileToVector/Lowering.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

/// Independent accumulators of a long row, so that additions overlap.
static constexpr int64_t kAccumulators = 4;

static Value identityOf(Emitter &emit, tile::ReduceKind kind, Type element, int lanes) {
  Type type = emit.lanesOf(element, lanes);
  if (kind == tile::ReduceKind::add) return emit.zero(type);
  if (auto integer = dyn_cast<IntegerType>(element))
    return emit.integer(type, APInt::getSignedMinValue(integer.getWidth()).getSExtValue());
  Attribute low =
      FloatAttr::get(element, APFloat::getInf(cast<FloatType>(element).getFloatSemantics(), /*Negative=*/true));
  if (lanes == 1) return arith::ConstantOp::create(emit.builder, emit.loc, cast<TypedAttr>(low));
  return arith::ConstantOp::create(emit.builder, emit.loc, DenseElementsAttr::get(cast<ShapedType>(type), low));
}

Value Lowering::combine(tile::ReduceKind kind, Value a, Value b) {
  bool integer = isa<IntegerType>(getElementTypeOrSelf(a.getType()));
  if (kind == tile::ReduceKind::add)
    return integer ? Value(arith::AddIOp::create(builder, loc, a, b))
                   : Value(arith::AddFOp::create(builder, loc, a, b));
  // maximumf: a NaN wins.
  return integer ? Value(arith::MaxSIOp::create(builder, loc, a, b))
                 : Value(arith::MaximumFOp::create(builder, loc, a, b));
}

Value Lowering::acrossLanes(tile::ReduceKind kind, Value vector) {
  for (int half = target.lanes / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> low(half), high(half);
    for (int i = 0; i < half; ++i) {
      low[i] = i;
      high[i] = half + i;
    }
    Value lower = vector::ShuffleOp::create(builder, loc, vector, vector, low);
    Value upper = vector::ShuffleOp::create(builder, loc, vector, vector, high);
    vector = combine(kind, lower, upper);
  }
  return vector::ExtractOp::create(builder, loc, vector, ArrayRef<int64_t>{0});
}

Value Lowering::reduceRow(tile::ReduceOp op, ArrayRef<Value> leading, Value rowLimit) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  tile::ReduceKind kind = op.getKind();
  Type element = type.getElementType();
  int64_t columns = type.getShape().back(), full = columns / target.lanes, tail = columns % target.lanes;
  Value identity = identityOf(emit, kind, element, target.lanes);
  auto vectorAt = [&](Value column, int active) {
    At at;
    at.coords.assign(leading.begin(), leading.end());
    at.coords.push_back(column);
    at.lanes = target.lanes;
    at.active = active;
    at.rowLimit = rowLimit;
    Memo memo;
    return evaluate(op.getValue(), at, memo);
  };

  SmallVector<Value> sums(std::min(kAccumulators, std::max<int64_t>(full, 1)), identity);
  int64_t trips = full / kAccumulators;
  if (trips > 0) {
    auto loop = scf::ForOp::create(builder, loc, emit.index(0), emit.index(trips), emit.index(1), sums,
                                   [](OpBuilder &, Location, Value, ValueRange) {});
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    Value first = emit.mul(loop.getInductionVar(), kAccumulators * target.lanes);
    SmallVector<Value> next;
    for (int64_t a = 0; a < kAccumulators; ++a)
      next.push_back(
          combine(kind, loop.getRegionIterArg(a), vectorAt(emit.add(first, a * target.lanes), target.lanes)));
    scf::YieldOp::create(builder, loc, next);
    sums.assign(loop.getResults().begin(), loop.getResults().end());
  }
  for (int64_t v = trips * kAccumulators; v < full; ++v) {
    Value &sum = sums[v % kAccumulators];
    sum = combine(kind, sum, vectorAt(emit.index(v * target.lanes), target.lanes));
  }
  if (tail) {
    Value part = vectorAt(emit.index(full * target.lanes), int(tail));
    Value kept = arith::SelectOp::create(builder, loc, emit.laneMask(target.lanes, int(tail)), part, identity);
    sums[0] = combine(kind, sums[0], kept);
  }
  for (size_t step = 1; step < sums.size(); step *= 2)
    for (size_t i = 0; i + step < sums.size(); i += 2 * step) sums[i] = combine(kind, sums[i], sums[i + step]);
  return acrossLanes(kind, sums[0]);
}

void Lowering::reduceColumns(tile::ReduceOp op, const Place &place) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  forEachVector({type.getDimSize(1)}, Value(), [&](const At &at) {
    Value identity = identityOf(emit, op.getKind(), type.getElementType(), target.lanes);
    auto loop = scf::ForOp::create(builder, loc, emit.index(0), emit.index(type.getDimSize(0)), emit.index(1),
                                   ValueRange{identity}, [](OpBuilder &, Location, Value, ValueRange) {});
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(loop.getBody());
      At here = at;
      here.coords.insert(here.coords.begin(), loop.getInductionVar());
      Memo memo;
      Value next = combine(op.getKind(), loop.getRegionIterArg(0), evaluate(op.getValue(), here, memo));
      scf::YieldOp::create(builder, loc, next);
    }
    storeVector(place, at, loop.getResult(0));
  });
}

void Lowering::lowerReduce(tile::ReduceOp op) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  Type element = type.getElementType();
  if (element.isBF16() || type.getRank() > 2)
    return fail(op, "expected a tile of rank 1 or 2 whose elements are no bf16, got " + Twine(type.getRank()));
  if (type.getRank() == 1) {
    scalars.map(op.getResult(), reduceRow(op, {}, Value()));
    return;
  }
  auto result = cast<RankedTensorType>(op.getResult().getType());
  Place place = allocate(result.getShape(), element);
  if (op.getDim() == 0) {
    reduceColumns(op, place);
  } else {
    Value limit = uses.rowsRead(op.getResult());
    limit = limit ? scalars.lookupOrNull(limit) : Value();
    emit.loop(clampedRows(limit, type.getDimSize(0)), [&](Value row) {
      Value sum = reduceRow(op, {row}, limit);
      emit.store(sum, addressOf(place, {row}));
    });
  }
  places[op.getResult()] = place;
}
