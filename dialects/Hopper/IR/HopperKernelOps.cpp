// hopper.kernel and hopper.distribute: syntax, and the constraints on what a block of threads may be and have.
#include "dialects/Hopper/IR/Hopper.h"
#include "dialects/Tile/IR/KernelSyntax.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mmc::hopper;

// ------------------------------------------------------------------------------------------------ kernel

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> entry;
  int64_t threads = 0, blocks = 1;
  if (tile::parseKernelHead(parser, result, entry) || parser.parseKeyword("threads") || parser.parseInteger(threads) ||
      parser.parseKeyword("blocks") || parser.parseInteger(blocks))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("serial")))
    result.addAttribute(getSerialAttrName(result.name), parser.getBuilder().getUnitAttr());
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes)) return failure();
  result.addAttribute(getThreadsAttrName(result.name), parser.getBuilder().getI64IntegerAttr(threads));
  result.addAttribute(getBlocksAttrName(result.name), parser.getBuilder().getI64IntegerAttr(blocks));
  return parser.parseRegion(*result.addRegion(), entry);
}

void KernelOp::print(OpAsmPrinter &printer) {
  tile::printKernelHead(printer, getSymName(), getBody().front(), getNumKernelArguments(), getArgAttrsAttr(),
                        getDomain());
  printer << " threads " << getThreads() << " blocks " << getBlocks() << (getSerial() ? " serial" : "");
  SmallVector<StringRef> printed = llvm::to_vector_of<StringRef>(tile::kKernelHeadAttributes);
  printed.append({getThreadsAttrName(), getBlocksAttrName(), getSerialAttrName()});
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), printed);
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/true);
}

void KernelOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  for (BlockArgument argument : region.getArguments())
    if (auto name = dyn_cast<NameLoc>(argument.getLoc())) setName(argument, name.getName());
}

MutableArrayRef<BlockArgument> KernelOp::getPoints() {
  return getBody().front().getArguments().drop_front(getNumKernelArguments());
}

/// kernel_c5: no accumulator in the op's results has more warps than the kernel.
static LogicalResult verifyWarps(KernelOp kernel, Operation *op) {
  for (Type type : op->getResultTypes()) {
    auto fragment = dyn_cast<FragmentType>(type);
    if (!fragment) continue;
    Attribute layout = fragment.getLayout();
    if (auto slice = dyn_cast<SliceAttr>(layout)) layout = slice.getParent();
    auto accumulator = dyn_cast<AccumulatorAttr>(layout);
    int64_t warps = kernel.getThreads() / 32;
    if (accumulator && accumulator.getRows() * accumulator.getColumns() > warps)
      return op->emitOpError() << "expected accumulators over the kernel's " << warps << " warps, got " << accumulator;
  }
  return success();
}

/// kernel_c4: whether the op may stand in a kernel's body.
static bool isAllowed(Operation *op) {
  if (isa<KernelOp>(op)) return false;
  if (isa<scf::IfOp>(op)) return op->getNumResults() == 0;
  return isa<scf::ForOp, scf::YieldOp>(op) ||
         isa_and_nonnull<arith::ArithDialect, math::MathDialect, HopperDialect>(op->getDialect());
}

/// Whether the value is a product that was not waited for, on some way.
static bool isInFlight(Value value, llvm::SmallPtrSetImpl<void *> &seen) {
  if (!seen.insert(value.getAsOpaquePointer()).second) return false;
  if (value.getDefiningOp<WgmmaOp>()) return true;
  // A loop's value and result are what its body yields.
  scf::ForOp loop;
  unsigned number = 0;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || argument.getArgNumber() == 0) return false;
    number = argument.getArgNumber() - 1;
  } else {
    loop = value.getDefiningOp<scf::ForOp>();
    number = cast<OpResult>(value).getResultNumber();
  }
  return loop && (isInFlight(loop.getYieldedValues()[number], seen) || isInFlight(loop.getInitArgs()[number], seen));
}

/// kernel_c8: nothing but products, waits and loops uses a product in flight.
static LogicalResult verifyInFlight(Operation *op) {
  for (OpOperand &operand : op->getOpOperands()) {
    llvm::SmallPtrSet<void *, 8> seen;
    if (!isa<FragmentType>(operand.get().getType()) || !isInFlight(operand.get(), seen)) continue;
    bool isSum = isa<WgmmaOp>(op) && operand.getOperandNumber() == 0;
    if (!isSum && !isa<WgmmaWaitOp, scf::ForOp, scf::YieldOp>(op))
      return op->emitOpError() << "expected a product that was waited for, got one in flight: put a hopper.wgmma_wait "
                                  "in front";
  }
  return success();
}

