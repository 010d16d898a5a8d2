//===- BadInputTest.cpp - hostile and broken tokenizer files ---------------===//
//
// Catalogue C3: every file ends in a typed error that names the field, within a second and without memory to speak of.
//
//===----------------------------------------------------------------------===//
#include "test/Text/TestSupport.h"

namespace mmc::text {
namespace {

using nlohmann::json;

TEST(BadJson, IsRefused) {
  expectRefused("", ErrorCode::JsonSyntax, "tokenizer.json: not valid JSON");
  expectRefused("version https://git-lfs.github.com/spec/v1\n", ErrorCode::JsonSyntax, "at byte 1");
  expectRefused("{}x", ErrorCode::JsonSyntax, "not valid JSON");
  expectRefused("{\"model\": 1e400}", ErrorCode::JsonSyntax, "number out of range");
  expectRefused("{\"a\": \"\xFF\"}", ErrorCode::JsonSyntax, "not valid JSON");
  expectRefused("[]", ErrorCode::FieldInvalid, "tokenizer.json: expected an object");
  expectRefused("{}", ErrorCode::FieldInvalid, "model: expected an object, found nothing");
  expectRefused("{\"model\": {}}", ErrorCode::FieldInvalid, "model.vocab");
  expectRefused("{\"model\": {}, \"model\": {}}", ErrorCode::JsonStructure, "key 'model' occurs twice");
  expectRefused(std::string(100000, '['), ErrorCode::JsonStructure, "nested deeper than 64");
  std::string nested;
  for (int level = 0; level < 100000; ++level) nested += "{\"a\":";
  expectRefused(nested, ErrorCode::JsonStructure, "nested deeper than 64");
  expectRefused("{\"model\": {\"vocab\": " + std::string(100000, '['), ErrorCode::FieldInvalid, "model.vocab");
  std::string many = "{\"x\": [0";
  for (int index = 0; index < 100000; ++index) many += ",0";
  expectRefused(many + "]}", ErrorCode::JsonStructure, "more than 65536 values");
}

TEST(BadJson, EveryTruncationIsRefused) {
  const std::string file = makeTokenizerJson({"ab"}, {{"a", "b"}}).dump();
  for (size_t length = 0; length < file.size(); length += 7) {
    Result<Tokenizer> tokenizer = Tokenizer::parse(std::string_view(file).substr(0, length));
    ASSERT_FALSE(tokenizer.ok()) << length;
  }
}

class BadFile : public testing::Test {
protected:
  void refused(ErrorCode code, const std::string &message) {
    Stopwatch watch;
    expectRefused(file.dump(), code, message);
    EXPECT_LT(watch.seconds(), kOneSecond);
  }
  json file = makeTokenizerJson({"ab"}, {{"a", "b"}}); // 256 bytes, and id 256
};

TEST_F(BadFile, Vocabulary) {
  json &vocabulary = file["model"]["vocab"];
  json good = vocabulary;
  vocabulary["gap"] = 300;
  refused(ErrorCode::VocabularyInvalid, "'gap' has id 300, but the file has 258 tokens");
  vocabulary = good;
  vocabulary["twin"] = 7;
  refused(ErrorCode::VocabularyInvalid, "id 7 is given to");
  vocabulary = good;
  vocabulary[""] = 257;
  refused(ErrorCode::VocabularyInvalid, "the token of id 257 is empty");
  vocabulary = good;
  vocabulary["far"] = 4294967295u;
  refused(ErrorCode::VocabularyInvalid, "model.vocab['far']: id 4294967295 is past");
  vocabulary["far"] = -1;
  refused(ErrorCode::FieldInvalid,
          "model.vocab['far']: expected an id (a non-negative integer), found a negative integer");
  vocabulary["far"] = 1.5;
  refused(ErrorCode::FieldInvalid, "model.vocab['far']");
  vocabulary["far"] = "257";
  refused(ErrorCode::FieldInvalid, "model.vocab['far']");
  vocabulary["far"] = {{"id", 257}};
  refused(ErrorCode::FieldInvalid, "model.vocab['far']");
  vocabulary = json::array();
  refused(ErrorCode::FieldInvalid, "model.vocab: expected an object, found an array");
  vocabulary = json::object();
  file["model"]["merges"] = json::array();
  refused(ErrorCode::FieldInvalid, "model.vocab: expected at least one token");
}

TEST_F(BadFile, AGapIsFilledByAnAddedTokenOrRefused) {
  file["model"]["vocab"]["late"] = 258;
  file["added_tokens"] = json::array({makeAddedToken("<x>", 257, true)});
  EXPECT_TRUE(Tokenizer::parse(file.dump()).ok());
  file["added_tokens"] = json::array({makeAddedToken("<x>", 259, true)});
  refused(ErrorCode::AddedTokensInvalid, "added_tokens[0]: token '<x>' has id 259, but the file has 259 tokens");
  file["added_tokens"] = json::array({makeAddedToken("ab", 256, true)});
  refused(ErrorCode::VocabularyInvalid, "no token has id 257, but ids go up to 258");
}

TEST_F(BadFile, DuplicateTokens) {
  std::string text = file.dump();
  size_t position = text.find("\"ab\":256");
  text.insert(position, "\"ab\":255,");
  // 255 is taken as well, but the same spelling twice is one error either way.
  Result<Tokenizer> tokenizer = Tokenizer::parse(text);
  ASSERT_FALSE(tokenizer.ok());
  EXPECT_EQ(tokenizer.error().code, ErrorCode::VocabularyInvalid);
}

TEST_F(BadFile, Merges) {
  json &merges = file["model"]["merges"];
  merges.push_back({"a", "zz"});
  refused(ErrorCode::MergesInvalid, "model.merges[1]: 'a' + 'zz' needs token 'zz', which model.vocab lacks");
  merges = json::array({json::array({"a", "b"}), json::array({"b", "a"})});
  refused(ErrorCode::MergesInvalid, "model.merges[1]: 'b' + 'a' needs token 'ba'");
  // A merge that gives one of its own sides would be a cycle; it needs an empty side.
  merges = json::array({json::array({"", "a"})});
  refused(ErrorCode::MergesInvalid, "model.merges[0]: a merge with an empty side");
  merges = json::array({" a"});
  refused(ErrorCode::MergesInvalid, "model.merges[0]: a merge with an empty side");
  merges = json::array({json::array({"a", "b", "c"})});
  refused(ErrorCode::FieldInvalid, "model.merges[0]: expected");
  merges = json::array({json::array({"a"})});
  refused(ErrorCode::FieldInvalid, "model.merges[0]: expected");
  merges = json::array({"a b c"});
  refused(ErrorCode::FieldInvalid, "model.merges[0]: expected");
  merges = json::array({"ab"});
  refused(ErrorCode::FieldInvalid, "model.merges[0]: expected");
  merges = json::array({7});
  refused(ErrorCode::FieldInvalid, "model.merges[0]: expected");
  merges = json::array({json::array({"a", {{"b", 1}}})});
  refused(ErrorCode::FieldInvalid, "model.merges[0]: expected");
  merges = nullptr;
  refused(ErrorCode::FieldInvalid, "model.merges: expected an array, found null");
  file["model"].erase("merges");
  refused(ErrorCode::FieldInvalid, "model.merges: expected an array, found nothing");
}

TEST_F(BadFile, ASelfMergeIsLegal) {
  file["model"]["vocab"]["aa"] = 257;
  file["model"]["merges"] = json::array({json::array({"a", "a"})});
  EXPECT_THAT(pieces(parseTokenizer(file), "aaaaa"), testing::ElementsAre("aa", "aa", "a"));
}

TEST_F(BadFile, AddedTokens) {
  json &added = file["added_tokens"];
  added = json::array({makeAddedToken("", 257, true)});
  refused(ErrorCode::AddedTokensInvalid, "added_tokens[0]: token '' is empty");
  added = json::array({makeAddedToken("ab", 257, true)});
  refused(ErrorCode::AddedTokensInvalid, "added_tokens[0]: token 'ab' has id 257, but model.vocab gives it id 256");
  added = json::array({makeAddedToken("<x>", 3, true)});
  refused(ErrorCode::AddedTokensInvalid, "added_tokens[0]: token '<x>' has id 3, which");
  added = json::array({makeAddedToken("<x>", 8388608, true)});
  refused(ErrorCode::AddedTokensInvalid, "added_tokens[0].id: id 8388608 is past");
  added = {makeAddedToken("<x>", 257, true), makeAddedToken("<x>", 258, true)};
  EXPECT_TRUE(Tokenizer::parse(file.dump()).ok()); // one text, two ids: the first is found
  added = {makeAddedToken("<x>", 257, true), makeAddedToken("<y>", 257, true)};
  refused(ErrorCode::AddedTokensInvalid, "added_tokens[1]");
  added = json::array({makeAddedToken(std::string(513, 'x'), 257, true)});
  refused(ErrorCode::AddedTokensInvalid, "content of 513 bytes");
  added = json::array({{{"content", "x"}}});
  refused(ErrorCode::FieldInvalid, "added_tokens[0].id: expected an id, found nothing");
  added = json::array({{{"id", 257}}});
  refused(ErrorCode::FieldInvalid, "added_tokens[0].content");
  added = json::array({{{"id", 257}, {"content", "x"}, {"special", 1}}});
  refused(ErrorCode::FieldInvalid, "added_tokens[0].special: expected true or false, found an integer");
  added = json::array({5});
  refused(ErrorCode::FieldInvalid, "added_tokens[0]: expected an object, found an integer");
  added = json::object();
  refused(ErrorCode::FieldInvalid, "added_tokens: expected an array, found an object");
}

TEST_F(BadFile, TenMillionAddedTokensAreRefusedAtTheFirstTooMany) {
  std::string text = "{\"added_tokens\":[{\"id\":0,\"content\":\"x\"}";
  constexpr size_t kCount = 10'000'000;
  const std::string entry = ",{\"id\":0,\"content\":\"x\"}";
  text.reserve(text.size() + kCount * entry.size());
  for (size_t index = 1; index < kCount; ++index) text += entry;
  resetPeak();
  size_t before = liveBytes();
  Stopwatch watch;
  expectRefused(text, ErrorCode::JsonStructure, "added_tokens: more than 131072 entries");
  EXPECT_LT(watch.seconds(), kOneSecond);
  EXPECT_LT(peakBytes() - before, size_t(16) << 20);
}

TEST_F(BadFile, LongNormalizerChain) {
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", json(10000, {{"type", "NFC"}})}};
  refused(ErrorCode::SettingUnsupported, "normalizer.normalizers: 10000 entries, at most 64 are accepted");
}

TEST_F(BadFile, CatastrophicPatternEndsWithTheText) {
  file["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"Regex", "(a+)+$"}}}, {"behavior", "Isolated"}, {"invert", false}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  Tokenizer tokenizer = parseTokenizer(file);
  Stopwatch watch;
  Result<std::vector<int32_t>> ids = tokenizer.encode(std::string(64, 'a') + "!");
  EXPECT_LT(watch.seconds(), kOneSecond);
  ASSERT_FALSE(ids.ok());
  EXPECT_EQ(ids.error().code, ErrorCode::RegexBudget);
  EXPECT_THAT(ids.error().message, testing::HasSubstr("pre_tokenizer.pretokenizers[0].pattern.Regex"));
  EXPECT_TRUE(tokenizer.encode("aaa").ok());
}

TEST_F(BadFile, UnsupportedSettingsAreNamed) {
  struct Case {
    const char *pointer;
    json value;
    const char *message;
  };
  const Case cases[] = {
      {"/model/type", "WordPiece", "model.type: 'WordPiece' is not supported"},
      {"/model/dropout", 0.1, "model.dropout"},
      {"/model/continuing_subword_prefix", "##", "model.continuing_subword_prefix"},
      {"/model/end_of_word_suffix", "</w>", "model.end_of_word_suffix"},
      {"/normalizer", {{"type", "Lowercase"}}, "normalizer.type: 'Lowercase' is not supported"},
      {"/normalizer",
       {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", "NFKC"}}}}},
       "normalizer.normalizers[1].type: 'NFKC'"},
      {"/pre_tokenizer", nullptr, "pre_tokenizer: null is not supported"},
      {"/decoder", nullptr, "decoder: null is not supported"},
      {"/decoder", {{"type", "Metaspace"}}, "decoder.type: 'Metaspace'"},
      {"/post_processor", {{"type", "BertProcessing"}}, "post_processor.type: 'BertProcessing'"},
  };
  for (const Case &c : cases) {
    json good = file;
    file[json::json_pointer(c.pointer)] = c.value;
    refused(ErrorCode::SettingUnsupported, c.message);
    file = good;
  }
  file["model"]["unk_token"] = "<absent>";
  refused(ErrorCode::FieldInvalid, "model.unk_token: expected a token of model.vocab, found '<absent>'");
}

TEST_F(BadFile, MessagesDoNotCarryControlCharactersOrEndlessText) {
  file["model"]["vocab"][std::string(100000, 'x') + "\n\x1b[2J"] = 999;
  Result<Tokenizer> tokenizer = Tokenizer::parse(file.dump());
  ASSERT_FALSE(tokenizer.ok());
  EXPECT_LT(tokenizer.error().message.size(), 300u);
  file["model"]["vocab"].erase(std::string(100000, 'x') + "\n\x1b[2J");
  file["model"]["vocab"]["\n\x1b[2J"] = 999;
  Result<Tokenizer> other = Tokenizer::parse(file.dump());
  ASSERT_FALSE(other.ok());
  for (char c : other.error().message) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

} // namespace
} // namespace mmc::text
