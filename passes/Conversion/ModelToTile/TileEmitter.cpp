#include "passes/Conversion/ModelToTile/TileEmitter.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mmc {

Value TileEmitter::get(Value value) {
  Value &tile = tiles[value];
  if (!tile) {
    Value loaded = loader(value);
    return tiles[value] = loaded;
  }
  return tile;
}

Value TileEmitter::getF32(Value value) {
  Value tile = get(value);
  return tile ? builder.widen(tile) : tile;
}

Value TileEmitter::getScalar(Value scalar, RankedTensorType tile) {
  FloatAttr constant;
  if (matchPattern(scalar, m_Constant(&constant))) return builder.constant(constant.getValueAsDouble(), tile);
  Value view = builder.addOperand(scalar, getRowMajorView(scalar.getType()), "read", "scale");
  return builder.broadcast(builder.loadScalar(view, {}), {}, tile.getShape());
}

/// 1 / (1 + exp(-x))
Value TileEmitter::emitSigmoid(Value x) {
  Value one = builder.constant(1.0, x.getType());
  Value exponential = math::ExpOp::create(builder, arith::NegFOp::create(builder, x));
  return arith::DivFOp::create(builder, one, arith::AddFOp::create(builder, one, exponential));
}

LogicalResult TileEmitter::emit(Operation *op) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (!isa<RankedTensorType>(operand.getType())) break; // the scales of a residual
    operands.push_back(getF32(operand));
    if (!operands.back()) return failure();
  }
  Value result;
  if (auto residual = dyn_cast<model::ResidualOp>(op)) {
    auto type = cast<RankedTensorType>(operands[0].getType());
    Value x = arith::MulFOp::create(builder, getScalar(residual.getAlpha(), type), operands[0]);
    Value branch = arith::MulFOp::create(builder, getScalar(residual.getBeta(), type), operands[1]);
    result = arith::AddFOp::create(builder, x, branch);
  } else if (isa<model::SiluOp>(op)) {
    result = arith::MulFOp::create(builder, operands[0], emitSigmoid(operands[0]));
  } else if (isa<model::SigmoidOp>(op)) {
    result = emitSigmoid(operands[0]);
  } else if (isa<arith::TruncFOp, arith::ExtFOp>(op)) {
    result = operands[0];
  } else {
    result = builder.create(builder.getLoc(), op->getName().getIdentifier(), operands, {operands[0].getType()})
                 ->getResult(0);
  }
  set(op->getResult(0), builder.convert(result, getElementTypeOrSelf(op->getResult(0).getType())));
  return success();
}

Value emitRmsNorm(KernelBuilder &builder, model::RmsNormOp norm, Value x) {
  auto type = cast<RankedTensorType>(x.getType());
  Value sum = tile::ReduceOp::create(builder, tile::ReduceKind::add, arith::MulFOp::create(builder, x, x), 0);
  Type f32 = builder.getF32Type();
  Value mean = arith::DivFOp::create(builder, sum, builder.constant(static_cast<double>(type.getDimSize(0)), f32));
  Value scale = math::RsqrtOp::create(
      builder, arith::AddFOp::create(builder, mean, builder.constant(norm.getEps().convertToDouble(), f32)));
  Value y = arith::MulFOp::create(builder, x, builder.broadcast(scale, {}, type.getShape()));
  Value gains = builder.read(norm.getGain(), "gain");
  Value gain = builder.widen(builder.load(gains, {builder.index(0)}, {0}, type.getShape()));
  return arith::MulFOp::create(builder, y, gain);
}

StringRef getEpilogueName(Operation *op) {
  if (isa<arith::TruncFOp, arith::ExtFOp>(op)) return "";
  if (isa<arith::MulFOp>(op)) return "mul";
  if (isa<arith::AddFOp>(op)) return "add";
  return op->getName().stripDialect();
}

} // namespace mmc
