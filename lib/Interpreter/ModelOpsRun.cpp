// The mathematics: an op in a few lines. Operands are fetched from the environment, the work is in ModelMath.h.
#include "lib/Interpreter/ModelMath.h"
#include "lib/Interpreter/ModelProgram.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>

using namespace mlir;
using namespace mmc::interpreter;
using namespace mmc::model;

namespace {

template <typename T> using TensorPtr = std::shared_ptr<const Tensor<T>>;

template <typename T> RuntimeValue<T> valueOf(std::shared_ptr<Tensor<T>> tensor) {
  return {std::move(tensor), nullptr, 0, 0};
}

/// A new tensor of `rows` rows with the channels of `type`.
template <typename T> std::shared_ptr<Tensor<T>> makeRows(Type type, int64_t rows) {
  auto tensor = std::make_shared<Tensor<T>>();
  tensor->shape = cast<RankedTensorType>(type).getShape().vec();
  tensor->shape[0] = rows;
  bool isInteger = cast<RankedTensorType>(type).getElementType().isInteger();
  size_t count = size_t(rows * tensor->width());
  isInteger ? tensor->ints.resize(count) : tensor->data.resize(count);
  return tensor;
}

/// Rounds to the element type of `type`; f32 is what T holds.
template <typename T> T roundTo(Type type, T value) {
  Type element = getElementTypeOrSelf(type);
  if (element.isBF16()) return T(formula::roundToBFloat16(double(value)));
  if (element.isF16()) return T(formula::roundToFloat16(double(value)));
  return value;
}

/// The same data under another shape.
template <typename T> RuntimeValue<T> reshaped(const Tensor<T> &tensor, Type type) {
  auto out = std::make_shared<Tensor<T>>(tensor);
  out->shape = cast<RankedTensorType>(type).getShape().vec();
  out->shape[0] = tensor.rows();
  return valueOf<T>(out);
}

/// Rows of `x` in the order of `rows`.
template <typename T, typename Index>
RuntimeValue<T> gathered(const Tensor<T> &x, const std::vector<Index> &rows, Type type) {
  auto out = makeRows<T>(type, int64_t(rows.size()));
  int64_t width = x.width();
  for (size_t r = 0; r < rows.size(); ++r)
    std::copy_n(x.data.begin() + int64_t(rows[r]) * width, width, out->data.begin() + int64_t(r) * width);
  return valueOf<T>(out);
}

} // namespace

// ------------------------------------------------------------------------------------------------ elementwise

template <typename T> bool ModelExecutor<T>::runElementwise(Operation *op, Environment &environment) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto number = dyn_cast<FloatAttr>(constant.getValue());
    auto integer = dyn_cast<IntegerAttr>(constant.getValue());
    if (!number && !integer) return false;
    environment[constant.getResult()] = {nullptr, nullptr, number ? T(number.getValueAsDouble()) : T(0),
                                         integer ? integer.getInt() : 0};
    return true;
  }
  // One operand or two; tensors of equal shape, or scalars.
  auto apply = [&](auto function) {
    const Value &a = environment[op->getOperand(0)], &b = environment[op->getOperand(op->getNumOperands() - 1)];
    Type type = op->getResult(0).getType();
    if (!a.tensor) {
      environment[op->getResult(0)] = {nullptr, nullptr, roundTo<T>(type, function(a.scalar, b.scalar)), 0};
      return true;
    }
    auto out = std::make_shared<Tensor<T>>();
    out->shape = a.tensor->shape;
    out->data.resize(a.tensor->data.size());
    for (size_t i = 0; i < out->data.size(); ++i)
      out->data[i] = roundTo<T>(type, function(a.tensor->data[i], b.tensor->data[i]));
    environment[op->getResult(0)] = valueOf<T>(out);
    return true;
  };
  return TypeSwitch<Operation *, bool>(op)
      .template Case<arith::AddFOp>([&](auto) { return apply([](T a, T b) { return a + b; }); })
      .template Case<arith::SubFOp>([&](auto) { return apply([](T a, T b) { return a - b; }); })
      .template Case<arith::MulFOp>([&](auto) { return apply([](T a, T b) { return a * b; }); })
      .template Case<arith::DivFOp>([&](auto) { return apply([](T a, T b) { return a / b; }); })
      .template Case<arith::NegFOp>([&](auto) { return apply([](T a, T) { return -a; }); })
      .template Case<mlir::math::ExpOp>([&](auto) { return apply([](T a, T) { return std::exp(a); }); })
      .template Case<arith::TruncFOp, arith::ExtFOp>([&](auto) { return apply([](T a, T) { return a; }); })
      .template Case<SiluOp>([&](auto) { return apply([](T a, T) { return formula::silu(a); }); })
      .template Case<SigmoidOp>([&](auto) { return apply([](T a, T) { return formula::sigmoid(a); }); })
      .Default([](Operation *) { return false; });
}

