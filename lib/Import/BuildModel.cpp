// The model dialect program of a configuration: two layer kinds, the table of decay rates, and @main. Norm and residual
// order follow specification 2.2: with postnorm the residual comes from the normed value.
#include "dialects/Model/IR/Model.h"
#include "lib/Import/Import.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mmc::import;
using namespace mmc::model;
using Layer = ModelConfig::Layer;

LayerGroup mmc::import::groupLayers(const std::vector<Layer> &layers) {
  size_t period = 1;
  auto repeats = [&](size_t p) {
    for (size_t i = p; i < layers.size(); ++i)
      if (layers[i] != layers[i - p]) return false;
    return true;
  };
  while (period < layers.size() && (layers.size() % period || !repeats(period))) ++period;
  LayerGroup group;
  group.count = int64_t(layers.size() / period);
  for (size_t i = 0; i < period; ++i) {
    if (group.runs.empty() || group.runs.back().second != layers[i]) group.runs.push_back({0, layers[i]});
    ++group.runs.back().first;
  }
  return group;
}

namespace {

/// Builds one program. Value names travel as NameLoc.
class ModelBuilder {
public:
  ModelBuilder(MLIRContext &context, const ModelConfig &config, const WeightTypes &types)
      : c(config), types(types), b(&context), f32(b.getF32Type()) {}

  OwningOpRef<ModuleOp> build() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(b.getUnknownLoc());
    b.setInsertionPointToEnd(module->getBody());
    auto program = ProgramOp::create(b, b.getUnknownLoc(), "minimax");
    program->setAttr("vocabulary", b.getI64IntegerAttr(c.vocabulary));
    program->setAttr("max_position", b.getI64IntegerAttr(c.maxPosition));
    if (!c.stopTokens.empty()) {
      SmallVector<int32_t> stops(c.stopTokens.begin(), c.stopTokens.end());
      program->setAttr("stop_tokens", b.getDenseI32ArrayAttr(stops));
    }
    program.getBody().emplaceBlock();
    b.setInsertionPointToEnd(&program.getBody().front());
    bool lightning = llvm::is_contained(c.layers, Layer::lightning),
         softmax = llvm::is_contained(c.layers, Layer::softmax);
    if (lightning) {
      auto form = c.native ? SlopeForm::native : SlopeForm::original;
      auto rates = LightningRatesAttr::get(b.getContext(), int64_t(c.layers.size()), c.heads, form);
      TableOp::create(b, loc("rates"), "rates", rates, RankedTensorType::get({int64_t(c.layers.size()), c.heads}, f32));
      buildLightning();
    }
    if (softmax) buildSoftmax();
    buildMain();
    return module;
  }

private:
  const ModelConfig &c;
  const WeightTypes &types;
  OpBuilder b;
  Type f32;
  Value batch, layer;                // of the function being built
  std::map<double, Value> constants; // of the function being built

