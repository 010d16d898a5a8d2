// A strict JSON document: what is not exactly one well-formed value is refused, with the place. Used for config.json
// and generation_config.json.
//
// Strict: duplicate keys, NaN and infinities, numbers that float64 cannot hold, depth above 64 and files above 16 MiB
// are errors. Parsing does not recurse, and memory is bounded by a small multiple of the file.
#pragma once

#include "lib/Import/Errors.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mmc::import {

struct JsonValue {
  enum class Kind { null, boolean, integer, real, string, array, object };
  Kind kind = Kind::null;
  bool boolean = false;
  int64_t integer = 0; // also where the text has an exponent or a fraction: see `real`
  double real = 0;     // of integer and real
  std::string string;
  std::vector<JsonValue> items;   // of an array, or the members' values of an object, in the order of the file
  std::vector<std::string> names; // of an object's members

  /// The member of that name, or null.
  const JsonValue *find(std::string_view name) const;
  /// The value as a message shows it: `"80"`, `[0, 1, ...]`; at most about 60 characters.
  std::string text() const;
};

/// Parses a text; `origin` (a path) is named in messages.
Expected<JsonValue> parseJsonText(std::string_view text, const std::string &origin);
/// Reads and parses a file.
Expected<JsonValue> readJsonFile(const std::string &path);

} // namespace mmc::import
