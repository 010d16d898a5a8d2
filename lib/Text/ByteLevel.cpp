//===- ByteLevel.cpp - the byte alphabet of GPT-2 style vocabularies -------===//
//
// Both directions are tables built at compile time. Invariant: the mapping is a bijection between 256 bytes and 256
// characters below U+0144.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/ByteLevel.h"
#include "lib/Text/Unicode.h"

#include <array>

namespace mmc::text {

namespace {

constexpr int kAlphabetEnd = 0x144;

struct Alphabet {
  std::array<uint16_t, 256> characterOf{};
  std::array<int16_t, kAlphabetEnd> byteOf{};
};

constexpr Alphabet makeAlphabet() {
  Alphabet alphabet;
  for (int16_t &byte : alphabet.byteOf) byte = -1;
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    int character = printable ? byte : next++;
    alphabet.characterOf[byte] = static_cast<uint16_t>(character);
    alphabet.byteOf[character] = static_cast<int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = makeAlphabet();
static_assert(kAlphabet.characterOf[' '] == 0x120 && kAlphabet.characterOf[0xAD] == kAlphabetEnd - 1);

} // namespace

uint32_t byteLevelCharacter(uint8_t byte) { return kAlphabet.characterOf[byte]; }

bool appendSpelledBytes(std::string_view spelled, std::string &out) {
  size_t start = out.size();
  for (size_t position = 0; position < spelled.size();) {
    Utf8Step step = decodeUtf8(spelled, position);
    position += step.length;
    int byte = step.kind == Utf8Step::Valid && step.codePoint < kAlphabetEnd ? kAlphabet.byteOf[step.codePoint] : -1;
    if (byte < 0) {
      out.resize(start);
      return false;
    }
    out.push_back(static_cast<char>(byte));
  }
  return true;
}

} // namespace mmc::text
