//===- Json.cpp - strict JSON with streamed subtrees -----------------------===//
//
// A SAX consumer for nlohmann's parser. Every limit is enforced while events arrive, so hostile nesting or size is
// refused before it costs memory. Invariant: `open` holds the containers of the document from the root to the current
// one; pointers stay valid because only the innermost container grows.
//
//===----------------------------------------------------------------------===//
#include "lib/Text/Json.h"
#include "lib/Text/Unicode.h"

#include <cstdio>
#include <sys/stat.h>
#include <vector>

namespace mmc::text {

namespace {

using nlohmann::json;

class Consumer {
public:
  using number_integer_t = json::number_integer_t;
  using number_unsigned_t = json::number_unsigned_t;
  using number_float_t = json::number_float_t;
  using string_t = json::string_t;
  using binary_t = json::binary_t;

  Consumer(std::string_view name, const std::map<std::string, JsonSink> &sinks, const JsonLimits &limits)
      : name(name), sinks(sinks), limits(limits) {}

  json document;
  std::optional<Error> failure;

  bool null() { return scalar({JsonEvent::Null, 0, {}}, nullptr); }
  bool boolean(bool value) { return scalar({JsonEvent::Boolean, 0, {}, value}, value); }
  bool number_integer(number_integer_t value) { return scalar({JsonEvent::Negative, 0, {}}, value); }
  bool number_unsigned(number_unsigned_t value) { return scalar({JsonEvent::Unsigned, 0, {}, value}, value); }
  bool number_float(number_float_t value, const string_t &) { return scalar({JsonEvent::Float, 0, {}}, value); }
  bool string(string_t &value) { return scalar({JsonEvent::String, 0, value}, value); }
  bool binary(binary_t &) { return fail(ErrorCode::JsonSyntax, "binary values are not JSON"); }
  bool start_object(size_t) { return begin(JsonEvent::BeginObject, json::object()); }
  bool start_array(size_t) { return begin(JsonEvent::BeginArray, json::array()); }
  bool end_object() { return end(JsonEvent::EndObject); }
  bool end_array() { return end(JsonEvent::EndArray); }

  bool key(string_t &value) {
    if (sink) return deliver({JsonEvent::Key, 0, value});
    if (open.back()->contains(value))
      return fail(ErrorCode::JsonStructure, "key '" + quoteForMessage(value) + "' occurs twice in one object");
    keys.back() = value;
    return true;
  }

  bool parse_error(size_t position, const std::string &, const json::exception &exception) {
    if (failure) return false;
    // 406: a number that no double holds.
    const char *what = exception.id == 406 ? "number out of range" : "not valid JSON";
    return fail(ErrorCode::JsonSyntax, std::string(what) + " at byte " + std::to_string(position),
                "check that the file was downloaded whole (a Git LFS pointer or an HTML page is a common cause)");
  }

private:
  bool fail(ErrorCode code, const std::string &what, std::string hint = {}) {
    failure = makeError(code, ErrorKind::Integrity, name + ": " + what, std::move(hint));
    return false;
  }

  bool deliver(JsonEvent event) {
    event.depth = depth - sinkDepth;
    Status status = (*sink)(event);
    if (!status) failure = status.error();
    return status.ok();
  }

  /// Selects the sink of the value that comes next, if it has one.
  bool enterSink() {
    if (sink || sinks.empty() || open.empty() || !open.back()->is_object()) return sink != nullptr;
    std::string path;
    for (const std::string &part : keys) path += "/" + part;
    auto found = sinks.find(path);
    if (found == sinks.end()) return false;
    sink = &found->second;
    sinkDepth = depth;
    place(nullptr);
    return true;
  }

  json *place(json value) {
    if (open.empty()) {
      document = std::move(value);
      return &document;
    }
    json &parent = *open.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    json &slot = parent[keys.back()];
    slot = std::move(value);
    return &slot;
  }

  bool count() {
    if (++values <= limits.values) return true;
    return fail(ErrorCode::JsonStructure,
                "more than " + std::to_string(limits.values) + " values outside vocabulary and merges");
  }

  bool scalar(const JsonEvent &event, json value) {
    if (enterSink()) {
      if (!deliver(event)) return false;
      if (depth == sinkDepth) sink = nullptr;
      return true;
    }
    place(std::move(value));
    return count();
  }

