// Conversions are exact: an integer field takes no string, no fraction and no boolean.
#include "lib/Import/ConfigReader.h"

#include <cmath>

using namespace mmc::import;

const JsonValue *ConfigReader::find(std::string_view field) const {
  const JsonValue *value = object.find(field);
  return value && value->kind != JsonValue::Kind::null ? value : nullptr;
}

void ConfigReader::refuse(const ErrorKind &kind, std::string_view field, const std::string &what) {
  if (failure.ok()) failure = Status(kind, origin + ": field '" + std::string(field) + "' " + what);
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

double ConfigReader::asPositive(std::string_view field, const JsonValue &value) {
  bool number = value.kind == JsonValue::Kind::integer || value.kind == JsonValue::Kind::real;
  if (!number || !(value.real > 0) || !std::isfinite(value.real)) {
    refuse(kConfigValue, field, "is " + value.text() + ", expected a finite number above zero");
    return 1;
  }
  return value.real;
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
  if (!value) return fallback;
  if (value->kind != JsonValue::Kind::integer && value->kind != JsonValue::Kind::real) {
    refuse(kConfigValue, field, "is " + value->text() + ", expected a number");
    return fallback;
  }
  return value->real;
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