LogicalResult KernelOp::verify() {
  // kernel_c1
  if (getFunctionType().getNumResults() != 0)
    return emitOpError() << "expected no results, got " << getFunctionType().getNumResults();
  // kernel_c2
  int64_t threads = getThreads(), blocks = getBlocks();
  if (threads < 32 || threads > 1024 || threads % 32 != 0)
    return emitOpError() << "expected threads to be a multiple of 32 up to 1024, got " << threads;
  if (blocks < 1) return emitOpError() << "expected a positive number of blocks, got " << blocks;
  // kernel_c3
  Block &entry = getBody().front();
  unsigned arguments = getNumKernelArguments();
  if (getDomain().empty() || entry.getNumArguments() != arguments + getDomain().size())
    return emitOpError() << "expected " << arguments
                         << " arguments and one point per work dimension, of which there is "
                         << "at least one, in the entry block, got " << entry.getNumArguments() << " values";
  int64_t sharedBytes = 0;
  WalkResult walk = getBody().walk([&](Operation *op) {
    if (!isAllowed(op)) { // kernel_c4
      op->emitOpError() << "is not allowed in a hopper.kernel, whose body has ops of arith, math and hopper, scf.for, "
                           "and scf.if without results";
      return WalkResult::interrupt();
    }
    if (auto alloc = dyn_cast<AllocOp>(op)) sharedBytes += alloc.getType().getBytes();
    // kernel_c7
    if (getSerial() && llvm::any_of(op->getResultTypes(), llvm::IsaPred<FragmentType, SharedType>)) {
      op->emitOpError() << "is not allowed in a serial kernel, which has neither fragments nor shared tiles";
      return WalkResult::interrupt();
    }
    // kernel_c9
    if (isa<FillOp, AcquireOp, ReleaseOp>(op) && !op->getParentOfType<RolesOp>()) {
      op->emitOpError() << "expected to stand in a hopper.roles, whose sides know where they are in a ring";
      return WalkResult::interrupt();
    }
    // kernel_c8
    return failed(verifyWarps(*this, op)) || failed(verifyInFlight(op)) ? WalkResult::interrupt()
                                                                        : WalkResult::advance();
  });
  if (walk.wasInterrupted()) return failure();
  // kernel_c6
  if (sharedBytes > kSharedLimit)
    return emitOpError() << "expected shared tiles of at most " << kSharedLimit << " bytes together, got "
                         << sharedBytes;
  return success();
}

int64_t KernelOp::getAllThreads() {
  int64_t threads = getThreads();
  for (auto roles : getOps<RolesOp>()) threads += roles.getFillers();
  return threads;
}

void PointOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  constexpr const char *kNames[] = {"slot", "row", "rows", "position"};
  for (auto [result, name] : llvm::zip(getResults(), kNames)) setName(result, name);
}

void AcquireOp::getAsmResultNames(OpAsmSetValueNameFn setName) { setName(getStage(), "stage"); }

// ------------------------------------------------------------------------------------------------ distribute

ParseResult DistributeOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::Argument index;
  OpAsmParser::UnresolvedOperand bounds[3];
  Type type = parser.getBuilder().getIndexType();
  index.type = type;
  if (parser.parseArgument(index) || parser.parseEqual() || parser.parseOperand(bounds[0]) ||
      parser.parseKeyword("to") || parser.parseOperand(bounds[1]) || parser.parseKeyword("step") ||
      parser.parseOperand(bounds[2]) || parser.resolveOperands(bounds, type, result.operands) ||
      parser.parseRegion(*result.addRegion(), index) || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  DistributeOp::ensureTerminator(*result.regions[0], parser.getBuilder(), result.location);
  return success();
}

void DistributeOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getBody().getArgument(0) << " = " << getLower() << " to " << getUpper() << " step " << getStep()
          << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
  printer.printOptionalAttrDict((*this)->getAttrs());
}

LogicalResult DistributeOp::verify() {
  // distribute_c1
  if (!isa_and_nonnull<KernelOp, RolesOp>((*this)->getParentOp()))
    return emitOpError() << "expected to stand in the kernel's body itself, or a role's, not in a loop";
  if (getBody().getNumArguments() != 1 || !getBody().getArgument(0).getType().isIndex())
    return emitOpError() << "expected one body argument of type index";
  return success();
}
