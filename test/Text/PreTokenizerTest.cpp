//===- PreTokenizerTest.cpp - how steps cut and chain ----------------------===//
//
// The five behaviours on one text are the table of the HF tokenizers documentation ("the-final--countdown" split on
// "-").
//
//===----------------------------------------------------------------------===//
#include "lib/Text/PreTokenizer.h"
#include "test/Text/TestSupport.h"

namespace mmc::text {
namespace {

using nlohmann::json;
using testing::ElementsAre;

json byteLevel(bool addPrefixSpace = false, bool useRegex = false) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", addPrefixSpace}, {"use_regex", useRegex}};
}

json sequence(const json &first) { return {{"type", "Sequence"}, {"pretokenizers", {first, byteLevel()}}}; }

json split(const char *form, const char *pattern, const char *behavior, bool invert = false) {
  return {{"type", "Split"}, {"pattern", {{form, pattern}}}, {"behavior", behavior}, {"invert", invert}};
}

std::vector<std::string> cut(const json &settings, std::string_view text) {
  Result<PreTokenizer> preTokenizer = PreTokenizer::build(settings);
  if (!preTokenizer) return {preTokenizer.error().describe()};
  std::vector<std::string> out;
  Status status = PreTokenizer::Run(*preTokenizer, text.size()).cut(text, [&](std::string_view piece) {
    out.emplace_back(piece);
    return Status();
  });
  return status ? out : std::vector<std::string>{status.error().describe()};
}

class Behaviors : public testing::TestWithParam<const char *> {};

TEST_P(Behaviors, FollowTheDocumentation) {
  constexpr const char *kText = "the-final--countdown";
  auto run = [&](const char *behavior) { return cut(sequence(split(GetParam(), "-", behavior)), kText); };
  EXPECT_THAT(run("Removed"), ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(run("Isolated"), ElementsAre("the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(run("MergedWithPrevious"), ElementsAre("the-", "final-", "-", "countdown"));
  EXPECT_THAT(run("MergedWithNext"), ElementsAre("the", "-final", "-", "-countdown"));
  EXPECT_THAT(run("Contiguous"), ElementsAre("the", "-", "final", "--", "countdown"));
}

INSTANTIATE_TEST_SUITE_P(Forms, Behaviors, testing::Values("String", "Regex"),
                         [](const auto &info) { return std::string(info.param); });

TEST(Split, EdgesOfTheText) {
  EXPECT_THAT(cut(sequence(split("String", "-", "MergedWithNext")), "--a-"), ElementsAre("-", "-a", "-"));
  EXPECT_THAT(cut(sequence(split("String", "-", "MergedWithPrevious")), "--a-"), ElementsAre("-", "-", "a-"));
  EXPECT_THAT(cut(sequence(split("String", "-", "Removed")), "---"), ElementsAre());
  EXPECT_THAT(cut(sequence(split("String", "", "Isolated")), "ab"), ElementsAre("ab"));
}

TEST(Split, InvertSwapsMatchesAndGaps) {
  // Expected values: upstream's own table for "How are you doing?" with an inverted word pattern.
  auto run = [&](const char *behavior) {
    return cut(sequence(split("Regex", "\\w+|[^\\w\\s]+", behavior, true)), "How are you doing?");
  };
  EXPECT_THAT(run("Removed"), ElementsAre("How", "are", "you", "doing", "?"));
  EXPECT_THAT(run("Isolated"), ElementsAre("How", " ", "are", " ", "you", " ", "doing", "?"));
  EXPECT_THAT(run("MergedWithPrevious"), ElementsAre("How ", "are ", "you ", "doing", "?"));
  EXPECT_THAT(run("MergedWithNext"), ElementsAre("How", " are", " you", " doing", "?"));
  EXPECT_THAT(run("Contiguous"), ElementsAre("How", " ", "are", " ", "you", " ", "doing?"));
}

TEST(Digits, AloneOrTogether) {
  auto run = [&](bool individual) {
    return cut(sequence({{"type", "Digits"}, {"individual_digits", individual}}), "a123b\u0661");
  };
  EXPECT_THAT(run(true), ElementsAre("a", "1", "2", "3", "b", "\u0661"));
  EXPECT_THAT(run(false), ElementsAre("a", "123", "b", "\u0661"));
}

TEST(ByteLevel, PrefixSpaceOnEveryPieceThatLacksOne) {
  EXPECT_THAT(cut(byteLevel(true, true), "Hi there"), ElementsAre(" Hi", " there"));
  EXPECT_THAT(cut(byteLevel(true, true), " Hi"), ElementsAre(" Hi"));
  EXPECT_THAT(cut(byteLevel(true, false), "\nHi there"), ElementsAre(" \nHi there"));
  json chain = {{"type", "Sequence"},
                {"pretokenizers", {{{"type", "Digits"}, {"individual_digits", true}}, byteLevel(true)}}};
  EXPECT_THAT(cut(chain, "a1"), ElementsAre(" a", " 1"));
}

TEST(ByteLevel, TheGpt2Pattern) {
  EXPECT_THAT(cut(byteLevel(false, true), "Hello there       dear, it's 2024!\n\n x"),
              ElementsAre("Hello", " there", "      ", " dear", ",", " it", "'s", " 2024", "!", "\n\n", " x"));
}

TEST(PreTokenizer, NestedSequencesAreOneChain) {
  json inner = {{"type", "Sequence"},
                {"pretokenizers", {split("String", "-", "Removed"), split("String", "_", "Removed")}}};
  EXPECT_THAT(cut(sequence(inner), "a-b_c"), ElementsAre("a", "b", "c"));
}

TEST(PreTokenizer, RefusesOthersByName) {
  auto refusal = [&](const json &settings) {
    Result<PreTokenizer> preTokenizer = PreTokenizer::build(settings);
    return preTokenizer ? std::string("accepted") : preTokenizer.error().describe();
  };
  using testing::HasSubstr;
  EXPECT_THAT(refusal(nullptr), HasSubstr("MMC-E0704: pre_tokenizer: null"));
  EXPECT_THAT(refusal({{"type", "Metaspace"}}), HasSubstr("MMC-E0704: pre_tokenizer.type: 'Metaspace'"));
  EXPECT_THAT(refusal(split("String", "-", "Removed")), HasSubstr("without ByteLevel at its end"));
  EXPECT_THAT(refusal(split("String", "-", "Sideways")), HasSubstr("pre_tokenizer.behavior: 'Sideways'"));
  EXPECT_THAT(refusal(sequence(byteLevel())), HasSubstr("pre_tokenizer.pretokenizers[1]: a step after ByteLevel"));
  EXPECT_THAT(refusal({{"type", "Split"}, {"behavior", "Removed"}}), HasSubstr("MMC-E0703: pre_tokenizer.pattern"));
  EXPECT_THAT(refusal({{"type", "Sequence"}}), HasSubstr("MMC-E0703: pre_tokenizer.pretokenizers"));
  EXPECT_THAT(refusal({{"type", "ByteLevel"}, {"use_regex", 1}}),
              HasSubstr("MMC-E0703: pre_tokenizer.use_regex: expected true or false, found an integer"));
  EXPECT_THAT(refusal({{"type", "Sequence"}, {"pretokenizers", json::array()}}), HasSubstr("without ByteLevel"));
  EXPECT_THAT(refusal({{"type", "Sequence"}, {"pretokenizers", json(10000, {{"type", "Digits"}})}}),
              HasSubstr("10000 entries"));
  json deep = byteLevel();
  for (int level = 0; level < 40; ++level) deep = {{"type", "Sequence"}, {"pretokenizers", json::array({deep})}};
  EXPECT_EQ(refusal(deep), "accepted");
}

} // namespace
} // namespace mmc::text
