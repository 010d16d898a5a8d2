// Functions, weights, tables and rows: parsing, printing and verification of the ops that give a program its structure.
// The program's and the stack's own rules are in ModelProgram.cpp and ModelStack.cpp.
#include "dialects/Model/IR/Model.h"
#include "dialects/Model/IR/ModelTables.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace mmc::model;

#define GET_OP_CLASSES
#include "dialects/Model/IR/ModelOps.cpp.inc"

// ------------------------------------------------------------------------------------------------ func and return

ParseResult FuncOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false,
                                                  getFunctionTypeAttrName(result.name), buildType,
                                                  getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

/// The results of `op` as a definition spells them: `%a, %b:3 = `.
static void printResults(OpAsmPrinter &printer, Operation *op) {
  SmallVector<std::pair<std::string, int>> groups;
  for (Value result : op->getResults()) {
    std::string name;
    llvm::raw_string_ostream os(name);
    printer.printOperand(result, os);
    // Members of a group are %a#0, %a#1, ...
    if (size_t mark = name.find('#'); mark != std::string::npos) name.resize(mark);
    if (!groups.empty() && groups.back().first == name)
      ++groups.back().second;
    else
      groups.push_back({name, 1});
  }
  llvm::interleaveComma(groups, printer.getStream(), [&](auto &group) {
    printer << group.first;
    if (group.second > 1) printer << ":" << group.second;
  });
  if (!groups.empty()) printer << " = ";
}

/// An op that only names something for the op after it: it shares that op's line.
static bool isLeaf(Operation *op) { return isa<WeightOp, RowOp, arith::ConstantOp>(op); }

/// How many of them a line begins with.
static constexpr int kLeavesPerLine = 2;

/// Whether the printer only collects aliases. Then locations are left out: they would get aliases even where they are
/// not printed.
static bool isCollectingAliases(OpAsmPrinter &printer) {
  return dynamic_cast<llvm::raw_null_ostream *>(&printer.getStream());
}

/// The body of a function, a line per op, where weights, rows and constants stand on the line of the op that they are
/// for: an 80-layer model fits on one screen. Line breaks mean nothing to the parser.
static void printBody(OpAsmPrinter &printer, Block &block) {
  bool locations = !isCollectingAliases(printer);
  printer << "{";
  printer.increaseIndent();
  int leaves = 0; // that the current line consists of
  for (Operation &op : block) {
    if (leaves == 0 || (leaves == kLeavesPerLine && isLeaf(&op))) {
      printer.printNewline();
      leaves = 0;
    } else {
      printer << "  ";
    }
    leaves = isLeaf(&op) ? leaves + 1 : 0;
    printResults(printer, &op);
    printer.printCustomOrGenericOp(&op);
    if (locations) printer.printOptionalLocationSpecifier(op.getLoc());
  }
  printer.decreaseIndent();
  printer.printNewline();
  printer << "}";
}

void FuncOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  function_interface_impl::printFunctionSignature(printer, *this, getArgumentTypes(), /*isVariadic=*/false,
                                                  getResultTypes());
  function_interface_impl::printFunctionAttributes(
      printer, *this, {getFunctionTypeAttrName(), getArgAttrsAttrName(), getResAttrsAttrName()});
  if (getBody().empty()) return;
  printer << ' ';
  if (getBody().hasOneBlock()) return printBody(printer, getBody().front());
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/true);
}

void FuncOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  int caches = 0;
  for (BlockArgument argument : region.getArguments()) {
    Type type = argument.getType();
    if (isa<BatchType>(type))
      setName(argument, "batch");
    else if (type.isIndex())
      setName(argument, "layer");
    else if (isIntRows(type))
      setName(argument, "ids");
    else if (isFloatRows(type))
      setName(argument, "x");
    else if (isRecurrentState(type))
      setName(argument, "state");
    else if (isCache(type))
      setName(argument, caches++ % 2 == 0 ? "keys" : "values");
  }
}

LogicalResult ReturnOp::verify() {
  // return_c1
  auto function = cast<FuncOp>((*this)->getParentOp());
  ArrayRef<Type> expected = function.getResultTypes();
  if (expected.size() != getNumOperands())
    return emitOpError("expected ") << expected.size() << " operands as results of @" << function.getSymName()
                                    << ", got " << getNumOperands();
  for (auto [index, type] : llvm::enumerate(expected))
    if (getOperand(index).getType() != type)
      return emitOpError("expected operand #")
             << index << " to have result type " << type << ", got " << getOperand(index).getType();
  return success();
}

