// Elementwise integers and conversions. Values are 64-bit, sign-extended from their width; unsigned ops look at the
// width's bits. finishResults wraps results to their width.
#include "lib/Interpreter/TileProgram.h"

#include <cmath>

using namespace mlir;
using namespace mmc::interpreter;

/// Bits of an integer or index type.
static unsigned widthOf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
}

static uint64_t asUnsigned(int64_t value, unsigned width) {
  return width == 64 ? uint64_t(value) : uint64_t(value) & ((uint64_t(1) << width) - 1);
}

/// The value as its type's sign sees it: one bit is 0 or -1.
static int64_t asSigned(int64_t value, unsigned width) { return width == 1 ? -value : value; }

// ------------------------------------------------------------------------------------------------ comparison, division

static bool compareIntegers(arith::CmpIPredicate predicate, int64_t x, int64_t y, unsigned width) {
  using P = arith::CmpIPredicate;
  int64_t sx = asSigned(x, width), sy = asSigned(y, width);
  uint64_t ux = asUnsigned(x, width), uy = asUnsigned(y, width);
  switch (predicate) {
  case P::eq:
    return x == y;
  case P::ne:
    return x != y;
  case P::slt:
    return sx < sy;
  case P::sle:
    return sx <= sy;
  case P::sgt:
    return sx > sy;
  case P::sge:
    return sx >= sy;
  case P::ult:
    return ux < uy;
  case P::ule:
    return ux <= uy;
  case P::ugt:
    return ux > uy;
  case P::uge:
    return ux >= uy;
  }
  return false;
}

/// A division or remainder: like intBinary, with an error for a zero divisor. `fn` never sees a divisor of -1 together
/// with the smallest value.
template <typename Fn> static Action makeDivision(Operation *op, unsigned a, unsigned b, unsigned r, Fn fn) {
  return [=](Frame &frame) {
    std::vector<int64_t> &z = frame.slots[r].i;
    for (size_t e = 0; e < z.size(); ++e) {
      int64_t x = frame.slots[a].i[e], y = frame.slots[b].i[e];
      if (y == 0) {
        op->emitOpError() << "divides by zero";
        return false;
      }
      z[e] = fn(x, y);
    }
    return true;
  };
}

static int64_t divideSigned(int64_t x, int64_t y) {
  return y == -1 ? static_cast<int64_t>(-static_cast<uint64_t>(x)) : x / y;
}
static int64_t remainderSigned(int64_t x, int64_t y) { return y == -1 ? 0 : x % y; }
static int64_t divideFloor(int64_t x, int64_t y) {
  return divideSigned(x, y) - (remainderSigned(x, y) != 0 && (x < 0) != (y < 0));
}
static int64_t divideCeil(int64_t x, int64_t y) {
  return divideSigned(x, y) + (remainderSigned(x, y) != 0 && (x < 0) == (y < 0));
}

static bool isDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::FloorDivSIOp, arith::CeilDivSIOp,
             arith::CeilDivUIOp>(op);
}

static Action compileDivision(Operation *op, unsigned a, unsigned b, unsigned r) {
  unsigned w = widthOf(op->getResult(0).getType());
  auto make = [&](auto fn) { return makeDivision(op, a, b, r, fn); };
  return TypeSwitch<Operation *, Action>(op)
      .Case<arith::DivSIOp>([&](auto) { return make(divideSigned); })
      .Case<arith::RemSIOp>([&](auto) { return make(remainderSigned); })
      .Case<arith::FloorDivSIOp>([&](auto) { return make(divideFloor); })
      .Case<arith::CeilDivSIOp>([&](auto) { return make(divideCeil); })
      .Case<arith::DivUIOp>([&](auto) {
        return make([w](int64_t x, int64_t y) { return int64_t(asUnsigned(x, w) / asUnsigned(y, w)); });
      })
      .Case<arith::RemUIOp>([&](auto) {
        return make([w](int64_t x, int64_t y) { return int64_t(asUnsigned(x, w) % asUnsigned(y, w)); });
      })
      .Default([&](Operation *) {
        return make([w](int64_t x, int64_t y) {
          uint64_t ux = asUnsigned(x, w), uy = asUnsigned(y, w);
          return int64_t(ux / uy + (ux % uy != 0));
        });
      });
}

// ------------------------------------------------------------------------------------------------ arith on integers

