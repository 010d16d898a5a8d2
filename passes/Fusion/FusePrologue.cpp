// FusePrologue: row-wise producers join the norm that follows. Invariant: the fused dispatch still works on one row at
// a time, so only dispatches of kind `rows` in the row space of the norm's operand are taken, and none that reads its
// operand at other rows than a dispatch's result could give.
#include "passes/Fusion/Dispatches.h"
#include "passes/Fusion/Passes.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_FUSEPROLOGUE
#include "passes/Fusion/Passes.h.inc"

namespace {

/// The dispatch that produces the norm's operand (perhaps through a widening cast in the norm's dispatch), if it can
/// join.
model::DispatchOp findProducer(model::DispatchOp consumer) {
  auto norm = findOp<model::RmsNormOp>(consumer);
  if (!norm || getDispatchKind(consumer) != DispatchKind::rows) return {};
  Value x = norm.getX();
  if (auto cast = x.getDefiningOp<arith::ExtFOp>()) x = cast.getIn();
  model::DispatchOp producer = getProducer(x);
  if (!producer || getDispatchKind(producer) != DispatchKind::rows || !haveShapeOf(producer, x.getType())) return {};
  // A selected or gathered row would be computed again by the norm's kernel only under another index.
  if (findOp<model::GatherRoutesOp>(producer) || findOp<model::RmsNormOp>(producer)) return {};
  return canMergeInto(producer, consumer) ? producer : model::DispatchOp();
}

struct FusePrologue : impl::FusePrologueBase<FusePrologue> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>()) {
      SmallVector<model::DispatchOp> dispatches(function.getBody().front().getOps<model::DispatchOp>());
      for (model::DispatchOp consumer : dispatches)
        if (model::DispatchOp producer = findProducer(consumer)) mergeDispatches(producer, consumer);
    }
  }
};

} // namespace
} // namespace mmc
