// SplitLightningAttention: the chunked linear recurrence as two kernels. Prefill walks a sequence in blocks and carries
// the state:
//
//   for t in rows step C:   O = (Q K^T * M) V + (Q * exp(-g (i + 1))) S        intra-block left product, inter-block
//   right product
//                           S = S * exp(-g m) + (K * exp(-g (m - 1 - i)))^T V  state update, m = rows in the block
//
// Decode is the same with one row and no loop. Invariant: every element of a decode step sees the operations, in the
// order, that a prefill block with one row gives it, so the two agree bitwise. Exponents are never positive; masks are
// selected before the exponential.
//
// Floor per token and head: 4 K V + 2 C (K + V) FLOP prefill; decode reads and writes the state, 8 K V bytes.
#include "passes/Conversion/ModelToTile/KernelBuilder.h"
#include "passes/Conversion/ModelToTile/Passes.h"
#include "passes/Fusion/Dispatches.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_SPLITLIGHTNINGATTENTION
#include "passes/Conversion/ModelToTile/Passes.h.inc"

namespace {

/// Views, sizes and values of one of the two kernels.
struct Recurrence {
  KernelBuilder b;
  model::LinearAttentionOp op;
  int64_t block;                // rows of a tile; 1 in the decode kernel
  int64_t keys = 0, values = 0; // channels
  Value q, k, v, o;
  Value rate; // scalar, null without decay
  Value head;
  Value mask, queryDecay; // the same in every block: [C, C] and [C, K], null without decay or with one row

  Recurrence(model::LinearAttentionOp op, int64_t block)
      : b(op->getParentOfType<model::ProgramOp>(), op.getLoc()), op(op), block(block),
        keys(cast<RankedTensorType>(op.getQ().getType()).getDimSize(2)),
        values(cast<RankedTensorType>(op.getV().getType()).getDimSize(2)) {}

  Value dot(Value x, Value y, Value acc = {}, bool transposeX = false, bool transposeY = false) {
    return tile::DotOp::create(b, x, y, acc, transposeX, transposeY);
  }
  Value multiply(Value x, Value y) { return arith::MulFOp::create(b, x, y); }

  /// exp(-g * count) for a scalar or a tile of counts.
  Value decay(Value count) {
    Value negative = arith::NegFOp::create(b, rate);
    if (auto type = dyn_cast<RankedTensorType>(count.getType())) negative = b.broadcast(negative, {}, type.getShape());
    return math::ExpOp::create(b, multiply(negative, count));
  }

  void emitConstants();
  Value emitBlock(Value row, Value rows, Value state);
};

/// The decay mask M[i, j] = i >= j ? exp(-g (i - j)) : 0 and the queries' decay exp(-g (i + 1)).
void Recurrence::emitConstants() {
  if (block > 1) {
    RankedTensorType square = b.tileType({block, block}, b.getI32Type());
    Value i = tile::IotaOp::create(b, square, 0), j = tile::IotaOp::create(b, square, 1);
    Value causal = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, i, j);
    RankedTensorType floats = b.tileType({block, block}, b.getF32Type());
    Value inside = b.constant(1.0, floats);
    if (rate) {
      Value distance = arith::MaxSIOp::create(b, arith::SubIOp::create(b, i, j), b.splat(0, square));
      inside = decay(b.toFloat(distance));
    }
    mask = b.named(arith::SelectOp::create(b, causal, inside, b.constant(0.0, floats)), "decay_mask");
  }
  if (rate) {
    RankedTensorType rows = b.tileType({block}, b.getI32Type());
    Value steps = arith::AddIOp::create(b, tile::IotaOp::create(b, rows, 0), b.splat(1, rows));
    queryDecay = b.broadcast(decay(b.toFloat(steps)), {0}, {block, keys});
  }
}

/// The outputs of the block's `rows` rows from `row` on are stored; the new state is returned.
Value Recurrence::emitBlock(Value row, Value rows, Value state) {
  Value limit = block > 1 ? rows : Value();
  auto load = [&](Value view, int64_t channels) {
    return b.widen(b.load(view, {row, head, b.index(0)}, {0, 2}, {block, channels}, limit));
  };
  Value Q = load(q, keys), K = load(k, keys), V = load(v, values);
  Value P = b.named(dot(Q, K, {}, false, true), "scores");
  Value O = b.named(dot(mask ? multiply(P, mask) : P, V), "intra_block");
  O = b.named(dot(queryDecay ? multiply(Q, queryDecay) : Q, state, O), "output");
  if (double scale = op.getScale().convertToDouble(); scale != 1.0) O = multiply(O, b.constant(scale, O.getType()));
  b.store(O, o, {row, head, b.index(0)}, {0, 2}, limit);

  if (rate) {
    Value count = b.toInteger(rows);
    if (block > 1) { // with one row the weight is exp(0)
      RankedTensorType type = b.tileType({block}, b.getI32Type());
      Value last = b.broadcast(arith::SubIOp::create(b, count, b.integer(1)), {}, {block});
      Value left =
          arith::MaxSIOp::create(b, arith::SubIOp::create(b, last, tile::IotaOp::create(b, type, 0)), b.splat(0, type));
      K = multiply(K, b.broadcast(decay(b.toFloat(left)), {0}, {block, keys}));
    }
    state = b.named(multiply(state, b.broadcast(decay(b.toFloat(count)), {}, {keys, values})), "state_decayed");
  }
  return dot(K, V, state, /*transposeX=*/true);
}

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

