// tile.kernel and tile.launch: syntax, and the constraints that make a kernel something that every target can compile:
// what an argument may be, how it is accessed, what bounds the work domain, and which dialects a body is made of.
#include "dialects/Tile/IR/KernelSyntax.h"
#include "dialects/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mmc::tile;

// ------------------------------------------------------------------------------------------------ kernel syntax

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> entry;
  if (parseKernelHead(parser, result, entry)) return failure();
  int64_t grain = 1;
  if (succeeded(parser.parseOptionalKeyword("grain")) && parser.parseInteger(grain)) return failure();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes)) return failure();
  result.addAttribute(getGrainAttrName(result.name), parser.getBuilder().getI64IntegerAttr(grain));
  return parser.parseRegion(*result.addRegion(), entry);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printKernelHead(printer, getSymName(), getBody().front(), getNumKernelArguments(), getArgAttrsAttr(), getDomain());
  if (getGrain() != 1) printer << " grain " << getGrain();
  SmallVector<StringRef> printed = llvm::to_vector_of<StringRef>(kKernelHeadAttributes);
  printed.push_back(getGrainAttrName());
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), printed);
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
