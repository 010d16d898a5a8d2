// Implements comparisons.
#include "lib/Silicon/Compare.h"

#include "lib/Silicon/Numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace mmc::silicon {

namespace {

std::string describe(const char *format, size_t word, double found, double expected, double allowed) {
  char text[160];
  std::snprintf(text, sizeof text, format, word, found, expected, allowed);
  return text;
}

Verdict compareBits(const Words &output, const Words &expected) {
  Verdict verdict;
  if (output.size() != expected.size())
    return {false, 1,
            "there are " + std::to_string(output.size()) + " words, expected " + std::to_string(expected.size())};
  for (size_t i = 0; i < output.size(); ++i) {
    if (output[i] == expected[i]) continue;
    if (verdict.good) {
      char text[96];
      std::snprintf(text, sizeof text, "word %zu is 0x%08x, expected 0x%08x", i, output[i], expected[i]);
      verdict.text = text;
    }
    verdict.good = false;
    ++verdict.worst;
  }
  return verdict;
}

template <class Value>
Verdict compareValues(const Words &output, size_t count, Value expected, const std::vector<double> &allowed,
                      double times) {
  Verdict verdict;
  if (output.size() != count || allowed.size() != count)
    return {false, 1, "there are " + std::to_string(output.size()) + " words, expected " + std::to_string(count)};
  for (size_t i = 0; i < count; ++i) {
    const double found = floatOf(output[i]), wanted = expected(i), limit = times * allowed[i];
    // A NaN on either side makes the distance one, which no limit allows.
    const double distance = std::fabs(found - wanted);
    const bool good = distance <= limit;
    if (!good && verdict.good)
      verdict.text = describe("word %zu is %.9g, expected %.9g within %.3g", i, found, wanted, limit);
    verdict.good = verdict.good && good;
    const double units = distance == 0 ? 0 : distance / allowed[i];
    verdict.worst = std::isnan(units) ? INFINITY : std::max(verdict.worst, units);
  }
  return verdict;
}

} // namespace

Verdict compareWithReference(const Case &c, const Words &output) {
  switch (c.comparison) {
  case Comparison::exact:
    return compareBits(output, c.words);
  case Comparison::product:
    return compareValues(output, c.values.size(), [&](size_t i) { return c.values[i]; }, c.allowed, 2);
  case Comparison::approximation:
    return compareValues(output, c.values.size(), [&](size_t i) { return c.values[i]; }, c.allowed, 1);
  case Comparison::recorded:
    break;
  }
  return {};
}

Verdict compareWithRecorded(const Case &c, const Words &output, const Words &recorded) {
  switch (c.comparison) {
  case Comparison::exact:
  case Comparison::recorded:
    return compareBits(output, recorded);
  case Comparison::product:
  case Comparison::approximation:
    break;
  }
  const double times = c.comparison == Comparison::approximation ? 2 : 1;
  return compareValues(
      output, recorded.size(), [&](size_t i) { return double(floatOf(recorded[i])); }, c.allowed, times);
}

} // namespace mmc::silicon
