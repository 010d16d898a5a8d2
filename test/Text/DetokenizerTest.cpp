//===- DetokenizerTest.cpp - text as it becomes certain --------------------===//
//
// The byte alphabet makes every byte a token, so any byte stream can be pushed: id = byte.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Detokenizer.h"
#include "lib/Text/Unicode.h"
#include "test/Text/TestSupport.h"

#include <random>

namespace mmc::text {
namespace {

class Stream : public testing::Test {
protected:
  std::string push(uint8_t byte) {
    Result<std::string> text = stream.push(byte);
    return text ? *text : text.error().describe();
  }
  Tokenizer tokenizer = parseTokenizer(makeTokenizerJson());
  Detokenizer stream{tokenizer};
};

TEST_F(Stream, HoldsAnIncompleteCharacter) {
  EXPECT_EQ(push('a'), "a");
  EXPECT_EQ(push(0xF0), "");
  EXPECT_EQ(push(0x9F), "");
  EXPECT_EQ(push(0x99), "");
  EXPECT_EQ(push(0x82), "\U0001F642");
  EXPECT_EQ(stream.flush(), "");
}

TEST_F(Stream, ReplacesWhatCannotBecomeACharacter) {
  EXPECT_EQ(push(0xF0), "");
  EXPECT_EQ(push('b'), "\uFFFDb");
  EXPECT_EQ(push(0x80), "\uFFFD");
  EXPECT_EQ(push(0xE2), "");
  EXPECT_EQ(push(0x82), "");
  EXPECT_EQ(stream.flush(), "\uFFFD");
  EXPECT_EQ(push('c'), "c");
}

TEST_F(Stream, AnUnknownIdIsAnErrorAndChangesNothing) {
  EXPECT_EQ(push(0xC3), "");
  for (int32_t id : {-1, 256, INT32_MAX}) {
    Result<std::string> text = stream.push(id);
    ASSERT_FALSE(text.ok());
    EXPECT_EQ(text.error().code, ErrorCode::IdOutOfRange);
    EXPECT_THAT(text.error().message, testing::HasSubstr("token id " + std::to_string(id)));
  }
  EXPECT_EQ(push(0xA9), "\u00E9");
}

TEST_F(Stream, EqualsDecodeOnRandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<int32_t> ids(random() % 40);
    for (int32_t &id : ids) id = random() % 3 ? 0x80 + random() % 0x80 : random() % 0x80;
    std::string text;
    for (int32_t id : ids) {
      std::string part = push(static_cast<uint8_t>(id));
      EXPECT_TRUE(isValidUtf8(part));
      text += part;
    }
    text += stream.flush();
    EXPECT_EQ(text, *tokenizer.decode(ids));
  }
}

TEST(Detokenizer, SkipsSpecialTokensOnRequest) {
  nlohmann::json file = makeTokenizerJson();
  file["added_tokens"] = nlohmann::json::array({makeAddedToken("<end>", 256, true)});
  Tokenizer tokenizer = parseTokenizer(file);
  Detokenizer shown(tokenizer), hidden(tokenizer, {.skipSpecial = true});
  EXPECT_EQ(*shown.push(256), "<end>");
  EXPECT_EQ(*hidden.push(256), "");
  EXPECT_EQ(*tokenizer.decode(std::vector<int32_t>{'a', 256}, {.skipSpecial = true}), "a");
}

} // namespace
} // namespace mmc::text
