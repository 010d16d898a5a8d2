//===- Bpe.h - byte pair encoding of one pre-token -------------------------===//
//
// Merges the bytes of a pre-token pair by pair, the pair of lowest rank first and of equal ranks the leftmost, in O(n
// log n). Invariant: immutable once built; all scratch is the caller's, so threads share one Bpe.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_BPE_H
#define MMC_TEXT_BPE_H

#include "lib/Text/Vocabulary.h"

#include <array>

namespace mmc::text {

class Bpe {
public:
  /// Takes the merges of `file` and the settings under `model`. `special` has one entry per id: such ids are never
  /// produced by merging.
  static Result<Bpe> build(TokenizerFile &file, const Vocabulary &vocabulary, const std::vector<bool> &special);

  /// Reused between pre-tokens; grows with the longest one.
  struct Scratch {
    struct Symbol {
      int32_t id;             ///< -1 once merged into its left neighbour
      int32_t previous, next; ///< indices, -1 at the ends
    };
    /// A short pre-token and its ids: words repeat, and remembering them halves the time of a long text.
    struct Known {
      static constexpr size_t kMostBytes = 24, kMostIds = 8;
      uint8_t length = 0, count = 0;
      char bytes[kMostBytes];
      int32_t ids[kMostIds];
    };
    std::vector<Symbol> symbols;
    std::vector<uint64_t> heap; ///< merge candidates: rank << 32 | position of the left symbol
    std::vector<Known> known;   ///< by hash of the bytes; empty: nothing is remembered
    /// Worth its 256 KiB for texts that are longer.
    void remember() { known.resize(4096); }
    /// Gives memory back after an unusually long pre-token.
    void trim();
  };

  /// Appends the ids of `word` (at most 2^31 - 1 bytes).
  void encode(std::string_view word, const Vocabulary &vocabulary, Scratch &scratch, std::vector<int32_t> &ids) const;

private:
  struct Merge {
    uint64_t pair = kNoPair; ///< left << 32 | right
    uint32_t rank = 0;
    int32_t id = 0;
  };
  static constexpr uint64_t kNoPair = ~uint64_t(0);
  /// What a byte starts as: no, one or (byte fallback) two tokens, or the unknown token.
  struct Initial {
    int32_t ids[2] = {-1, -1};
    bool unknown = false;
  };

  Status readSettings(const nlohmann::json &model, const Vocabulary &vocabulary);
  Status readBytes(const Vocabulary &vocabulary, const std::vector<bool> &special);
  Status readMerges(const StringTable &table, const Vocabulary &vocabulary, const std::vector<bool> &special);
  void insert(const Merge &merge);
  const Merge *find(int32_t left, int32_t right) const;
  void merge(std::string_view word, const Vocabulary &vocabulary, Scratch &scratch, std::vector<int32_t> &ids) const;
  void pushInitialSymbols(std::string_view word, std::vector<Scratch::Symbol> &symbols) const;

  std::vector<Merge> merges; ///< open addressing
  std::array<Initial, 256> initial{};
  std::vector<bool> isSpecial;
  uint64_t seed = 0;
  int32_t unknownId = -1;
  bool fuseUnknown = false, byteFallback = false, ignoreMerges = false;
};

} // namespace mmc::text

#endif
