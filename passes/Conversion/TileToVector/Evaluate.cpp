// Expressions on one vector: a tile value's entries at given coordinates, as a register.
#include "passes/Conversion/TileToVector/Lowering.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

std::vector<const void *> Lowering::memoKey(Value tile, const At &at) {
  intptr_t shape = at.lanes * 4 + intptr_t(at.fromLast);
  std::vector<const void *> key{tile.getAsOpaquePointer(), reinterpret_cast<const void *>(shape)};
  for (Value coordinate : at.coords) key.push_back(coordinate.getAsOpaquePointer());
  return key;
}

Value Lowering::evaluate(Value tile, const At &at, Memo &memo) {
  auto key = memoKey(tile, at);
  auto known = memo.find(key);
  if (known != memo.end()) return known->second;
  Value result;
  if (auto place = places.find(tile); place != places.end()) {
    if (place->second.panels) {
      fail(tile.getDefiningOp() ? tile.getDefiningOp() : kernel, "in panels may only be an operand of a product");
      result = emit.zero(emit.lanesOf(cast<ShapedType>(tile.getType()).getElementType(), at.lanes));
    } else {
      result = loadVector(place->second, at);
    }
  } else {
    result = evaluateOp(tile.getDefiningOp(), at, memo);
  }
  memo[key] = result;
  return result;
}

Value Lowering::evaluateOp(Operation *op, const At &at, Memo &memo) {
  Type element = op ? cast<ShapedType>(op->getResult(0).getType()).getElementType() : builder.getF32Type();
  if (auto broadcast = dyn_cast_or_null<tile::BroadcastOp>(op)) return evaluateBroadcast(broadcast, at, memo);
  if (auto iota = dyn_cast_or_null<tile::IotaOp>(op)) {
    size_t dim = iota.getDim();
    Value position = arith::IndexCastOp::create(builder, loc, element, at.coords[dim]);
    Value splat = emit.splat(position, at.lanes);
    bool last = dim == at.dim();
    return last && at.lanes > 1 ? Value(arith::AddIOp::create(builder, loc, splat, emit.laneNumbers(at.lanes))) : splat;
  }
  if (auto constant = dyn_cast_or_null<arith::ConstantOp>(op)) {
    auto splat = cast<DenseElementsAttr>(constant.getValue()).getSplatValue<TypedAttr>();
    if (element.isBF16()) {
      uint64_t bits = cast<FloatAttr>(splat).getValue().bitcastToAPInt().getZExtValue();
      return emit.integer(emit.lanesOf(element, at.lanes), int64_t(bits));
    }
    if (at.lanes == 1) return arith::ConstantOp::create(builder, loc, splat);
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(VectorType::get({at.lanes}, element), Attribute(splat)));
  }
  if (op && isElementwise(op)) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(isTile(operand.getType()) ? evaluate(operand, at, memo) : scalar(operand));
    // A scalar operand beside tiles is a condition of arith.select, which takes it as it is.
    return emitElementwise(op, operands, at.lanes);
  }
  fail(op ? op : kernel, "is not supported by the CPU target here");
  return emit.zero(emit.lanesOf(element, at.lanes));
}

Value Lowering::evaluateBroadcast(tile::BroadcastOp op, const At &at, Memo &memo) {
  Value source = op.getValue();
  auto type = dyn_cast<RankedTensorType>(source.getType());
  if (!type || type.getRank() == 0) return emit.splat(scalar(source), at.lanes);
  At from;
  for (int64_t dim : op.getDims()) from.coords.push_back(at.coords[dim]);
  if (op.getDims()[0] == 0) from.rowLimit = at.rowLimit;
  const auto *alongLanes = llvm::find(op.getDims(), int64_t(at.dim()));
  if (alongLanes != op.getDims().end() && at.lanes > 1) {
    from.lanes = at.lanes;
    from.active = at.active;
    from.fromLast = unsigned(op.getDims().end() - alongLanes - 1);
    return evaluate(source, from, memo);
  }
  // The splat is remembered with the scalar's coordinates and the vector's width.
  At wide = from;
  wide.lanes = -at.lanes;
  auto key = memoKey(source, wide);
  auto known = memo.find(key);
  if (known != memo.end()) return known->second;
  return memo[key] = emit.splat(evaluate(source, from, memo), at.lanes);
}

