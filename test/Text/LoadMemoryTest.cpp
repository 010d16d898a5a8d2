//===- LoadMemoryTest.cpp - what loading a big vocabulary costs ------------===//
//
// A vocabulary of 200,000 tokens, the size of the released models', built here: loading may take twice the file and 16
// MiB, and less than a second.
//
//===----------------------------------------------------------------------===//
#include "test/Text/TestSupport.h"

namespace mmc::text {
namespace {

/// Tokens of two to four letters over `letters` lower-case letters, each merged from its first letters and its last.
std::string makeBigFile(int count) {
  std::string vocabulary, merges;
  nlohmann::json small = makeTokenizerJson();
  int id = 0;
  for (auto &[token, value] : small["model"]["vocab"].items()) value = id++;
  std::vector<std::string> tokens;
  for (char letter = 'a'; letter <= 'z'; ++letter) tokens.emplace_back(1, letter);
  std::string list = small["model"]["vocab"].dump();
  list.pop_back();
  for (size_t parent = 0; id < count; ++parent) {
    std::string prefix = tokens[parent];
    for (char letter = 'a'; letter <= 'z' && id < count; ++letter) {
      tokens.push_back(prefix + letter);
      list += ",\"" + tokens.back() + "\":" + std::to_string(id++);
      merges += (merges.empty() ? "[\"" : ",[\"") + prefix + "\",\"" + letter + "\"]";
    }
  }
  small["model"].erase("vocab");
  small["model"].erase("merges");
  std::string text = small.dump();
  size_t model = text.find("\"model\":{") + 9;
  return text.insert(model, "\"vocab\":" + list + "},\"merges\":[" + merges + "],");
}

TEST(Load, TwoHundredThousandTokens) {
  std::string file = makeBigFile(200'000);
  resetPeak();
  size_t before = liveBytes();
  Stopwatch watch;
  Result<Tokenizer> tokenizer = Tokenizer::parse(file);
  double elapsed = watch.seconds();
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().describe();
  EXPECT_EQ(tokenizer->size(), 200'000u);
  // The caller holds the file itself; load() frees it before the tables are built.
  EXPECT_LT(peakBytes() - before + file.size(), 2 * file.size() + (size_t(16) << 20));
  EXPECT_LT(elapsed, kOneSecond);
  EXPECT_THAT(pieces(*tokenizer, "abc zzz"), testing::ElementsAre("abc", " ", "zzz"));
}

} // namespace
} // namespace mmc::text
