//===- TokenizerFuzzer.cpp - hostile tokenizer files, texts, patterns ------===//
//
// The first byte chooses what the rest is: 'j' a tokenizer.json, 't' a text, 'r' a pattern and a text with a newline
// between, 'g' a generation_config.json. Besides memory errors it looks for broken promises: ids out of range, special
// ids from plain text, a text that does not survive encoding and decoding, a stream that differs from its whole.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/ByteLevel.h"
#include "lib/Text/Detokenizer.h"
#include "lib/Text/GenerationConfig.h"
#include "lib/Text/Regex.h"
#include "lib/Text/Unicode.h"

#include <cstdio>
#include <cstdlib>

using namespace mmc::text;

namespace {

void require(bool promise, const char *what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// The byte alphabet, a few merges, one special and one plain added token.
std::string makeFile(const char *normalizer, const char *preTokenizer, bool ignoreMerges) {
  std::string vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    std::string character;
    appendUtf8(byteLevelCharacter(static_cast<uint8_t>(byte)), character);
    if (character == "\"" || character == "\\") character.insert(0, "\\");
    vocabulary += "\"" + character + "\":" + std::to_string(byte) + ",";
  }
  return std::string(R"({"added_tokens":[{"id":261,"content":"<s>","special":true},)") +
         R"({"id":262,"content":"<w>","lstrip":true,"rstrip":true,"single_word":true}],"normalizer":)" + normalizer +
         R"(,"pre_tokenizer":)" + preTokenizer +
         R"(,"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","ignore_merges":)" +
         (ignoreMerges ? "true" : "false") + R"(,"vocab":{)" + vocabulary +
         R"("aa":256,"ab":257,"aaa":258,"<s":259,"ĠĠ":260},)" +
         R"("merges":["a a","a b","aa a",["<","s"],["Ġ","Ġ"]]}})";
}

const Tokenizer &tokenizer(int which) {
  static const std::string files[3] = {
      makeFile("null", R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true})", false),
      makeFile(
          "null",
          R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{N}{1,3}|\\s+(?!\\S)|\\s+"},)"
          R"("behavior":"MergedWithNext","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})",
          true),
      makeFile(R"({"type":"NFC"})", R"({"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"ByteLevel"}]})",
               false)};
  static Result<Tokenizer> tokenizers[3] = {Tokenizer::parse(files[0]), Tokenizer::parse(files[1]),
                                            Tokenizer::parse(files[2])};
  require(tokenizers[which].ok(), "the fixed tokenizers are valid");
  return *tokenizers[which];
}

/// What holds for any tokenizer and any text.
void checkText(const Tokenizer &tokenizer, std::string_view text, bool reversible) {
  for (bool parseSpecial : {false, true}) {
    Result<std::vector<int32_t>> ids = tokenizer.encode(text, {.parseSpecial = parseSpecial});
    if (!ids) continue;
    Detokenizer stream(tokenizer);
    std::string streamed;
    for (int32_t id : *ids) {
      require(tokenizer.contains(id), "ids are in range");
      require(parseSpecial || !tokenizer.isSpecial(id), "plain text gives no special id");
      Result<std::string> part = stream.push(id);
      require(part.ok() && isValidUtf8(*part), "streamed text is valid UTF-8");
      streamed += *part;
    }
    streamed += stream.flush();
    Result<std::string> whole = tokenizer.decode(*ids);
    require(whole.ok() && *whole == streamed, "the stream equals the whole");
    // <w> swallows white space; everything else comes back.
    if (reversible && text.find("<w>") == std::string_view::npos && isValidUtf8(text))
      require(*whole == text, "the text survives");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  std::string_view rest(reinterpret_cast<const char *>(data) + 1, size - 1);
  switch (data[0]) {
  case 'j':
    if (Result<Tokenizer> parsed = Tokenizer::parse(rest))
      checkText(*parsed, "It's 2024:\n  a<s> caf\u00E9 \U0001F642\xFF", false);
    break;
  case 't':
    for (int which = 0; which < 3; ++which) checkText(tokenizer(which), rest, which < 2);
    break;
  case 'r': {
    size_t newline = rest.find('\n');
    if (newline == std::string_view::npos || !isValidUtf8(rest)) break;
    Result<Regex> regex = Regex::compile(rest.substr(0, newline), "pattern");
    if (!regex) break;
    std::string_view text = rest.substr(newline + 1);
    std::string joined;
    Status status = RegexMatcher(*regex, text.size()).split(text, [&](std::string_view piece, bool) {
      joined += piece;
      return Status();
    });
    require(!status || joined == text, "the pieces cover the text");
    break;
  }
  case 'g':
    (void)parseGenerationConfig(rest, "generation_config.json", 1000);
    break;
  default:
    break;
  }
  return 0;
}
