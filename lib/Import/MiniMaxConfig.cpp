// The three configuration dialects of the family: minimax_text_01, minimax_m1 (one set of keys) and Hugging Face's
// native minimax. Old and new spellings of a key are accepted in every dialect; where both are present they must agree.
// Invariant: what a field asks for is either done or refused by name.
#include "lib/Import/ConfigReader.h"
#include "lib/Import/ModelConfig.h"

#include <filesystem>

using namespace mmc::import;

namespace {

constexpr double kMaxExperts = 1 << 18; // of all layers
constexpr int64_t kMaxLayers = 4096, kMaxWidth = int64_t(1) << 20, kMaxVocabulary = int64_t(1) << 24,
                  kMaxPosition = int64_t(1) << 40;

/// Which dialect the file is written in: 0 unknown, 1 original, 2 native.
int sniffDialect(ConfigReader &reader, std::string &modelType) {
  modelType = reader.string("model_type", "");
  std::string architecture;
  if (const JsonValue *list = reader.find("architectures"))
    if (list->kind == JsonValue::Kind::array && !list->items.empty()) architecture = list->items[0].string;
  auto matches = [&](std::initializer_list<const char *> types, std::initializer_list<const char *> classes) {
    for (const char *type : types)
      if (modelType == type) return true;
    if (!modelType.empty()) return false;
    for (const char *name : classes)
      if (architecture == name) return true;
    return false;
  };
  if (matches({"minimax_text_01", "MiniMaxText01", "minimax_m1", "MiniMaxM1"},
              {"MiniMaxText01ForCausalLM", "MiniMaxM1ForCausalLM"}))
    return 1;
  if (matches({"minimax"}, {"MiniMaxForCausalLM"})) return 2;
  if (!modelType.empty() || !architecture.empty()) return 0;
  return reader.has("attn_type_list") ? 1 : reader.has("layer_types") ? 2 : 0;
}

/// A field of which only certain values leave the model as we compute it.
struct Restriction {
  const char *field;
  std::initializer_list<const char *> allowed; // as JsonValue::text prints them; null and absence are always allowed
};

const Restriction kRestrictions[] = {
    {"hidden_act", {"\"silu\"", "\"swish\""}},
    {"tie_word_embeddings", {"false"}},
    {"attention_bias", {"false"}},
    {"qkv_bias", {"false"}},
    {"use_bias", {"false"}},
    {"mlp_bias", {"false"}},
    {"lm_head_bias", {"false"}},
    {"sliding_window", {}},
    {"quantization_config", {}},
    {"use_qk_norm", {"false"}},
    {"qk_norm", {"false"}},
    {"num_mtp_modules", {"0"}},
    {"n_shared_experts", {"0"}},
    {"num_shared_experts", {"0"}},
    {"norm_topk_prob", {"true"}},
    {"scoring_func", {"\"softmax\""}},
    {"use_routing_bias", {"false"}},
    {"routed_scaling_factor", {"1", "1.0"}},
    {"final_logit_softcapping", {}},
    {"attn_logit_softcapping", {}},
    {"logit_scale", {"1"}},
    {"embedding_multiplier", {"1"}},
};

void checkRestrictions(ConfigReader &reader) {
  for (const Restriction &restriction : kRestrictions) {
    const JsonValue *value = reader.find(restriction.field);
    if (!value) continue;
    bool allowed = false;
    std::string expected;
    for (const char *text : restriction.allowed) {
      allowed |= value->text() == text;
      expected += (expected.empty() ? "" : " or ") + std::string(text);
    }
    if (!allowed)
      reader.refuse(kConfigUnsupported, restriction.field,
                    "is " + value->text() + ", which is not supported" +
                        (expected.empty() ? "; expected it absent or null" : "; expected " + expected));
  }
  // The shared expert: an integer, or a list per layer or of one element.
  if (const JsonValue *shared = reader.find("shared_intermediate_size")) {
    bool zero = shared->kind == JsonValue::Kind::integer && shared->integer == 0;
    if (shared->kind == JsonValue::Kind::array) {
      zero = true;
      for (const JsonValue &item : shared->items) zero &= item.kind == JsonValue::Kind::integer && item.integer == 0;
    }
    if (!zero)
      reader.refuse(kConfigUnsupported, "shared_intermediate_size",
                    "is " + shared->text() + ": shared experts are not supported; expected 0");
  }
}

/// attn_type_list (0 lightning, 1 softmax) or layer_types, of exactly `count` entries.
void readLayerKinds(ConfigReader &reader, int64_t count, ModelConfig &config) {
  using Layer = ModelConfig::Layer;
  auto read = [&](const char *field, auto kindOf) {
    std::vector<Layer> out;
    const JsonValue *list = reader.find(field);
    if (!list) return out;
    if (list->kind != JsonValue::Kind::array || int64_t(list->items.size()) != count) {
      reader.refuse(kConfigValue, field,
                    (list->kind == JsonValue::Kind::array ? "has " + std::to_string(list->items.size()) + " entries"
                                                          : "is " + list->text()) +
                        ", expected one for each of the " + std::to_string(count) + " layers of num_hidden_layers");
      return out;
    }
    for (const JsonValue &item : list->items) {
      std::optional<Layer> kind = kindOf(item);
      if (!kind) {
        reader.refuse(kConfigValue, field, "has entry " + item.text());
        return out;
      }
      out.push_back(*kind);
    }
    return out;
  };
  std::vector<Layer> old = read("attn_type_list", [](const JsonValue &item) -> std::optional<Layer> {
    if (item.kind != JsonValue::Kind::integer || item.integer < 0 || item.integer > 1) return std::nullopt;
    return item.integer ? Layer::softmax : Layer::lightning;
  });
  std::vector<Layer> fresh = read("layer_types", [](const JsonValue &item) -> std::optional<Layer> {
    if (item.kind == JsonValue::Kind::string && item.string == "linear_attention") return Layer::lightning;
    if (item.kind == JsonValue::Kind::string && item.string == "full_attention") return Layer::softmax;
    return std::nullopt;
  });
  if (!reader.ok()) return;
  if (!old.empty() && !fresh.empty() && old != fresh)
    reader.refuse(kConfigValue, "layer_types", "contradicts field 'attn_type_list'");
  config.layers = !fresh.empty() ? fresh : old;
  if (!config.layers.empty()) return;
  if (!config.native) return reader.refuse(kConfigMissing, "attn_type_list", "is missing");
  for (int64_t l = 0; l < count; ++l) config.layers.push_back(l % 2 == 0 ? Layer::softmax : Layer::lightning);
}

/// One factor under its two spellings.
double readFactor(ConfigReader &reader, const std::string &kind, const char *which, const std::string &nativeName) {
  std::string old = "layernorm_" + kind + "_" + which, fresh = nativeName + "_" + which + "_factor";
  double a = reader.finite(old, 1.0), b = reader.finite(fresh, 1.0);
  if (reader.has(old) && reader.has(fresh) && a != b)
    reader.refuse(kConfigValue, fresh, "contradicts field '" + old + "'");
  return reader.has(fresh) ? b : a;
}

ResidualScale readScale(ConfigReader &reader, const std::string &kind, const std::string &nativeName) {
  return {readFactor(reader, kind, "alpha", nativeName), readFactor(reader, kind, "beta", nativeName)};
}

/// rope_parameters or rope_scaling: only the default type changes nothing.
void checkRopeType(ConfigReader &reader, const char *field, const JsonValue &object) {
  if (object.kind != JsonValue::Kind::object)
    return reader.refuse(kConfigValue, field, "is " + object.text() + ", expected an object");
  for (const char *key : {"rope_type", "type"})
    if (const JsonValue *type = object.find(key);
        type && type->kind != JsonValue::Kind::null && type->text() != "\"default\"")
      reader.refuse(kConfigUnsupported, std::string(field) + "." + key,
                    "is " + type->text() + ", which is not supported; expected \"default\"");
}

/// Base frequency and rotated channels. A native file keeps rope_theta in rope_parameters, where a stale top-level copy
/// does not count.
void readRope(ConfigReader &reader, const std::string &origin, ModelConfig &config) {
  std::optional<double> partial;
  if (const JsonValue *scaling = reader.find("rope_scaling")) checkRopeType(reader, "rope_scaling", *scaling);
  const JsonValue *parameters = reader.find("rope_parameters");
  if (parameters) {
    checkRopeType(reader, "rope_parameters", *parameters);
    ConfigReader nested(*parameters, origin + ": rope_parameters");
    config.ropeTheta = nested.has("rope_theta") ? nested.positive("rope_theta")
                       : config.native          ? 1e6
                                                : reader.positive("rope_theta");
    if (nested.has("partial_rotary_factor")) partial = nested.positive("partial_rotary_factor");
    if (!nested.ok()) reader.refuse(kConfigValue, "rope_parameters", "is not valid: " + nested.status().message());
  } else {
    config.ropeTheta = config.native ? reader.positive("rope_theta", 1e6) : reader.positive("rope_theta");
  }
  if (reader.has("partial_rotary_factor")) partial = reader.positive("partial_rotary_factor");
  if (!reader.has("rotary_dim") && !partial && !config.native)
    return reader.refuse(kConfigMissing, "rotary_dim", "is missing");
  if (partial && *partial > 1) return reader.refuse(kConfigValue, "partial_rotary_factor", "is above 1");
  int64_t fromFactor = partial ? int64_t(*partial * double(config.headDim) + 0.5) : config.headDim;
  config.rotaryDim = reader.integer("rotary_dim", 2, config.headDim, fromFactor);
  if (partial && reader.has("rotary_dim") && config.rotaryDim != fromFactor)
    reader.refuse(kConfigValue, "rotary_dim", "contradicts field 'partial_rotary_factor'");
  if (config.rotaryDim < 2 || config.rotaryDim > config.headDim || config.rotaryDim % 2)
    reader.refuse(kConfigValue, "rotary_dim",
                  "is " + std::to_string(config.rotaryDim) + ", expected an even number between 2 and head_dim " +
                      std::to_string(config.headDim));
}

/// eos_token_id: an id, a list of ids, or null.
void readStopTokens(ConfigReader &reader, ModelConfig &config, std::vector<int64_t> fallback) {
  const JsonValue *value = reader.find("eos_token_id");
  config.stopTokens = value ? std::vector<int64_t>{} : std::move(fallback);
  auto take = [&](const JsonValue &id) {
    if (id.kind != JsonValue::Kind::integer || id.integer < 0 || id.integer >= config.vocabulary)
      return reader.refuse(kConfigValue, "eos_token_id",
                           "has id " + id.text() + ", expected one between 0 and " +
                               std::to_string(config.vocabulary - 1));
    config.stopTokens.push_back(id.integer);
  };
  if (!value) return;
  if (value->kind != JsonValue::Kind::array) return take(*value);
  for (const JsonValue &id : value->items) take(id);
}

/// What the checkpoint's tensors are stored in where no headers say it; the router's are float32 in any case.
void readElementType(ConfigReader &reader, ModelConfig &config) {
  const char *field = reader.has("dtype") ? "dtype" : "torch_dtype";
  std::string name = reader.string(field, "bfloat16");
  if (name == "bfloat16")
    config.elementType = WeightType::bf16;
  else if (name == "float32")
    config.elementType = WeightType::f32;
  else if (name == "float16")
    config.elementType = WeightType::f16;
  else
    reader.refuse(kConfigUnsupported, field, "is \"" + name + "\", expected \"bfloat16\", \"float16\" or \"float32\"");
}

/// num_local_experts (or num_experts): an integer, or a list per layer whose entries are equal.
int64_t readExperts(ConfigReader &reader, const ModelConfig &config) {
  const char *field =
      !reader.has("num_local_experts") && reader.has("num_experts") ? "num_experts" : "num_local_experts";
  const JsonValue *value = reader.find(field);
  if (value && value->kind == JsonValue::Kind::array) {
    bool good = !value->items.empty();
    for (const JsonValue &item : value->items)
      good &= item.kind == JsonValue::Kind::integer && item.integer == value->items[0].integer && item.integer >= 1 &&
              item.integer <= 65536;
    if (!good)
      reader.refuse(kConfigUnsupported, field,
                    "is " + value->text() + ": layers of different expert counts are not supported");
    return good ? value->items[0].integer : 1;
  }
  return config.native ? reader.integer(field, 1, 65536, 8) : reader.integer(field, 1, 65536);
}

void readSizes(ConfigReader &reader, ModelConfig &c) {
  auto size = [&](const char *field, int64_t high, int64_t nativeDefault) {
    return c.native ? reader.integer(field, 1, high, nativeDefault) : reader.integer(field, 1, high);
  };
  c.vocabulary = size("vocab_size", kMaxVocabulary, 32000);
  c.hidden = size("hidden_size", kMaxWidth, 4096);
  c.intermediate = size("intermediate_size", kMaxWidth, 14336);
  c.heads = size("num_attention_heads", 65536, 32);
  c.kvHeads = size("num_key_value_heads", 65536, 8);
  c.experts = readExperts(reader, c);
  c.topK = size("num_experts_per_tok", 65536, 2);
  c.maxPosition = size("max_position_embeddings", kMaxPosition, 131072);
  if (c.native && !reader.has("head_dim") && c.hidden % c.heads)
    reader.refuse(kConfigMissing, "head_dim",
                  "is missing, and hidden_size " + std::to_string(c.hidden) +
                      " is not a multiple of num_attention_heads " + std::to_string(c.heads));
  c.headDim = c.native ? reader.integer("head_dim", 2, 8192, c.hidden / c.heads) : reader.integer("head_dim", 2, 8192);
  if (!reader.ok()) return;
  if (c.heads % c.kvHeads)
    reader.refuse(kConfigValue, "num_key_value_heads",
                  "is " + std::to_string(c.kvHeads) + ", expected a divisor of num_attention_heads " +
                      std::to_string(c.heads));
  if (c.topK > c.experts)
    reader.refuse(kConfigValue, "num_experts_per_tok",
                  "is " + std::to_string(c.topK) + ", expected at most num_local_experts " + std::to_string(c.experts));
  if (c.heads * c.headDim > kMaxWidth)
    reader.refuse(kConfigValue, "head_dim",
                  "is " + std::to_string(c.headDim) + ", expected num_attention_heads * head_dim to be at most " +
                      std::to_string(kMaxWidth));
}

} // namespace

