// One vector between memory and registers: bounds, tails, strides, gathered rows.
#include "passes/Conversion/TileToVector/Lowering.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

/// The type of one element in memory.
static Type storedType(const Place &place) {
  MLIRContext *context = place.element.getContext();
  if (place.widened) return IntegerType::get(context, 16);
  return place.element.isInteger(1) ? IntegerType::get(context, 8) : Emitter::carried(place.element);
}

Value Lowering::addressOf(const Place &place, ArrayRef<Value> coords) {
  Value offset = emit.index(0);
  for (auto [d, coordinate, stride] : llvm::enumerate(coords, place.strides)) {
    Value position = coordinate;
    if (d == 0 && place.rows) {
      Type i32 = builder.getI32Type();
      position = emit.toIndex(emit.load(i32, addressOf(*place.rows, {coordinate})));
    }
    offset = emit.add(offset, emit.mul(position, stride));
  }
  return emit.pointerAt(place.base, storedType(place), offset);
}

/// Whether the coordinates beside the vector dimension are within the bounds; null where that is known.
Value Lowering::rowCondition(const Place &place, const At &at) {
  Value condition;
  for (size_t d = 0; d < place.bounds.size(); ++d) {
    Value bound = place.bounds[d];
    if (bound && d != at.dim() && !(d == 0 && bound == at.rowLimit))
      condition = emit.both(condition, emit.less(at.coords[d], bound));
  }
  return condition;
}

Value Lowering::loadVector(const Place &place, const At &at) {
  Value stored = loadStored(place, at);
  if (place.widened) return widenBf16(stored);
  if (place.element.isInteger(1))
    return arith::TruncIOp::create(builder, loc, emit.lanesOf(place.element, at.lanes), stored);
  return stored;
}

Value Lowering::loadStored(const Place &place, const At &at) {
  Type type = emit.lanesOf(storedType(place), at.lanes);
  Value condition = rowCondition(place, at);
  Value bound = place.bounds.empty() ? Value() : place.bounds[at.dim()];
  auto zero = [&] { return emit.zero(type); };

  if (at.lanes == 1) {
    if (bound && !(at.dim() == 0 && bound == at.rowLimit))
      condition = emit.both(condition, emit.less(at.coords[at.dim()], bound));
    auto read = [&] { return emit.load(type, addressOf(place, at.coords)); };
    return condition ? emit.choose(condition, type, read, zero) : read();
  }

  Value column = at.coords[at.dim()];
  bool gatheredLanes = place.rows && at.dim() == 0;
  if (place.strides[at.dim()] != 1 || gatheredLanes) {
    // One element at a time.
    Value vector = emit.zero(type);
    At lane = at;
    lane.lanes = lane.active = 1;
    for (int i = 0; i < at.active; ++i) {
      lane.coords[at.dim()] = emit.add(column, i);
      vector = vector::InsertOp::create(builder, loc, loadStored(place, lane), vector, ArrayRef<int64_t>{i});
    }
    return vector;
  }

  bool cut = at.active < at.lanes && !place.padded;
  auto address = [&] { return addressOf(place, at.coords); };
  auto whole = [&]() -> Value {
    return cut ? emit.maskedLoad(type, address(), emit.laneMask(at.lanes, at.active)) : emit.load(type, address());
  };
  if (!bound) return condition ? emit.choose(condition, type, whole, zero) : whole();
  Value inside = emit.both(condition, emit.lessEqual(emit.add(column, at.active), bound));
  return emit.choose(inside, type, whole, [&]() -> Value {
    Value left = emit.min(emit.sub(bound, column), emit.index(at.active)), mask = emit.laneMask(at.lanes, left);
    auto part = [&]() -> Value {
      if (place.readable && !cut)
        return arith::SelectOp::create(builder, loc, mask, emit.load(type, address()), emit.zero(type));
      return emit.maskedLoad(type, address(), mask);
    };
    return condition ? emit.choose(condition, type, part, zero) : part();
  });
}

void Lowering::storeVector(const Place &place, const At &at, Value value) {
  if (place.element.isInteger(1))
    value = arith::ExtUIOp::create(builder, loc, emit.lanesOf(builder.getI8Type(), at.lanes), value);
  Value condition = rowCondition(place, at);
  Value bound = place.bounds.empty() ? Value() : place.bounds[at.dim()];
  auto address = [&] { return addressOf(place, at.coords); };
  auto guarded = [&](Value holds, const std::function<void()> &body) { holds ? emit.when(holds, body) : body(); };

  if (at.lanes == 1) {
    if (bound) condition = emit.both(condition, emit.less(at.coords[at.dim()], bound));
    return guarded(condition, [&] { emit.store(value, address()); });
  }
  Value column = at.coords[at.dim()];
  if (place.strides[at.dim()] != 1) {
    return guarded(condition, [&] {
      At lane = at;
      lane.lanes = lane.active = 1;
      for (int i = 0; i < at.active; ++i) {
        lane.coords[at.dim()] = emit.add(column, i);
        Value holds = bound ? emit.less(lane.coords[at.dim()], bound) : Value();
        Value scalar = vector::ExtractOp::create(builder, loc, value, ArrayRef<int64_t>{i});
        guarded(holds, [&] { emit.store(scalar, addressOf(place, lane.coords)); });
      }
    });
  }
  guarded(condition, [&] {
    bool cut = at.active < at.lanes && !place.padded;
    auto whole = [&] {
      cut ? emit.maskedStore(value, address(), emit.laneMask(at.lanes, at.active)) : emit.store(value, address());
    };
    if (!bound) return whole();
    emit.when(emit.lessEqual(emit.add(column, at.active), bound), whole, [&] {
      Value left = emit.min(emit.sub(bound, column), emit.index(at.active));
      emit.maskedStore(value, address(), emit.laneMask(at.lanes, left));
    });
  });
}
