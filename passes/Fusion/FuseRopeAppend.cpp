// FuseRopeAppend: the rope of queries and keys joins the attention's dispatch, whose append kernel then rotates on the
// way to the cache.
#include "passes/Fusion/Dispatches.h"
#include "passes/Fusion/Passes.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_FUSEROPEAPPEND
#include "passes/Fusion/Passes.h.inc"

namespace {

/// A dispatch with only a rope and casts, whose result is the query or the key of the consumer's attention and nothing
/// else.
model::DispatchOp findRope(model::DispatchOp consumer) {
  auto attention = findOp<model::AttentionOp>(consumer);
  if (!attention) return {};
  for (Value operand : {attention.getQ(), attention.getK()}) {
    model::DispatchOp producer = getProducer(operand);
    if (producer && getDispatchKind(producer) == DispatchKind::rope && isUsedOnlyBy(producer, consumer) &&
        canMergeInto(producer, consumer))
      return producer;
  }
  return {};
}

struct FuseRopeAppend : impl::FuseRopeAppendBase<FuseRopeAppend> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>()) {
      SmallVector<model::DispatchOp> dispatches(function.getBody().front().getOps<model::DispatchOp>());
      for (model::DispatchOp consumer : dispatches)
        while (model::DispatchOp producer = findRope(consumer)) consumer = mergeDispatches(producer, consumer);
    }
  }
};

} // namespace
} // namespace mmc
