// SplitLightningAttention: the chunked linear recurrence as two kernels. Prefill walks a sequence in blocks and carries
// the state:
//
//   for t in rows step C:   O = (Q K^T * M) V + (Q * exp(-g (i + 1))) S        intra-block left product, inter-block
//   right product
//                           S = S * exp(-g m) + (K * exp(-g (m - 1 - i)))^T V  state update, m = rows in the block
//
// Decode is the same with one row and no loop. With segments a long prompt is shared out among work points along its
// rows too; Segments.cpp says how. Invariant: every element of a decode step sees the operations, in the order, that a
// prefill block with one row gives it, so the two agree bitwise. Exponents are never positive; masks are selected
// before the exponential.
//
// Floor per token and head: 4 K V + 2 C (K + V) FLOP prefill; decode reads and writes the state, 8 K V bytes.
#include "passes/Conversion/ModelToTile/LinearRecurrence.h"
#include "passes/Conversion/ModelToTile/Passes.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_SPLITLIGHTNINGATTENTION
#include "passes/Conversion/ModelToTile/Passes.h.inc"

namespace {

/// Refuses, by name, the members of the family that have no kernels.
LogicalResult checkSupported(model::LinearAttentionOp op) {
  if (op.getUpdate() != model::Update::additive)
    return op.emitOpError() << "with update = " << model::stringifyUpdate(op.getUpdate())
                            << " has no kernel yet; supported: additive";
  if (op.getDecay() != model::Decay::none && op.getDecay() != model::Decay::head)
    return op.emitOpError() << "with decay = " << model::stringifyDecay(op.getDecay())
                            << " has no kernel yet; supported: none, head";
  if (op.getBeta()) return op.emitOpError("with beta has no kernel yet");
  return success();
}

/// Writes one kernel, which has one point per sequence and head.
LogicalResult emitKernel(RecurrenceLaunch &launch, int64_t block) {
  bool prefill = block > 1;
  model::LinearAttentionOp op = launch.op;
  Recurrence r(op, block);
  KernelBuilder &b = r.b;
  r.q = b.read(op.getQ(), "q");
  r.k = b.read(op.getK(), "k");
  r.v = b.read(op.getV(), "v");
  if (!r.q || !r.k || !r.v) return failure();
  Value rates = op.getRate() ? b.read(op.getRate(), "rate") : Value();
  auto stateType = cast<RankedTensorType>(launch.state.getType());
  r.o = launch.output ? b.addTied(launch.output, getRowMajorView(launch.outputType), "readwrite", "o")
                      : b.addResult(launch.outputType, "o");
  Value s = b.addTied(launch.state, r.stateView(stateType), "readwrite", "state");
  Value list = b.addWork(prefill ? tile::WorkFilter::prefill : tile::WorkFilter::decode, 0);
  Value record = b.addWorkPoint(list, "sequence");
  r.head = b.addPoint(tile::ExtentKind::fixed, stateType.getDimSize(0), "head");

  auto point = tile::PointOp::create(b, list, record);
  if (rates) r.rate = b.loadScalar(rates, {r.head});
  Value zero = b.index(0);
  SmallVector<Value> stateIndices = {point.getSlot(), r.head, zero, zero};
  Value state = r.loadState(s, stateIndices);
  r.emitConstants();
  state = prefill ? r.emitBlocks(point.getRow(), zero, point.getRows(), state, /*outputs=*/true)
                  : r.emitBlock(point.getRow(), b.index(1), state);
  b.store(state, s, stateIndices, {2, 3});

  std::string name = (prefill ? "lightning_prefill_c" + std::to_string(block) : std::string("lightning_decode")) +
                     (rates ? "" : "_nodecay");
  name += "_" + getShapeName(stateType.getShape()) + "_" + getTypeName(getElementTypeOrSelf(op.getQ().getType()));
  tile::LaunchOp made = b.finish(name, launch.dispatch);
  launch.output = made.getResult(0);
  launch.state = made.getResult(1);
  return success();
}

LogicalResult convert(model::DispatchOp dispatch, int64_t block, const Parts &segments) {
  auto op = findOp<model::LinearAttentionOp>(dispatch);
  if (failed(checkSupported(op))) return failure();
  // What the dispatch yields of the result: itself, or its rounding. Casts of the operands are done in the kernels'
  // loads.
  auto yielded = dispatch.getBody().front().getTerminator()->getOperands();
  RankedTensorType outputType;
  for (Value value : yielded)
    if (value != op.getNewState()) {
      auto cast = value.getDefiningOp<arith::TruncFOp>();
      if (outputType || (value != op.getResult() && !(cast && cast.getIn() == op.getResult())))
        return dispatch.emitOpError("expected the recurrence's result, perhaps rounded, and its state as results");
      outputType = llvm::cast<RankedTensorType>(value.getType());
    }
  if (!outputType) outputType = cast<RankedTensorType>(op.getResult().getType());
  RecurrenceLaunch launch{op, dispatch, outputType, Value(), op.getState()};
  if (failed(segments.most > 1 ? emitSegmentedPrefill(launch, block, segments) : emitKernel(launch, block)))
    return failure();
  if (failed(emitKernel(launch, 1))) return failure();
  SmallVector<Value> results;
  for (Value value : yielded) results.push_back(value == op.getNewState() ? launch.state : launch.output);
  replaceDispatch(dispatch, results);
  return success();
}

struct SplitLightningAttention : impl::SplitLightningAttentionBase<SplitLightningAttention> {
  using SplitLightningAttentionBase::SplitLightningAttentionBase;

  /// As many segments as give `prefill-points` work points where one prompt runs alone.
  Parts segmentsOf(model::DispatchOp dispatch) {
    auto state = cast<RankedTensorType>(findOp<model::LinearAttentionOp>(dispatch).getState().getType());
    int64_t wanted = prefillPoints / state.getDimSize(0), longest = llvm::divideCeil(maxStepTokens, segmentTokens);
    return {std::max<int64_t>(1, std::min(wanted, longest)), segmentTokens};
  }

  void runOnOperation() override {
    if (prefillPoints < 0 || segmentTokens < 1 || maxStepTokens < 1) {
      getOperation().emitError() << "mmc-split-lightning-attention expected prefill-points of at least 0, positive "
                                    "segment-tokens and max-step-tokens, got "
                                 << prefillPoints.getValue() << ", " << segmentTokens.getValue() << " and "
                                 << maxStepTokens.getValue();
      return signalPassFailure();
    }
    if (block != 32 && block != 64 && block != 128 && block != 256) {
      getOperation().emitError() << "mmc-split-lightning-attention expected a block of 32, 64, 128 or 256 rows, got "
                                 << block.getValue();
      return signalPassFailure();
    }
    SmallVector<model::DispatchOp> dispatches;
    getOperation().walk([&](model::DispatchOp dispatch) {
      if (getDispatchKind(dispatch) == DispatchKind::linearAttention) dispatches.push_back(dispatch);
    });
    for (model::DispatchOp dispatch : dispatches)
      if (failed(convert(dispatch, block, segmentsOf(dispatch)))) return signalPassFailure();
  }
};

} // namespace
} // namespace mmc
