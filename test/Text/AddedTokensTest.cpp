//===- AddedTokensTest.cpp - flags, longest match, special text ------------===//
//
// Expectations follow the documented meaning of HF's AddedToken flags.
//
//===----------------------------------------------------------------------===//
#include "test/Text/TestSupport.h"

namespace mmc::text {
namespace {

using nlohmann::json;
using testing::ElementsAre;

constexpr EncodeOptions kSpecial{.parseSpecial = true};

/// A tokenizer with one added token of id 256 with the given flags.
Tokenizer withToken(const std::string &content, std::initializer_list<const char *> flags) {
  json file = makeTokenizerJson();
  json token = makeAddedToken(content, 256, false);
  for (const char *flag : flags) token[flag] = true;
  file["added_tokens"].push_back(token);
  return parseTokenizer(file);
}

TEST(AddedTokens, LongestOfTheLeftmost) {
  json file = makeTokenizerJson();
  int id = 256;
  for (const char *content : {"<a", "<a>", "<a><b>", "b>"})
    file["added_tokens"].push_back(makeAddedToken(content, id++, false));
  Tokenizer tokenizer = parseTokenizer(file);
  EXPECT_THAT(pieces(tokenizer, "<a><b>"), ElementsAre("<a><b>"));
  EXPECT_THAT(pieces(tokenizer, "<a><b"), ElementsAre("<a>", "<", "b"));
  EXPECT_THAT(pieces(tokenizer, "<ab>"), ElementsAre("<a", "b>"));
  EXPECT_THAT(pieces(tokenizer, "<a<a>"), ElementsAre("<a", "<a>"));
}

TEST(AddedTokens, StripTakesWhiteSpace) {
  Tokenizer left = withToken("<t>", {"lstrip"});
  EXPECT_THAT(pieces(left, "a \t<t> b"), ElementsAre("a", "<t>", " ", "b"));
  EXPECT_THAT(pieces(left, "\u3000<t>"), ElementsAre("<t>"));
  Tokenizer right = withToken("<t>", {"rstrip"});
  EXPECT_THAT(pieces(right, "a <t>\n b"), ElementsAre("a", " ", "<t>", "b"));
  Tokenizer both = withToken("<t>", {"lstrip", "rstrip"});
  EXPECT_THAT(pieces(both, "a <t> <t> b"), ElementsAre("a", "<t>", "<t>", "b"));
}

TEST(AddedTokens, SingleWordStandsAlone) {
  Tokenizer tokenizer = withToken("cat", {"single_word"});
  EXPECT_THAT(pieces(tokenizer, "cat"), ElementsAre("cat"));
  EXPECT_THAT(pieces(tokenizer, "cat,cat"), ElementsAre("cat", ",", "cat"));
  EXPECT_THAT(pieces(tokenizer, "cats"), ElementsAre("c", "a", "t", "s"));
  EXPECT_THAT(pieces(tokenizer, "_cat"), ElementsAre("_", "c", "a", "t"));
  EXPECT_EQ(pieces(tokenizer, "\u0301cat").back(), "t"); // a combining mark belongs to a word
}

TEST(AddedTokens, NormalizedTokensMatchNormalizedText) {
  json file = makeTokenizerJson();
  file["normalizer"] = {{"type", "NFC"}};
  json plain = makeAddedToken("e\u0301", 256, false), normalized = makeAddedToken("o\u0308", 257, false);
  normalized["normalized"] = true;
  file["added_tokens"] = {plain, normalized};
  Tokenizer tokenizer = parseTokenizer(file);
  auto ids = [&](const char *text) { return *tokenizer.encode(text); };
  EXPECT_THAT(ids("e\u0301"), ElementsAre(256)); // as given
  EXPECT_EQ(ids("\u00E9").size(), 2u);           // two bytes: the token does not match the composed form
  EXPECT_THAT(ids("o\u0308"), ElementsAre(257)); // both forms are the same after NFC
  EXPECT_THAT(ids("\u00F6"), ElementsAre(257));
}

TEST(AddedTokens, SpecialTextIsPlainUnlessAsked) {
  json file = makeTokenizerJson();
  file["added_tokens"] = {makeAddedToken("<end>", 256, true), makeAddedToken("<think>", 257, false)};
  Tokenizer tokenizer = parseTokenizer(file);
  EXPECT_THAT(pieces(tokenizer, "a<end>", kSpecial), ElementsAre("a", "<end>"));
  EXPECT_THAT(pieces(tokenizer, "a<end>"), ElementsAre("a", "<", "e", "n", "d", ">"));
  EXPECT_THAT(pieces(tokenizer, "a<think>"), ElementsAre("a", "<think>")); // added but not special: always found
  EXPECT_TRUE(tokenizer.isSpecial(256));
  EXPECT_FALSE(tokenizer.isSpecial(257));
}

TEST(AddedTokens, PlainTextNeverBecomesASpecialId) {
  // Both roads by which BPE could reach a special token's id: a whole pre-token in the vocabulary, and a merge.
  for (bool ignoreMerges : {false, true}) {
    json file = makeTokenizerJson({"en", "end"}, {{"e", "n"}, {"en", "d"}});
    file["model"]["ignore_merges"] = ignoreMerges;
    file["added_tokens"] = json::array({makeAddedToken("end", 257, true)});
    Tokenizer tokenizer = parseTokenizer(file);
    EXPECT_THAT(pieces(tokenizer, "end"), ElementsAre("en", "d"));
    EXPECT_THAT(pieces(tokenizer, "end", kSpecial), ElementsAre("end"));
  }
}

TEST(AddedTokens, ManyStripsAreLinear) {
  json file = makeTokenizerJson();
  json token = makeAddedToken(" ", 256, false);
  token["lstrip"] = token["rstrip"] = true;
  file["added_tokens"] = json::array({token});
  Tokenizer tokenizer = parseTokenizer(file);
  Stopwatch watch;
  Result<std::vector<int32_t>> ids = tokenizer.encode(std::string(1 << 20, ' '));
  EXPECT_LT(watch.seconds(), kOneSecond);
  ASSERT_TRUE(ids.ok());
}

TEST(AddedTokens, NearlyMatchingTextIsLinear) {
  json file = makeTokenizerJson();
  file["added_tokens"] = json::array({makeAddedToken(std::string(511, 'a') + "b", 256, false)});
  Tokenizer tokenizer = parseTokenizer(file);
  Stopwatch watch;
  EXPECT_TRUE(tokenizer.encode(std::string(200000, 'a')).ok());
  EXPECT_LT(watch.seconds(), kOneSecond);
}

} // namespace
} // namespace mmc::text
