// SplitAttention: softmax attention over a paged cache as an append kernel and two attention kernels, for tiles of
// prefilled rows and for single rows. A work point is one tile of rows and one KV head with its group of query heads;
// it walks the cached positions in blocks with an online softmax, so no T x T buffer ever exists:
//
//   for j in 0 .. pos + rows step BK:  S = mask(Q K^T); m' = max(m, rowmax S); P = exp(S - m'); l = l exp(m - m') +
//   rowsum P; O = O exp(m - m') + P V
//
// Invariant: a block that a row's mask excludes entirely changes nothing of that row, bit by bit; so an answer does not
// depend on how a prompt is cut into chunks or tiles. A block never crosses a page.
#include "passes/Conversion/ModelToTile/AttentionKernels.h"
#include "passes/Conversion/ModelToTile/Passes.h"
#include "passes/Conversion/ModelToTile/RopeKernels.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_SPLITATTENTION
#include "passes/Conversion/ModelToTile/Passes.h.inc"

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

namespace {
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

} // namespace

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

namespace {

LogicalResult convert(Attention attention, int64_t queryTile) {
  model::DispatchOp dispatch = attention.dispatch;
  if (failed(attention.prepare()) || failed(attention.append())) return failure();
  FailureOr<Value> prefilled = attention.attend(true, queryTile, Value());
  if (failed(prefilled)) return failure();
  // A window keeps the positions few, so that one work point per KV head does.
  bool inParts = attention.parts.most > 1 && attention.op.getWindow() == 0;
  FailureOr<Value> output = inParts ? attention.attendInParts(*prefilled) : attention.attend(false, 1, *prefilled);
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
    if (decodePoints < 0 || decodePart < 1)
      return error() << "decode-points of at least 0 and a positive decode-part, got " << decodePoints.getValue()
                     << " and " << decodePart.getValue();
    if (queryTile < 1) return error() << "a positive query-tile, got " << queryTile.getValue();
    return success();
  }

  /// As many parts as give `decode-points` work points where one sequence decodes alone.
  Parts partsOf(model::DispatchOp dispatch) {
    auto keys = cast<RankedTensorType>(findOp<model::AttentionOp>(dispatch).getK().getType());
    int64_t wanted = llvm::divideCeil(decodePoints, keys.getDimSize(1));
    int64_t longest = llvm::divideCeil(maxModelLen, decodePart);
    return {std::min(wanted, longest), decodePart};
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
      if (failed(convert({dispatch, layout, appendBy == "heads", partsOf(dispatch)}, queryTile)))
        return signalPassFailure();
  }
};

} // namespace
} // namespace mmc
