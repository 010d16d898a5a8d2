//===- Regex.cpp - bounded matching with PCRE2 -----------------------------===//
//
// Matches are anchored and the search for a start is ours, because PCRE2's match limit counts per start position. An
// attempt first gets kFreeSteps; if that is not enough the limit is raised fourfold, and each raised attempt is paid
// from the budget. So the cost of a text is at most kFreeSteps per character plus the budget.
//
//===----------------------------------------------------------------------===//
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lib/Text/Regex.h"

#include <algorithm>
#include <pcre2.h>

namespace mmc::text {

namespace {

constexpr uint32_t kFreeSteps = 64;
constexpr uint64_t kBaseBudget = 1'000'000;
constexpr uint64_t kBudgetPerByte = 32;
constexpr uint32_t kHeapKiB = 64 * 1024; // backtracking memory of one match
constexpr size_t kLongestPattern = 16 * 1024;

/// Between two counted steps the engine may run through the whole program, so a long program gets fewer of them.
uint64_t baseBudget(const pcre2_code *code) {
  size_t bytes = 0;
  pcre2_pattern_info(code, PCRE2_INFO_SIZE, &bytes);
  constexpr size_t kUsualProgram = 1024;
  return kBaseBudget * kUsualProgram / std::max(bytes, kUsualProgram);
}

const pcre2_code *codeOf(const void *code) { return static_cast<const pcre2_code *>(code); }

} // namespace

Result<Regex> Regex::compile(std::string_view pattern, const std::string &field) {
  if (pattern.size() > kLongestPattern)
    return makeError(ErrorCode::RegexInvalid, ErrorKind::Capacity,
                     field + ": pattern of " + std::to_string(pattern.size()) + " bytes, at most " +
                         std::to_string(kLongestPattern) + " are accepted");
  Result<std::string> source = translateOnigurumaPattern(pattern, field);
  if (!source) return source.error();
  std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  if (!context) return makeError(ErrorCode::OutOfMemory, ErrorKind::Capacity, field + ": out of memory");
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int number = 0;
  PCRE2_SIZE offset = 0;
  // Start optimisations would search ahead in the text on every anchored attempt.
  uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |
                     PCRE2_NO_START_OPTIMIZE;
  pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source->data()), source->size(), options, &number,
                                   &offset, context.get());
  if (!code) {
    PCRE2_UCHAR message[160];
    pcre2_get_error_message(number, message, sizeof(message));
    return makeError(ErrorCode::RegexInvalid, ErrorKind::Integrity,
                     field + ": pattern does not compile: " + reinterpret_cast<const char *>(message));
  }
  Regex regex;
  regex.code =
      std::shared_ptr<const void>(code, [](const void *p) { pcre2_code_free(const_cast<pcre2_code *>(codeOf(p))); });
  regex.field = field;
  return regex;
}

RegexMatcher::RegexMatcher(const Regex &regex, size_t textBytes)
    : regex(regex), budget(baseBudget(codeOf(regex.code.get())) + kBudgetPerByte * textBytes) {
  matchData = std::shared_ptr<void>(pcre2_match_data_create(1, nullptr),
                                    [](void *p) { pcre2_match_data_free(static_cast<pcre2_match_data *>(p)); });
  matchContext = std::shared_ptr<void>(pcre2_match_context_create(nullptr), [](void *p) {
    pcre2_match_context_free(static_cast<pcre2_match_context *>(p));
  });
  if (matchContext) pcre2_set_heap_limit(static_cast<pcre2_match_context *>(matchContext.get()), kHeapKiB);
}

RegexMatcher::Outcome RegexMatcher::matchAt(std::string_view text, size_t position, size_t &end) {
  auto *data = static_cast<pcre2_match_data *>(matchData.get());
  auto *context = static_cast<pcre2_match_context *>(matchContext.get());
  if (!data || !context) return Outcome::Failed;
  for (uint64_t limit = kFreeSteps;; limit = std::min<uint64_t>(limit * 4, budget)) {
    if (limit > kFreeSteps) budget -= limit;
    pcre2_set_match_limit(context, static_cast<uint32_t>(std::min<uint64_t>(limit, UINT32_MAX)));
    int code = pcre2_match(codeOf(regex.code.get()), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), position,
                           PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, data, context);
    if (code >= 0) {
      end = pcre2_get_ovector_pointer(data)[1];
      return Outcome::Match;
    }
    if (code == PCRE2_ERROR_NOMATCH) return Outcome::NoMatch;
    if (code == PCRE2_ERROR_HEAPLIMIT) return Outcome::OverBudget;
    if (code != PCRE2_ERROR_MATCHLIMIT) return Outcome::Failed;
    if (budget <= limit) return Outcome::OverBudget;
  }
}

Status RegexMatcher::split(std::string_view text, PieceFn emit) {
  auto nextCharacter = [&](size_t position) {
    do ++position;
    while (position < text.size() && (static_cast<uint8_t>(text[position]) & 0xC0) == 0x80);
    return position;
  };
  size_t emitted = 0;                           // text before this is handed out
  size_t lastMatchEnd = std::string_view::npos; // no match yet
  for (size_t position = 0; position <= text.size();) {
    size_t end = position;
    Outcome outcome = matchAt(text, position, end);
    if (outcome == Outcome::OverBudget)
      return makeError(ErrorCode::RegexBudget, ErrorKind::Capacity,
                       regex.field + ": the pattern backtracks too much at byte " + std::to_string(position) + " of " +
                           std::to_string(text.size()),
                       "rewrite the pattern without nested repetitions, or shorten the text");
    if (outcome == Outcome::Failed)
      return makeError(ErrorCode::RegexInvalid, ErrorKind::Failed, regex.field + ": the pattern cannot be matched");
    bool accepted = outcome == Outcome::Match && end >= position && !(end == position && position == lastMatchEnd);
    if (!accepted) {
      if (position >= text.size()) break;
      position = nextCharacter(position);
      continue;
    }
    if (emitted != position)
      if (Status status = emit(text.substr(emitted, position - emitted), false); !status) return status;
    if (Status status = emit(text.substr(position, end - position), true); !status) return status;
    position = emitted = lastMatchEnd = end;
  }
  if (emitted != text.size()) return emit(text.substr(emitted), false);
  return {};
}

} // namespace mmc::text
