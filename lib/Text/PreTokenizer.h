//===- PreTokenizer.h - the cutting of text into pre-tokens ----------------===//
//
// A chain of steps, each of which cuts a piece into smaller ones; what leaves the last step is a pre-token, given to
// BPE as bytes. Pieces stream through the chain one at a time, so memory does not grow with their number. Internal to
// lib/Text.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_PRETOKENIZER_H
#define MMC_TEXT_PRETOKENIZER_H

#include "lib/Text/Json.h"
#include "lib/Text/Regex.h"

#include <vector>

namespace mmc::text {

class PreTokenizer {
public:
  /// Reads `pre_tokenizer` of tokenizer.json: ByteLevel, or a Sequence of Split and Digits that ends in ByteLevel.
  static Result<PreTokenizer> build(const nlohmann::json &settings);

  using EmitFn = FunctionRef<Status(std::string_view preToken)>;

  /// One text's scratch.
  class Run {
  public:
    Run(const PreTokenizer &owner, size_t textBytes);
    /// Gives every pre-token of `piece` (valid UTF-8) to `emit`; a view lives until `emit` returns.
    Status cut(std::string_view piece, EmitFn emit) { return step(0, piece, emit); }

  private:
    Status step(size_t index, std::string_view piece, EmitFn emit);
    const PreTokenizer &owner;
    std::vector<RegexMatcher> matchers; ///< of the steps that have a regex, in order
    std::string prefixed;
  };

private:
  enum class Behavior { Removed, Isolated, Contiguous, MergedWithPrevious, MergedWithNext };
  struct Step {
    enum Kind { Pattern, Literal, Digits, ByteLevel } kind;
    Behavior behavior = Behavior::Isolated;
    bool invert = false;
    bool addPrefixSpace = false; ///< of ByteLevel
    std::string literal;
    int regex = -1; ///< index into regexes
  };

  Status add(const nlohmann::json &settings, const std::string &field);
  Status addSequence(const nlohmann::json &settings, const std::string &field);
  Status addSplit(const nlohmann::json &settings, const std::string &field);
  Status addRegex(std::string_view pattern, const std::string &field, Step &step);
  static Status group(Behavior behavior, bool invert, FunctionRef<Status(PieceFn)> produce, EmitFn emit);

  std::vector<Step> steps;
  std::vector<Regex> regexes;
};

} // namespace mmc::text

#endif
