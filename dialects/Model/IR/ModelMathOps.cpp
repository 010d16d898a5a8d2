// Result types and verifiers of the mathematics. Result types: f32 over the rows of the first operand; reshapes and
// gathers keep the element type. Inference runs before verification, so it only takes apart what it needs and reports
// what it cannot.
#include "dialects/Model/IR/Model.h"

#include <cmath>

using namespace mlir;
using namespace mmc::model;

namespace {

using Shape = ArrayRef<int64_t>;

/// Infers tensor<?x channels x f32> over the row space of `rows`.
LogicalResult inferRows(std::optional<Location> loc, Value rows, Shape channels, SmallVectorImpl<Type> &out,
                        Type element = {}) {
  std::optional<RowSpace> space = getRowSpace(rows.getType());
  if (!space) return emitOptionalError(loc, "expected a row tensor, got ", rows.getType());
  out.push_back(getRowType(*space, channels, element ? element : Type(Float32Type::get(rows.getContext()))));
  return success();
}

/// The channels of a row tensor operand, empty where it is none.
Shape channelsOf(Value value) {
  return getRowSpace(value.getType()) ? getChannels(cast<RankedTensorType>(value.getType())) : Shape();
}

Shape shapeOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getShape() : Shape();
}

/// `value` is [space, channels...]; `what` names the operand in the message.
LogicalResult expectRows(Operation *op, StringRef what, Value value, RowSpace space, Shape channels) {
  auto type = cast<RankedTensorType>(value.getType());
  if (getRowSpace(type) == space && getChannels(type) == channels) return success();
  return op->emitOpError("expected ") << what << " of type " << getRowType(space, channels, type.getElementType())
                                      << ", got " << type;
}

bool isF32(Value value) { return cast<RankedTensorType>(value.getType()).getElementType().isF32(); }

} // namespace

// ------------------------------------------------------------------------------------------------ embedding, norm,
// linear, residual

LogicalResult EmbeddingOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &out) {
  Shape table = shapeOf(adaptor.getTable());
  return inferRows(loc, adaptor.getIds(), table.empty() ? table : table.drop_front(), out);
}

LogicalResult EmbeddingOp::verify() {
  // embedding_c1
  if (getIds().getType().getRank() != 1) return emitOpError("expected ids of rank 1, got ") << getIds().getType();
  // embedding_c2
  if (getTable().getType().getRank() != 2)
    return emitOpError("expected a table of rank 2, got ") << getTable().getType();
  return success();
}

LogicalResult RmsNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &out) {
  return inferRows(loc, adaptor.getX(), channelsOf(adaptor.getX()), out);
}

LogicalResult RmsNormOp::verify() {
  // rms_norm_c1
  Shape channels = channelsOf(getX());
  if (channels.size() != 1 || shapeOf(getGain()) != channels)
    return emitOpError("expected x [rows, D] and gain [D], got ") << getX().getType() << " and " << getGain().getType();
  // rms_norm_c2
  double eps = getEps().convertToDouble();
  if (!(eps > 0) || !std::isfinite(eps)) return emitOpError("expected a positive finite eps, got ") << eps;
  return success();
}

LogicalResult LinearOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &out) {
  return inferRows(loc, adaptor.getX(), shapeOf(adaptor.getWeight()).take_front(1), out);
}

LogicalResult LinearOp::verify() {
  // linear_c1
  Shape channels = channelsOf(getX()), weight = shapeOf(getWeight());
  if (channels.size() != 1 || weight.size() != 2 || weight[1] != channels[0])
    return emitOpError("expected x [rows, K] and weight [N, K], got ")
           << getX().getType() << " and " << getWeight().getType();
  return success();
}

LogicalResult ResidualOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                           SmallVectorImpl<Type> &out) {
  return inferRows(loc, adaptor.getX(), channelsOf(adaptor.getX()), out);
}

LogicalResult ResidualOp::verify() {
  // residual_c1
  RankedTensorType x = getX().getType(), branch = getBranch().getType();
  if (x.getShape() != branch.getShape() || x.getEncoding() != branch.getEncoding())
    return emitOpError("expected x and branch of one shape and row space, got ") << x << " and " << branch;
  return success();
}

// ------------------------------------------------------------------------------------------------ heads and positions

LogicalResult SplitHeadsOp::verify() {
  // split_heads_c1
  if (getParts().empty()) return emitOpError("expected at least one result");
  auto part = cast<RankedTensorType>(getParts()[0].getType());
  RankedTensorType x = getX().getType();
  for (Value other : getParts())
    if (other.getType() != part)
      return emitOpError("expected results of one type, got ") << part << " and " << other.getType();
  // split_heads_c2
  if (getChannels(x).size() != 1 || getChannels(part).size() != 2 || x.getEncoding() != part.getEncoding() ||
      x.getElementType() != part.getElementType())
    return emitOpError("expected x [rows, N] and parts [rows, H, D] of one row space and element type, got ")
           << x << " and " << part;
  // split_heads_c3
  int64_t parts = getParts().size();
  if (getChannels(x)[0] != parts * getChannels(part)[0] * getChannels(part)[1])
    return emitOpError("expected ") << parts << " parts of " << part << " to make up " << x;
  return success();
}

