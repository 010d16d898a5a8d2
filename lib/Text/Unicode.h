//===- Unicode.h - UTF-8, character classes and NFC ------------------------===//
//
// What a tokenizer needs of Unicode: strict UTF-8 with the replacement rule that HF tokenizers inherit from Rust, the
// white space and word classes that added tokens use, and normal form C in time linear in the text, whatever the text.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_UNICODE_H
#define MMC_TEXT_UNICODE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mmc::text {

/// One step of strict UTF-8 decoding (no overlong forms, no surrogates, at most U+10FFFF).
struct Utf8Step {
  enum Kind { Valid, Invalid, Incomplete } kind;
  uint32_t codePoint; ///< of a Valid step
  size_t length;      ///< bytes consumed; an Invalid or Incomplete step spans the maximal valid prefix, at least 1
};

/// Decodes at `position` (less than bytes.size()). Incomplete: the bytes end inside a sequence that was valid so far.
Utf8Step decodeUtf8(std::string_view bytes, size_t position);

/// Appends the UTF-8 form of `codePoint`.
void appendUtf8(uint32_t codePoint, std::string &out);

bool isValidUtf8(std::string_view bytes);

/// Appends `bytes` to `out` with every maximal invalid part replaced by U+FFFD, and returns how many bytes were
/// consumed. An incomplete sequence at the end is left unconsumed (at most 3 bytes), or replaced as well when `final`.
size_t appendLossyUtf8(std::string_view bytes, bool final, std::string &out);

/// The Unicode property White_Space.
bool isWhiteSpace(uint32_t codePoint);
/// A character of a word: letters, marks, decimal digits, letter numbers, connector punctuation, joiners.
bool isWordCharacter(uint32_t codePoint);
/// General category N: decimal digits, letter numbers, other numbers.
bool isNumeric(uint32_t codePoint);

/// Returns `text` (valid UTF-8) in normal form C: `text` itself where it is ASCII, else a view of `storage`.
std::string_view normalizeNfc(std::string_view text, std::string &storage);

} // namespace mmc::text

#endif
