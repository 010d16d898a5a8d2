//===- GoldenTest.cpp - id for id what HF tokenizers gives -----------------===//
//
// The golden files were written by HF tokenizers: 104 texts per layout, encoded with special tokens parsed and none
// added.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Detokenizer.h"
#include "test/Text/TestSupport.h"

namespace mmc::text {
namespace {

class Golden : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    Result<Tokenizer> loaded = Tokenizer::load(tokenizerInputs() + GetParam());
    ASSERT_TRUE(loaded.ok()) << loaded.error().describe();
    tokenizer.emplace(std::move(*loaded));
    golden = nlohmann::json::parse(readFile(tokenizerInputs() + GetParam() + "/golden.json"));
    ASSERT_EQ(golden.size(), 104u);
  }
  std::optional<Tokenizer> tokenizer;
  nlohmann::json golden;
};

TEST_P(Golden, EncodesExactly) {
  for (const auto &entry : golden) {
    std::string text = entry["text"];
    Result<std::vector<int32_t>> ids = tokenizer->encode(text, {.parseSpecial = true});
    ASSERT_TRUE(ids.ok()) << ids.error().describe();
    EXPECT_EQ(*ids, entry["ids"].get<std::vector<int32_t>>()) << text;
  }
}

TEST_P(Golden, DecodesExactly) {
  for (const auto &entry : golden) {
    Result<std::string> text = tokenizer->decode(entry["ids"].get<std::vector<int32_t>>());
    ASSERT_TRUE(text.ok()) << text.error().describe();
    EXPECT_EQ(*text, entry["decoded"].get<std::string>());
  }
}

TEST_P(Golden, StreamsTheSameText) {
  Detokenizer stream(*tokenizer);
  for (const auto &entry : golden) {
    std::string text;
    for (int32_t id : entry["ids"]) {
      Result<std::string> part = stream.push(id);
      ASSERT_TRUE(part.ok());
      text += *part;
    }
    text += stream.flush();
    EXPECT_EQ(text, entry["decoded"].get<std::string>());
  }
}

TEST_P(Golden, MergesSpelledAsStringsGiveTheSameIds) {
  nlohmann::json file = nlohmann::json::parse(readFile(tokenizerInputs() + GetParam() + "/tokenizer.json"));
  nlohmann::json merges = nlohmann::json::array({"#version: 0.2"});
  for (const auto &pair : file["model"]["merges"])
    merges.push_back(pair[0].get<std::string>() + " " + pair[1].get<std::string>());
  file["model"]["merges"] = merges;
  Tokenizer other = parseTokenizer(file);
  for (const auto &entry : golden) {
    Result<std::vector<int32_t>> ids = other.encode(entry["text"].get<std::string>(), {.parseSpecial = true});
    ASSERT_TRUE(ids.ok());
    EXPECT_EQ(*ids, entry["ids"].get<std::vector<int32_t>>());
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, Golden, testing::Values("gpt2", "split", "digits"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace mmc::text
