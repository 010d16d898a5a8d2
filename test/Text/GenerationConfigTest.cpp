//===- GenerationConfigTest.cpp - when to stop, how to sample --------------===//
//
// The forms that model folders use, and catalogue C5: a list of ends, none, ids past the vocabulary.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/GenerationConfig.h"
#include "test/Text/TestSupport.h"

#include <filesystem>
#include <fstream>

namespace mmc::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string refusal(const std::string &json, std::optional<int64_t> vocabSize = 100) {
  Result<GenerationConfig> config = parseGenerationConfig(json, "generation_config.json", vocabSize);
  return config ? "accepted" : config.error().describe();
}

TEST(GenerationConfig, EndOfSequenceInEveryForm) {
  auto ends = [](const char *json) { return parseGenerationConfig(json, "config.json", 100)->eosTokenIds; };
  EXPECT_THAT(ends(R"({"eos_token_id": 2})"), ElementsAre(2));
  EXPECT_THAT(ends(R"({"eos_token_id": [7, 2, 7]})"), ElementsAre(2, 7));
  EXPECT_THAT(ends(R"({"eos_token_id": []})"), IsEmpty());
  EXPECT_THAT(ends(R"({"eos_token_id": null})"), IsEmpty());
  EXPECT_THAT(ends(R"({})"), IsEmpty());
  EXPECT_THAT(ends(R"({"eos_token_id": 99})"), ElementsAre(99));
}

TEST(GenerationConfig, SamplingDefaults) {
  Result<GenerationConfig> config = parseGenerationConfig(
      R"({"bos_token_id": 1, "do_sample": true, "temperature": 0.7, "top_k": 40, "top_p": 0.95})");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->bosTokenId, 1);
  EXPECT_EQ(config->doSample, true);
  EXPECT_EQ(config->temperature, 0.7);
  EXPECT_EQ(config->topK, 40);
  EXPECT_EQ(config->topP, 0.95);
  EXPECT_FALSE(parseGenerationConfig("{}")->temperature.has_value());
}

TEST(GenerationConfig, RefusesBadIds) {
  EXPECT_THAT(refusal(R"({"eos_token_id": 100})"),
              HasSubstr("MMC-E0715: generation_config.json: eos_token_id: expected an id below 100, found 100"));
  EXPECT_THAT(refusal(R"({"eos_token_id": [2, 4294967298]})"), HasSubstr("found 4294967298"));
  EXPECT_THAT(refusal(R"({"eos_token_id": [2, 4294967298]})", std::nullopt), HasSubstr("found 4294967298"));
  EXPECT_THAT(refusal(R"({"eos_token_id": -1})"), HasSubstr("found -1"));
  EXPECT_THAT(refusal(R"({"eos_token_id": "2"})"), HasSubstr("found a string"));
  EXPECT_THAT(refusal(R"({"eos_token_id": 2.5})"), HasSubstr("found a fraction"));
  EXPECT_THAT(refusal(R"({"eos_token_id": true})"), HasSubstr("found a boolean"));
  EXPECT_THAT(refusal(R"({"eos_token_id": [[2]]})"), HasSubstr("found an array"));
  EXPECT_THAT(refusal(R"({"bos_token_id": 100})"), HasSubstr("bos_token_id"));
}

TEST(GenerationConfig, RefusesBadFiles) {
  EXPECT_THAT(refusal(""), HasSubstr("MMC-E0701"));
  EXPECT_THAT(refusal("[]"), HasSubstr("expected an object, found an array"));
  EXPECT_THAT(refusal(R"({"temperature": NaN})"), HasSubstr("MMC-E0701"));
  EXPECT_THAT(refusal(R"({"temperature": 1e400})"), HasSubstr("number out of range"));
  EXPECT_THAT(refusal(R"({"temperature": "hot"})"), HasSubstr("temperature: expected a number, found a string"));
  EXPECT_THAT(refusal(R"({"top_k": 1.5})"), HasSubstr("top_k: expected an integer, found a fraction"));
  EXPECT_THAT(refusal(R"({"eos_token_id": 1, "eos_token_id": 2})"),
              HasSubstr("MMC-E0702: generation_config.json: key 'eos_token_id' occurs twice"));
  EXPECT_THAT(refusal(R"({"do_sample": 1})"), HasSubstr("do_sample: expected true or false"));
}

class Folder : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("mmc-text-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  void write(const char *name, const std::string &content) { std::ofstream(folder / name) << content; }
  std::vector<int32_t> ends(const Tokenizer *tokenizer) {
    Result<GenerationConfig> config = loadGenerationConfig(folder.string(), tokenizer, 300);
    EXPECT_TRUE(config.ok()) << (config ? "" : config.error().describe());
    return config ? config->eosTokenIds : std::vector<int32_t>{-1};
  }
  std::filesystem::path folder;
};

TEST_F(Folder, TheFirstFileThatNamesAnEndDecides) {
  nlohmann::json file = makeTokenizerJson();
  file["added_tokens"] = nlohmann::json::array({makeAddedToken("<end>", 256, true)});
  Tokenizer tokenizer = parseTokenizer(file);
  EXPECT_THAT(ends(&tokenizer), IsEmpty());
  // A template is a program: it is not even looked at.
  write("tokenizer_config.json",
        R"({"eos_token": "<end>", "chat_template": "{{ ''.__class__ }}{% for x in range(10**12) %}"})");
  EXPECT_THAT(ends(nullptr), IsEmpty());
  EXPECT_THAT(ends(&tokenizer), ElementsAre(256));
  write("config.json", R"({"eos_token_id": null, "auto_map": {"AutoModel": "evil.py"}})");
  EXPECT_THAT(ends(&tokenizer), ElementsAre(256));
  write("config.json", R"({"eos_token_id": 5, "temperature": 9})");
  EXPECT_THAT(ends(&tokenizer), ElementsAre(5));
  write("generation_config.json", R"({"eos_token_id": [6, 7]})");
  EXPECT_THAT(ends(&tokenizer), ElementsAre(6, 7));
  EXPECT_FALSE(loadGenerationConfig(folder.string())->temperature.has_value());
}

TEST_F(Folder, AnEndTokenThatDoesNotExistIsAnError) {
  Tokenizer tokenizer = parseTokenizer(makeTokenizerJson());
  write("tokenizer_config.json", R"({"eos_token": {"content": "<gone>"}})");
  Result<GenerationConfig> config = loadGenerationConfig(folder.string(), &tokenizer);
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(config.error().message, HasSubstr("eos_token: expected a token of tokenizer.json, found '<gone>'"));
}

} // namespace
} // namespace mmc::text
