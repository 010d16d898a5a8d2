// One vector between memory and registers: bounds, tails, strides, gathered rows.
#include "passes/Conversion/TileToVector/Lowering.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

static Type storedType(Type element) {
  return element.isInteger(1) ? IntegerType::get(element.getContext(), 8) : Emitter::carried(element);
}

Value Lowering::toCarried(Value stored, Type element) {
  if (!element.isInteger(1))
    return stored;
  return arith::TruncIOp::create(builder, loc, emit.lanesOf(element, isa<VectorType>(stored.getType()) ? target.lanes : 1), stored);
}

Value Lowering::toStored(Value carried, Type element) {
  if (!element.isInteger(1))
    return carried;
  Type i8 = builder.getI8Type();
  bool vector = isa<VectorType>(carried.getType());
  return arith::ExtUIOp::create(builder, loc, vector ? Type(VectorType::get({target.lanes}, i8)) : i8, carried);
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
  return emit.pointerAt(place.base, storedType(place.element), offset);
}

Value Lowering::rowCondition(const Place &place, const At &at) {
  Value condition;
  for (size_t d = 0; d + 1 < place.bounds.size(); ++d) {
    Value bound = place.bounds[d];
    if (bound && !(d == 0 && bound == at.rowLimit))
      condition = emit.both(condition, emit.less(at.coords[d], bound));
  }
  return condition;
}

Value Lowering::loadVector(const Place &place, const At &at) {
  Type element = storedType(place.element), type = emit.lanesOf(element, at.lanes);
  Value condition = rowCondition(place, at);
  Value bound = place.bounds.empty() ? Value() : place.bounds.back();
  if (bound && place.bounds.size() == 1 && at.lanes == 1 && bound == at.rowLimit)
    bound = Value();
  auto zero = [&] { return emit.zero(type); };

  if (at.lanes == 1) {
    if (bound)
      condition = emit.both(condition, emit.less(at.coords.back(), bound));
    auto read = [&] { return emit.load(type, addressOf(place, at.coords)); };
    return toCarried(condition ? emit.choose(condition, type, read, zero) : read(), place.element);
  }

  int64_t stride = place.strides.back();
  bool gatheredLanes = place.rows && at.coords.size() == 1;
  if (stride != 1 || gatheredLanes) {
    // One element at a time.
    Value vector = emit.zero(type);
    At lane = at;
    lane.lanes = lane.active = 1;
    for (int i = 0; i < at.active; ++i) {
      lane.coords.back() = emit.add(at.coords.back(), i);
      vector = vector::InsertOp::create(builder, loc, toStored(loadVector(place, lane), place.element), vector, ArrayRef<int64_t>{i});
    }
    return toCarried(vector, place.element);
  }

  bool cut = at.active < at.lanes && !place.padded;
  auto address = [&] { return addressOf(place, at.coords); };
  auto whole = [&]() -> Value {
    return cut ? emit.maskedLoad(type, address(), emit.laneMask(at.lanes, at.active)) : emit.load(type, address());
  };
  Value result;
  if (!bound) {
    result = condition ? emit.choose(condition, type, whole, zero) : whole();
  } else {
    Value inside = emit.both(condition, emit.lessEqual(emit.add(at.coords.back(), at.active), bound));
    result = emit.choose(inside, type, whole, [&]() -> Value {
      Value left = emit.min(emit.sub(bound, at.coords.back()), emit.index(at.active));
      auto part = [&] { return emit.maskedLoad(type, address(), emit.laneMask(at.lanes, left)); };
      return condition ? emit.choose(condition, type, part, zero) : part();
    });
  }
  return toCarried(result, place.element);
}

void Lowering::storeVector(const Place &place, const At &at, Value value) {
  value = toStored(value, place.element);
  Value condition = rowCondition(place, at);
  Value bound = place.bounds.empty() ? Value() : place.bounds.back();
  auto address = [&] { return addressOf(place, at.coords); };
  auto guarded = [&](Value holds, const std::function<void()> &body) { holds ? emit.when(holds, body) : body(); };

  if (at.lanes == 1) {
    if (bound)
      condition = emit.both(condition, emit.less(at.coords.back(), bound));
    return guarded(condition, [&] { emit.store(value, address()); });
  }
  if (place.strides.back() != 1) {
    return guarded(condition, [&] {
      At lane = at;
      lane.lanes = lane.active = 1;
      for (int i = 0; i < at.active; ++i) {
        lane.coords.back() = emit.add(at.coords.back(), i);
        Value holds = bound ? emit.less(lane.coords.back(), bound) : Value();
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
    if (!bound)
      return whole();
    emit.when(emit.lessEqual(emit.add(at.coords.back(), at.active), bound), whole, [&] {
      Value left = emit.min(emit.sub(bound, at.coords.back()), emit.index(at.active));
      emit.maskedStore(value, address(), emit.laneMask(at.lanes, left));
    });
  });
}
