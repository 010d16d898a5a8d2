// FuseRouter: the norm whose rows a router reads joins the router's dispatch. Both have a work point per token, and the
// row is at hand. Invariant: the normalised row stays a result, because the experts read it too.
#include "passes/Fusion/Dispatches.h"
#include "passes/Fusion/Passes.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_FUSEROUTER
#include "passes/Fusion/Passes.h.inc"

namespace {

/// The dispatch that normalises the router's rows, if it does nothing else and others read them as well.
model::DispatchOp findNorm(model::DispatchOp router) {
  Value x = findOp<model::RouteOp>(router).getX();
  model::DispatchOp producer = getProducer(x);
  if (!producer || producer->getNumResults() != 1 || !findOp<model::RmsNormOp>(producer) ||
      isUsedOnlyBy(producer, router) || !canMergeInto(producer, router))
    return {};
  bool isAlone = llvm::all_of(producer.getBody().front().without_terminator(),
                              [](Operation &op) { return isa<model::RmsNormOp, arith::ExtFOp, arith::TruncFOp>(op); });
  return isAlone ? producer : model::DispatchOp();
}

struct FuseRouter : impl::FuseRouterBase<FuseRouter> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>()) {
      SmallVector<model::DispatchOp> dispatches(function.getBody().front().getOps<model::DispatchOp>());
      for (model::DispatchOp dispatch : dispatches)
        if (getDispatchKind(dispatch) == DispatchKind::route)
          if (model::DispatchOp norm = findNorm(dispatch)) mergeDispatches(norm, dispatch);
    }
  }
};

} // namespace
} // namespace mmc
