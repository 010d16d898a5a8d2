// Elementwise floats: arith on floats, comparisons, select, constants, math. Each op is one line on float64 values;
// finishResults rounds.
#include "lib/Interpreter/TileProgram.h"

#include <cmath>

using namespace mlir;
using namespace mmc::interpreter;

// ------------------------------------------------------------------------------------------------ constants

bool TileCompiler::compileConstant(arith::ConstantOp op) {
  Slot &storage = program.initial[slot(op.getResult())];
  Attribute value = op.getValue();
  if (auto scalar = dyn_cast<FloatAttr>(value)) {
    storage.f[0] = scalar.getValueAsDouble();
  } else if (auto integer = dyn_cast<IntegerAttr>(value)) {
    storage.i[0] =
        integer.getType().isInteger(1) ? integer.getValue().getZExtValue() : integer.getValue().getSExtValue();
  } else if (auto floats = dyn_cast<DenseFPElementsAttr>(value)) {
    for (auto [e, element] : llvm::enumerate(floats.getValues<APFloat>()))
      storage.f[e] = FloatAttr::getValueAsDouble(element);
  } else if (auto integers = dyn_cast<DenseIntElementsAttr>(value)) {
    for (auto [e, element] : llvm::enumerate(integers.getValues<APInt>()))
      storage.i[e] = element.getBitWidth() == 1 ? element.getZExtValue() : element.getSExtValue();
  } else {
    return false;
  }
  return true;
}

// ------------------------------------------------------------------------------------------------ arith on floats

/// IEEE 754 maximum and minimum: NaN if either is, and -0 < +0.
static double maximum(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return NAN;
  return x == y ? (std::signbit(x) ? y : x) : std::max(x, y);
}
static double minimum(double x, double y) { return -maximum(-x, -y); }

static bool compareFloats(arith::CmpFPredicate predicate, double x, double y) {
  using P = arith::CmpFPredicate;
  bool unordered = std::isnan(x) || std::isnan(y);
  switch (predicate) {
  case P::AlwaysFalse:
    return false;
  case P::OEQ:
    return x == y;
  case P::OGT:
    return x > y;
  case P::OGE:
    return x >= y;
  case P::OLT:
    return x < y;
  case P::OLE:
    return x <= y;
  case P::ONE:
    return !unordered && x != y;
  case P::ORD:
    return !unordered;
  case P::UEQ:
    return unordered || x == y;
  case P::UGT:
    return unordered || x > y;
  case P::UGE:
    return unordered || x >= y;
  case P::ULT:
    return unordered || x < y;
  case P::ULE:
    return unordered || x <= y;
  case P::UNE:
    return x != y;
  case P::UNO:
    return unordered;
  case P::AlwaysTrue:
    return true;
  }
  return false;
}

/// result[e] = condition[e] ? a[e] : b[e]; a scalar condition chooses all of a or all of b.
static Action makeSelect(unsigned condition, unsigned a, unsigned b, unsigned r) {
  return [=](Frame &frame) {
    const std::vector<int64_t> &chosen = frame.slots[condition].i;
    const Slot &x = frame.slots[a], &y = frame.slots[b];
    Slot &z = frame.slots[r];
    size_t stride = chosen.size() == 1 ? 0 : 1;
    for (size_t e = 0; e < z.f.size(); ++e) z.f[e] = chosen[e * stride] ? x.f[e] : y.f[e];
    for (size_t e = 0; e < z.i.size(); ++e) z.i[e] = chosen[e * stride] ? x.i[e] : y.i[e];
    return true;
  };
}

