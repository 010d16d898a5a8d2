#include "passes/Fusion/Dispatches.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace mmc {

DispatchKind getDispatchKind(model::DispatchOp dispatch) {
  for (Operation &op : dispatch.getBody().front()) {
    if (isa<model::LinearOp, model::GroupedLinearOp>(op)) return DispatchKind::linear;
    if (isa<model::LinearAttentionOp>(op)) return DispatchKind::linearAttention;
    if (isa<model::AttentionOp>(op)) return DispatchKind::attention;
    if (isa<model::RouteOp>(op)) return DispatchKind::route;
    if (isa<model::PermuteOp>(op)) return DispatchKind::permute;
  }
  return findOp<model::RopeOp>(dispatch) ? DispatchKind::rope : DispatchKind::rows;
}

bool isElementwise(Operation *op) {
  if (isa<model::SiluOp, model::SigmoidOp, model::ResidualOp>(op)) return true;
  return isa<arith::ArithDialect>(op->getDialect()) && op->hasTrait<OpTrait::Elementwise>() &&
         op->getNumResults() == 1 && model::isFloatRows(op->getResult(0).getType());
}

bool isElementwiseDispatch(model::DispatchOp dispatch) {
  return llvm::all_of(dispatch.getBody().front().without_terminator(),
                      [](Operation &op) { return isElementwise(&op); });
}

model::DispatchOp getProducer(Value value) { return value.getDefiningOp<model::DispatchOp>(); }

llvm::SetVector<Value> getInputs(model::DispatchOp dispatch) {
  llvm::SetVector<Value> inputs;
  for (Operation &op : dispatch.getBody().front())
    for (Value operand : op.getOperands())
      if (operand.getParentRegion() != &dispatch.getBody()) inputs.insert(operand);
  return inputs;
}

/// The number of routes per token of the permutation that `value` (in row space routes, or offsets) comes from; 0 if
/// there is none.
static int64_t findTopK(ArrayRef<Operation *> ops) {
  SmallVector<Operation *> work(ops);
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    if (!op || !seen.insert(op).second) continue;
    if (auto permute = dyn_cast<model::PermuteOp>(op))
      return cast<RankedTensorType>(permute.getExperts().getType()).getDimSize(1);
    op->walk([&](Operation *inner) {
      if (inner != op && isa<model::PermuteOp>(inner)) work.push_back(inner);
      for (Value operand : inner->getOperands()) work.push_back(operand.getDefiningOp());
    });
  }
  return 0;
}

/// What the dispatch is called after: its structured op, else its last op.
static Location getLocOf(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (!isElementwise(op)) return op->getLoc();
  return ops.back()->getLoc();
}

model::DispatchOp formDispatch(ArrayRef<Operation *> ops, Operation *before) {
  llvm::SmallPtrSet<Operation *, 8> group(ops.begin(), ops.end());
  SmallVector<Value> results;
  bool routes = false;
  for (Operation *op : ops)
    for (Value result : op->getResults()) {
      routes |= model::getRowSpace(result.getType()) == model::RowSpace::routes && !isa<model::PermuteOp>(op);
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !group.contains(user); }))
        results.push_back(result);
    }

  OpBuilder builder(before);
  Location loc = getLocOf(ops);
  auto dispatch = model::DispatchOp::create(builder, loc, ValueRange(results).getTypes());
  if (routes)
    if (int64_t topK = findTopK(ops)) dispatch->setAttr("top_k", builder.getI64IntegerAttr(topK));
  Block *block = builder.createBlock(&dispatch.getBody());
  for (Operation *op : ops) op->moveBefore(block, block->end());
  builder.setInsertionPointToEnd(block);
  model::YieldOp::create(builder, loc, results);
  for (auto [inner, outer] : llvm::zip_equal(results, dispatch.getResults()))
    inner.replaceUsesWithIf(outer, [&](OpOperand &use) { return use.getOwner()->getBlock() != block; });
  return dispatch;
}

/// Moves the dispatch's ops out of it, before `before`, and erases it.
static void dissolve(model::DispatchOp dispatch, Operation *before, SmallVectorImpl<Operation *> &ops) {
  Block &block = dispatch.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
    op.moveBefore(before);
    ops.push_back(&op);
  }
  for (auto [outer, inner] : llvm::zip_equal(dispatch.getResults(), block.getTerminator()->getOperands()))
    outer.replaceAllUsesWith(inner);
  dispatch.erase();
}

model::DispatchOp mergeDispatches(model::DispatchOp producer, model::DispatchOp consumer) {
  SmallVector<Operation *> ops;
  bool early = llvm::all_of(getInputs(consumer), [&](Value input) {
    Operation *op = input.getDefiningOp();
    return !op || op == producer || op->isBeforeInBlock(producer);
  });
  if (early) consumer->moveAfter(producer);
  dissolve(producer, consumer, ops);
  dissolve(consumer, consumer, ops);
  return formDispatch(ops, ops.back()->getNextNode());
}

/// The op of `block` that `user` is or lies in.
static Operation *getAncestorIn(Block *block, Operation *user) { return block->findAncestorOpInBlock(*user); }

bool isUsedOnlyBy(model::DispatchOp producer, model::DispatchOp consumer) {
  return llvm::all_of(producer->getUsers(),
                      [&](Operation *user) { return getAncestorIn(consumer->getBlock(), user) == consumer; });
}

bool canMergeInto(model::DispatchOp producer, model::DispatchOp consumer) {
  if (producer->getBlock() != consumer->getBlock() || producer == consumer) return false;
  return llvm::all_of(producer->getUsers(), [&](Operation *user) {
    Operation *ancestor = getAncestorIn(consumer->getBlock(), user);
    return ancestor && (ancestor == consumer || consumer->isBeforeInBlock(ancestor));
  });
}

bool haveShapeOf(model::DispatchOp dispatch, Type type) {
  auto space = model::getRowSpace(type);
  return space && llvm::all_of(dispatch.getResultTypes(), [&](Type result) {
           return model::getRowSpace(result) == space &&
                  cast<RankedTensorType>(result).getShape() == cast<RankedTensorType>(type).getShape();
         });
}

} // namespace mmc
