// Atomics, and loads and stores with an order: what values they make, and what they order.
//
// Every location that one of them touches keeps the clocks of its release sequence, per scope, for as long as the
// launch lasts: a store ends the sequence, a read-modify-write carries it on. Relaxed operations order nothing by
// themselves; fences make them (ops/Fence.h).
//
// Two strong operations whose scopes do not reach each other race like plain ones.
#pragma once

#include "runtime/cuda/emulation/ops/Fence.h"

#include <cstdint>

namespace mmc::emu::atomics {

enum class Operation : uint8_t { add, min, max, bitAnd, bitOr, exchange, compareExchange, increment };
enum class Type : uint8_t { u32, u64, s32, f32 };

struct Result {
  uint64_t value = 0;
  bool valid = true; // false: the hardware has no such operation on this type
};
/// The new value of a location that holds `old`: pure. `flush`: subnormals count as zero, as in global memory.
Result apply(Operation operation, Type type, uint64_t old, uint64_t operand, uint64_t compare, bool flush);

/// Sees `address` as it is now. The bytes of the value are zero-extended.
uint64_t load(Thread &thread, const void *address, unsigned bytes, Order order, Scope scope, uint64_t source);
void store(Thread &thread, void *address, uint64_t value, unsigned bytes, Order order, Scope scope, uint64_t source);
/// Returns the old value.
uint64_t modify(Thread &thread, void *address, Operation operation, Type type, uint64_t operand, uint64_t compare,
                Order order, Scope scope, uint64_t source);

} // namespace mmc::emu::atomics
