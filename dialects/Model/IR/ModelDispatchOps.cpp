// Result types and verifiers of the decomposed mixture of experts and of dispatch regions.
#include "dialects/Model/IR/Model.h"

using namespace mlir;
using namespace mmc::model;

/// Whether `value` is [space, channels...] with `rank` channels.
static bool isOver(Value value, RowSpace space, size_t rank) {
  return getRowSpace(value.getType()) == space && getChannels(cast<RankedTensorType>(value.getType())).size() == rank;
}

/// Infers tensor<?x channels x element, space>.
static LogicalResult inferOver(std::optional<Location> loc, RowSpace space, Value like, ArrayRef<int64_t> channels,
                               bool keepElement, SmallVectorImpl<Type> &out) {
  auto type = dyn_cast<RankedTensorType>(like.getType());
  if (!type || !getRowSpace(type)) return emitOptionalError(loc, "expected a row tensor, got ", like.getType());
  out.push_back(
      getRowType(space, channels, keepElement ? type.getElementType() : Type(Float32Type::get(type.getContext()))));
  return success();
}

static ArrayRef<int64_t> channelsOf(Value value) {
  return getRowSpace(value.getType()) ? getChannels(cast<RankedTensorType>(value.getType())) : ArrayRef<int64_t>();
}

LogicalResult PermuteOp::verify() {
  // permute_c1
  if (!isOver(getExperts(), RowSpace::tokens, 1))
    return emitOpError("expected experts [tokens, k], got ") << getExperts().getType();
  // permute_c2
  if (getOffsets().getType().getDimSize(0) < 2)
    return emitOpError("expected offsets of at least two entries, got ") << getOffsets().getType();
  // permute_c3
  if (!isOver(getSource(), RowSpace::routes, 0))
    return emitOpError("expected source [routes], got ") << getSource().getType();
  // permute_c4
  if (getPosition().getType() != getExperts().getType())
    return emitOpError("expected position to have the type of experts, got ") << getPosition().getType();
  // permute_c5
  int64_t experts = getOffsets().getType().getDimSize(0) - 1;
  if (auto route = getExperts().getDefiningOp<RouteOp>(); route && route.getGate().getType().getDimSize(0) > experts)
    return emitOpError("expected offsets of the ")
           << route.getGate().getType().getDimSize(0) << " experts that the router knows, got " << experts;
  return success();
}

LogicalResult GatherRoutesOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                               SmallVectorImpl<Type> &out) {
  return inferOver(loc, RowSpace::routes, adaptor.getX(), channelsOf(adaptor.getX()), /*keepElement=*/true, out);
}

LogicalResult GatherRoutesOp::verify() {
  // gather_routes_c1
  if (getRowSpace(getX().getType()) != RowSpace::tokens)
    return emitOpError("expected x over tokens, got ") << getX().getType();
  // gather_routes_c2
  if (!isOver(getSource(), RowSpace::routes, 0))
    return emitOpError("expected source [routes], got ") << getSource().getType();
  return success();
}

LogicalResult GroupedLinearOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                SmallVectorImpl<Type> &out) {
  auto weight = dyn_cast<RankedTensorType>(adaptor.getWeight().getType());
  if (!weight || weight.getRank() != 3)
    return emitOptionalError(loc, "expected a weight [E, N, K], got ", adaptor.getWeight().getType());
  return inferOver(loc, RowSpace::routes, adaptor.getX(), {weight.getDimSize(1)}, /*keepElement=*/false, out);
}

LogicalResult GroupedLinearOp::verify() {
  // grouped_linear_c1
  RankedTensorType weight = getWeight().getType();
  if (!isOver(getX(), RowSpace::routes, 1) || weight.getRank() != 3 || channelsOf(getX())[0] != weight.getDimSize(2))
    return emitOpError("expected x [routes, K] and weight [E, N, K], got ") << getX().getType() << " and " << weight;
  // grouped_linear_c2
  if (getOffsets().getType().getDimSize(0) != weight.getDimSize(0) + 1)
    return emitOpError("expected ") << weight.getDimSize(0) + 1 << " offsets, got " << getOffsets().getType();
  return success();
}

LogicalResult CombineOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &out) {
  return inferOver(loc, RowSpace::tokens, adaptor.getX(), channelsOf(adaptor.getX()), /*keepElement=*/false, out);
}

LogicalResult CombineOp::verify() {
  // combine_c1
  if (!isOver(getX(), RowSpace::routes, 1)) return emitOpError("expected x [routes, D], got ") << getX().getType();
  // combine_c2
  if (!isOver(getWeights(), RowSpace::tokens, 1) || !isOver(getPosition(), RowSpace::tokens, 1) ||
      channelsOf(getWeights()) != channelsOf(getPosition()))
    return emitOpError("expected weights and position [tokens, k], got ")
           << getWeights().getType() << " and " << getPosition().getType();
  return success();
}

LogicalResult DispatchOp::verify() {
  // dispatch_c1
  auto yield = cast<YieldOp>(getBody().front().getTerminator());
  if (yield.getOperandTypes() != getResultTypes())
    return emitOpError("expected the yielded values to have the result types, got ")
           << yield.getNumOperands() << " values for " << getNumResults() << " results, or other types";
  return success();
}