// ------------------------------------------------------------------------------------------------ weight

LogicalResult WeightOp::verify() {
  StringRef name = getName();
  RankedTensorType type = getResult().getType();
  // weight_c1
  if (name.empty()) return emitOpError("expected a name that is not empty");
  // weight_c2
  if (name.contains("{layer}") != bool(getLayer()))
    return emitOpError("expected a layer index if and only if the name contains '{layer}', got name '")
           << name << "' " << (getLayer() ? "with" : "without") << " an index";
  // weight_c3
  if (name.contains("{expert}") && type.getRank() < 2)
    return emitOpError("expected a result of at least two dimensions with '{expert}' in the name, got ") << type;
  // weight_c4
  if (llvm::any_of(type.getShape(), [](int64_t size) { return size <= 0; }))
    return emitOpError("expected positive dimensions, got ") << type;
  // weight_c5
  if (std::optional<StringRef> other = getNextElse())
    if (!name.contains("{layer}") || name.contains("{expert}") || other->contains("{layer}") ||
        other->contains("{expert}"))
      return emitOpError("expected next_else beside a name with '{layer}', neither of them of experts, got name '")
             << name << "' and '" << *other << "'";
  return success();
}

void WeightOp::build(OpBuilder &builder, OperationState &state, Type result, StringRef name, Value layer) {
  build(builder, state, result, builder.getStringAttr(name), layer, StringAttr());
}

std::string WeightOp::getTensorName(int64_t layer) {
  std::string name = getName().str();
  if (!getLayer()) return name;
  if (getNextElse()) {
    int64_t layers = 0;
    (*this)->getParentOfType<ProgramOp>().walk([&](StackOp stack) { layers = stack.expandPattern().size(); });
    if (++layer >= layers) return getNextElse()->str();
  }
  constexpr StringLiteral kLayer = "{layer}";
  for (size_t at; (at = name.find(kLayer)) != std::string::npos;)
    name.replace(at, kLayer.size(), std::to_string(layer));
  return name;
}

void WeightOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  // "model.layers.{layer}.self_attn.qkv_proj.weight" is %qkv_proj.
  StringRef name = getName();
  name.consume_back(".weight");
  setName(getResult(), name.substr(name.rfind('.') + 1));
}

// ------------------------------------------------------------------------------------------------ table and row

LogicalResult TableOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  // table_c1
  if (type.getRank() < 1 || !isa<FloatType>(type.getElementType()))
    return emitOpError("expected a type of at least one dimension with float elements, got ") << type;
  if (auto dense = dyn_cast<DenseElementsAttr>(getValue())) {
    // table_c2
    if (dense.getType() != type)
      return emitOpError("expected a literal of type ") << type << ", got " << dense.getType();
    return success();
  }
  if (auto rates = dyn_cast<LightningRatesAttr>(getValue())) {
    // table_c3
    if (type.getRank() != 2 || type.getDimSize(0) != rates.getLayers() || type.getDimSize(1) != rates.getHeads())
      return emitOpError("expected a type of ")
             << rates.getLayers() << " layers and " << rates.getHeads() << " heads, got " << type;
    return success();
  }
  // table_c4
  return emitOpError("expected a dense literal or #model.lightning_rates, got ") << getValue();
}

LogicalResult RowOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // row_c1
  auto table = symbols.lookupNearestSymbolFrom<TableOp>(*this, getTableAttr());
  if (!table) return emitOpError("expected '") << getTable() << "' to name a model.table";
  // row_c2
  auto type = cast<RankedTensorType>(table.getType());
  Type expected =
      type.getRank() == 1
          ? type.getElementType()
          : Type(RankedTensorType::get(type.getShape().drop_front(), type.getElementType(), type.getEncoding()));
  if (getResult().getType() != expected) {
    InFlightDiagnostic diagnostic = emitOpError("expected result type ")
                                    << expected << ", got " << getResult().getType();
    diagnostic.attachNote(table.getLoc()) << "the table is declared here";
    return diagnostic;
  }
  return success();
}

void RowOp::getAsmResultNames(OpAsmSetValueNameFn setName) { setName(getResult(), getTable()); }
