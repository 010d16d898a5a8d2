#include "lib/Target/CUDA/Expressions.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

std::string typeText(Type type) {
  if (type.isF32()) return "float";
  if (type.isF64()) return "double";
  if (type.isBF16()) return "bf16";
  if (type.isF16()) return "f16";
  if (type.isInteger(1)) return "bool";
  if (type.isInteger(8)) return "s8";
  if (type.isInteger(32)) return "s32";
  return "s64";
}

static std::string floatText(const APFloat &value, bool isDouble) {
  if (value.isNaN() || value.isInfinity()) {
    uint64_t bits = value.bitcastToAPInt().getZExtValue();
    return isDouble ? llvm::formatv("bitCast<double>(u64({0:x}))", bits).str()
                    : llvm::formatv("bitCast<float>({0:x}u)", bits).str();
  }
  SmallString<32> text;
  value.toString(text, isDouble ? 17 : 9, 4);
  std::string out = text.str().str();
  if (out.find_first_of(".eE") == std::string::npos) out += ".0";
  return isDouble ? out : out + "f";
}

std::string literalText(TypedAttr value) {
  if (auto number = dyn_cast<FloatAttr>(value)) return floatText(number.getValue(), number.getType().isF64());
  auto integer = cast<IntegerAttr>(value);
  if (integer.getType().isInteger(1)) return integer.getValue().isZero() ? "false" : "true";
  return std::to_string(integer.getInt());
}

static const char *comparison(arith::CmpIPredicate predicate) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return "==";
  case arith::CmpIPredicate::ne:
    return "!=";
  case arith::CmpIPredicate::slt:
    return "<";
  case arith::CmpIPredicate::sle:
    return "<=";
  case arith::CmpIPredicate::sgt:
    return ">";
  case arith::CmpIPredicate::sge:
    return ">=";
  default:
    return nullptr; // integers are signed
  }
}

static const char *comparison(arith::CmpFPredicate predicate) {
  switch (predicate) {
  case arith::CmpFPredicate::OEQ:
    return "==";
  case arith::CmpFPredicate::OLT:
    return "<";
  case arith::CmpFPredicate::OLE:
    return "<=";
  case arith::CmpFPredicate::OGT:
    return ">";
  case arith::CmpFPredicate::OGE:
    return ">=";
  case arith::CmpFPredicate::UNE:
    return "!=";
  default:
    return nullptr;
  }
}

/// A conversion between number formats.
static std::string conversion(Type from, Type to, const std::string &value) {
  if (from.isBF16()) return to.isF32() ? "toFloat(" + value + ")" : typeText(to) + "(toFloat(" + value + "))";
  if (to.isBF16()) return from.isF32() ? "toBf16(" + value + ")" : "toBf16(float(" + value + "))";
  return typeText(to) + "(" + value + ")";
}

std::string expressionText(Operation *op, llvm::function_ref<std::string(Value)> operand) {
  auto binary = [&](const char *symbol) {
    return "(" + operand(op->getOperand(0)) + " " + symbol + " " + operand(op->getOperand(1)) + ")";
  };
  auto call = [&](const char *function) {
    std::string text = std::string(function) + "(";
    for (auto [i, value] : llvm::enumerate(op->getOperands()))
      text += (i ? ", " : "") + withoutParentheses(operand(value));
    return text + ")";
  };
  auto convert = [&] {
    return conversion(op->getOperand(0).getType(), op->getResult(0).getType(),
                      withoutParentheses(operand(op->getOperand(0))));
  };
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case([&](arith::ConstantOp constant) { return literalText(constant.getValue()); })
      .Case<arith::AddIOp, arith::AddFOp>([&](auto) { return binary("+"); })
      .Case<arith::SubIOp, arith::SubFOp>([&](auto) { return binary("-"); })
      .Case<arith::MulIOp, arith::MulFOp>([&](auto) { return binary("*"); })
      .Case<arith::DivSIOp>([&](auto) { return binary("/"); })
      .Case<arith::RemSIOp>([&](auto) { return binary("%"); })
      .Case([&](arith::DivFOp divide) { return divide.getType().isF32() ? call("divide") : binary("/"); })
      .Case<arith::AndIOp>([&](auto) { return binary("&"); })
      .Case<arith::OrIOp>([&](auto) { return binary("|"); })
      .Case([&](arith::NegFOp) {
        std::string value = operand(op->getOperand(0));
        return value.front() == '-' ? "-(" + value + ")" : "-" + value;
      })
      .Case<arith::MinSIOp>([&](auto min) { return call(("minimum<" + typeText(min.getType()) + ">").c_str()); })
      .Case<arith::MaxSIOp>([&](auto max) { return call(("maximum<" + typeText(max.getType()) + ">").c_str()); })
      .Case<arith::MaximumFOp>([&](auto) { return call("Max::combine"); })
      .Case([&](arith::CmpIOp compare) {
        const char *symbol = comparison(compare.getPredicate());
        return symbol ? binary(symbol) : std::string();
      })
      .Case([&](arith::CmpFOp compare) {
        const char *symbol = comparison(compare.getPredicate());
        return symbol ? binary(symbol) : std::string();
      })
      .Case([&](arith::SelectOp select) {
        return "(" + operand(select.getCondition()) + " ? " + operand(select.getTrueValue()) + " : " +
               operand(select.getFalseValue()) + ")";
      })
      .Case<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, arith::IndexCastOp, arith::FPToSIOp, arith::ExtSIOp,
            arith::TruncIOp>([&](auto) { return convert(); })
      .Case<math::ExpOp>([&](auto) { return call("exponential"); })
      .Case<math::RsqrtOp>([&](auto) { return call("rsqrtApprox"); })
      .Case<math::SinOp>([&](auto) { return call("sine"); })
      .Case<math::CosOp>([&](auto) { return call("cosine"); })
      .Case<math::RoundEvenOp>([&](auto) { return call("roundEven"); })
      .Default([](Operation *) { return std::string(); });
}

