//===- Detokenizer.h - token ids to text, one at a time --------------------===//
//
// For streaming: push() gives the text that became certain with an id, so that a reader never sees half a character.
// The concatenation of all outputs, with flush() at the end, equals Tokenizer::decode of all ids.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_DETOKENIZER_H
#define MMC_TEXT_DETOKENIZER_H

#include "lib/Text/Tokenizer.h"

namespace mmc::text {

/// The state of one output stream; not for two threads at once. The Tokenizer must outlive it.
class Detokenizer {
public:
  explicit Detokenizer(const Tokenizer &tokenizer, DecodeOptions options = {})
      : tokenizer(tokenizer), options(options) {}

  /// The text that `id` completes; empty while a character is incomplete (at most 3 bytes are held back). Bytes that
  /// can no longer become a character come out as U+FFFD at once. An id that does not exist is an Error and leaves the
  /// state as it was.
  Result<std::string> push(int32_t id);
  /// The end of the stream: an incomplete character becomes U+FFFD. Afterwards a new stream may begin.
  std::string flush();

private:
  const Tokenizer &tokenizer;
  DecodeOptions options;
  std::string pending;
};

} // namespace mmc::text

#endif
