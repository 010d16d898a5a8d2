// The three configuration dialects of the family: minimax_text_01, minimax_m1 (one set of keys) and Hugging Face's
// native minimax. Old and new spellings of a key are accepted in every dialect; where both are present they must agree.
// Invariant: what a field asks for is either done or refused by name.
#include "lib/Import/MiniMaxConfig.h"
#include "lib/Import/ConfigKeys.h"

#include <algorithm>
#include <filesystem>

using namespace mmc::import;

namespace {

constexpr double kMaxExperts = 1 << 18; // of all layers
constexpr int64_t kMaxLayers = 4096, kMaxWidth = int64_t(1) << 20, kMaxVocabulary = int64_t(1) << 24,
                  kMaxPosition = int64_t(1) << 40;
constexpr size_t kMaxFields = 4096;

/// The classes that `architectures` may name. Another one of the family computes something else from the same layers,
/// such as a class of the whole text.
const char *const kOriginalClasses[] = {"MiniMaxText01ForCausalLM", "MiniMaxM1ForCausalLM"};
const char *const kNativeClasses[] = {"MiniMaxForCausalLM"};

template <size_t n> bool oneOf(const std::string &text, const char *const (&list)[n]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

/// Which dialect the file is written in: 0 unknown, 1 original, 2 native.
int sniffDialect(ConfigReader &reader, std::string &modelType) {
  modelType = reader.string("model_type", "");
  std::string architecture;
  if (const JsonValue *list = reader.find("architectures"))
    if (list->kind == JsonValue::Kind::array && !list->items.empty()) architecture = list->items[0].string;
  const char *const originalTypes[] = {"minimax_text_01", "MiniMaxText01", "minimax_m1", "MiniMaxM1"};
  if (!modelType.empty()) return oneOf(modelType, originalTypes) ? 1 : modelType == "minimax" ? 2 : 0;
  if (!architecture.empty())
    return oneOf(architecture, kOriginalClasses) ? 1 : oneOf(architecture, kNativeClasses) ? 2 : 0;
  return reader.has("attn_type_list") ? 1 : reader.has("layer_types") ? 2 : 0;
}

void checkArchitectures(ConfigReader &reader) {
  const JsonValue *list = reader.find("architectures");
  if (!list) return;
  if (list->kind != JsonValue::Kind::array)
    return reader.refuse(kConfigValue, "architectures", "is " + list->text() + ", expected a list of class names");
  for (const JsonValue &item : list->items)
    if (item.kind != JsonValue::Kind::string ||
        (!oneOf(item.string, kOriginalClasses) && !oneOf(item.string, kNativeClasses)))
      reader.refuse(kConfigUnsupported, "architectures",
                    "has " + item.text() +
                        ", which is not supported; expected \"MiniMaxText01ForCausalLM\", "
                        "\"MiniMaxM1ForCausalLM\" or \"MiniMaxForCausalLM\"");
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
  std::vector<Spelling<double>> spellings;
  for (const std::string &field : {"layernorm_" + kind + "_" + which, nativeName + "_" + which + "_factor"})
    if (reader.has(field)) spellings.push_back({field, reader.finite(field, 1.0)});
  return agreed(reader, spellings, 1.0);
}

ResidualScale readScale(ConfigReader &reader, const std::string &kind, const std::string &nativeName) {
  return {readFactor(reader, kind, "alpha", nativeName), readFactor(reader, kind, "beta", nativeName)};
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
  std::vector<Spelling<WeightType>> spellings;
  for (const char *field : {"dtype", "torch_dtype"}) {
    if (!reader.has(field)) continue;
    const std::string name = reader.string(field, "");
    if (name == "bfloat16")
      spellings.push_back({field, WeightType::bf16});
    else if (name == "float32")
      spellings.push_back({field, WeightType::f32});
    else if (name == "float16")
      spellings.push_back({field, WeightType::f16});
    else
      reader.refuse(kConfigUnsupported, field,
                    "is \"" + name + "\", expected \"bfloat16\", \"float16\" or \"float32\"");
  }
  config.elementType = agreed(reader, spellings, WeightType::bf16);
}

/// Experts per layer: an integer, or a list per layer whose entries are equal.
int64_t readExpertCount(ConfigReader &reader, const char *field) {
  constexpr int64_t kMost = 65536;
  const JsonValue *value = reader.find(field);
  if (value->kind != JsonValue::Kind::array) return reader.integer(field, 1, kMost);
  bool good = !value->items.empty();
  for (const JsonValue &item : value->items)
    good &= item.kind == JsonValue::Kind::integer && item.integer == value->items[0].integer && item.integer >= 1 &&
            item.integer <= kMost;
  if (!good)
    reader.refuse(kConfigUnsupported, field,
                  "is " + value->text() + ": layers of different expert counts are not supported");
  return good ? value->items[0].integer : 1;
}

/// num_local_experts, or num_experts, which is another name of it.
int64_t readExperts(ConfigReader &reader, const ModelConfig &config) {
  std::vector<Spelling<int64_t>> spellings;
  for (const char *field : {"num_local_experts", "num_experts"})
    if (reader.has(field)) spellings.push_back({field, readExpertCount(reader, field)});
  if (spellings.empty() && !config.native) reader.refuse(kConfigMissing, "num_local_experts", "is missing");
  return agreed(reader, spellings, int64_t(8));
}

/// The block that lightning attention is computed in. Any block gives the same function: it is only what the decay
/// buffers of a native export are for.
int64_t readBlockSize(ConfigReader &reader) {
  std::vector<Spelling<int64_t>> spellings;
  for (const char *field : {"block_size", "block"})
    if (reader.has(field)) spellings.push_back({field, reader.integer(field, 1, 65536)});
  return agreed(reader, spellings, int64_t(256));
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
  if (document.names.size() > kMaxFields) // published files have about 40
    return Status(kConfigValue, origin + ": expected at most " + std::to_string(kMaxFields) + " fields, got " +
                                    std::to_string(document.names.size()));
  ConfigReader reader(document, origin);
  ModelConfig config;
  int dialect = sniffDialect(reader, config.modelType);
  if (!reader.ok()) return reader.status();
  if (!dialect)
    return Status(kUnknownModel, origin + ": field 'model_type' is " +
                                     (reader.has("model_type") ? reader.find("model_type")->text() : "missing") +
                                     ", expected a model of the MiniMax-01 family");
  config.native = dialect == 2;
  checkArchitectures(reader);
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
  readRope(reader, config);
  config.postnorm = reader.boolean("postnorm", config.native);
  if (config.native && !config.postnorm)
    reader.refuse(kConfigUnsupported, "postnorm", "is false, which the native class does not do");
  config.softmaxScale = readScale(reader, "full_attention", "full_attn");
  config.lightningScale = readScale(reader, "linear_attention", "linear_attn");
  config.mlpScale = readScale(reader, "mlp", "mlp");
  config.blockSize = readBlockSize(reader);
  readElementType(reader, config);
  readStopTokens(reader, config,
                 config.native && !document.find("eos_token_id") && config.vocabulary > 2 ? std::vector<int64_t>{2}
                                                                                          : std::vector<int64_t>{});
  refuseUnknownKeys(reader);
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
