//===- DemoTest.cpp - the example model's tokenizer ------------------------===//
//
// The ids of the example's golden prompts were made by HF tokenizers and lie in golden.safetensors; the texts of its
// continuations in golden.json.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Detokenizer.h"
#include "lib/Text/GenerationConfig.h"
#include "test/Text/TestSupport.h"

#include <cstring>

namespace mmc::text {
namespace {

const std::string kDemo = std::string(MMC_SOURCE_DIR) + "/examples/demo";

/// An int32 tensor of a safetensors file: 8 bytes of header length, a JSON header, the data.
std::vector<int32_t> readInts(const std::string &file, const std::string &name) {
  uint64_t header = 0;
  std::memcpy(&header, file.data(), 8);
  nlohmann::json entry = nlohmann::json::parse(file.substr(8, header)).at(name);
  EXPECT_EQ(entry["dtype"], "I32");
  size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
  std::vector<int32_t> values((end - begin) / 4);
  std::memcpy(values.data(), file.data() + 8 + header + begin, end - begin);
  return values;
}

TEST(Demo, PromptsAndContinuations) {
  Result<Tokenizer> tokenizer = Tokenizer::load(kDemo);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().describe();
  EXPECT_EQ(tokenizer->lastTokenId(), 999);
  const nlohmann::json golden = nlohmann::json::parse(readFile(kDemo + "/golden.json"));
  const std::string tensors = readFile(kDemo + "/golden.safetensors");
  ASSERT_FALSE(golden["cases"].empty());
  for (const auto &entry : golden["cases"]) {
    std::string name = "case" + std::to_string(entry["case"].get<int>()) + ".input_ids";
    EXPECT_EQ(*tokenizer->encode(entry["prompt"].get<std::string>()), readInts(tensors, name)) << entry["prompt"];
    Detokenizer stream(*tokenizer);
    std::string text;
    for (int32_t id : entry["greedy"]) text += *stream.push(id);
    EXPECT_EQ(text + stream.flush(), entry["text"].get<std::string>());
  }
  EXPECT_EQ(tokenizer->encode(readFile(kDemo + "/evaluation.txt"))->size(),
            golden["evaluation"]["tokens"].get<size_t>());
}

TEST(Demo, StopsAtItsEndOfSentence) {
  Result<Tokenizer> tokenizer = Tokenizer::load(kDemo);
  ASSERT_TRUE(tokenizer.ok());
  Result<GenerationConfig> config = loadGenerationConfig(kDemo, &*tokenizer, 1024);
  ASSERT_TRUE(config.ok()) << config.error().describe();
  EXPECT_THAT(config->eosTokenIds, testing::ElementsAre(*tokenizer->findToken("<end_of_sentence>")));
}

} // namespace
} // namespace mmc::text
