// tile.kernel and tile.launch: syntax, and the constraints that make a kernel something that every target can compile:
// what an argument may be, how it is accessed, what bounds the work domain, and which dialects a body is made of.
#include "dialects/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mmc::tile;

// ------------------------------------------------------------------------------------------------ kernel syntax

/// Parses `domain(%p in #tile.extent<...>, ...)`: appends the points to `points`, the extents to `extents`.
static ParseResult parseDomain(OpAsmParser &parser, SmallVectorImpl<OpAsmParser::Argument> &points,
                               SmallVectorImpl<Attribute> &extents) {
  if (parser.parseKeyword("domain")) return failure();
  return parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&]() -> ParseResult {
    OpAsmParser::Argument point;
    Attribute extent;
    if (parser.parseArgument(point) || parser.parseKeyword("in") || parser.parseAttribute(extent)) return failure();
    point.type = parser.getBuilder().getIndexType();
    points.push_back(point);
    extents.push_back(extent);
    return success();
  });
}

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<Attribute> extents;
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name), result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true, /*allowAttrs=*/true))
    return failure();
  SmallVector<Type> types;
  SmallVector<Attribute> argumentAttrs;
  for (OpAsmParser::Argument &argument : arguments) {
    types.push_back(argument.type);
    argumentAttrs.push_back(argument.attrs ? argument.attrs : builder.getDictionaryAttr({}));
  }
  if (parseDomain(parser, arguments, extents)) return failure();
  int64_t grain = 1;
  if (succeeded(parser.parseOptionalKeyword("grain")) && parser.parseInteger(grain)) return failure();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes)) return failure();
  result.addAttribute(getFunctionTypeAttrName(result.name), TypeAttr::get(builder.getFunctionType(types, {})));
  result.addAttribute(getDomainAttrName(result.name), builder.getArrayAttr(extents));
  result.addAttribute(getGrainAttrName(result.name), builder.getI64IntegerAttr(grain));
  if (!types.empty()) result.addAttribute(getArgAttrsAttrName(result.name), builder.getArrayAttr(argumentAttrs));
  return parser.parseRegion(*result.addRegion(), arguments);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << '(';
  ArrayAttr argumentAttrs = getArgAttrsAttr();
  Block &entry = getBody().front();
  for (unsigned i = 0, n = getNumKernelArguments(); i < n; ++i) {
    printer << (i ? ", " : "");
    printer.printRegionArgument(entry.getArgument(i), argumentAttrs ? cast<DictionaryAttr>(argumentAttrs[i]).getValue()
                                                                    : ArrayRef<NamedAttribute>());
  }
  printer << ") domain(";
  for (auto [i, point] : llvm::enumerate(getPoints())) {
    printer << (i ? ", " : "");
    printer.printOperand(point);
    printer << " in " << getDomain()[i];
  }
  printer << ')';
  if (getGrain() != 1) printer << " grain " << getGrain();
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getSymNameAttrName(), getFunctionTypeAttrName(), getDomainAttrName(),
                                            getGrainAttrName(), getArgAttrsAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/true);
}

void KernelOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  for (BlockArgument argument : region.getArguments())
    if (auto name = dyn_cast<NameLoc>(argument.getLoc()))
      setName(argument, name.getName());
}

MutableArrayRef<BlockArgument> KernelOp::getPoints() {
  return getBody().front().getArguments().drop_front(getNumKernelArguments());
}

// ------------------------------------------------------------------------------------------------ kernel constraints

bool mmc::tile::isStepArgument(KernelOp kernel, unsigned index) {
  return isa<RaggedType>(kernel.getArgumentTypes()[index]) || kernel.getArgAttr(index, kStepAttr);
}

static bool isCount(StepField field) {
  return field == StepField::token_count || field == StepField::output_count || field == StepField::sequence_count;
}

/// Checks one argument of a kernel: what it is, and that its attributes say how it is bound.
static LogicalResult verifyArgument(KernelOp kernel, unsigned index, Type type) {
  auto error = [&] { return kernel.emitOpError() << "expected argument " << index << " "; };
  Attribute stepAttr = kernel.getArgAttr(index, kStepAttr);
  auto step = dyn_cast_or_null<StepAttr>(stepAttr);
  if (stepAttr && !step) return error() << "to have a #tile.step as " << kStepAttr << ", got " << stepAttr;
  // kernel_c2
  if (isa<RaggedType>(type)) {
    if (!isa_and_nonnull<WorkAttr>(kernel.getArgAttr(index, kWorkAttr)))
      return error() << "of type " << type << " to have a #tile.work as " << kWorkAttr;
    return success();
  }
  if (type.isIndex()) {
    if (!step || !isCount(step.getField()))
      return error() << "of type index to have " << kStepAttr << " of token_count, output_count or sequence_count";
    return success();
  }
  auto view = dyn_cast<ViewType>(type);
  if (!view) return error() << "to be a view, a work list or a count, got " << type;
  // kernel_c3
  auto access = dyn_cast_or_null<StringAttr>(kernel.getArgAttr(index, kAccessAttr));
  if (step) {
    if (isCount(step.getField()) || view.getShape().size() != 1 || !view.getElementType().isInteger(32) ||
        view.getLayout())
      return error() << "of type " << type << " to be a rank-1 view of i32 for step field "
                     << stringifyStepField(step.getField());
    if (access && access.getValue() != "read")
      return error() << "to be only read, as a step field, got " << kAccessAttr << " = " << access;
    return success();
  }
  if (!access || !llvm::is_contained({"read", "write", "readwrite"}, access.getValue()))
    return error() << "to have " << kAccessAttr << " = \"read\", \"write\" or \"readwrite\"";
  return success();
}

