// Dispatches: forming, merging and classifying them. A dispatch is what becomes one kernel (or, for the two attentions,
// one kernel per kind of sequence); its body is a list of model ops in the order of a valid program, and only its
// results are seen outside.
#pragma once

#include "dialects/Model/IR/Model.h"

namespace mmc {

/// Output channels of a work point of a product.
inline constexpr int64_t kProductPanel = 64;

/// What a dispatch is converted by: the structured op in it, or `rows` where every op works on one row at a time.
enum class DispatchKind { rows, rope, linear, linearAttention, attention, route, permute };

DispatchKind getDispatchKind(model::DispatchOp dispatch);

/// silu, sigmoid, residual and arith's elementwise ops on row tensors, casts included.
bool isElementwise(mlir::Operation *op);

/// Whether all ops of the dispatch are elementwise.
bool isElementwiseDispatch(model::DispatchOp dispatch);

/// The first op of type OpTy in the dispatch, or null.
template <typename OpTy> OpTy findOp(model::DispatchOp dispatch) {
  auto ops = dispatch.getBody().front().getOps<OpTy>();
  return ops.empty() ? OpTy() : *ops.begin();
}

/// The dispatch whose result `value` is, or null.
model::DispatchOp getProducer(mlir::Value value);

/// The values from above that the dispatch's ops use, each once, in order of first use.
llvm::SetVector<mlir::Value> getInputs(model::DispatchOp dispatch);

/// Moves `ops` (of one block, in a valid order) into a new dispatch before `before`; the results that are used outside
/// become its results. A dispatch that works on routes gets the attribute top_k, the number of routes per token.
model::DispatchOp formDispatch(llvm::ArrayRef<mlir::Operation *> ops, mlir::Operation *before);

/// One dispatch with the ops of both, at the producer's place where the consumer's other inputs allow it, else at the
/// consumer's. Every user of the producer must be the consumer or follow it.
model::DispatchOp mergeDispatches(model::DispatchOp producer, model::DispatchOp consumer);

/// Whether every use of the dispatch's results is inside `consumer`.
bool isUsedOnlyBy(model::DispatchOp producer, model::DispatchOp consumer);

/// Whether every user of the producer's results is `consumer` or comes after it in the same block.
bool canMergeInto(model::DispatchOp producer, model::DispatchOp consumer);

/// Whether all results of the dispatch are row tensors of the row space and channels of `type` (element types may
/// differ).
bool haveShapeOf(model::DispatchOp dispatch, mlir::Type type);

} // namespace mmc
