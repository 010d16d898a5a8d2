//===- TokenizerTest.cpp - merges, settings, long texts --------------------===//
//
// BPE is compared with the definition, executed slowly; settings with what HF documents for them.
//
//===----------------------------------------------------------------------===//
#include "test/Text/TestSupport.h"

#include <map>
#include <random>
#include <thread>

namespace mmc::text {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The definition: as long as a pair has a rank, merge the leftmost pair of the lowest rank.
std::vector<std::string> mergeByDefinition(std::string_view word,
                                           const std::vector<std::pair<std::string, std::string>> &merges) {
  std::map<std::pair<std::string, std::string>, size_t> ranks;
  for (size_t rank = 0; rank < merges.size(); ++rank) ranks[merges[rank]] = rank;
  std::vector<std::string> symbols;
  for (char byte : word) symbols.emplace_back(1, byte);
  while (true) {
    size_t best = merges.size(), where = 0;
    for (size_t index = 0; index + 1 < symbols.size(); ++index) {
      auto found = ranks.find({symbols[index], symbols[index + 1]});
      if (found != ranks.end() && found->second < best) best = found->second, where = index;
    }
    if (best == merges.size()) return symbols;
    symbols[where] += symbols[where + 1];
    symbols.erase(symbols.begin() + where + 1);
  }
}

TEST(Bpe, EqualsTheDefinitionOnRandomMerges) {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> tokens, all = {"a", "b", "c"};
    std::vector<std::pair<std::string, std::string>> merges;
    for (int attempt = 0; attempt < 30; ++attempt) {
      std::string left = all[random() % all.size()], right = all[random() % all.size()], joined = left + right;
      if (joined.size() > 9 || std::find(merges.begin(), merges.end(), std::pair(left, right)) != merges.end())
        continue;
      merges.emplace_back(left, right);
      if (std::find(all.begin(), all.end(), joined) != all.end()) continue;
      all.push_back(joined);
      tokens.push_back(joined);
    }
    Tokenizer tokenizer = parseTokenizer(makeTokenizerJson(tokens, merges));
    for (int word = 0; word < 20; ++word) {
      std::string text;
      for (size_t length = 1 + random() % 60; length; --length) text += static_cast<char>('a' + random() % 3);
      ASSERT_EQ(pieces(tokenizer, text), mergeByDefinition(text, merges)) << text;
    }
  }
}

TEST(Bpe, IgnoreMergesTakesAWholePreToken) {
  json file = makeTokenizerJson({"ab", "abc"}, {{"a", "b"}});
  EXPECT_THAT(pieces(parseTokenizer(file), "abc"), ElementsAre("ab", "c"));
  file["model"]["ignore_merges"] = true;
  EXPECT_THAT(pieces(parseTokenizer(file), "abc"), ElementsAre("abc"));
  EXPECT_THAT(pieces(parseTokenizer(file), "abca"), ElementsAre("ab", "c", "a"));
}

TEST(Bpe, BytesThatTheVocabularyLacks) {
  json file = makeTokenizerJson();
  json vocabulary = {{"a", 0}, {"b", 1}, {"?", 2}, {"<0x7A>", 3}};
  file["model"]["vocab"] = vocabulary;
  auto ids = [&] { return *parseTokenizer(file).encode("azxxb"); };
  EXPECT_THAT(ids(), ElementsAre(0, 1)); // left out, as HF does without an unknown token
  file["model"]["unk_token"] = "?";
  EXPECT_THAT(ids(), ElementsAre(0, 2, 2, 2, 1));
  file["model"]["fuse_unk"] = true;
  EXPECT_THAT(ids(), ElementsAre(0, 2, 1));
  file["model"]["byte_fallback"] = true;
  EXPECT_THAT(ids(), ElementsAre(0, 3, 2, 1)); // z has a byte token, x has none
}

TEST(Bpe, SpecialTokensThatAreLettersAreRefused) {
  json file = makeTokenizerJson();
  file["added_tokens"] = json::array({makeAddedToken("a", 97, true)});
  expectRefused(file.dump(), ErrorCode::AddedTokensInvalid, "token 'a' is special and also a letter");
}

TEST(Tokenizer, InvalidUtf8IsReplaced) {
  Tokenizer tokenizer = parseTokenizer(makeTokenizerJson());
  Result<std::vector<int32_t>> bad = tokenizer.encode("a\xFF\xC3"), good = tokenizer.encode("a\uFFFD\uFFFD");
  ASSERT_TRUE(bad.ok());
  EXPECT_EQ(*bad, *good);
  EXPECT_EQ(*tokenizer.decode(std::vector<int32_t>{'a', 0xFF, 0xC3}), "a\uFFFD\uFFFD");
}

TEST(Tokenizer, NfcChains) {
  json file = makeTokenizerJson();
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", json(3, {{"type", "NFC"}})}};
  EXPECT_THAT(*parseTokenizer(file).encode("e\u0301"), ElementsAre(0xC3, 0xA9));
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", json::array()}};
  EXPECT_EQ(parseTokenizer(file).encode("e\u0301")->size(), 3u);
}

TEST(Tokenizer, TheTemplateIsAddedOnlyWhenAsked) {
  json file = makeTokenizerJson();
  file["added_tokens"] = {makeAddedToken("<s>", 256, true), makeAddedToken("</s>", 257, true)};
  json start = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
       end = {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}};
  json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  json processor = {{"type", "TemplateProcessing"},
                    {"single", {start, text, end}},
                    {"special_tokens",
                     {{"<s>", {{"id", "<s>"}, {"ids", json::array({256})}, {"tokens", json::array({"<s>"})}}},
                      {"</s>", {{"id", "</s>"}, {"ids", json::array({257})}, {"tokens", json::array({"</s>"})}}}}}};
  file["post_processor"] = {{"type", "Sequence"}, {"processors", {{{"type", "ByteLevel"}}, processor}}};
  Tokenizer tokenizer = parseTokenizer(file);
  EXPECT_THAT(*tokenizer.encode("a"), ElementsAre('a'));
  EXPECT_THAT(*tokenizer.encode("a", {.addSpecial = true}), ElementsAre(256, 'a', 257));
  EXPECT_THAT(*tokenizer.encode("", {.addSpecial = true}), ElementsAre(256, 257));
}

