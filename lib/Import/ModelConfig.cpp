// The checkpoint's tensors and the parameter counts that follow from a configuration (specification 1.4, 3.1).
#include "lib/Import/ModelConfig.h"
#include "runtime/src/TensorNames.h"

using namespace mmc::import;

namespace {

/// A tensor pattern of one layer kind or of the whole model.
struct Pattern {
  const char *name;
  std::vector<int64_t> shape;
};

const std::string kLayer = "model.layers.{layer}.";

std::vector<Pattern> layerPatterns(const ModelConfig &c, ModelConfig::Layer kind) {
  const int64_t inner = c.heads * c.headDim, kv = c.kvHeads * c.headDim;
  std::vector<Pattern> out{{"input_layernorm.weight", {c.hidden}}};
  if (kind == ModelConfig::Layer::lightning) {
    out.insert(out.end(), {{"self_attn.qkv_proj.weight", {3 * inner, c.hidden}},
                           {"self_attn.norm.weight", {inner}},
                           {"self_attn.output_gate.weight", {inner, c.hidden}},
                           {"self_attn.out_proj.weight", {c.hidden, inner}}});
  } else {
    out.insert(out.end(), {{"self_attn.q_proj.weight", {inner, c.hidden}},
                           {"self_attn.k_proj.weight", {kv, c.hidden}},
                           {"self_attn.v_proj.weight", {kv, c.hidden}},
                           {"self_attn.o_proj.weight", {c.hidden, inner}}});
  }
  out.insert(out.end(), {{"post_attention_layernorm.weight", {c.hidden}},
                         {"block_sparse_moe.gate.weight", {c.experts, c.hidden}},
                         {"block_sparse_moe.experts.{expert}.w1.weight", {c.intermediate, c.hidden}},
                         {"block_sparse_moe.experts.{expert}.w3.weight", {c.intermediate, c.hidden}},
                         {"block_sparse_moe.experts.{expert}.w2.weight", {c.hidden, c.intermediate}}});
  return out;
}

int64_t elements(const std::vector<int64_t> &shape) {
  int64_t product = 1;
  for (int64_t size : shape) product *= size;
  return product;
}

/// Parameters of all layers with `experts` experts counted in each.
int64_t layerParameters(const ModelConfig &c, int64_t experts) {
  int64_t total = 0;
  for (ModelConfig::Layer kind : c.layers)
    for (const Pattern &pattern : layerPatterns(c, kind))
      total +=
          elements(pattern.shape) * (std::string(pattern.name).find("{expert}") != std::string::npos ? experts : 1);
  return total;
}

} // namespace

void mmc::import::forEachTensor(const ModelConfig &config, const std::function<void(const ExpectedTensor &)> &visit) {
  auto visitPlain = [&](const char *name, std::vector<int64_t> shape) { visit({name, name, std::move(shape)}); };
  visitPlain("model.embed_tokens.weight", {config.vocabulary, config.hidden});
  for (size_t layer = 0; layer < config.layers.size(); ++layer)
    for (const Pattern &pattern : layerPatterns(config, config.layers[layer])) {
      std::string whole = kLayer + pattern.name;
      bool perExpert = whole.find("{expert}") != std::string::npos;
      for (int64_t expert = 0; expert < (perExpert ? config.experts : 1); ++expert)
        visit({runtime::expandName(whole, layer, expert), whole, pattern.shape});
    }
  visitPlain("model.norm.weight", {config.hidden});
  visitPlain("lm_head.weight", {config.vocabulary, config.hidden});
}

int64_t ModelConfig::parameters() const { return layerParameters(*this, experts) + hidden + 2 * vocabulary * hidden; }

int64_t ModelConfig::activeParameters() const { return layerParameters(*this, topK) + hidden; }