Expected<ModelConfig> mmc::import::parseConfig(const JsonValue &document, const std::string &origin) {
  if (document.kind != JsonValue::Kind::object)
    return Status(kConfigSyntax, origin + ": expected an object, got " + document.text());
  ConfigReader reader(document, origin);
  ModelConfig config;
  int dialect = sniffDialect(reader, config.modelType);
  if (!reader.ok()) return reader.status();
  if (!dialect)
    return Status(kUnknownModel, origin + ": field 'model_type' is " +
                                     (reader.has("model_type") ? reader.find("model_type")->text() : "missing") +
                                     ", expected a model of the MiniMax-01 family");
  config.native = dialect == 2;
  checkRestrictions(reader);
  readSizes(reader, config);
  int64_t layers = config.native ? reader.integer("num_hidden_layers", 1, kMaxLayers, 32)
                                 : reader.integer("num_hidden_layers", 1, kMaxLayers);
  if (!reader.ok()) return reader.status();
  // No released model comes near: more is a mistake or an attack, and counts of parameters must not overflow.
  double weights = 3.0 * double(layers) * double(config.experts) * double(config.hidden) * double(config.intermediate);
  if (double(layers) * double(config.experts) > kMaxExperts || weights > 0x1p60)
    reader.refuse(kConfigValue, "num_local_experts",
                  "is " + std::to_string(config.experts) + ": " + std::to_string(layers) +
                      " layers of so many experts of this size are not a model");
  readLayerKinds(reader, layers, config);
  config.normEps = config.native ? reader.positive("rms_norm_eps", 1e-5) : reader.positive("rms_norm_eps");
  readRope(reader, origin, config);
  config.postnorm = reader.boolean("postnorm", config.native);
  if (config.native && !config.postnorm)
    reader.refuse(kConfigUnsupported, "postnorm", "is false, which the native class does not do");
  config.softmaxScale = readScale(reader, "full_attention", "full_attn");
  config.lightningScale = readScale(reader, "linear_attention", "linear_attn");
  config.mlpScale = readScale(reader, "mlp", "mlp");
  config.blockSize = reader.integer("block_size", 1, 65536, 256);
  readElementType(reader, config);
  readStopTokens(reader, config,
                 config.native && !document.find("eos_token_id") && config.vocabulary > 2 ? std::vector<int64_t>{2}
                                                                                          : std::vector<int64_t>{});
  if (!reader.ok()) return reader.status();
  return config;
}

Expected<ModelConfig> mmc::import::readConfig(const std::string &path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path file = fs::is_directory(path, error) ? fs::path(path) / "config.json" : fs::path(path);
  if (!fs::exists(file, error)) return Status(kConfigNotFound, file.string() + " does not exist");
  Expected<JsonValue> document = readJsonFile(file.string());
  if (!document.ok()) return document.status();
  Expected<ModelConfig> config = parseConfig(*document, file.string());
  if (!config.ok()) return config;
  // generation_config.json says which ids end a text, and wins over config.json.
  fs::path generation = file.parent_path() / "generation_config.json";
  if (!fs::exists(generation, error)) return config;
  Expected<JsonValue> settings = readJsonFile(generation.string());
  if (!settings.ok()) return settings.status();
  if (settings->kind != JsonValue::Kind::object)
    return Status(kConfigSyntax, generation.string() + ": expected an object, got " + settings->text());
  ConfigReader reader(*settings, generation.string());
  readStopTokens(reader, *config, config->stopTokens);
  if (!reader.ok()) return reader.status();
  return config;
}