Value Lowering::widenBf16(Value carried) {
  Type i32 = builder.getI32Type(), f32 = builder.getF32Type();
  auto shaped = [&](Type type) {
    return isa<VectorType>(carried.getType()) ? Type(VectorType::get({target.lanes}, type)) : type;
  };
  Value wide = arith::ExtUIOp::create(builder, loc, shaped(i32), carried);
  Value bits = arith::ShLIOp::create(builder, loc, wide, emit.integer(shaped(i32), 16));
  return arith::BitcastOp::create(builder, loc, shaped(f32), bits);
}

Value Lowering::narrowToBf16(Value value) {
  bool vector = isa<VectorType>(value.getType());
  auto shaped = [&](Type type) { return vector ? Type(VectorType::get({target.lanes}, type)) : type; };
  Type i32 = shaped(builder.getI32Type()), i16 = shaped(builder.getI16Type());
  if (target.bf16 && !target.emulated && vector) {
    Value narrow = arith::TruncFOp::create(builder, loc, shaped(builder.getBF16Type()), value);
    return arith::BitcastOp::create(builder, loc, i16, narrow);
  }
  // To the nearest, ties to even; a NaN stays one (its quiet bit is set, so that cutting the mantissa cannot make it
  // infinite).
  Value bits = arith::BitcastOp::create(builder, loc, i32, value), sixteen = emit.integer(i32, 16);
  Value odd =
      arith::AndIOp::create(builder, loc, arith::ShRUIOp::create(builder, loc, bits, sixteen), emit.integer(i32, 1));
  Value bias = arith::AddIOp::create(builder, loc, odd, emit.integer(i32, 0x7fff));
  Value rounded = arith::AddIOp::create(builder, loc, bits, bias);
  Value quiet = arith::OrIOp::create(builder, loc, bits, emit.integer(i32, 0x00400000));
  Value isNan = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNO, value, value);
  Value chosen = arith::SelectOp::create(builder, loc, isNan, quiet, rounded);
  return arith::TruncIOp::create(builder, loc, i16, arith::ShRUIOp::create(builder, loc, chosen, sixteen));
}

Value Lowering::emitElementwise(Operation *op, ArrayRef<Value> operands, int lanes) {
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  auto elementOf = [&](unsigned i) { return getElementTypeOrSelf(op->getOperand(i).getType()); };
  Type f32 = builder.getF32Type();
  if (isa<arith::ExtFOp>(op) && elementOf(0).isBF16()) {
    Value wide = widenBf16(operands[0]);
    return element == f32 ? wide : Value(arith::ExtFOp::create(builder, loc, emit.lanesOf(element, lanes), wide));
  }
  if (isa<arith::TruncFOp>(op) && element.isBF16() && elementOf(0) == f32) return narrowToBf16(operands[0]);
  bool bf16 = element.isBF16();
  for (unsigned i = 0; i < op->getNumOperands(); ++i) bf16 |= elementOf(i).isBF16();
  if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && bf16)
    return emit.integer(builder.getI16Type(),
                        cast<FloatAttr>(constant.getValue()).getValue().bitcastToAPInt().getZExtValue());
  if (bf16 && !isa<arith::SelectOp>(op)) {
    fail(op, "expected arithmetic in f32, got bf16");
    return emit.zero(emit.lanesOf(element, lanes));
  }
  OperationState state(loc, op->getName());
  state.addOperands(operands);
  state.addTypes(emit.lanesOf(element, lanes));
  state.addAttributes(op->getAttrs());
  return builder.create(state)->getResult(0);
}
