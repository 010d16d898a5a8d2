// FormDispatches: one dispatch per compute op, with the casts that belong to it. Invariant: afterwards a function
// contains only dispatches, weights, table rows, scalar constants, reshapes, stacks, snapshots and the return.
#include "passes/Fusion/Dispatches.h"
#include "passes/Fusion/Passes.h"

#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_FORMDISPATCHES
#include "passes/Fusion/Passes.h.inc"

namespace {

/// Ops that stay outside dispatches: they name data or move nothing in memory.
bool staysOutside(Operation &op) {
  return isa<model::WeightOp, model::RowOp, model::SplitHeadsOp, model::MergeHeadsOp, model::SliceOp, model::StackOp,
             model::SnapshotOp, model::ReturnOp, model::DispatchOp>(op) ||
         op.hasTrait<OpTrait::ConstantLike>();
}

/// Gives each compute op that reads a widened value a widening cast of its own, right before it. A widening cast that
/// is left without users goes; one that a reshape, a stack or the return uses stays.
void sinkWideningCasts(Block &block) {
  SmallVector<arith::ExtFOp> casts(block.getOps<arith::ExtFOp>());
  for (arith::ExtFOp cast : casts) {
    if (!model::isFloatRows(cast.getType())) continue;
    for (OpOperand &use : llvm::make_early_inc_range(cast->getUses())) {
      Operation *user = use.getOwner();
      if (staysOutside(*user) || user->getPrevNode() == cast) continue;
      OpBuilder builder(user);
      use.set(builder.clone(*cast)->getResult(0));
    }
    if (cast->use_empty()) cast.erase();
  }
}

/// `op` with the widening casts that feed only it and the narrowing casts of its results.
SmallVector<Operation *> collectGroup(Operation *op, const llvm::SmallPtrSetImpl<Operation *> &taken) {
  SmallVector<Operation *> group;
  for (Value operand : op->getOperands())
    if (auto cast = operand.getDefiningOp<arith::ExtFOp>())
      if (cast->hasOneUse() && cast->getBlock() == op->getBlock() && !taken.contains(cast)) group.push_back(cast);
  group.push_back(op);
  for (Value result : op->getResults()) {
    SmallVector<Operation *> users(result.getUsers());
    for (Operation *user : llvm::reverse(users))
      if (isa<arith::TruncFOp>(user) && user->getBlock() == op->getBlock()) group.push_back(user);
  }
  return group;
}

struct FormDispatches : impl::FormDispatchesBase<FormDispatches> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>()) {
      Block &block = function.getBody().front();
      sinkWideningCasts(block);
      formAll(block, [](Operation &op) { return !isa<arith::ExtFOp, arith::TruncFOp>(op); });
      formAll(block, [](Operation &) { return true; }); // the casts that belong to no compute op
    }
  }

  void formAll(Block &block, llvm::function_ref<bool(Operation &)> isRoot) {
    SmallVector<Operation *> roots;
    for (Operation &op : block)
      if (!staysOutside(op) && isRoot(op)) roots.push_back(&op);
    llvm::SmallPtrSet<Operation *, 16> taken;
    for (Operation *root : roots) {
      if (taken.contains(root)) continue;
      if (isOpTriviallyDead(root)) {
        root->erase();
        continue;
      }
      SmallVector<Operation *> group = collectGroup(root, taken);
      taken.insert(group.begin(), group.end());
      formDispatch(group, root);
    }
  }
};

} // namespace
} // namespace mmc
