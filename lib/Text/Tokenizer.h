//===- Tokenizer.h - text to token ids and back ----------------------------===//
//
// Reads a Hugging Face tokenizer.json (byte-level BPE) and gives exactly the ids that HF tokenizers gives:
//
//   Result<Tokenizer> tokenizer = Tokenizer::load("path/to/model");        // a folder, or the file itself
//   if (!tokenizer) return report(tokenizer.error());
//   Result<std::vector<int32_t>> ids = tokenizer->encode("In the beginning");
//   Result<std::string> text = tokenizer->decode(*ids);
//
// A Tokenizer is immutable: any number of threads may use one at the same time, without locks. Nothing in the file is
// executed.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_TOKENIZER_H
#define MMC_TEXT_TOKENIZER_H

#include "lib/Text/FunctionRef.h"
#include "lib/Text/Result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mmc::text {

struct EncodeOptions {
  /// On: the text of a special token becomes that token. Off: it is ordinary text, and no special token's id can come
  /// out, whatever the text. Added tokens that are not special are found in both cases, as HF does.
  bool parseSpecial = false;
  /// Adds what the file's post-processor (TemplateProcessing) puts around a text.
  bool addSpecial = false;
};

struct DecodeOptions {
  bool skipSpecial = false; ///< leave special tokens out of the text
};

class Tokenizer {
public:
  /// Loads a model folder (its tokenizer.json) or a tokenizer.json. Errors name the field.
  static Result<Tokenizer> load(const std::string &path);
  /// Parses the content of a tokenizer.json.
  static Result<Tokenizer> parse(std::string_view json);

  Tokenizer(Tokenizer &&) noexcept;
  Tokenizer &operator=(Tokenizer &&) noexcept;
  ~Tokenizer();

  /// The ids of `text`. Invalid UTF-8 is replaced by U+FFFD first. At most 1 GiB of text.
  Result<std::vector<int32_t>> encode(std::string_view text, const EncodeOptions &options = {}) const;
  /// The same in chunks of some thousand ids, for texts whose ids should not all lie in memory. An Error of `sink`
  /// stops the encoding.
  using IdSink = FunctionRef<Status(std::span<const int32_t> ids)>;
  Status encodeTo(std::string_view text, const EncodeOptions &options, IdSink sink) const;

  /// The text of `ids`. Bytes that are not UTF-8 become U+FFFD. An id outside 0 to lastTokenId() is an Error.
  Result<std::string> decode(std::span<const int32_t> ids, const DecodeOptions &options = {}) const;

  /// Ids run from 0 to lastTokenId(), without a hole.
  int32_t lastTokenId() const;
  size_t size() const { return static_cast<size_t>(lastTokenId()) + 1; }
  bool contains(int32_t id) const { return id >= 0 && id <= lastTokenId(); }

  /// The bytes of token `id`, not necessarily whole characters; empty for an id that does not exist.
  std::string_view tokenBytes(int32_t id) const;
  bool isSpecial(int32_t id) const;
  /// The token that tokenizer.json spells `spelling`, for example "<end_of_sentence>".
  std::optional<int32_t> findToken(std::string_view spelling) const;

  /// An Error unless every id has a row in an embedding table of `modelVocabSize` rows.
  Status checkFits(int64_t modelVocabSize) const;

private:
  struct Tables;
  explicit Tokenizer(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables;
};

} // namespace mmc::text

#endif
