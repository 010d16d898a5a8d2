// Rings and roles: constraints on who fills, who reads, and how often.
#include "dialects/Hopper/IR/Hopper.h"

using namespace mlir;
using namespace mmc::hopper;

LogicalResult RingOp::verify() {
  // ring_c1
  if (!isa_and_nonnull<KernelOp>((*this)->getParentOp()))
    return emitOpError() << "expected to stand in the kernel's body";
  return success();
}

LogicalResult FillOp::verify() {
  // fill_c1
  Block &body = getBody().front();
  if (body.getNumArguments() != 1 || !body.getArgument(0).getType().isIndex())
    return emitOpError() << "expected one body argument of type index";
  for (Operation &op : body.without_terminator())
    if (!isa<CopyOp, TensorCopyOp>(op) && !isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op.getDialect()))
      return op.emitOpError() << "is not allowed in a hopper.fill, whose body has copies and arithmetic";
  return success();
}

int64_t FillOp::getTensorBytes() {
  int64_t bytes = 0;
  for (auto copy : getBody().getOps<TensorCopyOp>()) {
    SharedType shared = copy.getShared().getType();
    bytes += shared.getBytes() / shared.getStages();
  }
  return bytes;
}

bool FillOp::isByThreads() { return getTensorBytes() == 0 || !getBody().getOps<CopyOp>().empty(); }

/// roles_c3
static LogicalResult verifyRegisters(RolesOp roles, KernelOp kernel) {
  int64_t fill = roles.getFillRegisters(), compute = roles.getComputeRegisters();
  for (int64_t registers : {fill, compute})
    if (registers < 24 || registers > 256 || registers % 8 != 0)
      return roles.emitOpError() << "expected registers to be a multiple of 8 from 24 to 256, got " << registers;
  int64_t all = (fill * roles.getFillers() + compute * kernel.getThreads()) * kernel.getBlocks();
  if (all > 65536)
    return roles.emitOpError() << "expected at most 65536 registers in all threads of all blocks, got " << all;
  return success();
}

/// roles_c4
static LogicalResult verifySides(RolesOp roles) {
  WalkResult walk = roles.getFill().walk([](Operation *op) {
    bool fragments = llvm::any_of(op->getResultTypes(), llvm::IsaPred<FragmentType>) ||
                     llvm::any_of(op->getOperandTypes(), llvm::IsaPred<FragmentType>);
    bool ordered = isa<AcquireOp, ReleaseOp, BarrierOp, CommitOp, WaitOp, FenceProxyOp, ClearOp>(op) ||
                   (isa<CopyOp>(op) && !isa<FillOp>(op->getParentOp()));
    if (!fragments && !ordered) return WalkResult::advance();
    op->emitOpError() << "is not allowed on the filling side of hopper.roles";
    return WalkResult::interrupt();
  });
  if (walk.wasInterrupted()) return failure();
  walk = roles.getCompute().walk([](FillOp op) {
    op.emitOpError() << "is not allowed on the computing side of hopper.roles";
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}

/// roles_c5
static LogicalResult verifyBalance(RolesOp roles) {
  WalkResult walk = roles.getCompute().walk([](Block *block) -> WalkResult {
    llvm::DenseMap<Value, std::pair<int64_t, int64_t>> counts;
    for (Operation &op : *block) {
      if (auto acquire = dyn_cast<AcquireOp>(op)) ++counts[acquire.getRing()].first;
      if (auto release = dyn_cast<ReleaseOp>(op)) ++counts[release.getRing()].second;
    }
    for (auto [ring, count] : counts)
      if (count.first != count.second)
        return block->getParentOp()->emitOpError()
               << "expected each ring to be released as often as it is acquired, got one that is acquired "
               << count.first << " times and released " << count.second << " times";
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

/// roles_c6
static LogicalResult verifyFills(RolesOp roles) {
  llvm::DenseMap<Value, FillOp> first;
  WalkResult walk = roles.getFill().walk([&](FillOp fill) -> WalkResult {
    auto [known, isNew] = first.try_emplace(fill.getRing(), fill);
    FillOp other = known->second;
    if (isNew || (!fill.getTensorBytes() == !other.getTensorBytes() && fill.isByThreads() == other.isByThreads()))
      return WalkResult::advance();
    InFlightDiagnostic error = fill.emitOpError()
                               << "expected the fills of a ring to agree on whether they have copies "
                                  "and whether they have tensor copies";
    error.attachNote(other.getLoc()) << "another fill of the ring is here";
    return error;
  });
  return failure(walk.wasInterrupted());
}

LogicalResult RolesOp::verify() {
  // roles_c1
  auto kernel = dyn_cast_or_null<KernelOp>((*this)->getParentOp());
  if (!kernel) return emitOpError() << "expected to stand in the kernel's body itself";
  for (Operation &op : kernel.getBody().front())
    if (&op != getOperation() && !isa<AllocOp, RingOp, ReturnOp>(op) &&
        !isa_and_nonnull<arith::ArithDialect>(op.getDialect()))
      return op.emitOpError() << "is not allowed beside hopper.roles, where allocs, rings and arithmetic stand";
  // roles_c2
  int64_t fillers = getFillers(), threads = kernel.getThreads();
  if (fillers < 128 || fillers % 128 != 0 || threads % 128 != 0 || fillers + threads > 1024)
    return emitOpError() << "expected both sides to be whole warpgroups, at most 1024 threads together, got " << fillers
                         << " and " << threads;
  if (failed(verifyRegisters(*this, kernel)) || failed(verifySides(*this)) || failed(verifyFills(*this)))
    return failure();
  return verifyBalance(*this);
}
