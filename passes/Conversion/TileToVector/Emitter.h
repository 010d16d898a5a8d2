// Small building blocks of generated code: index arithmetic that folds constants, pointers, splats, masks.
//
// Element types below the tile level: bf16 is carried as i16 (LLVM scalarises vectors of bf16 where the ISA has no
// AVX512-BF16), everything else as itself. A "vector" of one lane is a scalar.
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

#include <functional>
#include <optional>

namespace mmc::cpu {

class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  // Index arithmetic.
  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b) { return b ? add(a, index(b)) : a; }
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b) { return b == 1 ? a : mul(a, index(b)); }
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  /// Unsigned division and remainder; the divisor is not zero.
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, int64_t b) { return b == 1 ? a : div(a, index(b)); }
  mlir::Value rem(mlir::Value a, int64_t b);
  mlir::Value less(mlir::Value a, mlir::Value b);
  mlir::Value lessEqual(mlir::Value a, mlir::Value b);
  /// Conjunction of conditions that may be null (true).
  mlir::Value both(mlir::Value a, mlir::Value b);
  static std::optional<int64_t> constantOf(mlir::Value value);

  // Types.
  static mlir::Type carried(mlir::Type element);
  static unsigned storedBytes(mlir::Type element);
  mlir::Type lanesOf(mlir::Type element, int lanes);

  // Memory.
  mlir::Value pointerAt(mlir::Value base, mlir::Type carriedElement, mlir::Value index);
  mlir::Value pointerAt(mlir::Value base, mlir::Type carriedElement, int64_t index);
  mlir::Value load(mlir::Type type, mlir::Value pointer);
  void store(mlir::Value value, mlir::Value pointer);
  mlir::Value maskedLoad(mlir::Type type, mlir::Value pointer, mlir::Value mask);
  void maskedStore(mlir::Value value, mlir::Value pointer, mlir::Value mask);

  // Values.
  mlir::Value zero(mlir::Type type);
  mlir::Value integer(mlir::Type type, int64_t value);
  mlir::Value splat(mlir::Value scalar, int lanes);
  /// 0, 1, 2, ... as i32.
  mlir::Value laneNumbers(int lanes);
  /// The first `active` lanes.
  mlir::Value laneMask(int lanes, int active);
  /// The lanes below `bound` (index), which may be negative or large.
  mlir::Value laneMask(int lanes, mlir::Value bound);
  mlir::Value toIndex(mlir::Value integer);

  // Control.
  /// A loop from 0 to `count`; none where count is the constant 0, and just the body where it is 1.
  void loop(mlir::Value count, const std::function<void(mlir::Value)> &body);
  void loop(int64_t count, const std::function<void(mlir::Value)> &body) { loop(index(count), body); }
  /// The value of `then` where `condition` holds, else of `otherwise`.
  mlir::Value choose(mlir::Value condition, mlir::Type type, const std::function<mlir::Value()> &then,
                     const std::function<mlir::Value()> &otherwise);
  void when(mlir::Value condition, const std::function<void()> &then, const std::function<void()> &otherwise = nullptr);

  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace mmc::cpu
