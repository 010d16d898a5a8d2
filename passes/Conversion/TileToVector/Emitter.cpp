// Small building blocks of generated code. Folding of constants keeps the emitted text short; the rest is left to the
// optimiser.
#include "passes/Conversion/TileToVector/Emitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mmc::cpu;

std::optional<int64_t> Emitter::constantOf(Value value) {
  APInt constant;
  if (value && matchPattern(value, m_ConstantInt(&constant))) return constant.getSExtValue();
  return std::nullopt;
}

Value Emitter::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value Emitter::add(Value a, Value b) {
  auto ca = constantOf(a), cb = constantOf(b);
  if (ca && cb) return index(*ca + *cb);
  if (ca && *ca == 0) return b;
  if (cb && *cb == 0) return a;
  return arith::AddIOp::create(builder, loc, a, b);
}

Value Emitter::sub(Value a, Value b) {
  auto ca = constantOf(a), cb = constantOf(b);
  if (ca && cb) return index(*ca - *cb);
  if (cb && *cb == 0) return a;
  return arith::SubIOp::create(builder, loc, a, b);
}

Value Emitter::mul(Value a, Value b) {
  auto ca = constantOf(a), cb = constantOf(b);
  if (ca && cb) return index(*ca * *cb);
  if ((ca && *ca == 0) || (cb && *cb == 0)) return index(0);
  if (ca && *ca == 1) return b;
  if (cb && *cb == 1) return a;
  return arith::MulIOp::create(builder, loc, a, b);
}

Value Emitter::min(Value a, Value b) {
  auto ca = constantOf(a), cb = constantOf(b);
  if (ca && cb) return index(std::min(*ca, *cb));
  return arith::MinSIOp::create(builder, loc, a, b);
}

Value Emitter::max(Value a, Value b) {
  auto ca = constantOf(a), cb = constantOf(b);
  if (ca && cb) return index(std::max(*ca, *cb));
  return arith::MaxSIOp::create(builder, loc, a, b);
}

Value Emitter::div(Value a, Value b) {
  auto ca = constantOf(a), cb = constantOf(b);
  if (ca && cb) return index(*ca / *cb);
  if (cb && *cb == 1) return a;
  return arith::DivUIOp::create(builder, loc, a, b);
}

Value Emitter::rem(Value a, int64_t b) {
  if (b == 1) return index(0);
  if (auto ca = constantOf(a)) return index(*ca % b);
  return arith::RemUIOp::create(builder, loc, a, index(b));
}

Value Emitter::less(Value a, Value b) { return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, a, b); }
Value Emitter::lessEqual(Value a, Value b) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, a, b);
}

Value Emitter::both(Value a, Value b) {
  if (!a || !b) return a ? a : b;
  return arith::AndIOp::create(builder, loc, a, b);
}

Type Emitter::carried(Type element) {
  return element.isBF16() ? Type(IntegerType::get(element.getContext(), 16)) : element;
}

unsigned Emitter::storedBytes(Type element) {
  return element.isIntOrFloat() ? std::max(1u, element.getIntOrFloatBitWidth() / 8) : 8; // else index, pointer
}

Type Emitter::lanesOf(Type element, int lanes) {
  Type type = carried(element);
  return lanes == 1 ? type : VectorType::get({lanes}, type);
}

Value Emitter::pointerAt(Value base, Type element, Value idx) {
  if (auto constant = constantOf(idx); constant && *constant >= 0 && *constant < (int64_t(1) << 31))
    return pointerAt(base, element, *constant);
  Value i = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), idx);
  return LLVM::GEPOp::create(builder, loc, base.getType(), element, base, ArrayRef<LLVM::GEPArg>{i});
}

Value Emitter::pointerAt(Value base, Type element, int64_t idx) {
  if (idx == 0) return base;
  return LLVM::GEPOp::create(builder, loc, base.getType(), element, base, ArrayRef<LLVM::GEPArg>{int32_t(idx)});
}

Value Emitter::load(Type type, Value pointer) {
  return LLVM::LoadOp::create(builder, loc, type, pointer, storedBytes(getElementTypeOrSelf(type)));
}

void Emitter::store(Value value, Value pointer) {
  LLVM::StoreOp::create(builder, loc, value, pointer, storedBytes(getElementTypeOrSelf(value.getType())));
}

Value Emitter::maskedLoad(Type type, Value pointer, Value mask) {
  return LLVM::MaskedLoadOp::create(builder, loc, type, pointer, mask, zero(type),
                                    storedBytes(getElementTypeOrSelf(type)));
}

void Emitter::maskedStore(Value value, Value pointer, Value mask) {
  LLVM::MaskedStoreOp::create(builder, loc, value, pointer, mask, storedBytes(getElementTypeOrSelf(value.getType())));
}

Value Emitter::zero(Type type) { return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type)); }

Value Emitter::integer(Type type, int64_t value) {
  Attribute scalar = builder.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(vector, scalar));
  return arith::ConstantOp::create(builder, loc, cast<TypedAttr>(scalar));
}

Value Emitter::splat(Value scalar, int lanes) {
  if (lanes == 1) return scalar;
  return vector::BroadcastOp::create(builder, loc, VectorType::get({lanes}, scalar.getType()), scalar);
}

Value Emitter::laneNumbers(int lanes) {
  SmallVector<int32_t> numbers(lanes);
  for (int i = 0; i < lanes; ++i) numbers[i] = i;
  return arith::ConstantOp::create(builder, loc, builder.getI32VectorAttr(numbers));
}

Value Emitter::laneMask(int lanes, int active) {
  SmallVector<bool> bits(lanes);
  for (int i = 0; i < lanes; ++i) bits[i] = i < active;
  return arith::ConstantOp::create(builder, loc, builder.getBoolVectorAttr(bits));
}

Value Emitter::laneMask(int lanes, Value bound) {
  // Clamped, so that the comparison may be in 32 bits.
  Value clamped = max(min(bound, index(lanes)), index(0));
  Value narrow = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), clamped);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, laneNumbers(lanes), splat(narrow, lanes));
}

Value Emitter::toIndex(Value integer) {
  if (integer.getType().isIndex()) return integer;
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), integer);
}

void Emitter::loop(Value count, const std::function<void(Value)> &body) {
  if (auto constant = constantOf(count)) {
    if (*constant <= 0) return;
    if (*constant == 1) return body(index(0));
  }
  auto loop = scf::ForOp::create(builder, loc, index(0), count, index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Value Emitter::choose(Value condition, Type type, const std::function<Value()> &then,
                      const std::function<Value()> &otherwise) {
  auto op = scf::IfOp::create(builder, loc, TypeRange{type}, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.thenBlock());
  scf::YieldOp::create(builder, loc, then());
  builder.setInsertionPointToStart(op.elseBlock());
  scf::YieldOp::create(builder, loc, otherwise());
  return op.getResult(0);
}

void Emitter::when(Value condition, const std::function<void()> &then, const std::function<void()> &otherwise) {
  auto op = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op.thenBlock()->getTerminator());
  then();
  if (!otherwise) return;
  builder.setInsertionPoint(op.elseBlock()->getTerminator());
  otherwise();
}
