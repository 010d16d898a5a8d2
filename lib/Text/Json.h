//===- Json.h - strict JSON with streamed subtrees -------------------------===//
//
// tokenizer.json holds three big subtrees (vocabulary, merges, added tokens) and a few small settings. The settings
// become a document; the big subtrees are handed event by event to a sink, so that memory stays near the size of the
// file. Strict: UTF-8, no trailing text, no duplicate key, bounded depth, bounded number of values. Internal to
// lib/Text: no public header includes it.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_JSON_H
#define MMC_TEXT_JSON_H

#include "lib/Text/Result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace mmc::text {

/// One event inside a streamed subtree.
struct JsonEvent {
  enum Kind {
    Null,
    Boolean,
    Unsigned,
    Negative,
    Float,
    String,
    Key,
    BeginObject,
    EndObject,
    BeginArray,
    EndArray
  } kind;
  /// 0 for the subtree's own value; its members have depth 1. A Key has the depth of its value.
  int depth;
  std::string_view text; ///< of a String or a Key; valid during the call
  uint64_t number = 0;   ///< of an Unsigned; 0 or 1 of a Boolean

  /// For messages: "a string", "an object".
  const char *describe() const;
};

/// Receives a subtree; an Error stops the parse and is its result.
using JsonSink = std::function<Status(const JsonEvent &)>;

struct JsonLimits {
  int depth = 64;
  size_t values = 65536; ///< values of the document, streamed subtrees not counted
};

/// Parses `text`, naming it `name` in errors. A value whose path ("/model/vocab") is in `sinks` goes to its sink and
/// stands as `null` in the document.
Result<nlohmann::json> parseJson(std::string_view text, std::string_view name,
                                 const std::map<std::string, JsonSink> &sinks = {}, const JsonLimits &limits = {});

/// `text` shortened for a message: at most 40 bytes, cut at a character, control characters replaced.
std::string quoteForMessage(std::string_view text);

/// For messages: "a string", "null".
const char *describeJson(const nlohmann::json &value);

/// Reads a regular file of at most 1 GiB.
Result<std::string> readTextFile(const std::string &path);

} // namespace mmc::text

#endif
