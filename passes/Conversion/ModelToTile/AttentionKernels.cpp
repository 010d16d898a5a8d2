// The attention kernels: tiles of prefilled rows and single rows over all cached positions.
#include "passes/Conversion/ModelToTile/AttentionKernels.h"

#include <limits>

using namespace mlir;

namespace mmc {

tile::ViewType CacheLayout::getView(RankedTensorType cache, bool keys) const {
  int64_t heads = cache.getDimSize(1), channels = cache.getDimSize(2);
  keys &= keysByChannel;
  SmallVector<int64_t> strides = {keys ? 1 : channels, page * channels, keys ? page : 1};
  SmallVector<int64_t> shape = {ShapedType::kDynamic, ShapedType::kDynamic, heads, channels};
  return tile::ViewType::get(cache.getContext(), shape, cache.getElementType(),
                             tile::PagedAttr::get(cache.getContext(), page, table, strides));
}
/// Scores of positions first .. first + columns, minus infinity where the mask excludes.
Value AttentionBlock::emitScores(Value first, Value keyTile) {
  Value scores = tile::DotOp::create(b, queries, keyTile, Value(), /*transposeA=*/false, /*transposeB=*/true);
  b.named(scores, "scores");
  RankedTensorType integers = b.tileType({rows, columns}, b.getI32Type());
  Value position = arith::AddIOp::create(b, tile::IotaOp::create(b, integers, 1),
                                         b.broadcast(b.toInteger(first), {}, {rows, columns}));
  Value allowed =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sle, position, b.broadcast(rowPositions, {0}, {rows, columns}));
  if (window > 0) {
    Value before = arith::SubIOp::create(b, rowPositions, b.splat(window, b.tileType({rows}, b.getI32Type())));
    Value inside =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, position, b.broadcast(before, {0}, {rows, columns}));
    allowed = arith::AndIOp::create(b, allowed, inside);
  }
  return arith::SelectOp::create(b, allowed, scores,
                                 b.constant(-std::numeric_limits<double>::infinity(), scores.getType()));
}

/// One step of the online softmax: the new maximum, sum and output.
SmallVector<Value> AttentionBlock::emit(Value first, ValueRange carried) {
  Value limit = b.minimum(b.index(columns), arith::SubIOp::create(b, end, first));
  SmallVector<Value> place = {slot, first, head, b.index(0)};
  Value K = b.widen(b.load(keyCache, place, {1, 3}, {columns, channels}, limit));
  Value V = b.widen(b.load(valueCache, place, {1, 3}, {columns, valueChannels}, limit));
  Value S = emitScores(first, K);
  Value largest = arith::MaximumFOp::create(b, carried[0], tile::ReduceOp::create(b, tile::ReduceKind::max, S, 1));
  b.named(largest, "largest_now");
  Value P = math::ExpOp::create(b, arith::SubFOp::create(b, S, b.broadcast(largest, {0}, {rows, columns})));
  b.named(P, "weights");
  Value correction = math::ExpOp::create(b, arith::SubFOp::create(b, carried[0], largest));
  b.named(correction, "correction");
  Value sum = arith::MulFOp::create(b, carried[1], correction);
  sum = arith::AddFOp::create(b, sum, tile::ReduceOp::create(b, tile::ReduceKind::add, P, 1));
  Value O = arith::MulFOp::create(b, carried[2], b.broadcast(correction, {0}, {rows, valueChannels}));
  return {largest, sum, tile::DotOp::create(b, P, V, O)};
}
SmallVector<Value> emitSoftmaxStart(KernelBuilder &b, int64_t rows, int64_t channels) {
  auto floats = [&](ArrayRef<int64_t> shape) { return b.tileType(shape, b.getF32Type()); };
  return {b.constant(std::numeric_limits<float>::lowest(), floats({rows})), b.constant(0.0, floats({rows})),
          b.constant(0.0, floats({rows, channels}))};
}

void nameCarried(KernelBuilder &b, scf::ForOp loop) {
  constexpr StringLiteral kNames[] = {"largest", "sum", "output"};
  for (auto [value, name] : llvm::zip(loop.getRegionIterArgs(), kNames)) b.named(value, name);
}

