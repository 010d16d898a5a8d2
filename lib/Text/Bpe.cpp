//===- Bpe.cpp - byte pair encoding of one pre-token -----------------------===//
//
// Symbols form a linked list; a heap holds merge candidates, which are checked again when they surface because
// neighbours may have merged since. Every merge adds at most two candidates, so the heap sees at most 3n entries.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Bpe.h"
#include "lib/Text/ByteLevel.h"
#include "lib/Text/Unicode.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <functional>

namespace mmc::text {

namespace {

Result<bool> readFlag(const nlohmann::json &model, const char *name) {
  auto found = model.find(name);
  if (found == model.end() || found->is_null()) return false;
  if (!found->is_boolean()) return fieldError(std::string("model.") + name, "true or false", describeJson(*found));
  return found->get<bool>();
}

} // namespace

Status Bpe::readSettings(const nlohmann::json &model, const Vocabulary &vocabulary) {
  auto type = model.find("type");
  // Files of old converters have no type; their model is BPE where they have merges.
  if (type != model.end() && *type != "BPE")
    return unsupportedError(
        "model.type", type->is_string() ? "'" + quoteForMessage(type->get<std::string>()) + "'" : describeJson(*type),
        "'BPE'");
  if (!model.contains("merges")) return fieldError("model.merges", "an array", "nothing");
  for (const char *name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    auto found = model.find(name);
    // The empty string is how some exporters spell null.
    if (found != model.end() && !found->is_null() && *found != "")
      return unsupportedError(std::string("model.") + name, "a value other than null", "null");
  }
  auto dropout = model.find("dropout");
  if (dropout != model.end() && !dropout->is_null() && !(dropout->is_number() && dropout->get<double>() == 0))
    return unsupportedError("model.dropout", "a value other than null", "null");
  for (auto [name, target] : {std::pair("fuse_unk", &Bpe::fuseUnknown), std::pair("byte_fallback", &Bpe::byteFallback),
                              std::pair("ignore_merges", &Bpe::ignoreMerges)}) {
    Result<bool> flag = readFlag(model, name);
    if (!flag) return flag.error();
    this->*target = *flag;
  }
  auto unknown = model.find("unk_token");
  if (unknown == model.end() || unknown->is_null()) return {};
  if (!unknown->is_string()) return fieldError("model.unk_token", "a string or null", describeJson(*unknown));
  std::string text = unknown->get<std::string>(), scratch;
  std::optional<int32_t> id = vocabulary.findSpelling(text, scratch);
  if (!id) return fieldError("model.unk_token", "a token of model.vocab", "'" + quoteForMessage(text) + "'");
  unknownId = *id;
  return {};
}

Status Bpe::readBytes(const Vocabulary &vocabulary, const std::vector<bool> &special) {
  std::string spelling, scratch;
  for (int byte = 0; byte < 256; ++byte) {
    Initial &start = initial[byte];
    char one = static_cast<char>(byte);
    if (std::optional<int32_t> id = vocabulary.findBytes({&one, 1})) {
      spelling.clear();
      appendUtf8(byteLevelCharacter(static_cast<uint8_t>(byte)), spelling);
      if (special[*id])
        return makeError(ErrorCode::AddedTokensInvalid, ErrorKind::Integrity,
                         "added_tokens: token '" + spelling + "' is special and also a letter of the byte alphabet",
                         "plain text could not be told from the special token");
      start.ids[0] = *id;
      continue;
    }
    start.unknown = unknownId >= 0;
    if (!byteFallback) continue;
    // The fallback spells the UTF-8 of the character that stands for the byte.
    spelling.clear();
    appendUtf8(byteLevelCharacter(static_cast<uint8_t>(byte)), spelling);
    int32_t ids[2] = {-1, -1};
    bool complete = true;
    for (size_t index = 0; index < spelling.size(); ++index) {
      char name[8];
      std::snprintf(name, sizeof(name), "<0x%02X>", static_cast<uint8_t>(spelling[index]));
      std::optional<int32_t> id = vocabulary.findSpelling(name, scratch);
      complete = complete && id;
      ids[index] = id.value_or(-1);
    }
    if (!complete) continue;
    start.unknown = false;
    std::copy(ids, ids + 2, start.ids);
  }
  return {};
}

Status Bpe::readMerges(const StringTable &table, const Vocabulary &vocabulary, const std::vector<bool> &special) {
  size_t count = table.size() / 2;
  merges.resize(std::bit_ceil(count + count / 4 + 8));
  std::string joined, scratch;
  for (size_t rank = 0; rank < count; ++rank) {
    std::string_view sides[3] = {table[2 * rank], table[2 * rank + 1]};
    joined.assign(sides[0]).append(sides[1]);
    sides[2] = joined;
    int32_t ids[3];
    for (int side = 0; side < 3; ++side) {
      std::optional<int32_t> id = vocabulary.findSpelling(sides[side], scratch);
      if (!id)
        return makeError(ErrorCode::MergesInvalid, ErrorKind::Integrity,
                         "model.merges[" + std::to_string(rank) + "]: '" + quoteForMessage(sides[0]) + "' + '" +
                             quoteForMessage(sides[1]) + "' needs token '" + quoteForMessage(sides[side]) +
                             "', which model.vocab lacks",
                         "model.vocab and model.merges must come from the same tokenizer");
      ids[side] = *id;
    }
    // A special token comes only from its own text (AddedTokens), never from merging user text.
    if (special[ids[2]]) continue;
    insert({uint64_t(uint32_t(ids[0])) << 32 | uint32_t(ids[1]), static_cast<uint32_t>(rank), ids[2]});
  }
  return {};
}

void Bpe::insert(const Merge &merge) {
  size_t mask = merges.size() - 1;
  size_t slot = mixBits(merge.pair ^ seed) & mask;
  while (merges[slot].pair != kNoPair && merges[slot].pair != merge.pair) slot = (slot + 1) & mask;
  merges[slot] = merge; // a pair that is listed twice has its later rank
}

const Bpe::Merge *Bpe::find(int32_t left, int32_t right) const {
  uint64_t pair = uint64_t(uint32_t(left)) << 32 | uint32_t(right);
  size_t mask = merges.size() - 1;
  for (size_t slot = mixBits(pair ^ seed) & mask;; slot = (slot + 1) & mask) {
    if (merges[slot].pair == pair) return &merges[slot];
    if (merges[slot].pair == kNoPair) return nullptr;
  }
}

Result<Bpe> Bpe::build(TokenizerFile &file, const Vocabulary &vocabulary, const std::vector<bool> &special) {
  Bpe bpe;
  bpe.seed = processHashSeed();
  bpe.isSpecial = special;
  if (Status status = bpe.readSettings(file.settings["model"], vocabulary); !status) return status.error();
  if (Status status = bpe.readBytes(vocabulary, special); !status) return status.error();
  if (Status status = bpe.readMerges(file.merges, vocabulary, special); !status) return status.error();
  file.merges = {};
  return bpe;
}

void Bpe::Scratch::trim() {
  constexpr size_t kKeep = 1 << 16;
  if (symbols.capacity() > kKeep) symbols = {};
  if (heap.capacity() > kKeep) heap = {};
}

void Bpe::pushInitialSymbols(std::string_view word, std::vector<Scratch::Symbol> &symbols) const {
  symbols.clear();
  bool lastUnknown = false;
  auto push = [&](int32_t id) {
    int32_t index = static_cast<int32_t>(symbols.size());
    symbols.push_back({id, index - 1, index + 1});
  };
  for (char byte : word) {
    const Initial &start = initial[static_cast<uint8_t>(byte)];
    if (start.unknown) {
      if (!(fuseUnknown && lastUnknown)) push(unknownId);
      lastUnknown = true;
      continue;
    }
    lastUnknown = false;
    for (int32_t id : start.ids)
      if (id >= 0) push(id);
  }
  if (!symbols.empty()) symbols.back().next = -1;
}

void Bpe::encode(std::string_view word, const Vocabulary &vocabulary, Scratch &scratch,
                 std::vector<int32_t> &ids) const {
  if (scratch.known.empty() || word.size() > Scratch::Known::kMostBytes) return merge(word, vocabulary, scratch, ids);
  uint64_t hash = seed;
  for (char byte : word) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001B3u;
  Scratch::Known &entry = scratch.known[mixBits(hash) % scratch.known.size()];
  if (entry.length == word.size() && std::string_view(entry.bytes, entry.length) == word) {
    ids.insert(ids.end(), entry.ids, entry.ids + entry.count);
    return;
  }
  size_t before = ids.size();
  merge(word, vocabulary, scratch, ids);
  if (ids.size() - before > Scratch::Known::kMostIds) return;
  entry.length = static_cast<uint8_t>(word.size());
  entry.count = static_cast<uint8_t>(ids.size() - before);
  std::copy(word.begin(), word.end(), entry.bytes);
  std::copy(ids.begin() + before, ids.end(), entry.ids);
}

void Bpe::merge(std::string_view word, const Vocabulary &vocabulary, Scratch &scratch,
                std::vector<int32_t> &ids) const {
  if (ignoreMerges)
    if (std::optional<int32_t> id = vocabulary.findBytes(word); id && !isSpecial[*id]) {
      ids.push_back(*id);
      return;
    }
  auto &symbols = scratch.symbols;
  auto &heap = scratch.heap;
  pushInitialSymbols(word, symbols);
  heap.clear();
  // The lowest rank comes first, of equal ranks the leftmost.
  auto propose = [&](int32_t left) {
    const Merge *found = find(symbols[left].id, symbols[symbols[left].next].id);
    if (found) heap.push_back(uint64_t(found->rank) << 32 | static_cast<uint32_t>(left));
    return found != nullptr;
  };
  auto proposeLater = [&](int32_t left) {
    if (propose(left)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (size_t index = 0; index + 1 < symbols.size(); ++index) propose(static_cast<int32_t>(index));
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    auto position = static_cast<int32_t>(heap.back() & UINT32_MAX);
    auto rank = static_cast<uint32_t>(heap.back() >> 32);
    heap.pop_back();
    Scratch::Symbol &left = symbols[position];
    if (left.id < 0 || left.next < 0) continue;
    Scratch::Symbol &right = symbols[left.next];
    // The candidate may be stale: it stands only if the pair that is here now has its rank.
    const Merge *found = find(left.id, right.id);
    if (!found || found->rank != rank) continue;
    left.id = found->id;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) symbols[left.next].previous = position;
    if (left.previous >= 0) proposeLater(left.previous);
    if (left.next >= 0) proposeLater(position);
  }
  for (int32_t index = symbols.empty() ? -1 : 0; index >= 0; index = symbols[index].next)
    ids.push_back(symbols[index].id);
}

} // namespace mmc::text