TEST(Tokenizer, TellsItsTokens) {
  Result<Tokenizer> tokenizer = Tokenizer::load(tokenizerInputs() + "gpt2/tokenizer.json");
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_EQ(tokenizer->lastTokenId(), 702);
  EXPECT_EQ(tokenizer->findToken("<end_of_sentence>"), 2);
  EXPECT_EQ(tokenizer->findToken("<think>"), 700);
  EXPECT_EQ(tokenizer->findToken("no such token"), std::nullopt);
  EXPECT_EQ(tokenizer->tokenBytes(259), "  "); // spelled with two marked spaces in the file
  EXPECT_EQ(tokenizer->findToken("\u0120\u0120"), 259);
  EXPECT_EQ(tokenizer->tokenBytes(703), "");
  EXPECT_TRUE(tokenizer->checkFits(703).ok());
  Status tooSmall = tokenizer->checkFits(702);
  ASSERT_FALSE(tooSmall.ok());
  EXPECT_THAT(tooSmall.error().message, HasSubstr("ids go up to 702, but the model has vocab_size 702"));
  Result<std::string> text = tokenizer->decode(std::vector<int32_t>{5, 703});
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().describe(), "MMC-E0711: token id 703 is outside 0 to 702");
}

TEST(Tokenizer, FilesThatCannotBeRead) {
  for (const char *path : {"/no/such/folder", "/dev/zero", "/dev"}) {
    Result<Tokenizer> tokenizer = Tokenizer::load(path);
    ASSERT_FALSE(tokenizer.ok());
    EXPECT_EQ(tokenizer.error().code, ErrorCode::FileUnreadable);
    EXPECT_FALSE(tokenizer.error().hint.empty());
  }
}

TEST(Tokenizer, ThreadsShareOne) {
  Result<Tokenizer> tokenizer = Tokenizer::load(tokenizerInputs() + "split");
  ASSERT_TRUE(tokenizer.ok());
  const std::string text = "In the beginning God created the heaven and the earth. 1234 \u4E2D\u6587";
  std::vector<int32_t> expected = *tokenizer->encode(text);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int index = 0; index < 4; ++index)
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) wrong += *tokenizer->encode(text) != expected;
    });
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(LongText, FourMillionTokensStreamInBoundedMemory) {
  Result<Tokenizer> tokenizer = Tokenizer::load(tokenizerInputs() + "split");
  ASSERT_TRUE(tokenizer.ok());
  // One token per character: a letter that merges with nothing on either side.
  std::string text;
  text.reserve(4'000'000);
  while (text.size() < 4'000'000) text += "q\n";
  size_t count = 0;
  resetPeak();
  size_t before = liveBytes();
  Status status = tokenizer->encodeTo(text, {}, [&](std::span<const int32_t> ids) {
    count += ids.size();
    return Status();
  });
  ASSERT_TRUE(status.ok()) << status.error().describe();
  EXPECT_GE(count, 4'000'000u);
  EXPECT_LT(peakBytes() - before, size_t(1) << 20);
}

TEST(LongText, IdsAreThoseOfItsParts) {
  // Long texts remember their words; short ones do not.
  Result<Tokenizer> tokenizer = Tokenizer::load(tokenizerInputs() + "gpt2");
  ASSERT_TRUE(tokenizer.ok());
  std::mt19937 random(5);
  std::string text;
  std::vector<int32_t> expected;
  while (text.size() < 200'000) {
    std::string word = "x";
    for (size_t length = random() % (random() % 8 ? 4 : 40); length; --length) word += "tha e"[random() % 5];
    word += '\n';
    text += word;
    std::vector<int32_t> ids = *tokenizer->encode(word);
    expected.insert(expected.end(), ids.begin(), ids.end());
  }
  EXPECT_EQ(*tokenizer->encode(text), expected);
}

TEST(LongText, TheErrorOfTheSinkStopsTheEncoding) {
  Tokenizer tokenizer = parseTokenizer(makeTokenizerJson());
  int calls = 0;
  Status status = tokenizer.encodeTo(std::string(100000, 'a') + std::string(100000, '1'), {},
                                     [&](std::span<const int32_t>) -> Status {
                                       ++calls;
                                       return makeError(ErrorCode::TextTooLarge, ErrorKind::Capacity, "enough");
                                     });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(calls, 1);
}

TEST(LongText, OneWordOfAMegabyteTakesLessThanASecond) {
  for (const char *layout : {"gpt2", "split", "digits"}) {
    Result<Tokenizer> tokenizer = Tokenizer::load(tokenizerInputs() + layout);
    ASSERT_TRUE(tokenizer.ok());
    for (std::string unit : {"a", "the", "\u4E2D", " ", "1"}) {
      std::string text;
      while (text.size() < 1'000'000) text += unit;
      Stopwatch watch;
      Result<std::vector<int32_t>> ids = tokenizer->encode(text);
      EXPECT_LT(watch.seconds(), kOneSecond) << layout << " '" << unit << "'";
      ASSERT_TRUE(ids.ok()) << layout << " '" << unit << "': " << ids.error().describe();
    }
  }
}

} // namespace
} // namespace mmc::text
