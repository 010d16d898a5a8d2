//===- TestSupport.h - what the text tests share ---------------------------===//
//
// Small tokenizers, written as the files that users have, so that every test goes through the parser.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEST_TEXT_TESTSUPPORT_H
#define MMC_TEST_TEXT_TESTSUPPORT_H

#include "lib/Text/Tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mmc::text {

/// A tokenizer.json: the 256 letters of the byte alphabet (id = position in the alphabet's order of bytes), then
/// `tokens`, with `merges`. gpt2 pre-tokenizer, no normalizer, no added tokens. Tests change members before they parse
/// it.
nlohmann::json makeTokenizerJson(const std::vector<std::string> &tokens = {},
                                 const std::vector<std::pair<std::string, std::string>> &merges = {});

/// An entry of added_tokens with all flags false.
nlohmann::json makeAddedToken(const std::string &content, int id, bool special);

/// How the byte alphabet spells `bytes`.
std::string spell(std::string_view bytes);

/// Parses and expects success.
Tokenizer parseTokenizer(const nlohmann::json &file);

/// Each token of the encoding as bytes, for readable expectations.
std::vector<std::string> pieces(const Tokenizer &tokenizer, std::string_view text, const EncodeOptions &options = {});

std::string readFile(const std::string &path);

/// Expects that parsing `file` fails with `code` and a message that contains `message`.
void expectRefused(const std::string &file, ErrorCode code, const std::string &message);

/// The folder of the project's tokenizer fixtures, with a final slash.
inline std::string tokenizerInputs() { return std::string(MMC_SOURCE_DIR) + "/test/Inputs/tokenizers/"; }

/// Measures the processor time of this thread, which other load on the machine does not change.
class Stopwatch {
public:
  Stopwatch() : start(now()) {}
  double seconds() const { return now() - start; }

private:
  static double now();
  double start;
};

/// The longest that a test of "no hang" allows; sanitizers make everything slower.
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr double kOneSecond = 10;
#else
constexpr double kOneSecond = 1;
#endif

/// Live and highest number of bytes from operator new in this process since the last resetPeak().
size_t liveBytes();
size_t peakBytes();
void resetPeak();

} // namespace mmc::text

#endif
