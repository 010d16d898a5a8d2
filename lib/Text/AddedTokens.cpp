//===- AddedTokens.cpp - tokens that are found in the text before BPE ------===//
//
// The order of events follows HF tokenizers: matches are found first and never overlap; a match that fails
// `single_word` is skipped whole; white space goes to the token on request, on the left no further than the previous
// token's end.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/AddedTokens.h"
#include "lib/Text/Unicode.h"

#include <algorithm>

namespace mmc::text {

void TokenSet::assign(std::vector<std::pair<std::string, uint32_t>> list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end(), [](const auto &a, const auto &b) { return a.first == b.first; }),
             list.end());
  patterns = std::move(list);
  first.fill(0);
  for (const auto &[text, token] : patterns) ++first[static_cast<uint8_t>(text[0]) + 1];
  for (int byte = 0; byte < 256; ++byte) first[byte + 1] += first[byte];
}

const uint32_t *TokenSet::longestAt(std::string_view text, size_t position, size_t &length) const {
  uint8_t byte = static_cast<uint8_t>(text[position]);
  size_t low = first[byte], high = first[byte + 1];
  const uint32_t *longest = nullptr;
  for (size_t depth = 1; low < high; ++depth) {
    // Of all patterns with this prefix the prefix itself sorts first.
    if (patterns[low].first.size() == depth) {
      longest = &patterns[low].second;
      length = depth;
      if (++low == high) break;
    }
    if (position + depth >= text.size()) break;
    byte = static_cast<uint8_t>(text[position + depth]);
    auto at = [&](const auto &pattern) { return static_cast<uint8_t>(pattern.first[depth]); };
    if (high - low == 1) {
      if (at(patterns[low]) != byte) break;
      continue;
    }
    auto begin = patterns.begin();
    low = std::partition_point(begin + low, begin + high, [&](const auto &pattern) { return at(pattern) < byte; }) -
          begin;
    high = std::partition_point(begin + low, begin + high, [&](const auto &pattern) { return at(pattern) == byte; }) -
           begin;
  }
  return longest;
}

Result<AddedTokens> AddedTokens::build(TokenizerFile &file, NormalizeFn normalize) {
  AddedTokens added;
  added.tokens = std::move(file.addedTokens);
  std::vector<std::pair<std::string, uint32_t>> lists[2][2];
  std::string storage;
  for (uint32_t index = 0; index < added.tokens.size(); ++index) {
    const AddedToken &token = added.tokens[index];
    if (token.content.size() > kLongest)
      return makeError(ErrorCode::AddedTokensInvalid, ErrorKind::Capacity,
                       "added_tokens[" + std::to_string(index) + "]: content of " +
                           std::to_string(token.content.size()) + " bytes, at most " + std::to_string(kLongest) +
                           " are accepted");
    std::string pattern(token.normalized ? normalize(token.content, storage) : std::string_view(token.content));
    if (pattern.empty()) continue;
    for (bool withSpecial : {false, true})
      if (withSpecial || !token.special) lists[token.normalized][withSpecial].emplace_back(pattern, index);
  }
  for (int form : {0, 1})
    for (int withSpecial : {0, 1}) added.sets[form][withSpecial].assign(std::move(lists[form][withSpecial]));
  return added;
}

namespace {

uint32_t characterBefore(std::string_view text, size_t position, size_t &start) {
  start = position - 1;
  while (start > 0 && (static_cast<uint8_t>(text[start]) & 0xC0) == 0x80) --start;
  return decodeUtf8(text, start).codePoint;
}

size_t spaceBegin(std::string_view text, size_t position, size_t notBefore) {
  while (position > notBefore) {
    size_t start;
    if (!isWhiteSpace(characterBefore(text, position, start))) break;
    position = start;
  }
  return position;
}

size_t spaceEnd(std::string_view text, size_t position) {
  while (position < text.size()) {
    Utf8Step step = decodeUtf8(text, position);
    if (!isWhiteSpace(step.codePoint)) break;
    position += step.length;
  }
  return position;
}

bool standsAlone(std::string_view text, size_t begin, size_t end) {
  size_t start;
  bool wordBefore = begin > 0 && isWordCharacter(characterBefore(text, begin, start));
  bool wordAfter = end < text.size() && isWordCharacter(decodeUtf8(text, end).codePoint);
  return !wordBefore && !wordAfter;
}

} // namespace

Status AddedTokens::split(std::string_view text, Form form, bool withSpecial, FunctionRef<Status(int32_t)> onToken,
                          FunctionRef<Status(std::string_view)> onText) const {
  const TokenSet &tokenSet = set(form, withSpecial);
  size_t done = 0; // text before this is handed out
  size_t knownSpace[2] = {
      0, 0}; // white space that is already measured: scanning it again for each token would be quadratic
  for (size_t position = tokenSet.empty() ? text.size() : 0; position < text.size();) {
    size_t length = 0;
    const uint32_t *found = tokenSet.longestAt(text, position, length);
    if (!found) {
      ++position;
      continue;
    }
    const AddedToken &token = tokens[*found];
    size_t begin = position, end = position + length;
    position = end;
    if (token.singleWord && !standsAlone(text, begin, end)) continue;
    if (token.lstrip) begin = std::max(spaceBegin(text, begin, std::min(done, begin)), done);
    if (token.rstrip) {
      if (end < knownSpace[0] || end >= knownSpace[1]) {
        knownSpace[0] = end;
        knownSpace[1] = spaceEnd(text, end);
      }
      end = std::max(end, knownSpace[1]);
    }
    if (done < begin)
      if (Status status = onText(text.substr(done, begin - done)); !status) return status;
    if (Status status = onToken(token.id); !status) return status;
    done = end;
  }
  if (done < text.size()) return onText(text.substr(done));
  return {};
}

} // namespace mmc::text