  bool begin(JsonEvent::Kind kind, json empty) {
    bool streamed = enterSink();
    if (depth >= limits.depth)
      return fail(ErrorCode::JsonStructure, "nested deeper than " + std::to_string(limits.depth) + " levels");
    if (streamed) {
      bool delivered = deliver({kind, 0, {}});
      ++depth;
      return delivered;
    }
    open.push_back(place(std::move(empty)));
    keys.emplace_back();
    ++depth;
    return count();
  }

  bool end(JsonEvent::Kind kind) {
    --depth;
    if (!sink) {
      open.pop_back();
      keys.pop_back();
      return true;
    }
    bool delivered = deliver({kind, 0, {}});
    if (depth == sinkDepth) sink = nullptr;
    return delivered;
  }

  std::string name;
  const std::map<std::string, JsonSink> &sinks;
  JsonLimits limits;
  std::vector<json *> open;
  std::vector<std::string> keys; ///< per open container, the current key
  const JsonSink *sink = nullptr;
  int depth = 0, sinkDepth = 0;
  size_t values = 0;
};

} // namespace

const char *JsonEvent::describe() const {
  switch (kind) {
  case Null:
    return "null";
  case Boolean:
    return "a boolean";
  case Unsigned:
    return "an integer";
  case Negative:
    return "a negative integer";
  case Float:
    return "a fraction";
  case String:
    return "a string";
  case Key:
    return "a key";
  case BeginObject:
  case EndObject:
    return "an object";
  case BeginArray:
  case EndArray:
    return "an array";
  }
  return "a value";
}

const char *describeJson(const json &value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "a boolean";
  if (value.is_number_float()) return "a fraction";
  if (value.is_number()) return "an integer";
  if (value.is_string()) return "a string";
  return value.is_object() ? "an object" : "an array";
}

std::string quoteForMessage(std::string_view text) {
  constexpr size_t kLongest = 40;
  std::string out;
  for (size_t position = 0; position < text.size();) {
    if (out.size() >= kLongest) return out + "...";
    Utf8Step step = decodeUtf8(text, position);
    if (step.kind == Utf8Step::Valid && step.codePoint >= 0x20 && step.codePoint != 0x7F)
      out.append(text.substr(position, step.length));
    else
      out += '?';
    position += step.length;
  }
  return out;
}

Result<json> parseJson(std::string_view text, std::string_view name, const std::map<std::string, JsonSink> &sinks,
                       const JsonLimits &limits) {
  try {
    Consumer consumer(name, sinks, limits);
    bool complete = json::sax_parse(text.begin(), text.end(), &consumer, json::input_format_t::json, /*strict=*/true);
    if (complete && !consumer.failure) return std::move(consumer.document);
    if (consumer.failure) return std::move(*consumer.failure);
    return makeError(ErrorCode::JsonSyntax, ErrorKind::Integrity, std::string(name) + ": not valid JSON");
  } catch (const std::exception &) {
    return makeError(ErrorCode::OutOfMemory, ErrorKind::Capacity, std::string(name) + ": out of memory while parsing");
  }
}

Result<std::string> readTextFile(const std::string &path) {
  constexpr int64_t kLargest = int64_t(1) << 30;
  auto unreadable = [&](const std::string &why) {
    return makeError(ErrorCode::FileUnreadable, ErrorKind::Failed, "cannot read '" + path + "': " + why,
                     "check the path and its permissions");
  };
  try {
    struct FileCloser {
      void operator()(std::FILE *file) const { std::fclose(file); }
    };
    struct stat info;
    // Asked before opening too: opening a pipe would block.
    if (stat(path.c_str(), &info) != 0) return unreadable("no such file, or no permission");
    if (!S_ISREG(info.st_mode)) return unreadable("not a regular file");
    std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
    if (!file) return unreadable("it cannot be opened");
    if (fstat(fileno(file.get()), &info) != 0 || !S_ISREG(info.st_mode)) return unreadable("not a regular file");
    if (info.st_size > kLargest)
      return makeError(ErrorCode::TextTooLarge, ErrorKind::Capacity,
                       "'" + path + "' has " + std::to_string(info.st_size) + " bytes, at most 1 GiB is read");
    std::string content(static_cast<size_t>(info.st_size), '\0');
    size_t got = std::fread(content.data(), 1, content.size(), file.get());
    if (got != content.size()) return unreadable("it ends early, at byte " + std::to_string(got));
    return content;
  } catch (const std::exception &) {
    return makeError(ErrorCode::OutOfMemory, ErrorKind::Capacity, "out of memory while reading '" + path + "'");
  }
}

} // namespace mmc::text
