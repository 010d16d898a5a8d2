// Prints a floor as a source's comment: for each unit of work its bytes, by argument, and its operations; then what
// tiles read again.
#include "lib/Analysis/KernelFloor.h"

#include <cmath>

namespace mmc::analysis {

llvm::StringRef unitName(Unit unit) {
  switch (unit) {
  case Unit::launch:
    return "launch";
  case Unit::token:
    return "token";
  case Unit::output:
    return "row of logits";
  case Unit::sequence:
    return "sequence";
  case Unit::position:
    return "cached position";
  case Unit::pair:
    return "token and cached position";
  case Unit::part:
    return "part of a sequence";
  case Unit::route:
    return "route";
  case Unit::row:
    return "chosen row";
  }
  return "";
}

/// Whole, or with three digits: tiles are shared by rows.
static std::string number(double value) {
  if (value == std::floor(value)) return std::to_string(static_cast<int64_t>(value));
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

/// "q 256 read, o 256 written"
static std::string shares(const KernelFloor &floor, Unit unit, bool again) {
  std::string text;
  auto share = [&](const std::string &name, const Amounts &amounts, const char *how) {
    if (auto found = amounts.find(unit); found != amounts.end())
      text += (text.empty() ? "" : ", ") + name + " " + number(found->second) + how;
  };
  for (const ArgumentTraffic &argument : floor.arguments) {
    share(argument.name, again ? argument.reread : argument.read, " read");
    share(argument.name, again ? argument.rewritten : argument.written, " written");
  }
  return text;
}

/// One comment of lines of at most 120 columns, broken between words.
static std::string comment(const std::string &text) {
  constexpr size_t kColumns = 117;
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.size() - at <= kColumns ? text.size() : text.rfind(' ', at + kColumns);
    if (end == std::string::npos || end <= at) end = text.size();
    result += (at == 0 ? "// " : "//   ") + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return result;
}

std::string floorComment(const KernelFloor &floor) {
  std::string text;
  for (auto [unit, bytes] : floor.bytes())
    text += comment("Floor per " + unitName(unit).str() + ": " + number(bytes) + " bytes (" +
                    shares(floor, unit, false) + ").");
  for (auto [unit, flops] : floor.flops)
    text += comment("Floor per " + unitName(unit).str() + ": " + number(flops) + " FLOP of products.");
  if (floor.bytesThroughL2() != floor.bytes())
    for (auto [unit, bytes] : floor.bytesThroughL2())
      text += comment("Through L2 per " + unitName(unit).str() + ": " + number(bytes) + " bytes (" +
                      shares(floor, unit, true) + ").");
  return text;
}

} // namespace mmc::analysis
