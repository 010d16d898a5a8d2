// Gives the warps of a kernel their roles: a clone of the body that only fills rings, beside one that only reads them.
//
// The body was emitted as if one thread did both, each hopper.fill in front of the hopper.acquire that reads it. Both
// clones run the same loops, so both go through the stages in the same order.
#include "passes/Conversion/TileToHopper/SplitRoles.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

namespace {

/// One warpgroup that copies, with as few registers as its addresses need.
constexpr int64_t kFillers = 128, kFillRegisters = 40;

bool hasFills(Operation *op) {
  return op->walk([](FillOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// Clones what fills need: the fills, the loops around them, scalars.
class FillingClone {
public:
  explicit FillingClone(OpBuilder &builder) : builder(builder) {}

  LogicalResult clone(Operation &op) {
    if (isa<FillOp>(op)) {
      if (!isKnown(op)) return failure();
      builder.clone(op, values);
      return success();
    }
    if (auto loop = dyn_cast<scf::ForOp>(op)) return cloneLoop(loop);
    if (auto loop = dyn_cast<DistributeOp>(op)) {
      if (!llvm::all_of(op.getOperands(), [&](Value operand) { return isKnown(operand); })) return failure();
      auto made = DistributeOp::create(builder, op.getLoc(), values.lookupOrDefault(loop.getLower()),
                                       values.lookupOrDefault(loop.getUpper()), values.lookupOrDefault(loop.getStep()));
      OpBuilder::InsertionGuard guard(builder);
      Block *body =
          builder.createBlock(&made.getBody(), {}, builder.getIndexType(), loop.getBody().getArgument(0).getLoc());
      values.map(loop.getBody().getArgument(0), body->getArgument(0));
      if (failed(cloneBlock(loop.getBody().front()))) return failure();
      YieldOp::create(builder, op.getLoc());
      return success();
    }
    if (isa<scf::IfOp>(op)) return failure(hasFills(&op));
    // Scalars, and loads of them; what is computed from fragments is not known here.
    bool scalar = op.getNumRegions() == 0 && isa<arith::ArithDialect, math::MathDialect>(op.getDialect());
    if (auto load = dyn_cast<LoadOp>(op)) scalar = isReadOnly(load);
    if ((scalar || isa<PointOp>(op)) && isKnown(op)) builder.clone(op, values);
    return success();
  }

private:
  LogicalResult cloneBlock(Block &block) {
    for (Operation &op : block.without_terminator())
      if (failed(clone(op))) return failure();
    return success();
  }
  bool isKnown(Value value) {
    return values.contains(value) || isa_and_nonnull<AllocOp, RingOp>(value.getDefiningOp()) || isArgument(value);
  }
  bool isKnown(Operation &op) {
    bool known = true;
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        known &= isKnown(operand) || op.isAncestor(operand.getParentRegion()->getParentOp());
    });
    return known;
  }
  /// A scalar that nobody changes meanwhile.
  static bool isReadOnly(LoadOp load) {
    auto view = dyn_cast<BlockArgument>(load.getView());
    if (isa<FragmentType>(load.getResult().getType()) || !view) return false;
    auto kernel = cast<KernelOp>(view.getOwner()->getParentOp());
    auto access = kernel.getArgAttrOfType<StringAttr>(view.getArgNumber(), tile::kAccessAttr);
    return !access || access.getValue() == "read";
  }
  static bool isArgument(Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    return argument && isa<KernelOp>(argument.getOwner()->getParentOp());
  }

  /// Without the values that are fragments.
  LogicalResult cloneLoop(scf::ForOp loop) {
    if (!hasFills(loop)) return success();
    // Its bounds, and the numbers that it carries.
    for (Value operand : loop->getOperands())
      if (!isa<FragmentType>(operand.getType()) && !isKnown(operand)) return failure();
    SmallVector<Value> inits;
    SmallVector<unsigned> kept;
    for (auto [i, init] : llvm::enumerate(loop.getInitArgs())) {
      if (isa<FragmentType>(init.getType())) continue;
      kept.push_back(i);
      inits.push_back(values.lookupOrDefault(init));
    }
    auto made =
        scf::ForOp::create(builder, loop.getLoc(), values.lookupOrDefault(loop.getLowerBound()),
                           values.lookupOrDefault(loop.getUpperBound()), values.lookupOrDefault(loop.getStep()), inits);
    values.map(loop.getInductionVar(), made.getInductionVar());
    made.getInductionVar().setLoc(loop.getInductionVar().getLoc());
    for (auto [i, number] : llvm::enumerate(kept)) {
      values.map(loop.getRegionIterArgs()[number], made.getRegionIterArgs()[i]);
      values.map(loop.getResult(number), made.getResult(i));
    }
    OpBuilder::InsertionGuard guard(builder);
    if (!made.getBody()->empty()) made.getBody()->clear();
    builder.setInsertionPointToEnd(made.getBody());
    if (failed(cloneBlock(*loop.getBody()))) return failure();
    SmallVector<Value> yielded;
    for (unsigned number : kept) {
      Value value = loop.getYieldedValues()[number];
      if (!values.contains(value) && value.getDefiningOp()) return failure();
      yielded.push_back(values.lookupOrDefault(value));
    }
    scf::YieldOp::create(builder, loop.getLoc(), yielded);
    return success();
  }

  OpBuilder &builder;
  IRMapping values;
};

} // namespace

LogicalResult splitRoles(KernelOp kernel) {
  Block &entry = kernel.getBody().front();
  SmallVector<Operation *> body;
  for (Operation &op : entry.without_terminator())
    if (!isa<AllocOp, RingOp>(op)) body.push_back(&op);
  const int64_t groups = kernel.getThreads() / 128;
  if (kernel.getThreads() % 128 != 0 || groups > 2 || !hasFills(kernel)) return failure();
  // Two small blocks share a multiprocessor; a large one has all of its registers.
  const int64_t blocks = groups == 1 ? 2 : 1, computeRegisters = groups == 1 ? 216 : 232;
  kernel.setBlocks(blocks);
  OpBuilder builder(entry.getTerminator());
  auto roles = RolesOp::create(builder, kernel.getLoc(), kFillers, kFillRegisters, computeRegisters);
  builder.createBlock(&roles.getFill());
  FillingClone clone(builder);
  for (Operation *op : body)
    if (failed(clone.clone(*op))) return failure();
  YieldOp::create(builder, kernel.getLoc());
  Block *compute = builder.createBlock(&roles.getCompute());
  for (Operation *op : body) op->moveBefore(compute, compute->end());
  builder.setInsertionPointToEnd(compute);
  YieldOp::create(builder, kernel.getLoc());
  SmallVector<FillOp> fills;
  roles.getCompute().walk([&](FillOp op) { fills.push_back(op); });
  for (FillOp op : fills) op.erase();
  return success();
}

} // namespace mmc::cuda
