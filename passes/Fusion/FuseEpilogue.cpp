// FuseEpilogue: elementwise consumers join the product that they follow. The order of a dispatch's ops stays that of
// the program, and a rounding between product and consumer stays in the body, so every element sees the same operations
// as before.
#include "passes/Fusion/Dispatches.h"
#include "passes/Fusion/Passes.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_FUSEEPILOGUE
#include "passes/Fusion/Passes.h.inc"

namespace {

/// The last dispatch, in program order, that ends in a product and that only `consumer` uses, element by element.
model::DispatchOp findProduct(model::DispatchOp consumer) {
  model::DispatchOp found;
  for (Value input : getInputs(consumer)) {
    model::DispatchOp producer = getProducer(input);
    if (!producer || producer->getBlock() != consumer->getBlock() || getDispatchKind(producer) != DispatchKind::linear)
      continue;
    if (!isUsedOnlyBy(producer, consumer) || !haveShapeOf(consumer, input.getType())) continue;
    if (!found || found->isBeforeInBlock(producer)) found = producer;
  }
  return found;
}

/// A dense product of the same rows as the consumer's own product, used only in the consumer's epilogue: gate of
/// silu(gate) * up.
model::DispatchOp findSibling(model::DispatchOp consumer) {
  auto own = findOp<model::LinearOp>(consumer);
  auto products = consumer.getBody().front().getOps<model::LinearOp>();
  if (!own || std::distance(products.begin(), products.end()) != 1) return {};
  for (Value input : getInputs(consumer)) {
    model::DispatchOp producer = getProducer(input);
    if (!producer || producer->getBlock() != consumer->getBlock() || input == own.getX()) continue;
    auto products = producer.getBody().front().getOps<model::LinearOp>();
    if (std::distance(products.begin(), products.end()) != 1 || (*products.begin()).getX() != own.getX()) continue;
    if (isUsedOnlyBy(producer, consumer) && haveShapeOf(consumer, input.getType())) return producer;
  }
  return {};
}

struct FuseEpilogue : impl::FuseEpilogueBase<FuseEpilogue> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>()) {
      SmallVector<model::DispatchOp> dispatches(function.getBody().front().getOps<model::DispatchOp>());
      for (model::DispatchOp consumer : dispatches) {
        if (!isElementwiseDispatch(consumer)) continue;
        if (model::DispatchOp producer = findProduct(consumer)) {
          // The producer may be the result of an earlier merge; the merged dispatch takes the consumer's place.
          model::DispatchOp merged = mergeDispatches(producer, consumer);
          if (model::DispatchOp sibling = findSibling(merged)) mergeDispatches(sibling, merged);
        }
      }
    }
  }
};

} // namespace
} // namespace mmc