bool TileCompiler::compileIntegers(Operation *op, Actions &actions) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    intBinary(op, actions,
              [predicate = compare.getPredicate(), width = widthOf(compare.getLhs().getType())](
                  int64_t x, int64_t y) -> int64_t { return compareIntegers(predicate, x, y, width); });
    return true;
  }
  if (isDivision(op)) {
    actions.push_back(compileDivision(op, slot(op->getOperand(0)), slot(op->getOperand(1)), slot(op->getResult(0))));
    return true;
  }
  if (!isa<arith::ArithDialect>(op->getDialect()) || op->getNumResults() == 0) return false;
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  if (!element.isIntOrIndex()) return false;
  unsigned w = widthOf(element);
  auto binary = [&](auto fn) { return intBinary(op, actions, fn), true; };
  auto wrapped = [&](auto fn) {
    return binary([fn](int64_t x, int64_t y) { return int64_t(fn(uint64_t(x), uint64_t(y))); });
  };
  return TypeSwitch<Operation *, bool>(op)
      .Case<arith::AddIOp>([&](auto) { return wrapped(std::plus<uint64_t>()); })
      .Case<arith::SubIOp>([&](auto) { return wrapped(std::minus<uint64_t>()); })
      .Case<arith::MulIOp>([&](auto) { return wrapped(std::multiplies<uint64_t>()); })
      .Case<arith::AndIOp>([&](auto) { return wrapped(std::bit_and<uint64_t>()); })
      .Case<arith::OrIOp>([&](auto) { return wrapped(std::bit_or<uint64_t>()); })
      .Case<arith::XOrIOp>([&](auto) { return wrapped(std::bit_xor<uint64_t>()); })
      .Case<arith::ShLIOp>([&](auto) { return wrapped([w](uint64_t x, uint64_t y) { return y < w ? x << y : 0; }); })
      .Case<arith::ShRUIOp>([&](auto) {
        return binary([w](int64_t x, int64_t y) { return uint64_t(y) < w ? int64_t(asUnsigned(x, w) >> y) : 0; });
      })
      .Case<arith::ShRSIOp>([&](auto) {
        return binary([w](int64_t x, int64_t y) { return asSigned(x, w) >> std::min<uint64_t>(y, w - 1); });
      })
      .Case<arith::MinSIOp>(
          [&](auto) { return binary([w](int64_t x, int64_t y) { return asSigned(x, w) < asSigned(y, w) ? x : y; }); })
      .Case<arith::MaxSIOp>(
          [&](auto) { return binary([w](int64_t x, int64_t y) { return asSigned(x, w) > asSigned(y, w) ? x : y; }); })
      .Case<arith::MinUIOp>([&](auto) {
        return binary([w](int64_t x, int64_t y) { return asUnsigned(x, w) < asUnsigned(y, w) ? x : y; });
      })
      .Case<arith::MaxUIOp>([&](auto) {
        return binary([w](int64_t x, int64_t y) { return asUnsigned(x, w) > asUnsigned(y, w) ? x : y; });
      })
      .Default([](Operation *) { return false; });
}

// ------------------------------------------------------------------------------------------------ conversions

/// Towards zero, saturating; NaN gives 0 (the result is undefined in the program, but not in this process).
static int64_t toSigned(double x) {
  if (std::isnan(x)) return 0;
  if (x >= 0x1p63) return INT64_MAX;
  return x <= -0x1p63 ? INT64_MIN : static_cast<int64_t>(x);
}
static int64_t toUnsigned(double x) {
  if (!(x > 0)) return 0;
  return static_cast<int64_t>(x >= 0x1p64 ? UINT64_MAX : static_cast<uint64_t>(x));
}

bool TileCompiler::compileCasts(Operation *op, Actions &actions) {
  if (!isa<CastOpInterface>(op) || op->getNumOperands() != 1) return false;
  unsigned a = slot(op->getOperand(0)), r = slot(op->getResult(0));
  Type from = getElementTypeOrSelf(op->getOperand(0).getType()), to = getElementTypeOrSelf(op->getResult(0).getType());
  unsigned w = isa<FloatType>(from) ? 0 : widthOf(from);
  auto map = [&](auto source, auto target, auto fn) {
    actions.push_back([=](Frame &frame) {
      auto &x = frame.slots[a].*source;
      auto &z = frame.slots[r].*target;
      for (size_t e = 0; e < z.size(); ++e) z[e] = fn(x[e]);
      return true;
    });
    return true;
  };
  return TypeSwitch<Operation *, bool>(op)
      .Case<arith::IndexCastOp, arith::ExtSIOp>(
          [&](auto) { return map(&Slot::i, &Slot::i, [w](int64_t x) { return asSigned(x, w); }); })
      .Case<arith::IndexCastUIOp, arith::ExtUIOp>(
          [&](auto) { return map(&Slot::i, &Slot::i, [w](int64_t x) { return int64_t(asUnsigned(x, w)); }); })
      .Case<arith::TruncIOp>([&](auto) { return map(&Slot::i, &Slot::i, [](int64_t x) { return x; }); })
      .Case<arith::SIToFPOp>(
          [&](auto) { return map(&Slot::i, &Slot::f, [w](int64_t x) { return double(asSigned(x, w)); }); })
      .Case<arith::UIToFPOp>(
          [&](auto) { return map(&Slot::i, &Slot::f, [w](int64_t x) { return double(asUnsigned(x, w)); }); })
      .Case<arith::FPToSIOp>([&](auto) { return map(&Slot::f, &Slot::i, toSigned); })
      .Case<arith::FPToUIOp>([&](auto) { return map(&Slot::f, &Slot::i, toUnsigned); })
      .Case<arith::ExtFOp>([&](auto) { return map(&Slot::f, &Slot::f, [](double x) { return x; }); })
      // To bf16, finishResults rounds; a cast to f32 is a rounding point of the program in float64 mode too.
      .Case<arith::TruncFOp>([&](auto) {
        return to.isF32() ? map(&Slot::f, &Slot::f, [](double x) { return double(float(x)); })
                          : map(&Slot::f, &Slot::f, [](double x) { return x; });
      })
      .Default([](Operation *) { return false; });
}
