//===- TokenizerFile.cpp - tokenizer.json as written -----------------------===//
//
// Three sinks, one per big subtree. Limits are checked entry by entry, so a file with ten million added tokens is
// refused at the first one too many.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/TokenizerFile.h"

namespace mmc::text {

namespace {

constexpr size_t kMostTokens = size_t(1) << 22;
constexpr size_t kMostMerges = size_t(1) << 22;
constexpr size_t kMostAddedTokens = size_t(1) << 17;
constexpr uint64_t kLargestId = (uint64_t(1) << 23) - 1;

std::string entry(const char *table, size_t index) { return std::string(table) + "[" + std::to_string(index) + "]"; }

Error tooMany(const char *field, size_t most) {
  return makeError(ErrorCode::JsonStructure, ErrorKind::Capacity,
                   std::string(field) + ": more than " + std::to_string(most) + " entries");
}

Result<int32_t> readId(const JsonEvent &event, const std::string &field, ErrorCode code) {
  if (event.kind != JsonEvent::Unsigned) return fieldError(field, "an id (a non-negative integer)", event.describe());
  if (event.number > kLargestId)
    return makeError(code, ErrorKind::Integrity,
                     field + ": id " + std::to_string(event.number) + " is past the largest supported id " +
                         std::to_string(kLargestId));
  return static_cast<int32_t>(event.number);
}

/// model.vocab: {"token": id, ...}
struct VocabularySink {
  TokenizerFile &file;
  std::string key;

  Status operator()(const JsonEvent &event) {
    if (event.depth == 0) {
      if (event.kind == JsonEvent::BeginObject || event.kind == JsonEvent::EndObject) return {};
      return fieldError("model.vocab", "an object", event.describe());
    }
    if (event.kind == JsonEvent::Key) {
      if (event.depth == 1) key = event.text;
      return {};
    }
    std::string field = "model.vocab['" + quoteForMessage(key) + "']";
    if (event.depth != 1) return fieldError(field, "an id", "a nested value");
    Result<int32_t> id = readId(event, field, ErrorCode::VocabularyInvalid);
    if (!id) return id.error();
    if (file.tokens.size() >= kMostTokens) return tooMany("model.vocab", kMostTokens);
    file.tokens.push(key);
    file.tokenIds.push_back(*id);
    return {};
  }
};

/// model.merges: ["a b", ...] or [["a", "b"], ...]
struct MergesSink {
  TokenizerFile &file;
  size_t parts = 0, entries = 0;

  std::string where() const { return entry("model.merges", entries); }
  Status wrong(const std::string &found) const {
    return fieldError(where(), "\"left right\" or [\"left\", \"right\"]", found);
  }

  Status operator()(const JsonEvent &event) {
    if (event.depth == 0) {
      if (event.kind == JsonEvent::BeginArray || event.kind == JsonEvent::EndArray) return {};
      return fieldError("model.merges", "an array", event.describe());
    }
    if (entries >= kMostMerges) return tooMany("model.merges", kMostMerges);
    if (event.depth == 1) return entryEvent(event);
    if (event.depth != 2 || event.kind != JsonEvent::String)
      return wrong(std::string("an array with ") + event.describe());
    if (++parts > 2) return wrong("more than two strings");
    return push(event.text);
  }

  Status entryEvent(const JsonEvent &event) {
    if (event.kind == JsonEvent::BeginArray) {
      parts = 0;
      return {};
    }
    if (event.kind == JsonEvent::EndArray) {
      if (parts != 2) return wrong(std::to_string(parts) + " strings");
      ++entries;
      return {};
    }
    if (event.kind != JsonEvent::String) return wrong(event.describe());
    if (event.text.starts_with("#version")) return {}; // the first line of a merges.txt, taken over by old converters
    size_t space = event.text.find(' ');
    if (space == std::string_view::npos || event.text.find(' ', space + 1) != std::string_view::npos)
      return wrong("'" + quoteForMessage(event.text) + "'");
    Status status = push(event.text.substr(0, space));
    if (status) status = push(event.text.substr(space + 1));
    if (status) ++entries;
    return status;
  }

  Status push(std::string_view part) {
    if (part.empty())
      return makeError(ErrorCode::MergesInvalid, ErrorKind::Integrity, where() + ": a merge with an empty side",
                       "a merge joins two non-empty tokens; re-export the tokenizer");
    file.merges.push(part);
    return {};
  }
};

/// added_tokens: [{"id": 0, "content": "<s>", "special": true, ...}, ...]
struct AddedTokensSink {
  TokenizerFile &file;
  AddedToken token;
  std::string key;
  unsigned seen = 0; ///< one bit per member, to refuse duplicates
  bool hasNormalized = false;

