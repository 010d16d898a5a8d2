//===- TokenizerFile.h - tokenizer.json as written -------------------------===//
//
// Reads the file into plain tables and settings and judges only its form; Vocabulary, AddedTokens and PreTokenizer
// judge the content. Invariant: the tables take no more memory than the text they come from. Internal to lib/Text.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_TOKENIZERFILE_H
#define MMC_TEXT_TOKENIZERFILE_H

#include "lib/Text/Json.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mmc::text {

/// Strings stored end to end.
struct StringTable {
  std::string bytes;
  std::vector<uint32_t> ends;

  size_t size() const { return ends.size(); }
  std::string_view operator[](size_t index) const {
    size_t begin = index ? ends[index - 1] : 0;
    return std::string_view(bytes).substr(begin, ends[index] - begin);
  }
  void push(std::string_view text) {
    bytes += text;
    ends.push_back(static_cast<uint32_t>(bytes.size()));
  }
};

/// An entry of `added_tokens`.
struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool special = false, lstrip = false, rstrip = false, singleWord = false, normalized = true;
};

struct TokenizerFile {
  StringTable tokens;            ///< model.vocab, in file order, as spelled
  std::vector<int32_t> tokenIds; ///< beside it
  StringTable merges;            ///< two entries per merge: left and right
  std::vector<AddedToken> addedTokens;
  nlohmann::json settings; ///< all the rest

  static Result<TokenizerFile> parse(std::string_view json);
};

/// `MMC-E0703`: `field` has the wrong type or is missing.
Error fieldError(const std::string &field, const std::string &expected, const std::string &found);
/// `MMC-E0704`: `field` has a legal value that this library does not implement.
Error unsupportedError(const std::string &field, const std::string &found, const std::string &supported);

} // namespace mmc::text

#endif