bool TileCompiler::compileArith(Operation *op, Actions &actions) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) return compileConstant(constant);
  if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
    actions.push_back([predicate = compare.getPredicate(), a = slot(compare.getLhs()), b = slot(compare.getRhs()),
                       r = slot(compare.getResult())](Frame &frame) {
      std::vector<int64_t> &z = frame.slots[r].i;
      for (size_t e = 0; e < z.size(); ++e) z[e] = compareFloats(predicate, frame.slots[a].f[e], frame.slots[b].f[e]);
      return true;
    });
    return true;
  }
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    actions.push_back(makeSelect(slot(select.getCondition()), slot(select.getTrueValue()), slot(select.getFalseValue()),
                                 slot(select.getResult())));
    return true;
  }
  auto binary = [&](auto fn) { return floatBinary(op, actions, fn), true; };
  return TypeSwitch<Operation *, bool>(op)
      .Case<arith::AddFOp>([&](auto) { return binary([](double x, double y) { return x + y; }); })
      .Case<arith::SubFOp>([&](auto) { return binary([](double x, double y) { return x - y; }); })
      .Case<arith::MulFOp>([&](auto) { return binary([](double x, double y) { return x * y; }); })
      .Case<arith::DivFOp>([&](auto) { return binary([](double x, double y) { return x / y; }); })
      .Case<arith::RemFOp>([&](auto) { return binary([](double x, double y) { return std::fmod(x, y); }); })
      .Case<arith::MaximumFOp>([&](auto) { return binary(maximum); })
      .Case<arith::MinimumFOp>([&](auto) { return binary(minimum); })
      .Case<arith::MaxNumFOp>([&](auto) {
        return binary([](double x, double y) { return std::isnan(x) ? y : std::isnan(y) ? x : maximum(x, y); });
      })
      .Case<arith::MinNumFOp>([&](auto) {
        return binary([](double x, double y) { return std::isnan(x) ? y : std::isnan(y) ? x : minimum(x, y); });
      })
      .Case<arith::NegFOp>([&](auto) { return floatUnary(op, actions, [](double x) { return -x; }), true; })
      .Default([](Operation *) { return false; });
}

// ------------------------------------------------------------------------------------------------ math

bool TileCompiler::compileMath(Operation *op, Actions &actions) {
  auto unary = [&](auto fn) { return floatUnary(op, actions, fn), true; };
  auto binary = [&](auto fn) { return floatBinary(op, actions, fn), true; };
  if (auto fma = dyn_cast<math::FmaOp>(op)) {
    actions.push_back(
        [a = slot(fma.getA()), b = slot(fma.getB()), c = slot(fma.getC()), r = slot(fma.getResult())](Frame &frame) {
          std::vector<double> &z = frame.slots[r].f;
          for (size_t e = 0; e < z.size(); ++e)
            z[e] = std::fma(frame.slots[a].f[e], frame.slots[b].f[e], frame.slots[c].f[e]);
          return true;
        });
    return true;
  }
  return TypeSwitch<Operation *, bool>(op)
      .Case<math::ExpOp>([&](auto) { return unary([](double x) { return std::exp(x); }); })
      .Case<math::Exp2Op>([&](auto) { return unary([](double x) { return std::exp2(x); }); })
      .Case<math::ExpM1Op>([&](auto) { return unary([](double x) { return std::expm1(x); }); })
      .Case<math::LogOp>([&](auto) { return unary([](double x) { return std::log(x); }); })
      .Case<math::Log1pOp>([&](auto) { return unary([](double x) { return std::log1p(x); }); })
      .Case<math::Log2Op>([&](auto) { return unary([](double x) { return std::log2(x); }); })
      .Case<math::SqrtOp>([&](auto) { return unary([](double x) { return std::sqrt(x); }); })
      .Case<math::RsqrtOp>([&](auto) { return unary([](double x) { return 1.0 / std::sqrt(x); }); })
      .Case<math::SinOp>([&](auto) { return unary([](double x) { return std::sin(x); }); })
      .Case<math::CosOp>([&](auto) { return unary([](double x) { return std::cos(x); }); })
      .Case<math::TanhOp>([&](auto) { return unary([](double x) { return std::tanh(x); }); })
      .Case<math::ErfOp>([&](auto) { return unary([](double x) { return std::erf(x); }); })
      .Case<math::AbsFOp>([&](auto) { return unary([](double x) { return std::abs(x); }); })
      .Case<math::FloorOp>([&](auto) { return unary([](double x) { return std::floor(x); }); })
      .Case<math::CeilOp>([&](auto) { return unary([](double x) { return std::ceil(x); }); })
      .Case<math::RoundEvenOp>([&](auto) { return unary([](double x) { return std::nearbyint(x); }); })
      .Case<math::PowFOp>([&](auto) { return binary([](double x, double y) { return std::pow(x, y); }); })
      .Case<math::CopySignOp>([&](auto) { return binary([](double x, double y) { return std::copysign(x, y); }); })
      .Default([](Operation *) { return false; });
}