// ------------------------------------------------------------------------------------------------ rows

template <typename T> bool ModelExecutor<T>::runRows(Operation *op, Environment &environment) {
  auto tensor = [&](mlir::Value value) -> const Tensor<T> & { return *environment[value].tensor; };
  return TypeSwitch<Operation *, bool>(op)
      .template Case<EmbeddingOp>([&](EmbeddingOp embedding) {
        if (!within(tensor(embedding.getIds()).ints, tensor(embedding.getTable()).rows(), "token id")) return true;
        environment[embedding.getResult()] =
            gathered<T>(tensor(embedding.getTable()), tensor(embedding.getIds()).ints, embedding.getType());
        return true;
      })
      .template Case<RmsNormOp>([&](RmsNormOp norm) {
        const Tensor<T> &x = tensor(norm.getX());
        auto out = makeRows<T>(norm.getType(), x.rows());
        formula::rmsNorm<T>(x.data.data(), tensor(norm.getGain()).data.data(), out->data.data(), x.rows(), x.width(),
                            T(norm.getEps().convertToDouble()));
        environment[norm.getResult()] = valueOf<T>(out);
        return true;
      })
      .template Case<LinearOp>([&](LinearOp linear) {
        const Tensor<T> &x = tensor(linear.getX()), &w = tensor(linear.getWeight());
        auto out = makeRows<T>(linear.getType(), x.rows());
        formula::linear<T>(x.data.data(), w.data.data(), out->data.data(), x.rows(), w.shape[0], w.shape[1]);
        environment[linear.getResult()] = valueOf<T>(out);
        return true;
      })
      .template Case<ResidualOp>([&](ResidualOp residual) {
        const Tensor<T> &x = tensor(residual.getX()), &branch = tensor(residual.getBranch());
        T alpha = environment[residual.getAlpha()].scalar, beta = environment[residual.getBeta()].scalar;
        auto out = makeRows<T>(residual.getType(), x.rows());
        for (size_t i = 0; i < out->data.size(); ++i) out->data[i] = alpha * x.data[i] + beta * branch.data[i];
        environment[residual.getResult()] = valueOf<T>(out);
        return true;
      })
      .template Case<MergeHeadsOp>([&](MergeHeadsOp merge) {
        environment[merge.getResult()] = reshaped<T>(tensor(merge.getX()), merge.getType());
        return true;
      })
      .template Case<SplitHeadsOp>([&](SplitHeadsOp split) {
        const Tensor<T> &x = tensor(split.getX());
        int64_t parts = int64_t(split.getParts().size());
        for (int64_t p = 0; p < parts; ++p) {
          auto out = makeRows<T>(split.getParts()[size_t(p)].getType(), x.rows());
          int64_t d = out->shape[2];
          // Channel block (r, h, p) of x is block (r, h) of part p.
          for (int64_t block = 0; block < x.rows() * out->shape[1]; ++block)
            std::copy_n(x.data.begin() + (block * parts + p) * d, d, out->data.begin() + block * d);
          environment[split.getParts()[size_t(p)]] = valueOf<T>(out);
        }
        return true;
      })
      .template Case<ConcatOp>([&](ConcatOp concat) {
        // Weights follow each other in memory; rows are joined one by one.
        auto type = cast<RankedTensorType>(concat.getType());
        const bool isRows = getRowSpace(type).has_value();
        const int64_t rows = isRows ? tensor(concat.getInputs()[0]).rows() : 1;
        auto out = makeRows<T>(type, isRows ? rows : type.getDimSize(0));
        int64_t first = 0, width = int64_t(out->data.size()) / std::max<int64_t>(rows, 1);
        for (mlir::Value input : concat.getInputs()) {
          const Tensor<T> &x = tensor(input);
          const int64_t part = int64_t(x.data.size()) / std::max<int64_t>(rows, 1);
          for (int64_t r = 0; r < rows; ++r)
            std::copy_n(x.data.begin() + r * part, part, out->data.begin() + r * width + first);
          first += part;
        }
        environment[concat.getResult()] = valueOf<T>(out);
        return true;
      })
      .template Case<SliceOp>([&](SliceOp slice) {
        const Tensor<T> &x = tensor(slice.getX());
        auto out = makeRows<T>(slice.getType(), x.rows());
        for (int64_t r = 0; r < x.rows(); ++r)
          std::copy_n(x.data.begin() + r * x.width() + slice.getFirst(), out->width(),
                      out->data.begin() + r * out->width());
        environment[slice.getResult()] = valueOf<T>(out);
        return true;
      })
      .template Case<RopeOp>([&](RopeOp rope) {
        const Tensor<T> &x = tensor(rope.getX());
        auto out = makeRows<T>(rope.getType(), x.rows());
        for (const BatchSequence &sequence : batch.sequences)
          for (int64_t r = sequence.begin; r < sequence.end; ++r)
            formula::rope<T>(&x.data[size_t(r * x.width())], &out->data[size_t(r * x.width())], x.shape[1], x.shape[2],
                             rope.getRotaryDim(), rope.getTheta().convertToDouble(),
                             sequence.position + r - sequence.begin);
        environment[rope.getResult()] = valueOf<T>(out);
        return true;
      })
      .template Case<SelectRowsOp>([&](SelectRowsOp select) {
        environment[select.getResult()] = gathered<T>(tensor(select.getX()), batch.outputs, select.getType());
        return true;
      })
      .Default([](Operation *) { return false; });
}