LogicalResult MergeHeadsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                             SmallVectorImpl<Type> &out) {
  int64_t product = 1;
  for (int64_t size : channelsOf(adaptor.getX())) product *= size;
  auto type = dyn_cast<RankedTensorType>(adaptor.getX().getType());
  return inferRows(loc, adaptor.getX(), {product}, out, type ? type.getElementType() : Type());
}

LogicalResult MergeHeadsOp::verify() {
  // merge_heads_c1
  if (channelsOf(getX()).size() != 2) return emitOpError("expected x [rows, H, D], got ") << getX().getType();
  return success();
}

LogicalResult RopeOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                       SmallVectorImpl<Type> &out) {
  return inferRows(loc, adaptor.getX(), channelsOf(adaptor.getX()), out);
}

LogicalResult RopeOp::verify() {
  // rope_c1
  Shape channels = channelsOf(getX());
  if (channels.size() != 2 || getRowSpace(getX().getType()) != RowSpace::tokens)
    return emitOpError("expected x [tokens, H, D], got ") << getX().getType();
  // rope_c2
  int64_t dims = getRotaryDim();
  if (dims <= 0 || dims % 2 != 0 || dims > channels[1])
    return emitOpError("expected an even rotary_dim between 2 and ") << channels[1] << ", got " << dims;
  // rope_c3
  double theta = getTheta().convertToDouble();
  if (!(theta > 0) || !std::isfinite(theta)) return emitOpError("expected a positive finite theta, got ") << theta;
  return success();
}

// ------------------------------------------------------------------------------------------------ the two attentions

LogicalResult AttentionOp::verify() {
  // attention_c1
  Shape q = channelsOf(getQ()), k = channelsOf(getK()), v = channelsOf(getV());
  for (Value operand : {Value(getQ()), Value(getK()), Value(getV())})
    if (channelsOf(operand).size() != 2 || getRowSpace(operand.getType()) != RowSpace::tokens)
      return emitOpError("expected q, k and v [tokens, heads, channels], got ") << operand.getType();
  if (q[1] != k[1] || k[0] != v[0])
    return emitOpError("expected q [tokens, H, D], k [tokens, Hkv, D] and v [tokens, Hkv, Dv], got ")
           << getQ().getType() << ", " << getK().getType() << " and " << getV().getType();
  // attention_c2
  if (k[0] == 0 || q[0] % k[0] != 0)
    return emitOpError("expected the heads of q to be a multiple of those of k, got ") << q[0] << " and " << k[0];
  // attention_c3
  auto isCacheOf = [](Value cache, Shape channels) {
    Shape shape = shapeOf(cache);
    return shape.size() == 3 && ShapedType::isDynamic(shape[0]) && shape.drop_front() == channels;
  };
  if (!isCacheOf(getKCache(), k))
    return emitOpError("expected k_cache [positions, ") << k[0] << ", " << k[1] << "], got " << getKCache().getType();
  if (!isCacheOf(getVCache(), v))
    return emitOpError("expected v_cache [positions, ") << v[0] << ", " << v[1] << "], got " << getVCache().getType();
  // attention_c4
  if (getNewKCache().getType() != getKCache().getType() || getNewVCache().getType() != getVCache().getType())
    return emitOpError("expected the new caches to have the types of the caches");
  if (failed(expectRows(*this, "a result", getResult(), RowSpace::tokens, {q[0], v[1]}))) return failure();
  if (!isF32(getResult())) return emitOpError("expected an f32 result, got ") << getResult().getType();
  // attention_c5
  if (!std::isfinite(getScale().convertToDouble())) return emitOpError("expected a finite scale");
  // The accessor of an I64Attr is unsigned.
  if (int64_t window = static_cast<int64_t>(getWindow()); window < 0)
    return emitOpError("expected a window that is not negative, got ") << window;
  return success();
}

/// The rate operand has the shape that the decay asks for.
static LogicalResult verifyRate(LinearAttentionOp op, int64_t heads, int64_t keys) {
  Decay decay = op.getDecay();
  Value rate = op.getRate();
  if (bool(rate) != (decay != Decay::none))
    return op.emitOpError("expected ") << (rate ? "no rate" : "a rate") << " with decay " << stringifyDecay(decay);
  if (!rate) return success();
  if (decay == Decay::head) {
    if (isParameter(rate.getType()) && shapeOf(rate) == Shape{heads}) return success();
    return op.emitOpError("expected a rate [H] = [") << heads << "] with decay head, got " << rate.getType();
  }
  if (!isFloatRows(rate.getType()))
    return op.emitOpError("expected a row tensor rate with decay ")
           << stringifyDecay(decay) << ", got " << rate.getType();
  SmallVector<int64_t> channels{heads};
  if (decay == Decay::channel) channels.push_back(keys);
  return expectRows(op, "a rate", rate, RowSpace::tokens, channels);
}

