//===- Vocabulary.h - tokens by id and ids by token ------------------------===//
//
// All tokens of a tokenizer as bytes, numbered 0 to size() - 1 without a hole, and the index of the model's own tokens
// that BPE searches. A token whose spelling leaves the byte alphabet is `literal`: it stands for its own UTF-8 and
// byte-level text never contains it. Invariant: immutable once built; token bytes are stored once.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_VOCABULARY_H
#define MMC_TEXT_VOCABULARY_H

#include "lib/Text/TokenizerFile.h"

#include <optional>

namespace mmc::text {

class Vocabulary {
public:
  /// Takes the token table and the added tokens of `file` (the added tokens stay there) and checks them together: every
  /// id exactly once, none missing, no empty token, an added token that the model also has under the same id.
  static Result<Vocabulary> build(TokenizerFile &file);

  size_t size() const { return spans.size(); }
  /// The bytes that token `id` (0 to size() - 1) stands for.
  std::string_view bytes(int32_t id) const { return std::string_view(arena).substr(spans[id].begin, spans[id].length); }
  /// The model's token that stands for exactly `bytes`; literal tokens excluded.
  std::optional<int32_t> findBytes(std::string_view bytes) const { return find(bytes, /*literal=*/false); }
  /// The model's token that tokenizer.json spells `spelling`. `scratch` avoids an allocation per call.
  std::optional<int32_t> findSpelling(std::string_view spelling, std::string &scratch) const;

private:
  struct Span {
    uint32_t begin = 0;
    uint32_t length : 30 = 0;
    uint32_t present : 1 = 0;
    uint32_t literal : 1 = 0;
  };
  std::optional<int32_t> find(std::string_view bytes, bool literal) const;
  uint64_t hash(std::string_view bytes, bool literal) const;
  Status addModelTokens(TokenizerFile &file);
  Status addAddedTokens(const TokenizerFile &file);

  std::string arena;
  std::vector<Span> spans;     ///< by id
  std::vector<uint32_t> slots; ///< open addressing: id + 1, or 0
  uint64_t seed = 0;
};

/// A number that differs from process to process, so that no file can be made to collide in a hash table.
uint64_t processHashSeed();
/// Mixes all bits of `value`.
uint64_t mixBits(uint64_t value);

} // namespace mmc::text

#endif