// ------------------------------------------------------------------------------------------------ the two attentions

template <typename T> void ModelExecutor<T>::runAttention(AttentionOp op, Environment &environment) {
  const Tensor<T> &q = *environment[op.getQ()].tensor, &k = *environment[op.getK()].tensor,
                  &v = *environment[op.getV()].tensor;
  auto keys = environment[op.getKCache()].state, values = environment[op.getVCache()].state;
  auto out = makeRows<T>(op.getResult().getType(), q.rows());
  for (auto [s, sequence] : llvm::enumerate(batch.sequences)) {
    std::vector<T> &keyCache = *keys->single[s], &valueCache = *values->single[s];
    for (int64_t r = sequence.begin; r < sequence.end; ++r) {
      for (int64_t i = 0; i < k.width(); ++i)
        keyCache.push_back(roundTo<T>(op.getKCache().getType(), k.data[size_t(r * k.width() + i)]));
      for (int64_t i = 0; i < v.width(); ++i)
        valueCache.push_back(roundTo<T>(op.getVCache().getType(), v.data[size_t(r * v.width() + i)]));
      formula::attention<T>(&q.data[size_t(r * q.width())], keyCache.data(), valueCache.data(),
                            &out->data[size_t(r * out->width())], q.shape[1], k.shape[1], q.shape[2], v.shape[2],
                            sequence.position + r - sequence.begin, T(op.getScale().convertToDouble()), op.getWindow());
    }
  }
  environment[op.getResult()] = valueOf<T>(out);
  environment[op.getNewKCache()] = {nullptr, keys, 0, 0};
  environment[op.getNewVCache()] = {nullptr, values, 0, 0};
}

