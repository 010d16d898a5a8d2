// Lists of names for messages.
#pragma once

#include <span>
#include <string>

namespace mmc::runtime {

/// "a, b, c"; names may come from a file, so each is cut to a length that a message can have.
inline std::string joinNames(std::span<const std::string> names) {
  constexpr size_t kMost = 240;
  std::string text;
  for (const std::string &name : names) text += (text.empty() ? "" : ", ") + name.substr(0, kMost);
  return text;
}

} // namespace mmc::runtime
