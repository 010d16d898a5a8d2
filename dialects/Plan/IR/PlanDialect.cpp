// The plan dialect's registration and the text of its attributes.
#include "dialects/Plan/IR/Plan.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mmc::planir;

#include "dialects/Plan/IR/PlanDialect.cpp.inc"
#include "dialects/Plan/IR/PlanEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Plan/IR/PlanAttrs.cpp.inc"

void PlanDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Plan/IR/PlanAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Plan/IR/PlanOps.cpp.inc"
      >();
}

void mmc::planir::registerPlanDialect(DialectRegistry &registry) { registry.insert<PlanDialect>(); }

namespace {
/// Reads one word of an enum, with an error that lists nothing but names the word.
template <typename Enum>
FailureOr<Enum> parseWord(AsmParser &parser, std::optional<Enum> (*symbolize)(StringRef), StringRef what) {
  StringRef word;
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseKeyword(&word)) return failure();
  if (std::optional<Enum> value = symbolize(word)) return *value;
  parser.emitError(at) << "unknown " << what << " '" << word << "'";
  return failure();
}
} // namespace

// `<buffer, @x, offset = 64, written>`; the symbol, the offset and `written` only where they are set.
Attribute BindingAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess()) return {};
  auto kind = parseWord<BindingKind>(parser, symbolizeBindingKind, "binding kind");
  if (failed(kind)) return {};
  FlatSymbolRefAttr symbol;
  int64_t offset = 0;
  bool written = false;
  while (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalKeyword("written"))) {
      written = true;
    } else if (succeeded(parser.parseOptionalKeyword("offset"))) {
      if (parser.parseEqual() || parser.parseInteger(offset)) return {};
    } else if (parser.parseAttribute(symbol)) {
      return {};
    }
  }
  if (parser.parseGreater()) return {};
  return BindingAttr::get(parser.getContext(), *kind, symbol, offset, written);
}

void BindingAttr::print(AsmPrinter &printer) const {
  printer << "<" << stringifyBindingKind(getKind());
  if (getSymbol()) printer << ", " << getSymbol();
  if (getOffset()) printer << ", offset = " << getOffset();
  if (getWritten()) printer << ", written";
  printer << ">";
}

// `<fixed, 384>`, `<tokens>`, `<work, @list>`.
Attribute ExtentAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess()) return {};
  auto kind = parseWord<ExtentKind>(parser, symbolizeExtentKind, "extent kind");
  if (failed(kind)) return {};
  int64_t value = 0;
  FlatSymbolRefAttr list;
  if (succeeded(parser.parseOptionalComma())) {
    if (*kind == ExtentKind::work ? failed(parser.parseAttribute(list)) : failed(parser.parseInteger(value))) return {};
  }
  if (parser.parseGreater()) return {};
  return ExtentAttr::get(parser.getContext(), *kind, value, list);
}

void ExtentAttr::print(AsmPrinter &printer) const {
  printer << "<" << stringifyExtentKind(getKind());
  if (getKind() == ExtentKind::fixed) printer << ", " << getValue();
  if (getList()) printer << ", " << getList();
  printer << ">";
}