  std::string where() const { return entry("added_tokens", file.addedTokens.size()); }

  Status operator()(const JsonEvent &event) {
    if (event.depth == 0) {
      if (event.kind == JsonEvent::BeginArray || event.kind == JsonEvent::EndArray || event.kind == JsonEvent::Null)
        return {};
      return fieldError("added_tokens", "an array", event.describe());
    }
    if (event.depth == 1 && event.kind == JsonEvent::BeginObject) {
      if (file.addedTokens.size() >= kMostAddedTokens) return tooMany("added_tokens", kMostAddedTokens);
      token = AddedToken();
      seen = 0;
      hasNormalized = false;
      return {};
    }
    if (event.depth == 1 && event.kind == JsonEvent::EndObject) return finish();
    if (event.depth == 1) return fieldError(where(), "an object", event.describe());
    if (event.kind == JsonEvent::Key) {
      if (event.depth == 2) key = event.text;
      return {};
    }
    return event.depth == 2 ? member(event) : Status();
  }

  Status member(const JsonEvent &event) {
    std::string field = where() + "." + quoteForMessage(key);
    struct Flag {
      const char *name;
      bool AddedToken::*value;
    };
    constexpr Flag kFlags[] = {{"special", &AddedToken::special},
                               {"lstrip", &AddedToken::lstrip},
                               {"rstrip", &AddedToken::rstrip},
                               {"single_word", &AddedToken::singleWord},
                               {"normalized", &AddedToken::normalized}};
    if (key == "id") {
      if (Status status = once(0, field); !status) return status;
      Result<int32_t> id = readId(event, field, ErrorCode::AddedTokensInvalid);
      if (!id) return id.error();
      token.id = *id;
      return {};
    }
    if (key == "content") {
      if (Status status = once(1, field); !status) return status;
      if (event.kind != JsonEvent::String) return fieldError(field, "a string", event.describe());
      token.content = event.text;
      return {};
    }
    for (int index = 0; index < 5; ++index) {
      if (key != kFlags[index].name) continue;
      if (Status status = once(2 + index, field); !status) return status;
      if (event.kind != JsonEvent::Boolean) return fieldError(field, "true or false", event.describe());
      token.*kFlags[index].value = event.number != 0;
      if (index == 4) hasNormalized = true;
      return {};
    }
    return {}; // a member that this version of the format does not know
  }

  Status once(int bit, const std::string &field) {
    if (seen >> bit & 1)
      return makeError(ErrorCode::JsonStructure, ErrorKind::Integrity, field + ": occurs twice in one object");
    seen |= 1u << bit;
    return {};
  }

  Status finish() {
    if (token.id < 0) return fieldError(where() + ".id", "an id", "nothing");
    if (!(seen & 2)) return fieldError(where() + ".content", "a string", "nothing");
    if (!hasNormalized) token.normalized = !token.special;
    file.addedTokens.push_back(std::move(token));
    return {};
  }
};

} // namespace

Error fieldError(const std::string &field, const std::string &expected, const std::string &found) {
  return makeError(ErrorCode::FieldInvalid, ErrorKind::Integrity,
                   field + ": expected " + expected + ", found " + found);
}

Error unsupportedError(const std::string &field, const std::string &found, const std::string &supported) {
  return makeError(ErrorCode::SettingUnsupported, ErrorKind::Incompatible, field + ": " + found + " is not supported",
                   "supported: " + supported);
}

Result<TokenizerFile> TokenizerFile::parse(std::string_view json) {
  TokenizerFile file;
  std::map<std::string, JsonSink> sinks;
  sinks["/model/vocab"] = VocabularySink{file, {}};
  sinks["/model/merges"] = MergesSink{file};
  sinks["/added_tokens"] = AddedTokensSink{file, {}, {}};
  Result<nlohmann::json> settings = parseJson(json, "tokenizer.json", sinks);
  if (!settings) return settings.error();
  if (!settings->is_object()) return fieldError("tokenizer.json", "an object", describeJson(*settings));
  if (!settings->contains("model")) return fieldError("model", "an object", "nothing");
  if (!(*settings)["model"].is_object()) return fieldError("model", "an object", describeJson((*settings)["model"]));
  if (!(*settings)["model"].contains("vocab")) return fieldError("model.vocab", "an object", "nothing");
  file.settings = std::move(*settings);
  return file;
}

} // namespace mmc::text