template <typename T> void ModelExecutor<T>::runLinearAttention(LinearAttentionOp op, Environment &environment) {
  const Tensor<T> &q = *environment[op.getQ()].tensor, &k = *environment[op.getK()].tensor,
                  &v = *environment[op.getV()].tensor;
  TensorPtr rate = op.getRate() ? environment[op.getRate()].tensor : nullptr,
            beta = op.getBeta() ? environment[op.getBeta()].tensor : nullptr;
  auto states = environment[op.getState()].state;
  auto out = makeRows<T>(op.getResult().getType(), q.rows());
  int64_t heads = q.shape[1], dk = q.shape[2], dv = v.shape[2];
  for (auto [s, sequence] : llvm::enumerate(batch.sequences))
    for (int64_t r = sequence.begin; r < sequence.end; ++r)
      for (int64_t h = 0; h < heads; ++h) {
        // rate: [H] with head, [rows, H] with token, [rows, H, K] with channel.
        size_t rateAt = size_t(op.getDecay() == Decay::head    ? h
                               : op.getDecay() == Decay::token ? r * heads + h
                                                               : (r * heads + h) * dk);
        formula::recur<T>(&q.data[size_t((r * heads + h) * dk)], &k.data[size_t((r * heads + h) * dk)],
                          &v.data[size_t((r * heads + h) * dv)], rate ? &rate->data[rateAt] : nullptr,
                          op.getDecay() == Decay::channel, beta ? beta->data[size_t(r * heads + h)] : T(1),
                          op.getUpdate() == Update::delta, T(op.getScale().convertToDouble()),
                          &(*states->single[s])[size_t(h * dk * dv)], &out->data[size_t((r * heads + h) * dv)], dk, dv);
      }
  environment[op.getResult()] = valueOf<T>(out);
  environment[op.getNewState()] = {nullptr, states, 0, 0};
}

// ------------------------------------------------------------------------------------------------ mixture of experts

template <typename T> bool ModelExecutor<T>::runRoutes(Operation *op, Environment &environment) {
  auto tensor = [&](mlir::Value value) -> const Tensor<T> & { return *environment[value].tensor; };
  return TypeSwitch<Operation *, bool>(op)
      .template Case<RouteOp>([&](RouteOp route) {
        const Tensor<T> &x = tensor(route.getX()), &gate = tensor(route.getGate());
        int64_t count = gate.shape[0], k = route.getTopK();
        std::vector<T> logits(size_t(x.rows() * count));
        formula::linear<T>(x.data.data(), gate.data.data(), logits.data(), x.rows(), count, x.width());
        auto weights = makeRows<T>(route.getWeights().getType(), x.rows()),
             experts = makeRows<T>(route.getExperts().getType(), x.rows());
        for (int64_t r = 0; r < x.rows(); ++r) {
          formula::route<T>(&logits[size_t(r * count)], count, k, &weights->data[size_t(r * k)],
                            &experts->ints[size_t(r * k)]);
          noteGap(r, &logits[size_t(r * count)], count, &experts->ints[size_t(r * k)], k);
        }
        environment[route.getWeights()] = valueOf<T>(weights);
        environment[route.getExperts()] = valueOf<T>(experts);
        return true;
      })
      .template Case<PermuteOp>([&](PermuteOp permute) {
        const Tensor<T> &experts = tensor(permute.getExperts());
        int64_t k = experts.width(), routes = experts.rows() * k,
                count = permute.getOffsets().getType().getDimSize(0) - 1;
        auto offsets = std::make_shared<Tensor<T>>();
        offsets->shape = {count + 1};
        auto source = makeRows<T>(permute.getSource().getType(), routes),
             position = makeRows<T>(permute.getPosition().getType(), experts.rows());
        int32_t next = 0;
        for (int64_t e = 0; e < count; ++e) {
          offsets->ints.push_back(next);
          for (int64_t i = 0; i < routes; ++i)
            if (experts.ints[size_t(i)] == e)
              source->ints[size_t(next)] = int32_t(i / k), position->ints[size_t(i)] = next++;
        }
        offsets->ints.push_back(next);
        environment[permute.getOffsets()] = valueOf<T>(offsets);
        environment[permute.getSource()] = valueOf<T>(source);
        environment[permute.getPosition()] = valueOf<T>(position);
        return true;
      })
      .template Case<GatherRoutesOp>([&](GatherRoutesOp gather) {
        if (!within(tensor(gather.getSource()).ints, tensor(gather.getX()).rows(), "row")) return true;
        environment[gather.getResult()] =
            gathered<T>(tensor(gather.getX()), tensor(gather.getSource()).ints, gather.getType());
        return true;
      })
      .template Case<GroupedLinearOp>([&](GroupedLinearOp linear) {
        const Tensor<T> &x = tensor(linear.getX()), &w = tensor(linear.getWeight()),
                        &offsets = tensor(linear.getOffsets());
        auto out = makeRows<T>(linear.getType(), x.rows());
        int64_t n = w.shape[1], k = w.shape[2];
        if (!within(offsets.ints, x.rows() + 1, "offset")) return true;
        for (int64_t e = 0; e < w.shape[0]; ++e)
          if (int64_t begin = offsets.ints[size_t(e)], end = offsets.ints[size_t(e + 1)]; begin < end)
            formula::linear<T>(&x.data[size_t(begin * k)], &w.data[size_t(e * n * k)], &out->data[size_t(begin * n)],
                               end - begin, n, k);
        environment[linear.getResult()] = valueOf<T>(out);
        return true;
      })
      .template Case<CombineOp>([&](CombineOp combine) {
        const Tensor<T> &x = tensor(combine.getX()), &weights = tensor(combine.getWeights()),
                        &position = tensor(combine.getPosition());
        if (!within(position.ints, x.rows(), "route")) return true;
        auto out = makeRows<T>(combine.getType(), weights.rows());
        int64_t d = x.width(), k = weights.width();
        for (int64_t t = 0; t < weights.rows(); ++t)
          for (int64_t j = 0; j < k; ++j)
            for (int64_t i = 0; i < d; ++i)
              out->data[size_t(t * d + i)] +=
                  weights.data[size_t(t * k + j)] * x.data[size_t(position.ints[size_t(t * k + j)] * d + i)];
        environment[combine.getResult()] = valueOf<T>(out);
        return true;
      })
      .Default([](Operation *) { return false; });
}

