//===- AddedTokens.h - tokens that are found in the text before BPE --------===//
//
// Finds added tokens leftmost-longest and honours their flags. Tokens that match the text as given and tokens that
// match the normalised text are two sets, searched one after the other. A search either sees all tokens or leaves the
// special ones out, so that special text inside user content is ordinary text. Invariant: a token has at most kLongest
// bytes, so a search takes at most kLongest steps per character.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_ADDEDTOKENS_H
#define MMC_TEXT_ADDEDTOKENS_H

#include "lib/Text/FunctionRef.h"
#include "lib/Text/TokenizerFile.h"

#include <array>

namespace mmc::text {

/// Added tokens of one kind, sorted, searched as a trie without nodes: a state is a range of the sorted tokens and a
/// depth.
class TokenSet {
public:
  /// `patterns[i]` is the text to find for `tokens[which[i]]`; where two tokens have one text, the first wins.
  void assign(std::vector<std::pair<std::string, uint32_t>> patterns);
  bool empty() const { return patterns.empty(); }
  /// The longest token at `position`, as index into the added tokens; `length` receives its bytes.
  const uint32_t *longestAt(std::string_view text, size_t position, size_t &length) const;

private:
  std::vector<std::pair<std::string, uint32_t>> patterns; ///< sorted by text
  std::array<uint32_t, 257> first{};                      ///< patterns that start with byte b: [first[b], first[b + 1])
};

class AddedTokens {
public:
  static constexpr size_t kLongest = 512;

  using NormalizeFn = FunctionRef<std::string_view(std::string_view text, std::string &storage)>;
  /// Takes the added tokens of `file`.
  static Result<AddedTokens> build(TokenizerFile &file, NormalizeFn normalize);

  enum class Form { AsGiven, Normalized };
  bool has(Form form, bool withSpecial) const { return !set(form, withSpecial).empty(); }
  /// Cuts `text` into tokens, given by id, and the non-empty text between them, in order.
  Status split(std::string_view text, Form form, bool withSpecial, FunctionRef<Status(int32_t id)> onToken,
               FunctionRef<Status(std::string_view text)> onText) const;

  const std::vector<AddedToken> &all() const { return tokens; }

private:
  const TokenSet &set(Form form, bool withSpecial) const { return sets[static_cast<int>(form)][withSpecial]; }

  std::vector<AddedToken> tokens;
  TokenSet sets[2][2];
};

} // namespace mmc::text

#endif
