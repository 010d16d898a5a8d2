// The blocks of the linear recurrence, for all kernels of it.
#include "passes/Conversion/ModelToTile/LinearRecurrence.h"

using namespace mlir;

namespace mmc {

Recurrence::Recurrence(model::LinearAttentionOp op, int64_t block)
    : b(op->getParentOfType<model::ProgramOp>(), op.getLoc()), op(op), block(block),
      keys(cast<RankedTensorType>(op.getQ().getType()).getDimSize(2)),
      values(cast<RankedTensorType>(op.getV().getType()).getDimSize(2)) {}

tile::ViewType Recurrence::stateView(RankedTensorType state) {
  SmallVector<int64_t> shape = {ShapedType::kDynamic};
  llvm::append_range(shape, state.getShape());
  return tile::ViewType::get(op.getContext(), shape, state.getElementType(), Attribute());
}

Value Recurrence::decay(Value count) {
  Value negative = arith::NegFOp::create(b, rate);
  if (auto type = dyn_cast<RankedTensorType>(count.getType())) negative = b.broadcast(negative, {}, type.getShape());
  return math::ExpOp::create(b, multiply(negative, count));
}

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

Value Recurrence::load(Value view, int64_t channels, Value row, Value rows) {
  return b.widen(b.load(view, {row, head, b.index(0)}, {0, 2}, {block, channels}, block > 1 ? rows : Value()));
}

Value Recurrence::emitBlock(Value row, Value rows, Value state) {
  Value Q = load(q, keys, row, rows), K = load(k, keys, row, rows), V = load(v, values, row, rows);
  Value P = b.named(dot(Q, K, {}, false, true), "scores");
  Value O = b.named(dot(mask ? multiply(P, mask) : P, V), "intra_block");
  O = b.named(dot(queryDecay ? multiply(Q, queryDecay) : Q, state, O), "output");
  if (double scale = op.getScale().convertToDouble(); scale != 1.0) O = multiply(O, b.constant(scale, O.getType()));
  b.store(O, o, {row, head, b.index(0)}, {0, 2}, block > 1 ? rows : Value());
  return update(K, V, rows, state);
}

Value Recurrence::emitUpdate(Value row, Value rows, Value state) {
  Value K = load(k, keys, row, rows);
  return update(K, load(v, values, row, rows), rows, state);
}

Value Recurrence::update(Value K, Value V, Value rows, Value state) {
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

Value Recurrence::emitBlocks(Value first, Value begin, Value end, Value state, bool outputs) {
  auto loop = scf::ForOp::create(b, begin, end, b.index(block), ValueRange{state});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value t = b.named(loop.getInductionVar(), "first");
  Value rows = b.named(b.minimum(b.index(block), arith::SubIOp::create(b, end, t)), "rows");
  Value row = b.named(arith::AddIOp::create(b, first, t), "row");
  Value before = b.named(loop.getRegionIterArg(0), "state_before");
  scf::YieldOp::create(b, outputs ? emitBlock(row, rows, before) : emitUpdate(row, rows, before));
  return loop.getResult(0);
}

} // namespace mmc