template <typename T>
void ModelExecutor<T>::noteGap(int64_t row, const T *logits, int64_t experts, const int32_t *chosen, int64_t k) {
  double kept = INFINITY, left = -INFINITY;
  for (int64_t e = 0; e < experts; ++e)
    if (std::find(chosen, chosen + k, int32_t(e)) != chosen + k)
      kept = std::min(kept, double(logits[e]));
    else
      left = std::max(left, double(logits[e]));
  if (routerGaps.size() <= size_t(row)) routerGaps.resize(size_t(row) + 1, INFINITY);
  routerGaps[size_t(row)] = std::min(routerGaps[size_t(row)], kept - left);
}

template <typename T> void ModelExecutor<T>::runExperts(ExpertsOp op, Environment &environment) {
  const Tensor<T> &x = *environment[op.getX()].tensor, &weights = *environment[op.getWeights()].tensor,
                  &experts = *environment[op.getExperts()].tensor;
  const Tensor<T> &w1 = *environment[op.getGateWeight()].tensor, &w3 = *environment[op.getUpWeight()].tensor,
                  &w2 = *environment[op.getDownWeight()].tensor;
  if (!within(experts.ints, w1.shape[0], "expert")) return;
  int64_t d = x.width(), f = w1.shape[1], k = weights.width();
  auto out = makeRows<T>(op.getType(), x.rows());
  std::vector<T> gate(static_cast<size_t>(f)), up(static_cast<size_t>(f)), y(static_cast<size_t>(d));
  for (int64_t t = 0; t < x.rows(); ++t)
    for (int64_t j = 0; j < k; ++j) {
      size_t expert = size_t(experts.ints[size_t(t * k + j)]) * size_t(f * d);
      formula::linear<T>(&x.data[size_t(t * d)], &w1.data[expert], gate.data(), 1, f, d);
      formula::linear<T>(&x.data[size_t(t * d)], &w3.data[expert], up.data(), 1, f, d);
      for (size_t i = 0; i < gate.size(); ++i) gate[i] = formula::silu(gate[i]) * up[i];
      formula::linear<T>(gate.data(), &w2.data[expert], y.data(), 1, d, f);
      for (int64_t i = 0; i < d; ++i) out->data[size_t(t * d + i)] += weights.data[size_t(t * k + j)] * y[size_t(i)];
    }
  environment[op.getResult()] = valueOf<T>(out);
}

template class mmc::interpreter::ModelExecutor<float>;
template class mmc::interpreter::ModelExecutor<double>;
