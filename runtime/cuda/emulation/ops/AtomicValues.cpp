// The values that atomics make. Pure functions.
#include "runtime/cuda/emulation/ops/Atomics.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mmc::emu::atomics {

namespace {

float flushed(float value, bool flush) {
  return flush && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}

Result applyFloat(Operation operation, uint32_t old, uint32_t operand, bool flush) {
  if (operation != Operation::add) return {old, false};
  const float sum = flushed(std::bit_cast<float>(old), flush) + flushed(std::bit_cast<float>(operand), flush);
  return {std::bit_cast<uint32_t>(flushed(sum, flush))};
}

template <class T> Result applyInteger(Operation operation, T old, T operand) {
  switch (operation) {
  case Operation::add:
    return {std::make_unsigned_t<T>(std::make_unsigned_t<T>(old) + std::make_unsigned_t<T>(operand))};
  case Operation::min:
    return {std::make_unsigned_t<T>(std::min(old, operand))};
  case Operation::max:
    return {std::make_unsigned_t<T>(std::max(old, operand))};
  case Operation::bitAnd:
    return {std::make_unsigned_t<T>(old & operand)};
  case Operation::bitOr:
    return {std::make_unsigned_t<T>(old | operand)};
  case Operation::increment:
    // atom.inc is defined for u32 alone.
    return {std::make_unsigned_t<T>(old >= operand ? 0 : old + 1), std::is_same_v<T, uint32_t>};
  default:
    return {std::make_unsigned_t<T>(old), false};
  }
}

} // namespace

Result apply(Operation operation, Type type, uint64_t old, uint64_t operand, uint64_t compare, bool flush) {
  // These move bits, whatever the type.
  if (operation == Operation::exchange) return {operand};
  if (operation == Operation::compareExchange) return {old == compare ? operand : old, type != Type::f32};
  switch (type) {
  case Type::u32:
    return applyInteger<uint32_t>(operation, uint32_t(old), uint32_t(operand));
  case Type::u64:
    return applyInteger<uint64_t>(operation, old, operand);
  case Type::s32:
    return applyInteger<int32_t>(operation, int32_t(old), int32_t(operand));
  case Type::f32:
    return applyFloat(operation, uint32_t(old), uint32_t(operand), flush);
  }
  return {old, false};
}

} // namespace mmc::emu::atomics
