//===- Regex.h - the regular expressions of pre-tokenizers -----------------===//
//
// tokenizer.json patterns are written for Oniguruma. A pattern is checked and rewritten into PCRE2 with the same
// meaning; a construct whose meaning differs between the two is refused by name. Matching is bounded: cheap matches are
// free, and backtracking beyond them draws on a budget that is linear in the text, so a catastrophic pattern ends in a
// typed error. No just-in-time compiler, no machine stack.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_REGEX_H
#define MMC_TEXT_REGEX_H

#include "lib/Text/FunctionRef.h"
#include "lib/Text/Result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mmc::text {

/// A compiled pattern; immutable, shared between threads.
class Regex {
public:
  /// `field` names the pattern in errors, for example "pre_tokenizer.pattern.Regex".
  static Result<Regex> compile(std::string_view pattern, const std::string &field);

private:
  friend class RegexMatcher;
  Regex() = default;
  std::shared_ptr<const void> code; ///< pcre2_code
  std::string field;
};

/// The PCRE2 source that `pattern` is rewritten to, or why it is refused.
Result<std::string> translateOnigurumaPattern(std::string_view pattern, const std::string &field);

/// Receives consecutive pieces that cover a text: `isMatch` tells matches from what lies between them.
using PieceFn = FunctionRef<Status(std::string_view piece, bool isMatch)>;

/// The scratch of one thread for one pattern, with the budget of one text.
class RegexMatcher {
public:
  /// `textBytes` is the size of the whole text; the backtracking budget is one million steps (fewer for a pattern of more
  /// than a kilobyte) and 32 per byte.
  RegexMatcher(const Regex &regex, size_t textBytes);
  /// Cuts `text` (valid UTF-8) into matches and gaps, in order. Leftmost matches; an empty match is never adjacent to
  /// the previous one.
  Status split(std::string_view text, PieceFn emit);

private:
  enum class Outcome { Match, NoMatch, OverBudget, Failed };
  Outcome matchAt(std::string_view text, size_t position, size_t &end);

  Regex regex;
  std::shared_ptr<void> matchData, matchContext;
  uint64_t budget;
};

} // namespace mmc::text

#endif