/// Writes one kernel. `output` and `state` are the tensors that it continues; a null output is made.
FailureOr<tile::LaunchOp> emitKernel(model::LinearAttentionOp op, model::DispatchOp dispatch, int64_t block,
                                     RankedTensorType outputType, Value output, Value state) {
  bool prefill = block > 1;
  Recurrence r(op, block);
  KernelBuilder &b = r.b;
  r.q = b.read(op.getQ(), "q");
  r.k = b.read(op.getK(), "k");
  r.v = b.read(op.getV(), "v");
  if (!r.q || !r.k || !r.v) return failure();
  Value rates = op.getRate() ? b.read(op.getRate(), "rate") : Value();
  auto stateType = cast<RankedTensorType>(state.getType());
  SmallVector<int64_t> stateShape = {ShapedType::kDynamic};
  llvm::append_range(stateShape, stateType.getShape());
  auto stateView = tile::ViewType::get(op.getContext(), stateShape, stateType.getElementType(), Attribute());
  r.o = output ? b.addTied(output, getRowMajorView(outputType), "readwrite", "o") : b.addResult(outputType, "o");
  Value s = b.addTied(state, stateView, "readwrite", "state");
  Value list = b.addWork(prefill ? tile::WorkFilter::prefill : tile::WorkFilter::decode, 0);
  Value record = b.addWorkPoint(list, "sequence");
  r.head = b.addPoint(tile::ExtentKind::fixed, stateType.getDimSize(0), "head");

  auto point = tile::PointOp::create(b, list, record);
  if (rates) r.rate = b.loadScalar(rates, {r.head});
  Value zero = b.index(0);
  SmallVector<Value> stateIndices = {point.getSlot(), r.head, zero, zero};
  Value state0 = b.widen(b.load(s, stateIndices, {2, 3}, {r.keys, r.values}));
  r.emitConstants();
  Value last;
  if (prefill) {
    auto loop = scf::ForOp::create(b, zero, point.getRows(), b.index(block), ValueRange{state0});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value t = b.named(loop.getInductionVar(), "first");
    Value rows = b.named(b.minimum(b.index(block), arith::SubIOp::create(b, point.getRows(), t)), "rows");
    Value row = b.named(arith::AddIOp::create(b, point.getRow(), t), "row");
    Value next = r.emitBlock(row, rows, b.named(loop.getRegionIterArg(0), "state_before"));
    scf::YieldOp::create(b, next);
    last = loop.getResult(0);
  } else {
    last = r.emitBlock(point.getRow(), b.index(1), state0);
  }
  b.store(last, s, stateIndices, {2, 3});

  std::string name = (prefill ? "lightning_prefill_c" + std::to_string(block) : std::string("lightning_decode")) +
                     (rates ? "" : "_nodecay");
  name += "_" + getShapeName(stateType.getShape()) + "_" + getTypeName(getElementTypeOrSelf(op.getQ().getType()));
  return b.finish(name, dispatch);
}

LogicalResult convert(model::DispatchOp dispatch, int64_t block) {
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
  FailureOr<tile::LaunchOp> prefill = emitKernel(op, dispatch, block, outputType, Value(), op.getState());
  if (failed(prefill)) return failure();
  FailureOr<tile::LaunchOp> decode =
      emitKernel(op, dispatch, 1, outputType, prefill->getResult(0), prefill->getResult(1));
  if (failed(decode)) return failure();
  SmallVector<Value> results;
  for (Value value : yielded) results.push_back(decode->getResult(value == op.getNewState() ? 1 : 0));
  replaceDispatch(dispatch, results);
  return success();
}

struct SplitLightningAttention : impl::SplitLightningAttentionBase<SplitLightningAttention> {
  using SplitLightningAttentionBase::SplitLightningAttentionBase;

  void runOnOperation() override {
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
      if (failed(convert(dispatch, block))) return signalPassFailure();
  }
};

} // namespace
} // namespace mmc
