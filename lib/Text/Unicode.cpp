//===- Unicode.cpp - UTF-8, character classes and NFC ----------------------===//
//
// NFC works on chunks that are cut before a character that can neither reorder nor compose with what precedes it, so
// its scratch memory does not grow with the text. Runs of combining marks are sorted here and not in utf8proc, whose
// exchange sort is quadratic.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Unicode.h"

#include <algorithm>
#include <utf8proc.h>
#include <utility>
#include <vector>

namespace mmc::text {

namespace {

struct LeadByte {
  int continuation;  ///< continuation bytes; -1: not a lead byte
  uint8_t low, high; ///< range of the first continuation byte
};

LeadByte classifyLead(uint8_t byte) {
  if (byte < 0xC2) return {-1, 0, 0};
  if (byte < 0xE0) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte < 0xF0) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte < 0xF4) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {-1, 0, 0};
}

} // namespace

Utf8Step decodeUtf8(std::string_view bytes, size_t position) {
  auto at = [&](size_t index) { return static_cast<uint8_t>(bytes[index]); };
  uint8_t first = at(position);
  if (first < 0x80) return {Utf8Step::Valid, first, 1};
  LeadByte lead = classifyLead(first);
  if (lead.continuation < 0) return {Utf8Step::Invalid, 0, 1};
  uint32_t codePoint = first & (0x3F >> lead.continuation);
  for (int index = 1; index <= lead.continuation; ++index) {
    if (position + index >= bytes.size()) return {Utf8Step::Incomplete, 0, static_cast<size_t>(index)};
    uint8_t byte = at(position + index);
    uint8_t low = index == 1 ? lead.low : 0x80, high = index == 1 ? lead.high : 0xBF;
    if (byte < low || byte > high) return {Utf8Step::Invalid, 0, static_cast<size_t>(index)};
    codePoint = codePoint << 6 | (byte & 0x3F);
  }
  return {Utf8Step::Valid, codePoint, static_cast<size_t>(lead.continuation) + 1};
}

void appendUtf8(uint32_t codePoint, std::string &out) {
  if (codePoint < 0x80) {
    out.push_back(static_cast<char>(codePoint));
  } else if (codePoint < 0x800) {
    out.push_back(static_cast<char>(0xC0 | codePoint >> 6));
    out.push_back(static_cast<char>(0x80 | (codePoint & 0x3F)));
  } else if (codePoint < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | codePoint >> 12));
    out.push_back(static_cast<char>(0x80 | (codePoint >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (codePoint & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | codePoint >> 18));
    out.push_back(static_cast<char>(0x80 | (codePoint >> 12 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (codePoint >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (codePoint & 0x3F)));
  }
}

bool isValidUtf8(std::string_view bytes) {
  for (size_t position = 0; position < bytes.size();) {
    Utf8Step step = decodeUtf8(bytes, position);
    if (step.kind != Utf8Step::Valid) return false;
    position += step.length;
  }
  return true;
}

size_t appendLossyUtf8(std::string_view bytes, bool final, std::string &out) {
  size_t position = 0;
  while (position < bytes.size()) {
    Utf8Step step = decodeUtf8(bytes, position);
    if (step.kind == Utf8Step::Incomplete && !final) break;
    if (step.kind == Utf8Step::Valid)
      out.append(bytes.substr(position, step.length));
    else
      appendUtf8(0xFFFD, out);
    position += step.length;
  }
  return position;
}

bool isWhiteSpace(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool isWordCharacter(uint32_t c) {
  // Circled and squared letters are symbols by category and alphabetic by property; the joiners belong to words too.
  if ((c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
      (c >= 0x1F170 && c <= 0x1F189) || c == 0x200C || c == 0x200D)
    return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_PC:
    return true;
  default:
    return false;
  }
}

bool isNumeric(uint32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_NO;
}

namespace {

/// True where nothing before `c` can reorder or compose with it, so that text may be cut there. Conservative: a list of
/// wide ranges.
bool startsNfcChunk(uint32_t c) {
  return c < 0x300 || (c >= 0x370 && c <= 0x482) || (c >= 0x3041 && c <= 0x3096) || (c >= 0x30A1 && c <= 0x30FA) ||
         (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1F300 && c <= 0x1FAFF);
}

/// Sorts each run of combining marks by class, equal classes in their order.
void sortCombiningMarks(std::vector<utf8proc_int32_t> &codePoints) {
  struct Mark {
    uint16_t combiningClass;
    size_t position;
    utf8proc_int32_t codePoint;
  };
  std::vector<Mark> run;
  for (size_t position = 0; position <= codePoints.size(); ++position) {
    auto combiningClass = static_cast<uint16_t>(
        position < codePoints.size() ? utf8proc_get_property(codePoints[position])->combining_class : 0);
    if (combiningClass) {
      run.push_back({combiningClass, position, codePoints[position]});
      continue;
    }
    if (run.empty()) continue;
    size_t begin = run.front().position;
    std::sort(run.begin(), run.end(), [](const Mark &a, const Mark &b) {
      return std::pair(a.combiningClass, a.position) < std::pair(b.combiningClass, b.position);
    });
    for (const Mark &mark : run) codePoints[begin++] = mark.codePoint;
    run.clear();
  }
}

/// Composes the decomposed code points and appends them; leaves the buffer empty.
void flushChunk(std::vector<utf8proc_int32_t> &codePoints, std::string &out) {
  if (codePoints.empty()) return;
  sortCombiningMarks(codePoints);
  auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  utf8proc_ssize_t count =
      utf8proc_normalize_utf32(codePoints.data(), static_cast<utf8proc_ssize_t>(codePoints.size()), options);
  for (utf8proc_ssize_t index = 0; index < count; ++index) appendUtf8(static_cast<uint32_t>(codePoints[index]), out);
  codePoints.clear();
}

} // namespace

std::string_view normalizeNfc(std::string_view text, std::string &storage) {
  constexpr size_t kChunk = 4096; // code points
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; })) return text;
  storage.clear();
  storage.reserve(text.size());
  std::vector<utf8proc_int32_t> codePoints;
  codePoints.reserve(kChunk + 16);
  for (size_t position = 0; position < text.size();) {
    Utf8Step step = decodeUtf8(text, position);
    position += step.length;
    uint32_t codePoint = step.kind == Utf8Step::Valid ? step.codePoint : 0xFFFD;
    if (codePoints.size() >= kChunk && startsNfcChunk(codePoint)) flushChunk(codePoints, storage);
    utf8proc_int32_t parts[8]; // the longest canonical decomposition has four code points
    int boundClass = UTF8PROC_BOUNDCLASS_START;
    utf8proc_ssize_t count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(codePoint), parts, 8, UTF8PROC_DECOMPOSE, &boundClass);
    if (count >= 1 && count <= 8)
      codePoints.insert(codePoints.end(), parts, parts + count);
    else
      codePoints.push_back(static_cast<utf8proc_int32_t>(codePoint));
  }
  flushChunk(codePoints, storage);
  return storage;
}

} // namespace mmc::text
