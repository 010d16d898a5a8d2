// FuseNormEpilogue: elementwise consumers join the norm that they follow, norm(o) * gate. Invariant: the fused dispatch
// still works on one row at a time, and its results have the norm's shape.
#include "passes/Fusion/Dispatches.h"
#include "passes/Fusion/Passes.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_FUSENORMEPILOGUE
#include "passes/Fusion/Passes.h.inc"

namespace {

/// A dispatch that ends in a norm, whose result only `consumer` uses, element by element.
model::DispatchOp findNorm(model::DispatchOp consumer) {
  for (Value input : getInputs(consumer)) {
    model::DispatchOp producer = getProducer(input);
    if (producer && findOp<model::RmsNormOp>(producer) && getDispatchKind(producer) == DispatchKind::rows &&
        haveShapeOf(consumer, input.getType()) && isUsedOnlyBy(producer, consumer) && canMergeInto(producer, consumer))
      return producer;
  }
  return {};
}

struct FuseNormEpilogue : impl::FuseNormEpilogueBase<FuseNormEpilogue> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>()) {
      SmallVector<model::DispatchOp> dispatches(function.getBody().front().getOps<model::DispatchOp>());
      for (model::DispatchOp consumer : dispatches) {
        if (!isElementwiseDispatch(consumer)) continue;
        if (model::DispatchOp norm = findNorm(consumer)) mergeDispatches(norm, consumer);
      }
    }
  }
};

} // namespace
} // namespace mmc
