//===- GenerationConfig.h - what a model folder says about generation ------===//
//
// When to stop and how to sample, from generation_config.json, config.json and tokenizer_config.json. Only data is
// read: a chat_template or auto_map in these files is ignored.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_GENERATIONCONFIG_H
#define MMC_TEXT_GENERATIONCONFIG_H

#include "lib/Text/Tokenizer.h"

namespace mmc::text {

struct GenerationConfig {
  std::optional<int32_t> bosTokenId;
  std::vector<int32_t> eosTokenIds; ///< sorted, each once; empty: nothing ends a sequence
  std::optional<bool> doSample;
  std::optional<double> temperature, topP;
  std::optional<int64_t> topK;
};

/// Reads the content of a generation_config.json, or the same members of a config.json; `name` stands in errors.
/// `eos_token_id` may be an id, a list of ids, null or absent. With `vocabSize` an id outside 0 to vocabSize - 1 is an
/// Error.
Result<GenerationConfig> parseGenerationConfig(std::string_view json, std::string_view name = "generation_config.json",
                                               std::optional<int64_t> vocabSize = {});

/// Reads the files of a model folder; each may be absent. The first file that names an end of sequence decides:
/// generation_config.json, config.json, then the eos_token of tokenizer_config.json, for which `tokenizer` (may be
/// null) is needed.
Result<GenerationConfig> loadGenerationConfig(const std::string &folder, const Tokenizer *tokenizer = nullptr,
                                              std::optional<int64_t> vocabSize = {});

} // namespace mmc::text

#endif