  Location loc(StringRef name) { return NameLoc::get(b.getStringAttr(name)); }
  RankedTensorType tokens(ArrayRef<int64_t> channels, Type element = {}) {
    return getRowType(RowSpace::tokens, channels, element ? element : f32);
  }
  RankedTensorType stateType(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, f32, StateAttr::get(b.getContext()));
  }
  RankedTensorType cacheType(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, f32, KVAttr::get(b.getContext()));
  }

  Type elementOf(const std::string &pattern) {
    WeightType type = StringRef(pattern).contains("block_sparse_moe.gate") ? WeightType::f32 : c.elementType;
    if (auto it = types.find(pattern); it != types.end()) type = it->second;
    return type == WeightType::f32 ? f32 : type == WeightType::bf16 ? Type(b.getBF16Type()) : Type(b.getF16Type());
  }

  Value weight(const std::string &name, ArrayRef<int64_t> shape) {
    std::string pattern = (layer ? "model.layers.{layer}." : "") + name;
    StringRef shortName = StringRef(name).drop_back(strlen(".weight"));
    return WeightOp::create(b, loc(shortName.substr(shortName.rfind('.') + 1)),
                            RankedTensorType::get(shape, elementOf(pattern)), pattern, layer);
  }
  Value norm(StringRef name, Value x, const std::string &gain, double eps) {
    return RmsNormOp::create(b, loc(name), x, weight(gain, {cast<RankedTensorType>(x.getType()).getDimSize(1)}),
                             b.getF64FloatAttr(eps));
  }
  Value linear(StringRef name, Value x, const std::string &weightName, int64_t outputs) {
    return LinearOp::create(b, loc(name), x,
                            weight(weightName, {outputs, cast<RankedTensorType>(x.getType()).getDimSize(1)}));
  }
  /// One constant per value and function.
  Value constant(double value) {
    Value &known = constants[value];
    if (!known) known = arith::ConstantOp::create(b, loc("scale"), b.getF32FloatAttr(float(value)));
    return known;
  }
  Value residual(StringRef name, Value x, Value branch, const ResidualScale &scale) {
    Value alpha = constant(scale.alpha), beta = constant(scale.beta);
    return ResidualOp::create(b, loc(name), x, branch, alpha, beta);
  }
  ResultRange split(StringRef name, Value x, int64_t parts, int64_t heads) {
    SmallVector<Type> results(parts, tokens({heads, c.headDim}));
    return SplitHeadsOp::create(b, loc(name), results, x).getParts();
  }

  /// Opens a function; x is its first argument.
  FuncOp open(StringRef name, ArrayRef<Type> arguments, ArrayRef<Type> results, bool isLayer) {
    auto function = FuncOp::create(b, loc(name), name, b.getFunctionType(arguments, results), ArrayAttr(), ArrayAttr());
    Block &entry = function.getBody().emplaceBlock();
    for (Type type : arguments) entry.addArgument(type, function.getLoc());
    b.setInsertionPointToEnd(&entry);
    batch = entry.getArgument(1);
    constants.clear();
    layer = isLayer ? Value(entry.getArgument(2)) : Value();
    return function;
  }
  void close(FuncOp function, ValueRange results) {
    ReturnOp::create(b, function.getLoc(), results);
    b.setInsertionPointAfter(function);
  }

  /// The sublayer that both kinds end with: norm, mixture of experts, residual.
  Value mixture(Value y) {
    Value n = norm("mlp.norm", y, "post_attention_layernorm.weight", c.normEps);
    Value gate = weight("block_sparse_moe.gate.weight", {c.experts, c.hidden});
    auto route = RouteOp::create(b, loc("mlp.route"), tokens({c.topK}), tokens({c.topK}, b.getI32Type()), n, gate,
                                 b.getI64IntegerAttr(c.topK));
    const std::string expert = "block_sparse_moe.experts.{expert}.";
    Value w1 = weight(expert + "w1.weight", {c.experts, c.intermediate, c.hidden});
    Value w3 = weight(expert + "w3.weight", {c.experts, c.intermediate, c.hidden});
    Value w2 = weight(expert + "w2.weight", {c.experts, c.hidden, c.intermediate});
    Value m = ExpertsOp::create(b, loc("mlp.experts"), n, route.getWeights(), route.getExperts(), w1, w3, w2);
    return residual("mlp.residual", c.postnorm ? n : y, m, c.mlpScale);
  }

  void buildLightning() {
    int64_t inner = c.heads * c.headDim;
    Type x = tokens({c.hidden}), state = stateType({c.heads, c.headDim, c.headDim});
    FuncOp function = open("lightning", {x, batchType(), b.getIndexType(), state}, {x, state}, /*isLayer=*/true);
    Value input = function.getArgument(0);
    Value n = norm("attention.norm", input, "input_layernorm.weight", c.normEps);
    Value qkv = linear("attention.qkv", n, "self_attn.qkv_proj.weight", 3 * inner);
    ResultRange parts = split("attention.heads", SiluOp::create(b, loc("attention.silu"), qkv), 3, c.heads);
    Value rates = RowOp::create(b, loc("rates"), RankedTensorType::get({c.heads}, f32), "rates", layer);
    auto core = LinearAttentionOp::create(b, loc("attention.core"), parts[0].getType(), state, parts[0], parts[1],
                                          parts[2], batch, rates, Value(), function.getArgument(3), Update::additive,
                                          Decay::head, llvm::APFloat(1.0));
    Value merged = MergeHeadsOp::create(b, loc("attention.merge"), core.getResult());
    Value z = norm("attention.inner_norm", merged, "self_attn.norm.weight", c.lightningNormEps);
    Value gate = SigmoidOp::create(b, loc("attention.gate"),
                                   linear("attention.gate_proj", n, "self_attn.output_gate.weight", inner));
    Value gated = arith::MulFOp::create(b, loc("attention.gated"), gate, z);
    Value a = linear("attention.out", gated, "self_attn.out_proj.weight", c.hidden);
    Value y = residual("attention.residual", c.postnorm ? n : input, a, c.lightningScale);
    close(function, {mixture(y), core.getNewState()});
  }

  void buildSoftmax() {
    int64_t inner = c.heads * c.headDim, kv = c.kvHeads * c.headDim;
    Type x = tokens({c.hidden}), cache = cacheType({ShapedType::kDynamic, c.kvHeads, c.headDim});
    FuncOp function =
        open("softmax", {x, batchType(), b.getIndexType(), cache, cache}, {x, cache, cache}, /*isLayer=*/true);
    Value input = function.getArgument(0);
    Value n = norm("attention.norm", input, "input_layernorm.weight", c.normEps);
    auto rotated = [&](StringRef name, const std::string &weightName, int64_t outputs, int64_t heads) -> Value {
      Value projected = split(name, linear(name, n, weightName, outputs), 1, heads)[0];
      return RopeOp::create(b, loc(name), projected, batch, b.getF64FloatAttr(c.ropeTheta),
                            b.getI64IntegerAttr(c.rotaryDim));
    };
    Value q = rotated("attention.q", "self_attn.q_proj.weight", inner, c.heads);
    Value k = rotated("attention.k", "self_attn.k_proj.weight", kv, c.kvHeads);
    Value v = split("attention.v", linear("attention.v", n, "self_attn.v_proj.weight", kv), 1, c.kvHeads)[0];
    auto core = AttentionOp::create(b, loc("attention.core"), q.getType(), cache, cache, q, k, v, batch,
                                    function.getArgument(3), function.getArgument(4),
                                    b.getF64FloatAttr(1.0 / std::sqrt(double(c.headDim))), b.getI64IntegerAttr(0));
    Value merged = MergeHeadsOp::create(b, loc("attention.merge"), core.getResult());
    Value a = linear("attention.out", merged, "self_attn.o_proj.weight", c.hidden);
    Value y = residual("attention.residual", c.postnorm ? n : input, a, c.softmaxScale);
    close(function, {mixture(y), core.getNewKCache(), core.getNewVCache()});
  }

  Type batchType() { return BatchType::get(b.getContext()); }

  /// The layer list as model.stack spells it.
  ArrayAttr pattern() {
    LayerGroup group = groupLayers(c.layers);
    SmallVector<Attribute> inner;
    for (auto [count, kind] : group.runs) {
      Attribute symbol = FlatSymbolRefAttr::get(b.getContext(), kind == Layer::lightning ? "lightning" : "softmax");
      inner.push_back(count == 1 ? symbol : Attribute(b.getArrayAttr({b.getI64IntegerAttr(count), symbol})));
    }
    if (group.count == 1) return b.getArrayAttr(inner);
    if (inner.size() == 1 && group.runs[0].first == 1)
      return b.getArrayAttr(b.getArrayAttr({b.getI64IntegerAttr(group.count), inner[0]}));
    SmallVector<Attribute> outer{b.getI64IntegerAttr(group.count)};
    outer.append(inner);
    return b.getArrayAttr(b.getArrayAttr(outer));
  }

  void buildMain() {
    int64_t lightning = llvm::count(c.layers, Layer::lightning), softmax = int64_t(c.layers.size()) - lightning;
    // States of the kinds in order of their first layers.
    SmallVector<Type> states;
    auto add = [&](Layer kind) {
      if (kind == Layer::lightning && lightning)
        states.push_back(stateType({lightning, c.heads, c.headDim, c.headDim}));
      if (kind == Layer::softmax && softmax)
        states.append(2, cacheType({softmax, ShapedType::kDynamic, c.kvHeads, c.headDim}));
    };
    add(c.layers.front());
    add(c.layers.front() == Layer::lightning ? Layer::softmax : Layer::lightning);
    SmallVector<Type> arguments{tokens({}, b.getI32Type()), batchType()},
        results{getRowType(RowSpace::outputs, {c.vocabulary}, f32)};
    arguments.append(states);
    results.append(states);
    FuncOp function = open("main", arguments, results, /*isLayer=*/false);
    Value table = weight("model.embed_tokens.weight", {c.vocabulary, c.hidden});
    Value x = EmbeddingOp::create(b, loc("embedding"), function.getArgument(0), table);
    auto stack = StackOp::create(b, loc("stack"), x.getType(), TypeRange(states), x, batch,
                                 ValueRange(function.getArguments()).drop_front(2), pattern());
    Value rows = SelectRowsOp::create(b, loc("head.rows"), stack.getY(), batch);
    Value n = norm("head.norm", rows, "model.norm.weight", c.normEps);
    SmallVector<Value> out{linear("head.logits", n, "lm_head.weight", c.vocabulary)};
    llvm::append_range(out, stack.getNewStates());
    close(function, out);
  }
};

} // namespace

OwningOpRef<ModuleOp> mmc::import::buildModel(MLIRContext &context, const ModelConfig &config,
                                              const WeightTypes &types) {
  context.loadDialect<ModelDialect, arith::ArithDialect>();
  return ModelBuilder(context, config, types).build();
}
