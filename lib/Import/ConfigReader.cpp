// Conversions are exact: an integer field takes no string, no fraction and no boolean.
#include "lib/Import/ConfigReader.h"

#include <cmath>
#include <limits>

using namespace mmc::import;

const JsonValue *ConfigReader::find(std::string_view field) const {
  known.emplace(field);
  const JsonValue *value = object.find(field);
  return value && value->kind != JsonValue::Kind::null ? value : nullptr;
}

void ConfigReader::refuse(const ErrorKind &kind, std::string_view field, const std::string &what) {
  if (failure.ok()) failure = Status(kind, origin + ": field '" + name(field) + "' " + what);
}

void ConfigReader::refuseUnread() {
  constexpr size_t kNamed = 8, kLongest = 60;
  std::vector<size_t> unread;
  for (size_t i = 0; i < object.names.size(); ++i)
    if (object.items[i].kind != JsonValue::Kind::null && !known.contains(object.names[i])) unread.push_back(i);
  if (unread.empty()) return;
  std::string others;
  for (size_t i = 1; i < std::min(unread.size(), kNamed); ++i)
    others += (i > 1 ? ", '" : "; nor are '") + name(object.names[unread[i]].substr(0, kLongest)) + "'";
  if (unread.size() > kNamed) others += " and " + std::to_string(unread.size() - kNamed) + " more";
  refuse(kConfigUnknown, object.names[unread[0]].substr(0, kLongest),
         "is " + object.items[unread[0]].text() + ", which is not a field known to this model family" + others);
}

const JsonValue *ConfigReader::require(std::string_view field) {
  const JsonValue *value = find(field);
  if (!value) refuse(kConfigMissing, field, "is missing");
  return value;
}

int64_t ConfigReader::asInteger(std::string_view field, const JsonValue &value, int64_t low, int64_t high) {
  if (value.kind != JsonValue::Kind::integer || value.integer < low || value.integer > high) {
    refuse(kConfigValue, field,
           "is " + value.text() + ", expected an integer between " + std::to_string(low) + " and " +
               std::to_string(high));
    return low;
  }
  return value.integer;
}

double ConfigReader::asReal(std::string_view field, const JsonValue &value) {
  if (value.kind != JsonValue::Kind::integer && value.kind != JsonValue::Kind::real) {
    refuse(kConfigValue, field, "is " + value.text() + ", expected a number");
    return 1;
  }
  using Float = std::numeric_limits<float>;
  double size = std::abs(value.real);
  if (size != 0 && !(size >= double(Float::min()) && size <= double(Float::max()))) {
    refuse(kConfigValue, field,
           "is " + value.text() + ", expected a number that float32 can hold: 1.2e-38 to 3.4e+38 in size");
    return 1;
  }
  return value.real;
}

double ConfigReader::asPositive(std::string_view field, const JsonValue &value) {
  double number = asReal(field, value);
  if (number > 0) return number;
  refuse(kConfigValue, field, "is " + value.text() + ", expected a finite number above zero");
  return 1;
}

int64_t ConfigReader::integer(std::string_view field, int64_t low, int64_t high) {
  const JsonValue *value = require(field);
  return value ? asInteger(field, *value, low, high) : low;
}

int64_t ConfigReader::integer(std::string_view field, int64_t low, int64_t high, int64_t fallback) {
  const JsonValue *value = find(field);
  return value ? asInteger(field, *value, low, high) : fallback;
}

double ConfigReader::positive(std::string_view field) {
  const JsonValue *value = require(field);
  return value ? asPositive(field, *value) : 1;
}

double ConfigReader::positive(std::string_view field, double fallback) {
  const JsonValue *value = find(field);
  return value ? asPositive(field, *value) : fallback;
}

double ConfigReader::finite(std::string_view field, double fallback) {
  const JsonValue *value = find(field);
  return value ? asReal(field, *value) : fallback;
}

bool ConfigReader::boolean(std::string_view field, bool fallback) {
  const JsonValue *value = find(field);
  if (!value) return fallback;
  if (value->kind != JsonValue::Kind::boolean)
    refuse(kConfigValue, field, "is " + value->text() + ", expected true or false");
  return value->boolean;
}

std::string ConfigReader::string(std::string_view field, std::string fallback) {
  const JsonValue *value = find(field);
  if (!value) return fallback;
  if (value->kind != JsonValue::Kind::string)
    refuse(kConfigValue, field, "is " + value->text() + ", expected a string");
  return value->string;
}
