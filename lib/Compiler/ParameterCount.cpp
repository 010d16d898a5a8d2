#include "lib/Compiler/ParameterCount.h"

#include "dialects/Model/IR/Model.h"

using namespace mlir;

namespace mmc {

/// Experts that a token uses where `weight` feeds a mixture of experts; 0 elsewhere.
static int64_t chosenExperts(model::WeightOp weight) {
  for (Operation *user : weight.getResult().getUsers())
    if (auto experts = dyn_cast<model::ExpertsOp>(user))
      return cast<RankedTensorType>(experts.getExperts().getType()).getShape().back();
  return 0;
}

static bool feedsEmbedding(model::WeightOp weight) {
  return llvm::any_of(weight.getResult().getUsers(), [](Operation *user) { return isa<model::EmbeddingOp>(user); });
}

/// Does it make the rows of `outputs` into logits?
static bool feedsHead(model::WeightOp weight) {
  return llvm::any_of(weight.getResult().getUsers(), [](Operation *user) {
    auto type = user->getNumResults() == 1 ? dyn_cast<RankedTensorType>(user->getResult(0).getType()) : nullptr;
    auto rows = type ? dyn_cast_or_null<model::RowsAttr>(type.getEncoding()) : nullptr;
    return isa<model::LinearOp>(user) && rows && rows.getSpace() == model::RowSpace::outputs;
  });
}

static void add(model::WeightOp weight, uint64_t layers, ParameterCount &count) {
  auto type = cast<RankedTensorType>(weight.getType());
  uint64_t elements = static_cast<uint64_t>(type.getNumElements());
  count.total += elements * layers;
  if (feedsEmbedding(weight)) return;
  if (feedsHead(weight)) {
    count.head += elements * layers;
    return;
  }
  if (int64_t chosen = chosenExperts(weight))
    elements = elements / static_cast<uint64_t>(type.getShape().front()) * static_cast<uint64_t>(chosen);
  count.active += elements * layers;
}

ParameterCount countParameters(model::ProgramOp program) {
  ParameterCount count;
  auto main = program.lookupSymbol<model::FuncOp>("main");
  if (!main) return count;
  main.walk([&](model::WeightOp weight) { add(weight, 1, count); });
  main.walk([&](model::StackOp stack) {
    for (FlatSymbolRefAttr layer : stack.expandPattern())
      if (auto func = program.lookupSymbol<model::FuncOp>(layer.getAttr()))
        func.walk([&](model::WeightOp weight) { add(weight, 1, count); });
  });
  return count;
}

} // namespace mmc
