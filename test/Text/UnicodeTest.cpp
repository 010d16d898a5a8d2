//===- UnicodeTest.cpp - UTF-8, character classes, NFC ---------------------===//
//
// Expected values are from the Unicode standard (chapter 3: well-formed UTF-8, table 3-8 on replacement; annex 15 on
// normal forms).
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Unicode.h"
#include "lib/Text/ByteLevel.h"
#include "test/Text/TestSupport.h"

namespace mmc::text {
namespace {

std::string lossy(std::string_view bytes) {
  std::string out;
  EXPECT_EQ(appendLossyUtf8(bytes, true, out), bytes.size());
  return out;
}

std::string nfc(std::string_view text) {
  std::string storage;
  return std::string(normalizeNfc(text, storage));
}

TEST(Utf8, ReplacesMaximalInvalidParts) {
  const std::string bad = "\uFFFD";
  EXPECT_EQ(lossy("plain \u00E9 \U0001F642"), "plain \u00E9 \U0001F642");
  EXPECT_EQ(lossy("\xC0\x80"), bad + bad);                     // overlong: no byte starts a sequence
  EXPECT_EQ(lossy("\xED\xA0\x80"), bad + bad + bad);           // surrogate
  EXPECT_EQ(lossy("\xF0\x90\x80 a"), bad + " a");              // three good bytes, then not a continuation
  EXPECT_EQ(lossy("\xF4\x90\x80\x80"), bad + bad + bad + bad); // past U+10FFFF
  EXPECT_EQ(lossy("\xE2\x82"), bad);                           // cut short
  EXPECT_EQ(lossy("a\xF1\x80\x80\xE1\x80\xC2"
                  "b\x80"
                  "c\x80\xBF"
                  "d"), // table 3-8
            "a" + bad + bad + bad + "b" + bad + "c" + bad + bad + "d");
}

TEST(Utf8, HoldsBackAnIncompleteEnd) {
  std::string out;
  EXPECT_EQ(appendLossyUtf8("a\xF0\x9F\x99", false, out), 1u);
  EXPECT_EQ(out, "a");
  out.clear();
  EXPECT_EQ(appendLossyUtf8("a\xE2\x28", false, out), 3u);
  EXPECT_EQ(out, "a\uFFFD(");
}

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (uint32_t codePoint = 0; codePoint <= 0x10FFFF; codePoint += codePoint < 0x3000 ? 1 : 97) {
    if (codePoint >= 0xD800 && codePoint < 0xE000) continue;
    std::string bytes;
    appendUtf8(codePoint, bytes);
    Utf8Step step = decodeUtf8(bytes, 0);
    ASSERT_EQ(step.kind, Utf8Step::Valid);
    ASSERT_EQ(step.codePoint, codePoint);
    ASSERT_EQ(step.length, bytes.size());
  }
}

TEST(CharacterClasses, FollowTheUnicodeProperties) {
  for (uint32_t space : {0x09u, 0x20u, 0x85u, 0xA0u, 0x1680u, 0x2000u, 0x3000u})
    EXPECT_TRUE(isWhiteSpace(space)) << space;
  for (uint32_t other : {0x200Bu, 0x180Eu, 0xFEFFu, 0x61u}) EXPECT_FALSE(isWhiteSpace(other)) << other;
  for (uint32_t word : {0x61u, 0x5Fu, 0x30u, 0x0301u, 0x4E2Du, 0x2160u, 0x200Du, 0x24B6u})
    EXPECT_TRUE(isWordCharacter(word)) << word;
  for (uint32_t other : {0x20u, 0x2Du, 0xB2u, 0x1F642u}) EXPECT_FALSE(isWordCharacter(other)) << other;
  for (uint32_t number : {0x39u, 0x661u, 0xB2u, 0x2167u}) EXPECT_TRUE(isNumeric(number)) << number;
  EXPECT_FALSE(isNumeric('a'));
}

TEST(Nfc, ComposesDecomposesAndReorders) {
  EXPECT_EQ(nfc("ascii"), "ascii");
  EXPECT_EQ(nfc("e\u0301"), "\u00E9");
  EXPECT_EQ(nfc("\u212B"), "\u00C5");              // singleton
  EXPECT_EQ(nfc("\u0958"), "\u0915\u093C");        // composition exclusion
  EXPECT_EQ(nfc("a\u0315\u0300"), "\u00E0\u0315"); // canonical order
  EXPECT_EQ(nfc("\u1100\u1161\u11A8"), "\uAC01");  // Hangul
  EXPECT_EQ(nfc("\uAC00\u11A8"), "\uAC01");
  EXPECT_EQ(nfc("\u1E9B\u0323"), "\u1E9B\u0323"); // annex 15, figure 6
  EXPECT_EQ(nfc("q\u0307\u0323"), "q\u0323\u0307");
  EXPECT_EQ(nfc("\U0001D15E"), "\U0001D157\U0001D165");
}

TEST(Nfc, DoesNotDependOnWhereChunksAreCut) {
  std::string text, expected;
  for (int index = 0; index < 20000; ++index) {
    text += index % 3 ? "e\u0301" : index % 2 ? "\u4E2D\u1100\u1161" : "x";
    expected += index % 3 ? "\u00E9" : index % 2 ? "\u4E2D\uAC00" : "x";
  }
  EXPECT_EQ(nfc(text), expected);
}

TEST(Nfc, IsLinearInRunsOfCombiningMarks) {
  // Alternating classes 230 and 220: sorting puts every second mark in front. An exchange sort would take 10^10 steps.
  std::string text = "a", expected = "a";
  constexpr int kPairs = 100000;
  for (int index = 0; index < kPairs; ++index) text += "\u0308\u0323";
  Stopwatch watch;
  std::string got = nfc(text);
  EXPECT_LT(watch.seconds(), kOneSecond);
  // a + dot below composes; the rest of the marks follow in order.
  expected = "\u1EA1";
  for (int index = 1; index < kPairs; ++index) expected += "\u0323";
  for (int index = 0; index < kPairs; ++index) expected += "\u0308";
  EXPECT_TRUE(got == expected);
}

TEST(ByteAlphabet, SpellsKnownBytes) {
  EXPECT_EQ(byteLevelCharacter(' '), 0x120u);
  EXPECT_EQ(byteLevelCharacter('\n'), 0x10Au);
  EXPECT_EQ(byteLevelCharacter('A'), 0x41u);
  EXPECT_EQ(byteLevelCharacter(0x00), 0x100u);
  EXPECT_EQ(byteLevelCharacter(0x7F), 0x121u);
  EXPECT_EQ(byteLevelCharacter(0xAD), 0x143u);
  EXPECT_EQ(byteLevelCharacter(0xFF), 0xFFu);
  std::string out = "x";
  EXPECT_TRUE(appendSpelledBytes("\u0120the\u010A", out));
  EXPECT_EQ(out, "x the\n");
  EXPECT_FALSE(appendSpelledBytes("a b", out)); // a real space is not in the alphabet
  EXPECT_EQ(out, "x the\n");
}

} // namespace
} // namespace mmc::text
