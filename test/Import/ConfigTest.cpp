// Configurations: what is refused, with the field's name (catalogue C1), what is accepted and never executed (C2), and
// the spellings of the three dialects (C6).
#include "lib/Import/ModelConfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

using namespace mmc::import;
using testing::HasSubstr;

namespace {

std::string readText(const std::string &name) {
  std::ifstream file(std::string(MMC_SOURCE_DIR) + "/test/Inputs/" + name + "/config.json");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Expected<ModelConfig> parse(const std::string &text) {
  Expected<JsonValue> json = parseJsonText(text, "config.json");
  if (!json.ok()) return json.status();
  return parseConfig(*json, "config.json");
}

/// text01-tiny's or native-tiny's configuration with `field` replaced by `value`, or removed where that is empty, or
/// added.
std::string with(const std::string &name, const std::string &field, const std::string &value) {
  Expected<JsonValue> json = parseJsonText(readText(name), name);
  std::string out = "{", source = readText(name);
  bool found = false;
  for (size_t i = 0; i < json->names.size(); ++i) {
    std::string text;
    const std::string key = "\"" + json->names[i] + "\":";
    size_t begin = source.find(key) + key.size(), end = begin;
    for (int depth = 0; end < source.size(); ++end) {
      char c = source[end];
      if (c == '[' || c == '{') ++depth;
      if ((c == ']' || c == '}') && depth-- == 0) break;
      if (c == ',' && depth == 0) break;
    }
    text = source.substr(begin, end - begin);
    if (json->names[i] == field) {
      found = true;
      if (value.empty()) continue;
      text = value;
    }
    out += (out.size() > 1 ? "," : "") + key + text;
  }
  if (!found && !value.empty()) out += ",\"" + field + "\":" + value;
  return out + "}";
}

struct Refused {
  const char *field, *value, *message;
};

class Refusal : public testing::TestWithParam<Refused> {};

TEST_P(Refusal, NamesTheField) {
  auto config = parse(with("text01-tiny", GetParam().field, GetParam().value));
  ASSERT_FALSE(config.ok()) << "accepted";
  EXPECT_THAT(config.status().text(), HasSubstr(GetParam().message));
  EXPECT_THAT(config.status().text(), HasSubstr("MMC-E08"));
  EXPECT_FALSE(config.status().hint().empty());
}

INSTANTIATE_TEST_SUITE_P(
    C1, Refusal,
    testing::Values(
        Refused{"num_hidden_layers", "0", "field 'num_hidden_layers' is 0, expected an integer between 1 and 4096"},
        Refused{"num_hidden_layers", "1000000000", "field 'num_hidden_layers' is 1000000000"},
        Refused{"num_hidden_layers", "\"8\"", "field 'num_hidden_layers' is \"8\", expected an integer"},
        Refused{"num_hidden_layers", "8.5", "field 'num_hidden_layers' is 8.5"},
        Refused{"num_hidden_layers", "", "field 'num_hidden_layers' is missing"},
        Refused{"num_hidden_layers", "9",
                "field 'attn_type_list' has 8 entries, expected one for each of the 9 layers"},
        Refused{"attn_type_list", "[0, 0, 0, 0, 0, 0, 0, 2]", "field 'attn_type_list' has entry 2"},
        Refused{"attn_type_list", "[0]", "field 'attn_type_list' has 1 entries"},
        Refused{"attn_type_list", "", "field 'attn_type_list' is missing"},
        Refused{"layer_types",
                "[\"linear_attention\",\"linear_attention\",\"linear_attention\",\"linear_attention\",\"linear_"
                "attention\",\"linear_attention\","
                "\"linear_attention\",\"linear_attention\"]",
                "field 'layer_types' contradicts field 'attn_type_list'"},
        Refused{"num_local_experts", "0", "field 'num_local_experts' is 0"},
        Refused{"num_local_experts", "[4, 4, 8]", "layers of different expert counts are not supported"},
        Refused{"num_local_experts", "65536", "field 'num_local_experts' is 65536: 8 layers of so many experts"},
        Refused{"num_experts_per_tok", "5", "field 'num_experts_per_tok' is 5, expected at most num_local_experts 4"},
        Refused{"num_key_value_heads", "3",
                "field 'num_key_value_heads' is 3, expected a divisor of num_attention_heads 4"},
        Refused{"head_dim", "", "field 'head_dim' is missing"}, Refused{"head_dim", "true", "field 'head_dim' is true"},
        Refused{"head_dim", "12", "field 'rotary_dim' is 16"},
        Refused{"rotary_dim", "15", "field 'rotary_dim' is 15, expected an even number"},
        Refused{"rotary_dim", "", "field 'rotary_dim' is missing"},
        Refused{"rope_theta", "0", "field 'rope_theta' is 0, expected a finite number above zero"},
        Refused{"rope_theta", "\"inf\"", "field 'rope_theta' is \"inf\""},
        Refused{"rope_theta", "1e400", "the number 1e400 is too large"}, Refused{"rope_theta", "NaN", "not valid JSON"},
        Refused{"rope_theta", "Infinity", "not valid JSON"}, Refused{"rms_norm_eps", "-1e-5", "field 'rms_norm_eps'"},
        Refused{"vocab_size", "18446744073709551616", "field 'vocab_size'"},
        Refused{"postnorm", "1", "field 'postnorm' is 1, expected true or false"},
        Refused{"layernorm_mlp_alpha", "\"2\"", "field 'layernorm_mlp_alpha' is \"2\", expected a number"},
        Refused{"mlp_alpha_factor", "3", "field 'mlp_alpha_factor' contradicts field 'layernorm_mlp_alpha'"},
        Refused{"rope_theta", "1e-300", "field 'rope_theta' is 1e-300, expected a number that float32 can hold"},
        Refused{"rope_theta", "0.5", "field 'rope_theta' is 0.5, expected at least 1"},
        Refused{"rope_theta", "1e39", "field 'rope_theta' is 1e+39, expected a number that float32 can hold"},
        Refused{"rms_norm_eps", "1e-46", "field 'rms_norm_eps' is 1e-46, expected a number that float32 can hold"},
        Refused{"rms_norm_eps", "1e39", "field 'rms_norm_eps' is 1e+39"},
        Refused{"layernorm_mlp_alpha", "1e39",
                "field 'layernorm_mlp_alpha' is 1e+39, expected a number that float32 can hold"},
        Refused{"layernorm_mlp_beta", "-1e39", "field 'layernorm_mlp_beta' is -1e+39"},
        Refused{"layernorm_full_attention_alpha", "1e-46", "field 'layernorm_full_attention_alpha' is 1e-46"},
        Refused{"linear_attn_beta_factor", "1e39", "field 'linear_attn_beta_factor' is 1e+39"},
        Refused{"partial_rotary_factor", "1e39", "field 'partial_rotary_factor' is 1e+39"},
        Refused{"rope_parameters", "{\"rope_theta\": 1e-300}", "field 'rope_parameters.rope_theta' is 1e-300"},
        Refused{"eos_token_id", "320", "field 'eos_token_id' has id 320, expected one between 0 and 319"},
        Refused{"eos_token_id", "[1, \"2\"]", "field 'eos_token_id' has id \"2\""}));

INSTANTIATE_TEST_SUITE_P(
    Unsupported, Refusal,
    testing::Values(
        Refused{"shared_intermediate_size", "64",
                "field 'shared_intermediate_size' is 64: shared experts are not supported"},
        Refused{"shared_intermediate_size", "[0, 64]", "field 'shared_intermediate_size'"},
        Refused{"sliding_window", "4096", "field 'sliding_window' is 4096, which is not supported"},
        Refused{"hidden_act", "\"gelu\"", "field 'hidden_act' is \"gelu\", which is not supported; expected \"silu\""},
        Refused{"tie_word_embeddings", "true", "field 'tie_word_embeddings' is true"},
        Refused{"attention_bias", "true", "field 'attention_bias' is true"},
        Refused{"quantization_config", "{\"quant_method\": \"fp8\"}", "field 'quantization_config'"},
        Refused{"rope_scaling", "{\"type\": \"yarn\", \"factor\": 4}", "field 'rope_scaling.type' is \"yarn\""},
        Refused{"rope_parameters", "{\"rope_type\": \"linear\", \"rope_theta\": 1e4}",
                "field 'rope_parameters.rope_type' is \"linear\""},
        Refused{"rope_parameters",
                "{\"full_attention\": {\"rope_type\": \"yarn\", \"factor\": 4, \"rope_theta\": 1e4}}",
                "field 'rope_parameters.full_attention.rope_type' is \"yarn\", which is not supported"},
        Refused{"rope_parameters", "{\"linear_attention\": {\"rope_type\": \"linear\"}}",
                "field 'rope_parameters.linear_attention.rope_type' is \"linear\""},
        Refused{"rope_parameters", "{\"sliding_attention\": {\"rope_type\": \"default\"}}",
                "field 'rope_parameters.sliding_attention' is an object of 1 fields"},
        Refused{"rope_parameters", "{\"full_attention\": 7}",
                "field 'rope_parameters.full_attention' is 7, expected an object"},
        Refused{"rope_scaling", "{\"factor\": 4.0}",
                "field 'rope_scaling.factor' is 4: scaled positions are not supported; expected 1"},
        Refused{"rope_scaling", "{\"type\": \"default\", \"beta_fast\": 32}", "field 'rope_scaling.beta_fast' is 32"},
        Refused{"architectures", "[\"MiniMaxForSequenceClassification\"]",
                "field 'architectures' has \"MiniMaxForSequenceClassification\", which is not supported"},
        Refused{"architectures", "\"MiniMaxM1ForCausalLM\"",
                "field 'architectures' is \"MiniMaxM1ForCausalLM\", expected a list"},
        Refused{"partial_rotary_factor", "1e30", "field 'partial_rotary_factor' is above 1"},
        Refused{"torch_dtype", "\"float8_e4m3fn\"", "field 'torch_dtype' is \"float8_e4m3fn\""},
        Refused{"model_type", "\"minimax_m2\"",
                "field 'model_type' is \"minimax_m2\", expected a model of the MiniMax-01 family"}));

// Two spellings of one thing that disagree: both are named.
INSTANTIATE_TEST_SUITE_P(
    Spellings, Refusal,
    testing::Values(
        Refused{"num_experts", "8", "field 'num_experts' contradicts field 'num_local_experts'"},
        Refused{"dtype", "\"float32\"", "field 'torch_dtype' contradicts field 'dtype'"},
        Refused{"rope_parameters", "{\"rope_theta\": 5e6}",
                "field 'rope_theta' contradicts field 'rope_parameters.rope_theta'"},
        Refused{"rope_parameters", "{\"full_attention\": {\"rope_theta\": 5e6}}",
                "field 'rope_theta' contradicts field 'rope_parameters.full_attention.rope_theta'"},
        Refused{"rope_parameters", "{\"rope_theta\": 1e7, \"full_attention\": {\"rope_theta\": 5e6}}",
                "field 'rope_parameters.full_attention.rope_theta' contradicts field 'rope_parameters.rope_theta'"},
        Refused{"rope_scaling", "{\"rope_theta\": 5e6}",
                "field 'rope_theta' contradicts field 'rope_scaling.rope_theta'"},
        Refused{"rope_parameters", "{\"partial_rotary_factor\": 1}",
                "field 'rotary_dim' contradicts field 'rope_parameters.partial_rotary_factor'"},
        Refused{"linear_attn_alpha_factor", "3",
                "field 'linear_attn_alpha_factor' contradicts field 'layernorm_linear_attention_alpha'"}));

// What a file of a later model asks for is refused whether or not anybody has heard of it.
INSTANTIATE_TEST_SUITE_P(
    Unknown, Refusal,
    testing::Values(
        Refused{"clip_qkv", "8", "field 'clip_qkv' is 8"},
        Refused{"moe_layer_freq", "2", "field 'moe_layer_freq' is 2"},
        Refused{"first_k_dense_replace", "1", "field 'first_k_dense_replace' is 1"},
        Refused{"mlp_only_layers", "[0]", "field 'mlp_only_layers' is [0]"},
        Refused{"n_group", "4", "field 'n_group' is 4"}, Refused{"topk_group", "2", "field 'topk_group' is 2"},
        Refused{"attn_window_size", "128", "field 'attn_window_size' is 128"},
        Refused{"logits_scaling", "8.0", "field 'logits_scaling' is 8"},
        Refused{"attention_multiplier", "0.5", "field 'attention_multiplier' is 0.5"},
        Refused{"scale_emb", "12", "field 'scale_emb' is 12"},
        Refused{"rope_interleaved", "true", "field 'rope_interleaved' is true"},
        Refused{"use_attention_sinks", "true", "field 'use_attention_sinks' is true"},
        Refused{"topk_method", "\"noaux_tc\"", "field 'topk_method' is \"noaux_tc\""},
        Refused{"some_new_field", "{\"a\": [1, null]}",
                "field 'some_new_field' is an object of 1 fields, which is not a field known to this model family"},
        // Nobody knows what the absence of it would mean.
        Refused{"use_causal_mask", "false", "field 'use_causal_mask' is false"},
        Refused{"some_new_scale", "1.0", "field 'some_new_scale' is 1"},
        Refused{"Hidden_Size", "64", "field 'Hidden_Size' is 64"}));

TEST(Config, UnknownFieldsAreNamedTogetherWithWhatToDo) {
  std::string text = readText("text01-tiny");
  text.insert(text.find('{') + 1, "\"zeta\": 1, \"alpha\": [2], \"unset\": null, ");
  auto config = parse(text);
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(config.status().text(), HasSubstr("MMC-E0806"));
  EXPECT_THAT(config.status().text(),
              HasSubstr("field 'zeta' is 1, which is not a field known to this model family; nor are 'alpha'"));
  EXPECT_THAT(config.status().hint(), HasSubstr("remove the field if it has no effect on the model's answers"));
  EXPECT_THAT(parse(R"({"model_type": "minimax", "rope_parameters": {"a": 1, "b": 2}})").status().text(),
              HasSubstr("field 'rope_parameters.a' is 1"));
  for (int i = 0; i < 5000; ++i) text.insert(text.find('{') + 1, "\"k" + std::to_string(i) + "\": 1, ");
  EXPECT_THAT(parse(text).status().text(), HasSubstr("expected at most 4096 fields"));
}

TEST(Config, DuplicateKeysAreRefused) {
  std::string text = readText("text01-tiny");
  text.insert(text.find('{') + 1, "\"hidden_size\": 64, ");
  auto config = parse(text);
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(config.status().text(), HasSubstr("duplicate key 'hidden_size'"));
}

TEST(Config, HostileTextsAreRefusedQuickly) {
  auto begin = std::chrono::steady_clock::now();
  const std::string deep(100000, '['), closed = deep + std::string(100000, ']');
  for (const std::string &text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{} x"), std::string("\xff\xfe{}"), deep,
        closed, "{\"model_type\": " + closed + "}", std::string("{\"a\": \"\xc3\"}"), std::string("null")})
    EXPECT_FALSE(parse(text).ok()) << text.substr(0, 40);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

TEST(Config, RemoteCodeIsNeverTouched) {
  // C2: auto_map names Python files, which do not exist here and must not matter.
  auto config =
      parse(with("text01-tiny", "auto_map", R"({"AutoModelForCausalLM": "/bin/sh -c true", "AutoConfig": 7})"));
  ASSERT_TRUE(config.ok()) << config.status().text();
  EXPECT_EQ(config->layers.size(), 8u);
}

TEST(Config, HarmlessFieldsAreTolerated) {
  for (auto [field, value] : {std::pair{"sliding_window", "null"},
                              {"some_new_field", "null"},
                              {"shared_intermediate_size", "[0]"},
                              {"rope_scaling", "{\"type\": \"default\"}"},
                              {"rope_scaling", "{\"factor\": 1.0}"},
                              {"rope_parameters", "{}"},
                              {"rope_parameters", "{\"rope_theta\": 1e7, \"partial_rotary_factor\": 0.5}"},
                              {"rope_parameters", "{\"full_attention\": {\"rope_theta\": 10000000}}"},
                              {"num_local_experts", "[4, 4]"},
                              {"num_experts", "4"},
                              {"dtype", "\"bfloat16\""},
                              {"mlp_alpha_factor", "2"},
                              {"eos_token_id", "[3, 4]"},
                              {"attention_dropout", "0.1"},
                              {"_name_or_path", "\"a/b\""},
                              {"_attn_implementation", "\"flash_attention_2\""},
                              {"id2label", "{\"0\": \"LABEL_0\"}"},
                              {"repetition_penalty", "1.05"},
                              {"pad_token_id", "0"},
                              {"pruned_heads", "{}"},
                              {"n_group", "1"},
                              {"layernorm_mlp_beta", "0"},
                              {"block", "256"}}) {
    auto config = parse(with("text01-tiny", field, value));
    EXPECT_TRUE(config.ok()) << field << ": " << config.status().text();
  }
}

TEST(Config, ReleasedParameterCounts) {
  for (const char *name : {"text01-full", "m1-full"}) {
    auto config = parse(readText(name));
    ASSERT_TRUE(config.ok()) << config.status().text();
    EXPECT_EQ(config->parameters(), 456'089'655'296);
    EXPECT_EQ(config->activeParameters(), 45'944'920'064);
    size_t tensors = 0;
    int64_t elements = 0;
    forEachTensor(*config, [&](const ExpectedTensor &tensor) {
      int64_t product = 1;
      for (int64_t size : tensor.shape) product *= size;
      elements += product;
      ++tensors;
    });
    EXPECT_EQ(tensors, 8243u);
    EXPECT_EQ(elements, 456'089'655'296);
  }
}

/// What a native file says in place of text01-tiny's keys.
const char *const kNativeTiny =
    R"({"architectures": ["MiniMaxForCausalLM"], "model_type": "minimax", "vocab_size": 320, "hidden_size": 64,
  "num_hidden_layers": 8, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "intermediate_size": 96, "num_local_experts": 4,
  "num_experts_per_tok": 2, "rms_norm_eps": 1e-5, "max_position_embeddings": 10240000, "rotary_dim": 16, "eos_token_id": null,
  "layer_types": ["linear_attention", "linear_attention", "linear_attention", "linear_attention", "linear_attention", "linear_attention",
                  "linear_attention", "full_attention"],
  "full_attn_alpha_factor": 2.0, "linear_attn_alpha_factor": 2, "mlp_alpha_factor": 2.0, "dtype": "bfloat16", "rope_theta": 5,
  "rope_parameters": {"rope_type": "default", "rope_theta": 1e7}})";

TEST(Config, DialectsOfOneModelAreAlike) {
  auto original = parse(readText("text01-tiny")), m1 = parse(with("text01-tiny", "model_type", "\"minimax_m1\"")),
       native = parse(kNativeTiny);
  ASSERT_TRUE(original.ok() && m1.ok() && native.ok()) << native.status().text();
  EXPECT_TRUE(native->native && !original->native && !m1->native);
  for (const ModelConfig *other : {&*m1, &*native}) {
    EXPECT_EQ(other->layers, original->layers);
    EXPECT_EQ(other->ropeTheta, original->ropeTheta);
    EXPECT_EQ(other->rotaryDim, original->rotaryDim);
    EXPECT_EQ(other->postnorm, original->postnorm);
    EXPECT_EQ(other->softmaxScale, original->softmaxScale);
    EXPECT_EQ(other->lightningScale, original->lightningScale);
    EXPECT_EQ(other->mlpScale, original->mlpScale);
    EXPECT_EQ(other->maxPosition, original->maxPosition);
    EXPECT_EQ(other->stopTokens, original->stopTokens);
    EXPECT_EQ(other->parameters(), original->parameters());
  }
}

// The native class keeps the base in rope_parameters, for all layers or by kind, and takes the one at the top where
// there is none. A stale copy at the top and a rotary_dim, which it does not read, are not passed over in silence.
TEST(Config, NativeRope) {
  auto native = [](const std::string &fields) {
    auto config = parse(R"({"model_type": "minimax", "num_hidden_layers": 4, "head_dim": 64, )" + fields + "}");
    EXPECT_TRUE(config.ok()) << config.status().text();
    return config.ok() ? *config : ModelConfig();
  };
  EXPECT_EQ(native(R"("rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 5e5}})").ropeTheta,
            5e5);
  ModelConfig onTop = native(R"("rope_theta": 7e5, "rope_parameters": {"rope_type": "default"})");
  EXPECT_EQ(onTop.ropeTheta, 7e5);
  EXPECT_THAT(onTop.warnings, testing::IsEmpty());
  ModelConfig stale = native(R"("rope_theta": 1e7, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6})");
  EXPECT_EQ(stale.ropeTheta, 1e6);
  EXPECT_THAT(stale.warnings, testing::ElementsAre(testing::AllOf(HasSubstr("field 'rope_theta' is not used"),
                                                                  HasSubstr("'rope_parameters.rope_theta'"))));
  ModelConfig part = native(R"("rotary_dim": 8)");
  EXPECT_EQ(part.rotaryDim, 8);
  EXPECT_THAT(part.warnings, testing::ElementsAre(HasSubstr("field 'rotary_dim' 8 is honoured")));
  EXPECT_THAT(native(R"("rotary_dim": 64)").warnings, testing::IsEmpty());
  ModelConfig factor = native(R"("rotary_dim": 32, "rope_parameters": {"partial_rotary_factor": 0.5})");
  EXPECT_EQ(factor.rotaryDim, 32);
  EXPECT_THAT(factor.warnings, testing::IsEmpty());
}

TEST(Config, NativeDefaults) {
  auto config = parse(R"({"model_type": "minimax", "num_hidden_layers": 4})");
  ASSERT_TRUE(config.ok()) << config.status().text();
  using enum ModelConfig::Layer;
  EXPECT_EQ(config->layers, (std::vector{softmax, lightning, softmax, lightning}));
  EXPECT_EQ(config->vocabulary, 32000);
  EXPECT_EQ(config->headDim, 128);
  EXPECT_EQ(config->rotaryDim, 128) << "no native key: the whole head";
  EXPECT_EQ(config->ropeTheta, 1e6);
  EXPECT_EQ(config->softmaxScale, (ResidualScale{1, 1}));
  EXPECT_TRUE(config->postnorm);
  EXPECT_EQ(config->stopTokens, std::vector<int64_t>{2});
  auto prenorm = parse(R"({"model_type": "minimax", "num_hidden_layers": 4, "postnorm": false})");
  EXPECT_THAT(prenorm.status().text(), HasSubstr("field 'postnorm' is false"));
}

// One rank's shapes: what tensor parallelism splits is divided, KV heads are shared where there are fewer, and what
// does not divide is refused.
TEST(Config, RankSlice) {
  auto whole = parse(with("text01-full", "model_type", R"("minimax_text_01")"));
  ASSERT_TRUE(whole.ok()) << whole.status().text();
  ModelConfig slice = *whole;
  ASSERT_TRUE(sliceForRank(slice, 8).ok());
  EXPECT_EQ(slice.heads, 8);
  EXPECT_EQ(slice.kvHeads, 1);
  EXPECT_EQ(slice.headDim, 128);
  EXPECT_EQ(slice.hidden, 6144);
  EXPECT_EQ(slice.experts, 32);
  EXPECT_EQ(slice.intermediate, 1152);
  EXPECT_EQ(slice.vocabulary, 25008);
  ModelConfig ending = *whole;
  ending.stopTokens = {25007, 25008};
  ASSERT_TRUE(sliceForRank(ending, 8).ok());
  EXPECT_EQ(ending.stopTokens, std::vector<int64_t>{25007}) << "the other one is of another rank";
  ModelConfig sixteen = *whole;
  ASSERT_TRUE(sliceForRank(sixteen, 16).ok());
  EXPECT_EQ(sixteen.kvHeads, 1);
  ModelConfig odd = *whole;
  EXPECT_THAT(sliceForRank(odd, 3).text(),
              HasSubstr("--rank-shapes 3: the model has 64 attention heads, expected a multiple of 3"));
}

TEST(Config, KindIsFoundWithoutModelType) {
  auto config = parse(with("text01-tiny", "model_type", ""));
  ASSERT_TRUE(config.ok()) << config.status().text();
  EXPECT_FALSE(config->native);
  auto nothing = parse("{}");
  EXPECT_THAT(nothing.status().text(), HasSubstr("field 'model_type' is missing"));
}

TEST(Config, FilesThatAreNotThere) {
  EXPECT_THAT(readConfig("/nonexistent/folder").status().text(), HasSubstr("does not exist"));
}

} // namespace
