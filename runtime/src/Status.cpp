// Implements Status: an immutable, shared record, absent when all is well.
#include "runtime/src/Status.h"

#include <algorithm>
#include <cstdio>
#include <system_error>

namespace mmc::runtime {

namespace {

const std::string kEmpty;

/// Length of the UTF-8 sequence at the start of `text` if a terminal may print it, otherwise 0.
size_t printableLength(std::string_view text) {
  const auto byte = [&](size_t i) { return uint32_t(uint8_t(text[i])); };
  if (byte(0) < 0x80) return byte(0) >= 0x20 && byte(0) != 0x7f;
  const size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return 0;
  uint32_t code = byte(0) & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool control = code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  const bool noCharacter = code < least[length] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff;
  return control || noCharacter ? 0 : length;
}

/// Printable, but with its line breaks: a compiler's causes may have several lines.
std::string printableLines(const std::string &text) {
  std::string lines;
  for (size_t begin = 0;;) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines += printable(std::string_view(text).substr(begin, end - begin));
    if (end == text.size()) return lines;
    lines += '\n';
    begin = end + 1;
  }
}

} // namespace

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    size_t length = printableLength(text);
    if (length) {
      shown += text.substr(0, length);
    } else {
      char escape[8];
      snprintf(escape, sizeof escape, "\\x%02x", unsigned(uint8_t(text[0])));
      shown += escape;
      length = 1;
    }
    text.remove_prefix(length);
  }
  return shown;
}

Status::Status(const ErrorKind &kind, std::string message, std::string hint, std::string cause) {
  char identifier[16];
  snprintf(identifier, sizeof identifier, "MMC-E%04u", kind.number % 10000);
  if (hint.empty()) hint = kind.hint;
  rep = std::make_shared<const Rep>(
      Rep{kind.code, identifier, printableLines(message), printableLines(hint), printableLines(cause)});
}

StatusCode Status::code() const { return rep ? rep->code : StatusCode::ok; }
const std::string &Status::identifier() const { return rep ? rep->identifier : kEmpty; }
const std::string &Status::message() const { return rep ? rep->message : kEmpty; }
const std::string &Status::hint() const { return rep ? rep->hint : kEmpty; }
const std::string &Status::cause() const { return rep ? rep->cause : kEmpty; }

std::string Status::text() const {
  if (!rep) return "ok";
  std::string text = rep->identifier + ": " + rep->message;
  return rep->cause.empty() ? text : text + " (" + rep->cause + ")";
}

std::string describeErrno(int error) { return std::generic_category().message(error); }

} // namespace mmc::runtime