SmallVector<Value> AttentionBlock::emitLoop(Value first) {
  auto loop = scf::ForOp::create(b, first, end, b.index(columns), emitSoftmaxStart(b, rows, valueChannels));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  nameCarried(b, loop);
  b.named(loop.getInductionVar(), "position");
  scf::YieldOp::create(b, emit(loop.getInductionVar(), loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

Value Attention::loadQueries(KernelBuilder &b, Value view, ValueRange place, int64_t tileRows, Value limit) {
  Value Q = b.load(view, place, {0, 1, 2}, {tileRows, group(), channels}, limit);
  RankedTensorType flat = b.tileType({tileRows * group(), channels}, getElementTypeOrSelf(Q.getType()));
  Q = b.widen(tile::ReshapeOp::create(b, flat, Q));
  return arith::MulFOp::create(b, Q, b.constant(op.getScale().convertToDouble(), Q.getType()));
}

FailureOr<Value> Attention::attend(bool prefill, int64_t tileRows, Value output) {
  KernelBuilder b(dispatch->getParentOfType<model::ProgramOp>(), op.getLoc());
  Value queryView = b.read(q, "q");
  if (!queryView) return failure();
  Value outputView =
      output ? b.addTied(output, getRowMajorView(outputType), "readwrite", "o") : b.addResult(outputType, "o");
  Value keyCache = b.addTied(keys, layout.getView(cast<RankedTensorType>(keys.getType()), true), "read", "k_cache");
  Value valueCache =
      b.addTied(values, layout.getView(cast<RankedTensorType>(values.getType()), false), "read", "v_cache");
  Value list = b.addWork(prefill ? tile::WorkFilter::prefill : tile::WorkFilter::decode, prefill ? tileRows : 0);
  Value record = b.addWorkPoint(list, "tile");
  Value head = b.addPoint(tile::ExtentKind::fixed, kvHeads, "kv_head");

  int64_t rows = tileRows * group();
  auto point = tile::PointOp::create(b, list, record);
  Value limit = prefill ? point.getRows() : Value();
  SmallVector<Value> place = {point.getRow(), arith::MulIOp::create(b, head, b.index(group())), b.index(0)};
  Value Q = loadQueries(b, queryView, place, tileRows, limit);

  RankedTensorType integers = b.tileType({rows}, b.getI32Type());
  Value tileRow = arith::DivSIOp::create(b, tile::IotaOp::create(b, integers, 0), b.splat(group(), integers));
  Value rowPositions = arith::AddIOp::create(b, tileRow, b.broadcast(b.toInteger(point.getPosition()), {}, {rows}));
  Value end = arith::AddIOp::create(b, point.getPosition(), point.getRows());
  int64_t window = op.getWindow();
  AttentionBlock block{b,    rows, columns(),    channels, valueChannels, window, keyCache, valueCache, point.getSlot(),
                       head, Q,    rowPositions, end};
  Value first = b.index(0);
  if (window > 0) { // whole blocks before every row's window are skipped
    Value oldest = arith::SubIOp::create(b, point.getPosition(), b.index(window - 1));
    oldest = arith::MaxSIOp::create(b, oldest, b.index(0));
    Value size = b.index(columns());
    first = arith::MulIOp::create(b, arith::DivSIOp::create(b, oldest, size), size);
  }
  SmallVector<Value> sums = block.emitLoop(first);
  Value O = arith::DivFOp::create(b, sums[2], b.broadcast(sums[1], {0}, {rows, valueChannels}));
  O = b.convert(O, outputType.getElementType());
  O = tile::ReshapeOp::create(b, b.tileType({tileRows, group(), valueChannels}, outputType.getElementType()), O);
  b.store(O, outputView, place, {0, 1, 2}, limit);

  std::string name = prefill ? "attention_prefill_q" + std::to_string(tileRows) : std::string("attention_decode");
  name += "_" + getShapeName({heads, kvHeads, channels}) + (window ? "_window" + std::to_string(window) : "");
  tile::LaunchOp launch = b.finish(name + "_" + getTypeName(getElementTypeOrSelf(op.getQ().getType())), dispatch);
  keys = launch.getResult(1);
  values = launch.getResult(2);
  return Value(launch.getResult(0));
}

} // namespace mmc
