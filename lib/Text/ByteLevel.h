//===- ByteLevel.h - the byte alphabet of GPT-2 style vocabularies ---------===//
//
// A byte-level tokenizer.json spells each byte as one printable character: bytes that are printable in Latin-1 stand
// for themselves, the other 68 for U+0100 and up, in byte order. Inside the library tokens are kept as bytes; this is
// the only place that knows the spelling.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_BYTELEVEL_H
#define MMC_TEXT_BYTELEVEL_H

#include <cstdint>
#include <string>
#include <string_view>

namespace mmc::text {

/// The character that spells `byte`.
uint32_t byteLevelCharacter(uint8_t byte);

/// Replaces `spelled` (UTF-8) by the bytes that it spells and returns true, or returns false and appends nothing where
/// a character is outside the alphabet. The result is never longer than the spelling.
bool appendSpelledBytes(std::string_view spelled, std::string &out);

} // namespace mmc::text

#endif
