// FuseMoEDispatch: the gather joins the grouped products, gate and up products with their SwiGLU become one, the
// residual joins the combine. Every element sees the same operations in the same order as unfused, so the answer does
// not change by a bit on targets that round alike.
#include "passes/Fusion/Dispatches.h"
#include "passes/Fusion/Passes.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_FUSEMOEDISPATCH
#include "passes/Fusion/Passes.h.inc"

namespace {

using Dispatches = SmallVector<model::DispatchOp>;

Dispatches getDispatches(model::FuncOp function) {
  return Dispatches(function.getBody().front().getOps<model::DispatchOp>());
}

bool hasGroupedLinear(model::DispatchOp dispatch) {
  return static_cast<bool>(findOp<model::GroupedLinearOp>(dispatch));
}

/// Copies the gather into every grouped product that reads its result; the gather's own dispatch goes where nothing
/// else reads it.
void fuseGather(model::FuncOp function) {
  for (model::DispatchOp gather : getDispatches(function)) {
    auto op = findOp<model::GatherRoutesOp>(gather);
    if (!op || gather->getNumResults() != 1 || !llvm::hasSingleElement(gather.getBody().front().without_terminator()))
      continue;
    for (OpOperand &use : llvm::make_early_inc_range(gather->getResult(0).getUses())) {
      auto product = dyn_cast<model::GroupedLinearOp>(use.getOwner());
      if (!product || product.getX() != use.get() || !isa<model::DispatchOp>(product->getParentOp())) continue;
      Block *body = product->getBlock();
      OpBuilder builder(product);
      for (auto earlier : body->getOps<model::GatherRoutesOp>())
        if (earlier.getX() == op.getX() && earlier.getSource() == op.getSource()) use.set(earlier.getResult());
      if (use.get() == gather->getResult(0)) {
        builder.setInsertionPointToStart(body);
        use.set(builder.clone(*op)->getResult(0));
      }
    }
    if (gather->use_empty()) gather.erase();
  }
}

/// The last grouped product, in program order, whose result only `consumer` uses, element by element.
model::DispatchOp findGrouped(model::DispatchOp consumer) {
  model::DispatchOp found;
  for (Value input : getInputs(consumer)) {
    model::DispatchOp producer = getProducer(input);
    if (!producer || producer->getBlock() != consumer->getBlock() || !hasGroupedLinear(producer) ||
        !haveShapeOf(consumer, input.getType()))
      continue;
    bool elementwise = llvm::none_of(consumer.getBody().front().getOps<model::GroupedLinearOp>(),
                                     [&](model::GroupedLinearOp op) { return op.getX() == input; });
    if (elementwise && isUsedOnlyBy(producer, consumer) && (!found || found->isBeforeInBlock(producer)))
      found = producer;
  }
  return found;
}

bool readSameRows(model::GroupedLinearOp a, model::GroupedLinearOp b) {
  return a.getX() == b.getX() && a.getOffsets() == b.getOffsets();
}

/// Merges grouped products of the same rows that meet in an elementwise op, and that op.
void fuseSwiGLU(model::FuncOp function) {
  for (model::DispatchOp consumer : getDispatches(function)) {
    if (!isElementwiseDispatch(consumer) && !hasGroupedLinear(consumer)) continue;
    while (model::DispatchOp producer = findGrouped(consumer)) {
      auto own = findOp<model::GroupedLinearOp>(consumer), other = findOp<model::GroupedLinearOp>(producer);
      auto count = [](model::DispatchOp d) {
        return llvm::range_size(d.getBody().front().getOps<model::GroupedLinearOp>());
      };
      if (own && (!readSameRows(own, other) || count(consumer) + count(producer) > 2)) break;
      consumer = mergeDispatches(producer, consumer);
    }
  }
}

/// A residual, or another elementwise op, after the combine.
void fuseCombine(model::FuncOp function) {
  for (model::DispatchOp consumer : getDispatches(function)) {
    if (!isElementwiseDispatch(consumer)) continue;
    for (Value input : getInputs(consumer)) {
      model::DispatchOp producer = getProducer(input);
      if (producer && findOp<model::CombineOp>(producer) && haveShapeOf(consumer, input.getType()) &&
          canMergeInto(producer, consumer)) {
        mergeDispatches(producer, consumer);
        break;
      }
    }
  }
}

struct FuseMoEDispatch : impl::FuseMoEDispatchBase<FuseMoEDispatch> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>()) {
      fuseSwiGLU(function);
      fuseGather(function);
      fuseCombine(function);
    }
  }
};

} // namespace
} // namespace mmc
