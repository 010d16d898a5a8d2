//===- RegexTest.cpp - patterns: meaning, refusals, bounds -----------------===//
//
// The meaning of classes is Oniguruma's; the expectations are from its documentation (doc/RE) and the Unicode
// properties it names.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Regex.h"
#include "test/Text/TestSupport.h"

namespace mmc::text {
namespace {

/// Matches in brackets, gaps bare: "a[b]c".
std::string cut(const std::string &pattern, std::string_view text) {
  Result<Regex> regex = Regex::compile(pattern, "pattern");
  if (!regex) return regex.error().describe();
  RegexMatcher matcher(*regex, text.size());
  std::string out;
  Status status = matcher.split(text, [&](std::string_view piece, bool isMatch) {
    out += isMatch ? "[" + std::string(piece) + "]" : std::string(piece);
    return Status();
  });
  return status ? out : status.error().describe();
}

TEST(Regex, CutsIntoMatchesAndGaps) {
  EXPECT_EQ(cut("b", "abcb"), "a[b]c[b]");
  EXPECT_EQ(cut("\\s+(?!\\S)|\\s+", "a   b "), "a[  ][ ]b[ ]");
  EXPECT_EQ(cut("(?<=a)b", "abb"), "a[b]b");
  EXPECT_EQ(cut("x", ""), "");
  EXPECT_EQ(cut("\u00E9|z", "caf\u00E9"), "caf[\u00E9]");
}

TEST(Regex, EmptyMatchesDoNotFollowAMatch) {
  EXPECT_EQ(cut("b*", "abb"), "[]a[bb]");
  EXPECT_EQ(cut("(?=b)", "ab"), "a[]b");
}

TEST(Regex, ClassesAreUnicodeProperties) {
  EXPECT_EQ(cut("\\s", "a\u00A0b\u3000c\u0085d"), "a[\u00A0]b[\u3000]c[\u0085]d");
  EXPECT_EQ(cut("\\s", "a\u180Eb\u200Bc"), "a\u180Eb\u200Bc"); // neither is White_Space
  EXPECT_EQ(cut("[^\\S\\n]", "a \nb"), "a[ ]\nb");
  EXPECT_EQ(cut("\\w+", "e\u0301_1\u203F-"), "[e\u0301_1\u203F]-"); // marks and connectors belong to words
  EXPECT_EQ(cut("\\d", "1\u0661\u00B2"), "[1][\u0661]\u00B2");
  EXPECT_EQ(cut("\\p{N}", "1\u2167\u00B2"), "[1][\u2167][\u00B2]");
  EXPECT_EQ(cut("\\p{Han}+", "a\u4E2D\u6587b"), "a[\u4E2D\u6587]b");
  EXPECT_EQ(cut("\\p{^L}+", "a12b"), "a[12]b");
  EXPECT_EQ(cut("\\bcat\\b", "cat\u0301 cat"), "cat\u0301 [cat]");
  EXPECT_EQ(cut("(?i:'s)", "'S's'\u017F"), "['S]['s]['\u017F]");
}

TEST(Regex, LinesAndEscapes) {
  EXPECT_EQ(cut("^b$", "a\nb\nc"), "a\n[b]\nc");
  EXPECT_EQ(cut(".+", "a\r\nb"), "[a\r]\n[b]");
  EXPECT_EQ(cut("\\u4E2D|\\x{6587}|\\x41", "A\u4E2D\u6587"), "[A][\u4E2D][\u6587]");
  EXPECT_EQ(cut("a{,2}b", "aab"), "[aab]");
  EXPECT_EQ(cut("[\\[\\]\\-.]", "[x]-."), "[[]x[]][-][.]");
}

TEST(Regex, RefusesWhatDiffersBetweenEngines) {
  for (const char *pattern :
       {"\\h",     "\\R",   "\\X",   "\\K",     "\\1",         "(?<n>a)", "(?m:a)", "a(?i)b",
        "(*FAIL)", "(?C1)", "(?#x)", "[a[bc]]", "[[:alpha:]]", "[a&&b]",  "[\\W]",  "\\p{N}{1,3}+",
        "a{2}?",   "\\pL",  "\\xE9", "\\Qa\\E", "x{",          "\\"}) {
    Result<Regex> regex = Regex::compile(pattern, "pre_tokenizer.pattern.Regex");
    ASSERT_FALSE(regex.ok()) << pattern;
    EXPECT_EQ(regex.error().code, ErrorCode::RegexInvalid) << pattern;
    EXPECT_THAT(regex.error().message, testing::HasSubstr("pre_tokenizer.pattern.Regex")) << pattern;
  }
}

TEST(Regex, RefusesWhatDoesNotCompile) {
  for (const std::string &pattern :
       {std::string("("), std::string("a**)"), std::string("[z-a]"), std::string("\\p{NoSuch}"), std::string(1000, '('),
        std::string("((((a{1000}){1000}){1000}){1000})"), std::string(20000, 'a')}) {
    Result<Regex> regex = Regex::compile(pattern, "p");
    ASSERT_FALSE(regex.ok()) << pattern.substr(0, 20);
    EXPECT_EQ(regex.error().code, ErrorCode::RegexInvalid);
  }
}

TEST(Regex, CatastrophicPatternsEndInAnError) {
  const std::string text = std::string(40, 'a') + "!";
  for (const char *pattern :
       {"(a+)+$", "(a|aa)+$", "(?:a*)*b", "(a|a)*c", "a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "((a?){20}){20}b"}) {
    Stopwatch watch;
    std::string got = cut(pattern, text);
    EXPECT_LT(watch.seconds(), kOneSecond) << pattern;
    EXPECT_THAT(got, testing::StartsWith("MMC-E0709: pattern: the pattern backtracks too much")) << pattern;
  }
}

TEST(Regex, LongRunsThatAreNotCatastrophicSucceed) {
  // Each alternative backtracks once over the whole run before the last one takes it.
  constexpr const char *kPattern = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  const std::string spaces(1 << 20, ' '), letters(1 << 20, 'a');
  Stopwatch watch;
  EXPECT_EQ(cut(kPattern, spaces).size(), spaces.size() + 2);
  EXPECT_EQ(cut(kPattern, letters).size(), letters.size() + 2);
  EXPECT_LT(watch.seconds(), kOneSecond);
}

TEST(Regex, TheErrorOfTheReceiverStopsTheCut) {
  Result<Regex> regex = Regex::compile("a", "p");
  ASSERT_TRUE(regex.ok());
  RegexMatcher matcher(*regex, 10);
  int calls = 0;
  Status status = matcher.split("aaaa", [&](std::string_view, bool) -> Status {
    ++calls;
    return makeError(ErrorCode::TextTooLarge, ErrorKind::Capacity, "enough");
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(calls, 1);
}

} // namespace
} // namespace mmc::text
