// SplitAttention: softmax attention over a paged cache as an append kernel and two attention kernels, for tiles of
// prefilled rows and for single rows. A work point is one tile of rows and one KV head with its group of query heads;
// it walks the cached positions in blocks with an online softmax, so no T x T buffer ever exists:
//
//   for j in 0 .. pos + rows step BK:  S = mask(Q K^T); m' = max(m, rowmax S); P = exp(S - m'); l = l exp(m - m') +
//   rowsum P; O = O exp(m - m') + P V
//
// Invariant: a block that a row's mask excludes entirely changes nothing of that row, bit by bit; so an answer does not
// depend on how a prompt is cut into chunks or tiles. A block never crosses a page.
#include "passes/Conversion/ModelToTile/Passes.h"
#include "passes/Conversion/ModelToTile/RopeKernels.h"
#include "passes/Fusion/Dispatches.h"

#include <limits>

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_SPLITATTENTION
#include "passes/Conversion/ModelToTile/Passes.h.inc"

namespace {

struct CacheLayout {
  int64_t page;  // positions of a page
  int64_t table; // pages of a sequence
  bool keysByChannel;

  /// Values lie position-major in a page. So do keys, whose rows are then copied as they are, or channel-major: both
  /// are then panels with the contracted dimension outermost.
  tile::ViewType getView(RankedTensorType cache, bool keys) const {
    int64_t heads = cache.getDimSize(1), channels = cache.getDimSize(2);
    keys &= keysByChannel;
    SmallVector<int64_t> strides = {keys ? 1 : channels, page * channels, keys ? page : 1};
    SmallVector<int64_t> shape = {ShapedType::kDynamic, ShapedType::kDynamic, heads, channels};
    return tile::ViewType::get(cache.getContext(), shape, cache.getElementType(),
                               tile::PagedAttr::get(cache.getContext(), page, table, strides));
  }
};

/// One attention dispatch while it is converted.
struct Attention {
  model::DispatchOp dispatch;
  model::AttentionOp op;
  CacheLayout layout;
  bool appendByHead;
  int64_t heads = 0, kvHeads = 0, channels = 0, valueChannels = 0;
  RankedTensorType outputType;
  Value q, keys, values; // tensors as they are after the launches so far

  LogicalResult prepare();
  LogicalResult append();
  FailureOr<Value> attend(bool prefill, int64_t tileRows, Value output);
};

LogicalResult Attention::prepare() {
  op = findOp<model::AttentionOp>(dispatch);
  auto queries = cast<RankedTensorType>(op.getQ().getType());
  heads = queries.getDimSize(1);
  channels = queries.getDimSize(2);
  kvHeads = cast<RankedTensorType>(op.getK().getType()).getDimSize(1);
  valueChannels = cast<RankedTensorType>(op.getV().getType()).getDimSize(2);
  outputType = cast<RankedTensorType>(op.getResult().getType());
  keys = op.getKCache();
  values = op.getVCache();
  Value output;
  for (Value value : dispatch.getBody().front().getTerminator()->getOperands()) {
    if (value == op.getNewKCache() || value == op.getNewVCache()) continue;
    auto cast = value.getDefiningOp<arith::TruncFOp>();
    if (output || (value != op.getResult() && !(cast && cast.getIn() == op.getResult())))
      return dispatch.emitOpError("expected the attention's result, perhaps rounded, and its caches as results");
    output = value;
    outputType = llvm::cast<RankedTensorType>(value.getType());
  }
  return success();
}

/// The three values of an append kernel on their way, and the rope that they share, if any.
struct Appended {
  HeadChain queries, keys, values;
  bool rotatesQueries;
  model::RopeOp rope;

