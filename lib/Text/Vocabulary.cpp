//===- Vocabulary.cpp - tokens by id and ids by token ----------------------===//
//
// Spelled tokens are decoded to bytes in place: a spelling is never shorter than its bytes, so the write cursor stays
// behind the reader.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Vocabulary.h"
#include "lib/Text/ByteLevel.h"

#include <bit>
#include <cstring>
#include <random>

namespace mmc::text {

uint64_t mixBits(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

uint64_t processHashSeed() {
  static const uint64_t seed = [] {
    std::random_device device;
    return (uint64_t(device()) << 32 | device()) | 1;
  }();
  return seed;
}

uint64_t Vocabulary::hash(std::string_view bytes, bool literal) const {
  uint64_t state = seed + literal;
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    state = mixBits(state ^ word) + seed;
    bytes.remove_prefix(8);
  }
  uint64_t tail = bytes.size();
  for (char byte : bytes) tail = tail << 8 | static_cast<uint8_t>(byte);
  return mixBits(state ^ tail);
}

std::optional<int32_t> Vocabulary::find(std::string_view bytes, bool literal) const {
  size_t mask = slots.size() - 1;
  for (size_t slot = hash(bytes, literal) & mask; slots[slot]; slot = (slot + 1) & mask) {
    int32_t id = static_cast<int32_t>(slots[slot] - 1);
    if (spans[id].literal == literal && this->bytes(id) == bytes) return id;
  }
  return std::nullopt;
}

std::optional<int32_t> Vocabulary::findSpelling(std::string_view spelling, std::string &scratch) const {
  scratch.clear();
  if (appendSpelledBytes(spelling, scratch)) return find(scratch, /*literal=*/false);
  return find(spelling, /*literal=*/true);
}

Status Vocabulary::addModelTokens(TokenizerFile &file) {
  auto invalid = [](const std::string &what, std::string hint = {}) {
    return makeError(ErrorCode::VocabularyInvalid, ErrorKind::Integrity, "model.vocab: " + what, std::move(hint));
  };
  size_t mask = slots.size() - 1;
  size_t cursor = 0; // decoded bytes end here, always at or before the spelling being read
  std::string decoded;
  for (size_t index = 0, begin = 0; index < file.tokens.size(); begin = file.tokens.ends[index++]) {
    std::string_view spelling = std::string_view(arena).substr(begin, file.tokens.ends[index] - begin);
    int32_t id = file.tokenIds[index];
    if (spelling.empty())
      return invalid("the token of id " + std::to_string(id) + " is empty", "remove it from the vocabulary");
    if (static_cast<size_t>(id) >= spans.size())
      return invalid("token '" + quoteForMessage(spelling) + "' has id " + std::to_string(id) + ", but the file has " +
                         std::to_string(spans.size()) + " tokens, so ids end at " + std::to_string(spans.size() - 1),
                     "ids must be numbered from 0 without a gap");
    if (spans[id].present)
      return invalid("id " + std::to_string(id) + " is given to '" + quoteForMessage(bytes(id)) + "' and to '" +
                     quoteForMessage(spelling) + "'");
    decoded.clear();
    bool literal = !appendSpelledBytes(spelling, decoded);
    if (literal) decoded = spelling;
    if (find(decoded, literal)) return invalid("token '" + quoteForMessage(spelling) + "' occurs twice");
    std::memcpy(arena.data() + cursor, decoded.data(), decoded.size());
    spans[id] = {static_cast<uint32_t>(cursor), static_cast<uint32_t>(decoded.size()), 1, literal};
    cursor += decoded.size();
    size_t slot = hash(decoded, literal) & mask;
    while (slots[slot]) slot = (slot + 1) & mask;
    slots[slot] = static_cast<uint32_t>(id) + 1;
  }
  arena.resize(cursor);
  return {};
}

Status Vocabulary::addAddedTokens(const TokenizerFile &file) {
  std::string scratch;
  for (size_t index = 0; index < file.addedTokens.size(); ++index) {
    const AddedToken &token = file.addedTokens[index];
    std::string field = "added_tokens[" + std::to_string(index) + "]";
    auto invalid = [&](const std::string &what) {
      return makeError(ErrorCode::AddedTokensInvalid, ErrorKind::Integrity,
                       field + ": token '" + quoteForMessage(token.content) + "' " + what,
                       "every id from 0 to the last belongs to exactly one token");
    };
    if (token.content.empty()) return invalid("is empty");
    std::optional<int32_t> modelId = findSpelling(token.content, scratch);
    if (modelId && *modelId != token.id)
      return invalid("has id " + std::to_string(token.id) + ", but model.vocab gives it id " +
                     std::to_string(*modelId));
    if (modelId) continue;
    if (static_cast<size_t>(token.id) >= spans.size())
      return invalid("has id " + std::to_string(token.id) + ", but the file has " + std::to_string(spans.size()) +
                     " tokens, so ids end at " + std::to_string(spans.size() - 1));
    if (spans[token.id].present)
      return invalid("has id " + std::to_string(token.id) + ", which '" + quoteForMessage(bytes(token.id)) +
                     "' already has");
    uint32_t begin = static_cast<uint32_t>(arena.size());
    bool literal = !appendSpelledBytes(token.content, arena);
    if (literal) arena += token.content;
    spans[token.id] = {begin, static_cast<uint32_t>(arena.size() - begin), 1, literal};
  }
  return {};
}

Result<Vocabulary> Vocabulary::build(TokenizerFile &file) {
  Vocabulary vocabulary;
  vocabulary.seed = processHashSeed();
  vocabulary.slots.resize(std::bit_ceil(file.tokens.size() + file.tokens.size() / 2 + 8));
  // An upper bound first: added tokens that repeat the model's are counted twice here.
  vocabulary.spans.resize(file.tokens.size() + file.addedTokens.size());
  vocabulary.arena = std::move(file.tokens.bytes);
  if (Status status = vocabulary.addModelTokens(file); !status) return status.error();
  file.tokens = {};
  file.tokenIds = {};
  if (Status status = vocabulary.addAddedTokens(file); !status) return status.error();
  size_t size = vocabulary.spans.size();
  while (size && !vocabulary.spans[size - 1].present) --size;
  for (size_t id = 0; id < size; ++id)
    if (!vocabulary.spans[id].present)
      return makeError(ErrorCode::VocabularyInvalid, ErrorKind::Integrity,
                       "model.vocab: no token has id " + std::to_string(id) + ", but ids go up to " +
                           std::to_string(size - 1),
                       "ids must be numbered from 0 without a gap");
  if (!size) return fieldError("model.vocab", "at least one token", "none");
  vocabulary.spans.resize(size);
  vocabulary.arena.shrink_to_fit();
  return vocabulary;
}

} // namespace mmc::text