std::string withoutParentheses(const std::string &text) {
  if (text.size() < 2 || text.front() != '(') return text;
  int depth = 0;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (depth == 0) return text; // the first one is closed before the end
  }
  return text.substr(1, text.size() - 2);
}

std::string wrapped(std::string text, size_t indent) {
  constexpr size_t kColumns = 120;
  std::string out(indent, ' ');
  for (size_t column = indent; column + text.size() > kColumns;) {
    size_t at = 0;
    int depth = 0, fewest = 0;
    SmallVector<int> open;
    for (size_t i = 0; i < text.size() && column + i < kColumns; ++i) {
      char before = i ? text[i - 1] : ' ', after = i + 1 < text.size() ? text[i + 1] : ' ';
      if (StringRef("([{").contains(text[i]) || (text[i] == '<' && before != ' ' && after != ' '))
        open.push_back(before == ']' ? 10 : 1), depth += open.back(); // parameters of a lambda stay together
      else if (!open.empty() && (StringRef(")]}").contains(text[i]) || (text[i] == '>' && before != ' ')))
        depth -= open.pop_back_val();
      if (after != ' ' || i + 1 >= text.size()) continue;
      bool isOperator = before == ' ' && StringRef("+-?:").contains(text[i]);
      if ((text[i] == ',' || isOperator) && (!at || depth <= fewest)) at = i + 1, fewest = depth;
    }
    if (!at) break; // nowhere to break
    column = indent + 4;
    out += text.substr(0, at) + "\n" + std::string(column, ' ');
    text.erase(0, at + 1);
  }
  return out + text + "\n";
}

StringRef resultName(Operation *op) {
  return llvm::StringSwitch<StringRef>(op->getName().getStringRef())
      .Case("arith.constant", "filled")
      .Case("arith.mulf", "scaled")
      .Case("arith.addf", "sum")
      .Case("arith.subf", "difference")
      .Case("arith.divf", "quotient")
      .Case("arith.negf", "negated")
      .Case("arith.truncf", "rounded")
      .Case("arith.extf", "wide")
      .Case("arith.select", "masked")
      .Case("arith.maximumf", "larger")
      .Case("math.exp", "exponentials")
      .Case("math.rsqrt", "inverseRoot")
      .Case("hopper.multiply", "product")
      .Case("hopper.reduce", "total")
      .Case("arith.addi", "index")
      .Case("arith.subi", "left")
      .Case("arith.muli", "first")
      .Case("arith.minsi", "count")
      .Case("arith.remsi", "stage")
      .Default("value");
}

std::string layoutText(FragmentType type, int64_t threads) {
  ArrayRef<int64_t> shape = type.getShape();
  std::string sizes;
  for (int64_t size : shape) sizes += ", " + std::to_string(size);
  if (auto spread = dyn_cast<SpreadAttr>(type.getLayout()))
    return llvm::formatv("Spread<{0}, {1}{2}>", threads, spread.getVector(), sizes).str();
  if (auto warps = dyn_cast<AccumulatorAttr>(type.getLayout()))
    return llvm::formatv("Accumulators<{0}, {1}, {2}{3}>", threads, warps.getRows(), warps.getColumns(), sizes).str();
  auto slice = cast<SliceAttr>(type.getLayout());
  if (auto warps = dyn_cast<AccumulatorAttr>(slice.getParent()))
    return llvm::formatv("AccumulatorSlice<{0}, {1}, {2}{3}, {4}>", threads, warps.getRows(), warps.getColumns(), sizes,
                         slice.getDim())
        .str();
  int64_t rows = slice.getDim() == 0 ? slice.getSize() : shape[0],
          columns = slice.getDim() == 0 ? shape[0] : slice.getSize();
  return llvm::formatv("Slice<Spread<{0}, {1}, {2}, {3}>, {4}>", threads,
                       cast<SpreadAttr>(slice.getParent()).getVector(), rows, columns, slice.getDim())
      .str();
}

} // namespace mmc::cuda
