// The document is built from nlohmann's SAX events with an explicit stack, so nesting costs no machine stack.
#include "lib/Import/Json.h"
#include "runtime/src/FileIO.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <unordered_set>

using namespace mmc::import;

static constexpr size_t kMaxDepth = 64;
static constexpr uint64_t kMaxBytes = uint64_t(16) << 20;

const JsonValue *JsonValue::find(std::string_view name) const {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return &items[i];
  return nullptr;
}

std::string JsonValue::text() const {
  switch (kind) {
  case Kind::null:
    return "null";
  case Kind::boolean:
    return boolean ? "true" : "false";
  case Kind::integer:
    return std::to_string(integer);
  case Kind::real: {
    char buffer[40]; // the shortest text that reads as this number
    return {buffer, std::to_chars(buffer, buffer + sizeof(buffer), real).ptr};
  }
  case Kind::string:
    return "\"" + string.substr(0, 57) + (string.size() > 57 ? "...\"" : "\"");
  case Kind::array: {
    std::string out = "[";
    for (size_t i = 0; i < items.size(); ++i) {
      if (out.size() > 40) return out + ", ...]";
      out += (i ? ", " : "") + items[i].text();
    }
    return out + "]";
  }
  case Kind::object:
    return names.empty() ? "{}" : "an object of " + std::to_string(names.size()) + " fields";
  }
  return "";
}

namespace {

/// Builds the tree. The open containers are values of their own on `stack`, moved into their parents when they close.
class TreeBuilder {
public:
  using number_integer_t = int64_t;
  using number_unsigned_t = uint64_t;
  using number_float_t = double;
  using string_t = std::string;
  using binary_t = nlohmann::json::binary_t;

  JsonValue root;
  std::string failure;

  bool null() { return add({}); }
  bool boolean(bool value) {
    JsonValue node;
    node.kind = JsonValue::Kind::boolean;
    node.boolean = value;
    return add(std::move(node));
  }
  bool number_integer(int64_t value) {
    JsonValue node;
    node.kind = JsonValue::Kind::integer;
    node.integer = value;
    node.real = double(value);
    return add(std::move(node));
  }
  bool number_unsigned(uint64_t value) {
    if (value > uint64_t(INT64_MAX)) return fail("the number " + std::to_string(value) + " is too large");
    return number_integer(int64_t(value));
  }
  bool number_float(double value, const std::string &text) {
    if (!std::isfinite(value)) return fail("the number " + text.substr(0, 40) + " is too large");
    JsonValue node;
    node.kind = JsonValue::Kind::real;
    node.real = value;
    return add(std::move(node));
  }
  bool string(std::string &value) {
    JsonValue node;
    node.kind = JsonValue::Kind::string;
    node.string = std::move(value);
    return add(std::move(node));
  }
  bool binary(binary_t &) { return fail("binary data"); }
  bool start_object(size_t) { return open(JsonValue::Kind::object); }
  bool start_array(size_t) { return open(JsonValue::Kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string &name) {
    if (!stack.back().keys.insert(name).second) return fail("duplicate key '" + name.substr(0, 60) + "'");
    stack.back().key = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string &token, const nlohmann::json::exception &error) {
    // Code 406 is a number that float64 cannot hold.
    if (error.id == 406) return fail("the number " + token.substr(0, 40) + " is too large");
    return fail("not valid JSON at byte " + std::to_string(position));
  }

private:
  struct Frame {
    JsonValue value;
    std::string key;
    std::unordered_set<std::string> keys;
  };
  std::vector<Frame> stack;

  bool fail(std::string why) {
    if (failure.empty()) failure = std::move(why);
    return false;
  }
  bool open(JsonValue::Kind kind) {
    if (stack.size() >= kMaxDepth) return fail("nested more than " + std::to_string(kMaxDepth) + " deep");
    stack.emplace_back();
    stack.back().value.kind = kind;
    return true;
  }
  bool close() {
    JsonValue value = std::move(stack.back().value);
    stack.pop_back();
    return add(std::move(value));
  }
  bool add(JsonValue value) {
    if (stack.empty()) {
      root = std::move(value);
    } else {
      Frame &frame = stack.back();
      if (frame.value.kind == JsonValue::Kind::object) frame.value.names.push_back(std::move(frame.key));
      frame.value.items.push_back(std::move(value));
    }
    return true;
  }
};

} // namespace

Expected<JsonValue> mmc::import::parseJsonText(std::string_view text, const std::string &origin) {
  TreeBuilder builder;
  bool good = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  if (!good || !builder.failure.empty())
    return Status(kConfigSyntax, origin + ": " + (builder.failure.empty() ? "not valid JSON" : builder.failure));
  return std::move(builder.root);
}

Expected<JsonValue> mmc::import::readJsonFile(const std::string &path) {
  Expected<runtime::InputFile> file = runtime::InputFile::open(path);
  if (!file.ok()) return file.status();
  if (file->size() > kMaxBytes)
    return Status(kConfigSyntax, path + ": expected at most " + std::to_string(kMaxBytes) + " bytes, got " +
                                     std::to_string(file->size()));
  std::string text(file->size(), '\0');
  MMC_RETURN_IF_ERROR(file->readAt(0, {reinterpret_cast<uint8_t *>(text.data()), text.size()}));
  return parseJsonText(text, path);
}
