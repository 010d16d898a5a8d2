//===- GenerationConfig.cpp - what a model folder says about generation ----===//
//
// Ids are checked here once, so that neither a sampler nor a stop test ever meets an id that the model does not have.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/GenerationConfig.h"
#include "lib/Text/Json.h"

#include <algorithm>
#include <sys/stat.h>

namespace mmc::text {

namespace {

using nlohmann::json;

Error configError(const std::string &field, const std::string &expected, const std::string &found) {
  return makeError(ErrorCode::GenerationConfigInvalid, ErrorKind::Integrity,
                   field + ": expected " + expected + ", found " + found);
}

Result<int32_t> readId(const json &value, const std::string &field, std::optional<int64_t> vocabSize) {
  if (!value.is_number_unsigned())
    return configError(field, "an id (a non-negative integer)",
                       value.is_number_integer() ? value.dump() : describeJson(value));
  uint64_t id = value.get<uint64_t>();
  uint64_t limit = vocabSize ? static_cast<uint64_t>(std::max<int64_t>(*vocabSize, 0)) : uint64_t(INT32_MAX);
  if (id >= limit) return configError(field, "an id below " + std::to_string(limit), std::to_string(id));
  return static_cast<int32_t>(id);
}

template <typename T, typename Test>
Status readOptional(const json &document, const std::string &name, const char *field, const char *expected, Test test,
                    std::optional<T> &out) {
  auto found = document.find(field);
  if (found == document.end() || found->is_null()) return {};
  if (!test(*found)) return configError(name + ": " + field, expected, describeJson(*found));
  out = found->template get<T>();
  return {};
}

Result<json> parseObject(std::string_view text, std::string_view name) {
  JsonLimits limits;
  limits.values = size_t(1) << 20;
  Result<json> document = parseJson(text, name, {}, limits);
  if (document && !document->is_object()) return configError(std::string(name), "an object", describeJson(*document));
  return document;
}

bool exists(const std::string &path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

/// The id of tokenizer_config.json's `eos_token`, a string or an object with `content`.
Result<std::optional<int32_t>> readEndToken(const std::string &folder, const Tokenizer &tokenizer) {
  std::string path = folder + "/tokenizer_config.json";
  if (!exists(path)) return std::optional<int32_t>();
  Result<std::string> text = readTextFile(path);
  if (!text) return text.error();
  Result<json> document = parseObject(*text, "tokenizer_config.json");
  if (!document) return document.error();
  json token = document->value("eos_token", json());
  if (token.is_object()) token = json(token.value("content", json()));
  if (token.is_null()) return std::optional<int32_t>();
  if (!token.is_string()) return configError("tokenizer_config.json: eos_token", "a string", describeJson(token));
  std::optional<int32_t> id = tokenizer.findToken(token.get<std::string>());
  if (!id)
    return configError("tokenizer_config.json: eos_token", "a token of tokenizer.json",
                       "'" + quoteForMessage(token.get<std::string>()) + "'");
  return id;
}

} // namespace

Result<GenerationConfig> parseGenerationConfig(std::string_view text, std::string_view name,
                                               std::optional<int64_t> vocabSize) {
  try {
    Result<json> document = parseObject(text, name);
    if (!document) return document.error();
    std::string file(name);
    GenerationConfig config;
    json bos = document->value("bos_token_id", json());
    if (!bos.is_null()) {
      Result<int32_t> id = readId(bos, file + ": bos_token_id", vocabSize);
      if (!id) return id.error();
      config.bosTokenId = *id;
    }
    json eos = document->value("eos_token_id", json());
    json list = eos.is_array() ? std::move(eos) : eos.is_null() ? json::array() : json::array({eos});
    for (const json &entry : list) {
      Result<int32_t> id = readId(entry, file + ": eos_token_id", vocabSize);
      if (!id) return id.error();
      config.eosTokenIds.push_back(*id);
    }
    std::sort(config.eosTokenIds.begin(), config.eosTokenIds.end());
    config.eosTokenIds.erase(std::unique(config.eosTokenIds.begin(), config.eosTokenIds.end()),
                             config.eosTokenIds.end());
    auto number = [](const json &value) { return value.is_number(); };
    Status status = readOptional(
        *document, file, "do_sample", "true or false", [](const json &v) { return v.is_boolean(); }, config.doSample);
    if (status) status = readOptional(*document, file, "temperature", "a number", number, config.temperature);
    if (status) status = readOptional(*document, file, "top_p", "a number", number, config.topP);
    if (status)
      status = readOptional(
          *document, file, "top_k", "an integer", [](const json &v) { return v.is_number_integer(); }, config.topK);
    if (!status) return status.error();
    return config;
  } catch (const std::exception &) {
    return makeError(ErrorCode::OutOfMemory, ErrorKind::Capacity, std::string(name) + ": out of memory while parsing");
  }
}

Result<GenerationConfig> loadGenerationConfig(const std::string &folder, const Tokenizer *tokenizer,
                                              std::optional<int64_t> vocabSize) {
  try {
    GenerationConfig config;
    for (const char *name : {"generation_config.json", "config.json"}) {
      std::string path = folder + "/" + name;
      if (!exists(path)) continue;
      Result<std::string> text = readTextFile(path);
      if (!text) return text.error();
      Result<GenerationConfig> found = parseGenerationConfig(*text, name, vocabSize);
      if (!found) return found.error();
      // Sampling defaults belong to generation_config.json; ids may come from either.
      if (std::string_view(name) == "generation_config.json") config = *found;
      if (!config.bosTokenId) config.bosTokenId = found->bosTokenId;
      if (config.eosTokenIds.empty()) config.eosTokenIds = found->eosTokenIds;
    }
    if (config.eosTokenIds.empty() && tokenizer) {
      Result<std::optional<int32_t>> id = readEndToken(folder, *tokenizer);
      if (!id) return id.error();
      if (*id) config.eosTokenIds.push_back(**id);
    }
    return config;
  } catch (const std::exception &) {
    return makeError(ErrorCode::OutOfMemory, ErrorKind::Capacity, "out of memory while reading '" + folder + "'");
  }
}

} // namespace mmc::text
