// Result types and verifiers of the decomposed mixture of experts, of products side by side, and of dispatch regions.
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

/// The output channels' dimension of a weight or of rows; nothing where the type is neither of rank 2.
static std::optional<unsigned> outputDimension(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() != 2) return std::nullopt;
  if (isParameter(tensor)) return 0;
  return isFloatRows(tensor) ? std::optional<unsigned>(1) : std::nullopt;
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &out) {
  std::optional<unsigned> dim =
      adaptor.getInputs().empty() ? std::nullopt : outputDimension(adaptor.getInputs().front().getType());
  if (!dim) return emitOptionalError(loc, "expected weights [N, K] or rows [rows, N] to concatenate");
  auto type = cast<RankedTensorType>(adaptor.getInputs().front().getType());
  SmallVector<int64_t> shape(type.getShape());
  for (Value input : adaptor.getInputs().drop_front())
    if (auto other = dyn_cast<RankedTensorType>(input.getType()); other && other.getRank() == 2)
      shape[*dim] += other.getDimSize(*dim);
  out.push_back(RankedTensorType::get(shape, type.getElementType(), type.getEncoding()));
  return success();
}

LogicalResult ConcatOp::verify() {
  // concat_c1
  if (getInputs().size() < 2) return emitOpError("expected at least two inputs, got ") << getInputs().size();
  // concat_c2
  auto first = cast<RankedTensorType>(getInputs().front().getType());
  unsigned other = 1 - *outputDimension(first);
  for (Value input : getInputs().drop_front()) {
    auto type = cast<RankedTensorType>(input.getType());
    if (outputDimension(type) != outputDimension(first) || type.getDimSize(other) != first.getDimSize(other) ||
        type.getElementType() != first.getElementType() || type.getEncoding() != first.getEncoding())
      return emitOpError("expected inputs that differ in their output channels only, got ") << first << " and " << type;
  }
  return success();
}

LogicalResult SliceOp::verify() {
  // slice_c1
  RankedTensorType x = getX().getType(), part = getResult().getType();
  if (x.getRank() != 2 || part.getRank() != 2 || x.getEncoding() != part.getEncoding() ||
      x.getElementType() != part.getElementType())
    return emitOpError("expected x [rows, N] and a result [rows, n] of its row space and element type, got ")
           << x << " and " << part;
  // slice_c2
  int64_t first = getFirst(), end = x.getDimSize(1) - part.getDimSize(1);
  if (first < 0 || first > end)
    return emitOpError("expected ") << part.getDimSize(1) << " of " << x.getDimSize(1) << " channels from at most "
                                    << end << " on, got " << first;
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