LogicalResult LinearAttentionOp::verify() {
  // linear_attention_c1
  Shape q = channelsOf(getQ()), v = channelsOf(getV());
  if (q.size() != 2 || v.size() != 2 || channelsOf(getK()) != q || v[0] != q[0])
    return emitOpError("expected q and k [tokens, H, K] and v [tokens, H, V], got ")
           << getQ().getType() << ", " << getK().getType() << " and " << getV().getType();
  for (Value operand : {Value(getQ()), Value(getK()), Value(getV())})
    if (getRowSpace(operand.getType()) != RowSpace::tokens)
      return emitOpError("expected q, k and v over tokens, got ") << operand.getType();
  // linear_attention_c2
  if (failed(verifyRate(*this, q[0], q[1]))) return failure();
  // linear_attention_c3
  if (getBeta() && failed(expectRows(*this, "a beta", getBeta(), RowSpace::tokens, {q[0]}))) return failure();
  // linear_attention_c4
  if (shapeOf(getState()) != Shape{q[0], q[1], v[1]})
    return emitOpError("expected a state [H, K, V] = [")
           << q[0] << ", " << q[1] << ", " << v[1] << "], got " << getState().getType();
  if (getNewState().getType() != getState().getType())
    return emitOpError("expected the new state to have the type of the state, got ") << getNewState().getType();
  // linear_attention_c5
  if (failed(expectRows(*this, "a result", getResult(), RowSpace::tokens, v))) return failure();
  if (!isF32(getResult())) return emitOpError("expected an f32 result, got ") << getResult().getType();
  // linear_attention_c6
  if (!std::isfinite(getScale().convertToDouble())) return emitOpError("expected a finite scale");
  return success();
}

// ------------------------------------------------------------------------------------------------ mixture of experts,
// output rows

LogicalResult RouteOp::verify() {
  // route_c1
  Shape x = channelsOf(getX()), gate = shapeOf(getGate());
  if (x.size() != 1 || gate.size() != 2 || gate[1] != x[0] || getRowSpace(getX().getType()) != RowSpace::tokens)
    return emitOpError("expected x [tokens, D] and gate [E, D], got ")
           << getX().getType() << " and " << getGate().getType();
  // route_c2
  int64_t topK = getTopK();
  if (topK < 1 || topK > gate[0]) return emitOpError("expected top_k between 1 and ") << gate[0] << ", got " << topK;
  // route_c3
  if (failed(expectRows(*this, "weights", getWeights(), RowSpace::tokens, {topK}))) return failure();
  if (!isF32(getWeights())) return emitOpError("expected f32 weights, got ") << getWeights().getType();
  return expectRows(*this, "experts", getExperts(), RowSpace::tokens, {topK});
}

LogicalResult ExpertsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &out) {
  return inferRows(loc, adaptor.getX(), channelsOf(adaptor.getX()), out);
}

LogicalResult ExpertsOp::verify() {
  // experts_c1
  Shape x = channelsOf(getX()), weights = channelsOf(getWeights());
  if (x.size() != 1 || getRowSpace(getX().getType()) != RowSpace::tokens)
    return emitOpError("expected x [tokens, D], got ") << getX().getType();
  if (weights.size() != 1 || channelsOf(getExperts()) != weights ||
      getRowSpace(getWeights().getType()) != RowSpace::tokens ||
      getRowSpace(getExperts().getType()) != RowSpace::tokens)
    return emitOpError("expected weights and experts [tokens, k], got ")
           << getWeights().getType() << " and " << getExperts().getType();
  // experts_c2
  Shape gate = shapeOf(getGateWeight()), up = shapeOf(getUpWeight()), down = shapeOf(getDownWeight());
  if (gate.size() != 3 || up != gate || gate[2] != x[0] || down != Shape{gate[0], gate[2], gate[1]})
    return emitOpError("expected gate and up weights [E, F, D] and a down weight [E, D, F], got ")
           << getGateWeight().getType() << ", " << getUpWeight().getType() << " and " << getDownWeight().getType();
  // experts_c3
  if (auto route = getExperts().getDefiningOp<RouteOp>(); route && route.getGate().getType().getDimSize(0) > gate[0])
    return emitOpError("expected weights of the ")
           << route.getGate().getType().getDimSize(0) << " experts that the router knows, got " << gate[0];
  return success();
}

LogicalResult SelectRowsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                             SmallVectorImpl<Type> &out) {
  auto type = dyn_cast<RankedTensorType>(adaptor.getX().getType());
  if (!type || !getRowSpace(type))
    return emitOptionalError(loc, "expected a row tensor, got ", adaptor.getX().getType());
  out.push_back(getRowType(RowSpace::outputs, getChannels(type), type.getElementType()));
  return success();
}

LogicalResult SelectRowsOp::verify() {
  // select_rows_c1
  if (getRowSpace(getX().getType()) != RowSpace::tokens)
    return emitOpError("expected x over tokens, got ") << getX().getType();
  return success();
}