/// Checks one dimension of the work domain.
static LogicalResult verifyExtent(KernelOp kernel, unsigned index, Attribute attribute) {
  auto error = [&] { return kernel.emitOpError() << "expected work dimension " << index << " "; };
  auto extent = dyn_cast<ExtentAttr>(attribute);
  if (!extent) return error() << "to be a #tile.extent, got " << attribute;
  int64_t value = extent.getValue();
  switch (extent.getKind()) {
  case ExtentKind::fixed:
    return value >= 1 ? success() : error() << "to have a positive fixed extent, got " << value;
  case ExtentKind::work:
    if (value < 0 || value >= kernel.getNumKernelArguments() || !isa<RaggedType>(kernel.getArgumentTypes()[value]))
      return error() << "to name an argument that is a work list, got argument " << value;
    return success();
  default:
    return value == 0 ? success() : error() << "to have no value besides its kind, got " << value;
  }
}

/// Checks one op of a kernel's body.
static LogicalResult verifyBodyOp(KernelOp kernel, Operation *op) {
  // kernel_c6
  if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect, scf::SCFDialect, TileDialect>(op->getDialect()) ||
      isa<KernelOp, LaunchOp>(op))
    return op->emitOpError() << "is not allowed in a tile.kernel, whose body has ops of arith, math, scf and tile only";
  // kernel_c7
  auto store = dyn_cast<StoreOp>(op);
  if (!store) return success();
  auto argument = dyn_cast<BlockArgument>(store.getView());
  if (!argument || argument.getOwner() != &kernel.getBody().front())
    return op->emitOpError() << "expected view to be an argument of the kernel";
  auto access = kernel.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kAccessAttr);
  if (!access || access.getValue() == "read")
    return op->emitOpError() << "expected a view that may be written, got argument " << argument.getArgNumber()
                             << ", which is only read";
  return success();
}

LogicalResult KernelOp::verify() {
  // kernel_c1
  if (getFunctionType().getNumResults() != 0)
    return emitOpError() << "expected no results, got " << getFunctionType().getNumResults();
  // kernel_c4
  Block &entry = getBody().front();
  unsigned arguments = getNumKernelArguments();
  if (getDomain().empty()) return emitOpError() << "expected at least one work dimension";
  if (entry.getNumArguments() != arguments + getDomain().size())
    return emitOpError() << "expected " << arguments << " arguments and " << getDomain().size()
                         << " points in the entry block, got " << entry.getNumArguments() << " values";
  for (unsigned i = 0; i < arguments; ++i)
    if (entry.getArgument(i).getType() != getArgumentTypes()[i])
      return emitOpError() << "expected entry block argument " << i << " to have the signature's type "
                           << getArgumentTypes()[i] << ", got " << entry.getArgument(i).getType();
  for (BlockArgument point : getPoints())
    if (!point.getType().isIndex()) return emitOpError() << "expected points of type index, got " << point.getType();
  for (auto [i, type] : llvm::enumerate(getArgumentTypes()))
    if (failed(verifyArgument(*this, i, type))) return failure();
  // kernel_c5
  for (auto [i, extent] : llvm::enumerate(getDomain()))
    if (failed(verifyExtent(*this, i, extent))) return failure();
  // kernel_c8
  if (static_cast<int64_t>(getGrain()) < 1)
    return emitOpError() << "expected a positive grain, got " << static_cast<int64_t>(getGrain());
  WalkResult walk = getBody().walk(
      [&](Operation *op) { return failed(verifyBodyOp(*this, op)) ? WalkResult::interrupt() : WalkResult::advance(); });
  return failure(walk.wasInterrupted());
}

// ------------------------------------------------------------------------------------------------ launch

LogicalResult LaunchOp::verify() {
  // launch_c1
  ArrayRef<int64_t> tied = getTied();
  if (tied.size() != getNumResults())
    return emitOpError() << "expected one entry of tied per result, got " << tied.size() << " for " << getNumResults();
  SmallVector<bool> seen(getOperands().size(), false);
  for (auto [i, operand] : llvm::enumerate(tied)) {
    if (operand == -1) continue;
    if (operand < -1 || operand >= static_cast<int64_t>(seen.size()))
      return emitOpError() << "expected tied to name one of " << seen.size() << " operands, got " << operand;
    if (seen[operand]) return emitOpError() << "expected at most one result tied to operand " << operand;
    seen[operand] = true;
    // launch_c2
    if (getOperand(operand).getType() != getResult(i).getType())
      return emitOpError() << "expected result " << i << " to have the type of operand " << operand << ", "
                           << getOperand(operand).getType() << ", got " << getResult(i).getType();
  }
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // launch_c3
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel) return emitOpError() << "expected " << getKernelAttr() << " to name a tile.kernel";
  // launch_c4
  int64_t expected = 0;
  for (unsigned i = 0, n = kernel.getNumKernelArguments(); i < n; ++i) expected += !isStepArgument(kernel, i);
  int64_t actual = static_cast<int64_t>(getOperands().size()) + llvm::count(getTied(), -1);
  if (actual == expected) return success();
  InFlightDiagnostic diagnostic = emitOpError()
                                  << "expected " << expected
                                  << " operands and untied results for the kernel's bound arguments, got " << actual;
  diagnostic.attachNote(kernel.getLoc()) << "the kernel is here";
  return diagnostic;
}

void LaunchOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getOperation()->getOpOperands()) {
    effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (llvm::is_contained(getTied(), static_cast<int64_t>(operand.getOperandNumber())))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}