  Appended(model::DispatchOp dispatch, model::AttentionOp op)
      : queries(dispatch, op.getQ()), keys(dispatch, op.getK()), values(dispatch, op.getV()),
        rotatesQueries(op.getQ() != queries.getSource()), rope(keys.getRope() ? keys.getRope() : queries.getRope()) {}
  LogicalResult verify(model::AttentionOp op) const;
};

LogicalResult Appended::verify(model::AttentionOp op) const {
  for (const HeadChain *chain : {&queries, &keys, &values})
    if (failed(chain->verify())) return failure();
  if (values.hasRope()) return op.emitOpError("expected values without rope");
  model::RopeOp ofKeys = keys.getRope(), ofQueries = queries.getRope();
  if (ofKeys && ofQueries &&
      (ofKeys.getTheta() != ofQueries.getTheta() || ofKeys.getRotaryDim() != ofQueries.getRotaryDim()))
    return op.emitOpError("expected the ropes of queries and keys in one dispatch to agree on theta and dims");
  return success();
}

/// Appends the step's keys and values to the caches, rotating keys (and queries, into a tensor of their own) where the
/// dispatch says so.
LogicalResult Attention::append() {
  Appended from(dispatch, op);
  if (failed(from.verify(op))) return failure();
  model::RopeOp rope = from.rope;
  std::pair<Value, Value> table;
  if (rope && !appendByHead) table = getRopeTable(rope, dispatch);

  KernelBuilder b(dispatch->getParentOfType<model::ProgramOp>(), op.getLoc());
  Value queryView = from.rotatesQueries ? b.read(from.queries.getSource(), "q") : Value();
  Value keyView = b.read(from.keys.getSource(), "k"), valueView = b.read(from.values.getSource(), "v");
  if (!keyView || !valueView || (from.rotatesQueries && !queryView)) return failure();
  Value cosines, sines;
  if (table.first) cosines = b.read(table.first, "cosines"), sines = b.read(table.second, "sines");
  Value keyCache =
      b.addTied(keys, layout.getView(cast<RankedTensorType>(keys.getType()), true), "readwrite", "k_cache");
  Value valueCache =
      b.addTied(values, layout.getView(cast<RankedTensorType>(values.getType()), false), "readwrite", "v_cache");
  Value rotated = from.rotatesQueries ? b.addResult(cast<RankedTensorType>(op.getQ().getType()), "q_rotated") : Value();
  Value row = b.addPoint(tile::ExtentKind::tokens, 0, "row");
  Value point =
      appendByHead ? b.addPoint(tile::ExtentKind::fixed, from.rotatesQueries ? heads : kvHeads, "head") : Value();
  Value position = b.loadScalar(b.addStep(tile::StepField::row_positions), {row});
  Value slot = b.toIndex(b.loadScalar(b.addStep(tile::StepField::row_slots), {row}));
  Value cachePosition = b.toIndex(position);
  std::pair<Value, Value> angles;
  if (rope && appendByHead) angles = emitRotation(b, rope, position);
  auto rotation = [&] { return appendByHead ? angles : loadRotation(b, cosines, sines, row); };

  auto forHeads = [&](Value first, Value end, llvm::function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(b, first, end, b.index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  };
  auto rotateQuery = [&](Value head) {
    for (auto [first, piece] : from.queries.emit(b, queryView, rotation, row, head))
      b.store(piece, rotated, {row, head, b.index(first)}, {2});
  };
  auto appendKeyAndValue = [&](Value head) {
    for (auto [first, piece] : from.keys.emit(b, keyView, rotation, row, head))
      b.store(piece, keyCache, {slot, cachePosition, head, b.index(first)}, {3});
    for (auto [first, piece] : from.values.emit(b, valueView, rotation, row, head))
      b.store(piece, valueCache, {slot, cachePosition, head, b.index(first)}, {3});
  };
  if (!appendByHead) {
    if (from.rotatesQueries) forHeads(b.index(0), b.index(heads), rotateQuery);
    forHeads(b.index(0), b.index(kvHeads), appendKeyAndValue);
  } else if (from.rotatesQueries) {
    rotateQuery(point);
    // The first kvHeads points have a key and a value too: a loop of one trip, or of none.
    forHeads(point, b.minimum(b.index(kvHeads), arith::AddIOp::create(b, point, b.index(1))), appendKeyAndValue);
  } else {
    appendKeyAndValue(point);
  }
  std::string name = rope ? "rope" + std::to_string(rope.getRotaryDim()) + "_append_" : "append_";
  name += (from.rotatesQueries ? std::to_string(heads) + "x" : "") + std::to_string(kvHeads) + "x" +
          std::to_string(channels);
  tile::LaunchOp launch = b.finish(name + "_" + getTypeName(getElementTypeOrSelf(keys.getType())), dispatch);
  keys = launch.getResult(0);
  values = launch.getResult(1);
  q = from.rotatesQueries ? launch.getResult(2) : op.getQ();
  return success();
}

/// The sizes and values that one block of positions needs.
struct Block {
  KernelBuilder &b;
  int64_t rows, columns, group, channels, valueChannels; // rows = query rows times heads of the group
  int64_t window;
  Value keyCache, valueCache, slot, head, queries;
  Value rowPositions; // i32 [rows]: the position of each row
  Value end;          // positions to read

  RankedTensorType floats(ArrayRef<int64_t> shape) { return b.tileType(shape, b.getF32Type()); }

  /// Scores of positions first .. first + columns, minus infinity where the mask excludes.
  Value emitScores(Value first, Value keyTile) {
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
  SmallVector<Value> emit(Value first, ValueRange carried) {
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
};

/// One attention kernel: query tiles of `tileRows` rows (1 in the decode kernel). A null `output` is made, else
/// completed in place.
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

  int64_t group = heads / kvHeads, rows = tileRows * group, columns = std::min<int64_t>(64, layout.page);
  auto point = tile::PointOp::create(b, list, record);
  Value limit = prefill ? point.getRows() : Value();
  SmallVector<Value> place = {point.getRow(), arith::MulIOp::create(b, head, b.index(group)), b.index(0)};
  Value Q = b.load(queryView, place, {0, 1, 2}, {tileRows, group, channels}, limit);
  Q = b.widen(tile::ReshapeOp::create(b, b.tileType({rows, channels}, getElementTypeOrSelf(Q.getType())), Q));
  Q = arith::MulFOp::create(b, Q, b.constant(op.getScale().convertToDouble(), Q.getType()));

  RankedTensorType integers = b.tileType({rows}, b.getI32Type());
  Value tileRow = arith::DivSIOp::create(b, tile::IotaOp::create(b, integers, 0), b.splat(group, integers));
  Value rowPositions = arith::AddIOp::create(b, tileRow, b.broadcast(b.toInteger(point.getPosition()), {}, {rows}));
  Value end = arith::AddIOp::create(b, point.getPosition(), point.getRows());
  int64_t window = op.getWindow();
  Block block{b,        rows,       columns,         group, channels, valueChannels, window,
              keyCache, valueCache, point.getSlot(), head,  Q,        rowPositions,  end};

  Value first = b.index(0);
  if (window > 0) { // whole blocks before every row's window are skipped
    Value oldest = arith::SubIOp::create(b, point.getPosition(), b.index(window - 1));
    oldest = arith::MaxSIOp::create(b, oldest, b.index(0));
    first = arith::MulIOp::create(b, arith::DivSIOp::create(b, oldest, b.index(columns)), b.index(columns));
  }
  // NOTE: the maximum starts finite, so that a block without any allowed position gives exp(-inf) = 0 and not exp(-inf
  // + inf).
  SmallVector<Value> carried = {b.constant(std::numeric_limits<float>::lowest(), block.floats({rows})),
                                b.constant(0.0, block.floats({rows})),
                                b.constant(0.0, block.floats({rows, valueChannels}))};
  auto loop = scf::ForOp::create(b, first, end, b.index(columns), carried);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    constexpr StringLiteral kNames[] = {"largest", "sum", "output"};
    for (auto [value, name] : llvm::zip(loop.getRegionIterArgs(), kNames)) b.named(value, name);
    b.named(loop.getInductionVar(), "position");
    scf::YieldOp::create(b, block.emit(loop.getInductionVar(), loop.getRegionIterArgs()));
  }
  Value O = arith::DivFOp::create(b, loop.getResult(2), b.broadcast(loop.getResult(1), {0}, {rows, valueChannels}));
  O = b.convert(O, outputType.getElementType());
  O = tile::ReshapeOp::create(b, b.tileType({tileRows, group, valueChannels}, outputType.getElementType()), O);
  b.store(O, outputView, place, {0, 1, 2}, limit);

  std::string name = prefill ? "attention_prefill_q" + std::to_string(tileRows) : std::string("attention_decode");
  name += "_" + getShapeName({heads, kvHeads, channels}) + (window ? "_window" + std::to_string(window) : "");
  tile::LaunchOp launch = b.finish(name + "_" + getTypeName(getElementTypeOrSelf(op.getQ().getType())), dispatch);
  keys = launch.getResult(1);
  values = launch.getResult(2);
  return Value(launch.getResult(0));
}

LogicalResult convert(model::DispatchOp dispatch, CacheLayout layout, bool appendByHead, int64_t queryTile) {
  Attention attention{dispatch, {}, layout, appendByHead, 0, 0, 0, 0, {}, {}, {}, {}};
  if (failed(attention.prepare()) || failed(attention.append())) return failure();
  FailureOr<Value> prefilled = attention.attend(true, queryTile, Value());
  if (failed(prefilled)) return failure();
  FailureOr<Value> output = attention.attend(false, 1, *prefilled);
  if (failed(output)) return failure();
  SmallVector<Value> results;
  for (Value value : dispatch.getBody().front().getTerminator()->getOperands()) {
    bool isKeys = value == attention.op.getNewKCache(), isValues = value == attention.op.getNewVCache();
    results.push_back(isKeys ? attention.keys : isValues ? attention.values : *output);
  }
  replaceDispatch(dispatch, results);
  return success();
}

struct SplitAttention : impl::SplitAttentionBase<SplitAttention> {
  using SplitAttentionBase::SplitAttentionBase;

  LogicalResult checkOptions() {
    auto error = [&] { return getOperation().emitError() << "mmc-split-attention expected "; };
    if (pageTokens < 1 || (pageTokens > 64 && pageTokens % 64 != 0))
      return error() << "page-tokens of at most 64 or a multiple of 64, got " << pageTokens.getValue();
    if (maxModelLen < 1) return error() << "a positive max-model-len, got " << maxModelLen.getValue();
    if (keyLayout != "channels" && keyLayout != "positions")
      return error() << "key-layout channels or positions, got " << keyLayout.getValue();
    if (appendBy != "rows" && appendBy != "heads")
      return error() << "append-by rows or heads, got " << appendBy.getValue();
    if (queryTile < 1) return error() << "a positive query-tile, got " << queryTile.getValue();
    return success();
  }

  void runOnOperation() override {
    if (failed(checkOptions())) return signalPassFailure();
    CacheLayout layout{pageTokens, static_cast<int64_t>(llvm::divideCeil(maxModelLen, pageTokens)),
                       keyLayout == "channels"};
    SmallVector<model::DispatchOp> dispatches;
    getOperation().walk([&](model::DispatchOp dispatch) {
      if (getDispatchKind(dispatch) == DispatchKind::attention) dispatches.push_back(dispatch);
    });
    for (model::DispatchOp dispatch : dispatches)
      if (failed(convert(dispatch, layout, appendBy == "heads", queryTile))) return signalPassFailure();
  }
};

} // namespace
} // namespace mmc
