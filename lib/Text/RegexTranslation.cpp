//===- RegexTranslation.cpp - from Oniguruma's syntax to PCRE2's -----------===//
//
// One pass over the pattern. Classes whose members differ between the engines are spelled out as Unicode properties (\s
// \w \d \b); what differs and cannot be spelled is refused: nested and intersected classes, possessive intervals,
// back-references, verbs, most flags.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Json.h"
#include "lib/Text/Regex.h"

#include <cctype>

namespace mmc::text {

namespace {

constexpr std::string_view kWordMembers = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";

class Translator {
public:
  Translator(std::string_view pattern, const std::string &field) : pattern(pattern), field(field) {}

  Result<std::string> run() {
    while (at < pattern.size()) {
      Status status = element();
      if (!status) return status.error();
    }
    return std::move(out);
  }

private:
  Status refuse(const std::string &construct) {
    return makeError(ErrorCode::RegexInvalid, ErrorKind::Incompatible,
                     field + ": regular expression construct '" + quoteForMessage(construct) +
                         "' is not supported, at byte " + std::to_string(at),
                     "rewrite the pattern without it");
  }
  char peek(size_t ahead = 0) const { return at + ahead < pattern.size() ? pattern[at + ahead] : '\0'; }
  bool startsWith(std::string_view text) const { return pattern.substr(at).starts_with(text); }
  void copy(size_t count) {
    out += pattern.substr(at, count);
    at += count;
  }

  Status element() {
    switch (peek()) {
    case '\\':
      return escape(/*inClass=*/false);
    case '[':
      return characterClass();
    case '(':
      return group();
    case '{':
      return interval();
    default:
      copy(1);
      return {};
    }
  }

  Status group() {
    if (peek(1) == '*') return refuse("(*");
    if (peek(1) != '?') {
      copy(1);
      return {};
    }
    // A bare flag in the middle regroups the alternatives in one engine and not in the other; at the start they agree.
    if (at == 0 && startsWith("(?i)")) {
      copy(4);
      return {};
    }
    for (std::string_view opener : {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?i:", "(?-i:"})
      if (startsWith(opener)) {
        copy(opener.size());
        return {};
      }
    return refuse(std::string(pattern.substr(at, 4)));
  }

  Status interval() {
    size_t cursor = at + 1;
    auto digits = [&] {
      size_t start = cursor;
      while (cursor < pattern.size() && std::isdigit(static_cast<unsigned char>(pattern[cursor]))) ++cursor;
      return cursor - start;
    };
    size_t low = digits(), high = 0;
    bool comma = cursor < pattern.size() && pattern[cursor] == ',';
    if (comma) {
      ++cursor;
      high = digits();
    }
    bool closed = cursor < pattern.size() && pattern[cursor] == '}' && (low || high);
    if (!closed) return refuse("{");
    if (!low) out += "{0", ++at;
    copy(cursor + 1 - at);
    if (peek() == '+') return refuse("}+");
    if (peek() == '?' && !comma) return refuse("}?");
    return {};
  }

  Status characterClass() {
    copy(1);
    if (peek() == '^') copy(1);
    if (peek() == ']') return refuse("[]");
    while (at < pattern.size() && peek() != ']') {
      if (peek() == '[') return refuse("[ inside a class");
      if (startsWith("&&")) return refuse("&& inside a class");
      if (peek() != '\\') {
        copy(1);
        continue;
      }
      Status status = escape(/*inClass=*/true);
      if (!status) return status;
    }
    if (at >= pattern.size()) return refuse("[ without ]");
    copy(1);
    return {};
  }

  Status escape(bool inClass) {
    char kind = peek(1);
    auto spell = [&](std::string_view text) {
      out += text;
      at += 2;
      return Status();
    };
    std::string word(kWordMembers);
    switch (kind) {
    case 's':
      return spell("\\p{White_Space}");
    case 'S':
      return spell("\\P{White_Space}");
    case 'd':
      return spell("\\p{Nd}");
    case 'D':
      return spell("\\P{Nd}");
    case 'w':
      return spell(inClass ? word : "[" + word + "]");
    case 'W':
      return inClass ? refuse("\\W inside a class") : spell("[^" + word + "]");
    case 'v':
      return spell("\\x0B");
    case 'b':
      if (inClass) return spell("\\x08");
      return spell("(?:(?<=[" + word + "])(?![" + word + "])|(?<![" + word + "])(?=[" + word + "]))");
    case 'A':
    case 'z':
    case 'Z':
      if (inClass) return refuse(std::string("\\") + kind);
      return spell(pattern.substr(at, 2));
    case 'n':
    case 'r':
    case 't':
    case 'f':
    case 'a':
    case 'e':
      return spell(pattern.substr(at, 2));
    case 'p':
    case 'P':
      return property();
    case 'x':
    case 'u':
      return hexadecimal(kind);
    case '\0':
      return refuse("\\");
    default:
      if (std::isalnum(static_cast<unsigned char>(kind))) return refuse(std::string("\\") + kind);
      if (static_cast<unsigned char>(kind) >= 0x80) { // an escaped character that needs no escape
        ++at;
        copy(1);
        return {};
      }
      return spell(pattern.substr(at, 2));
    }
  }

  Status property() {
    size_t close = pattern.find('}', at);
    if (peek(2) != '{' || close == std::string_view::npos) return refuse("\\p without {}");
    std::string_view name = pattern.substr(at + 3, close - at - 3);
    bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    if (name.empty()) return refuse("\\p{}");
    for (char c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return refuse("\\p{" + std::string(name) + "}");
    out += pattern.substr(at, 2);
    out += negated ? "{^" : "{";
    // PCRE2 takes a bare script name for its extensions, Oniguruma for the script itself.
    for (std::string_view script :
         {"Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Devanagari", "Bengali", "Thai", "Tibetan",
          "Georgian", "Hangul", "Hiragana", "Katakana", "Bopomofo", "Han", "Common"})
      if (name == script) out += "sc:";
    out += name;
    out += '}';
    at = close + 1;
    return {};
  }

  Status hexadecimal(char kind) {
    size_t cursor = at + 2;
    bool braced = kind == 'x' && peek(2) == '{';
    if (braced) ++cursor;
    size_t start = cursor, longest = braced ? 8 : kind == 'u' ? 4 : 2;
    while (cursor < pattern.size() && cursor - start < longest &&
           std::isxdigit(static_cast<unsigned char>(pattern[cursor])))
      ++cursor;
    std::string_view digits = pattern.substr(start, cursor - start);
    bool complete =
        braced ? !digits.empty() && cursor < pattern.size() && pattern[cursor] == '}' : digits.size() == longest;
    // A bare \x80 is a byte in one engine and a character in the other.
    if (!complete || (kind == 'x' && !braced && digits[0] >= '8')) return refuse(std::string("\\") + kind);
    out += "\\x{" + std::string(digits) + "}";
    at = cursor + braced;
    return {};
  }

  std::string_view pattern;
  const std::string &field;
  size_t at = 0;
  std::string out;
};

} // namespace

Result<std::string> translateOnigurumaPattern(std::string_view pattern, const std::string &field) {
  return Translator(pattern, field).run();
}

} // namespace mmc::text
