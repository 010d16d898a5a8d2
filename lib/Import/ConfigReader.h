// Typed access to the fields of a configuration, so that every refusal names the field, what was found and what was
// expected.
#pragma once

#include "lib/Import/Json.h"

namespace mmc::import {

/// Reads fields of one object. The first failure sticks: later reads return their fallback, and `status` is asked once
/// at the end.
class ConfigReader {
public:
  ConfigReader(const JsonValue &object, std::string origin) : object(object), origin(std::move(origin)) {}

  /// The value where the field is present and not null.
  const JsonValue *find(std::string_view field) const;
  bool has(std::string_view field) const { return find(field) != nullptr; }

  int64_t integer(std::string_view field, int64_t low, int64_t high); ///< required
  int64_t integer(std::string_view field, int64_t low, int64_t high, int64_t fallback);
  double positive(std::string_view field); ///< required; finite and above zero
  double positive(std::string_view field, double fallback);
  double finite(std::string_view field, double fallback);
  bool boolean(std::string_view field, bool fallback);
  std::string string(std::string_view field, std::string fallback);

  /// Records a failure (the first one wins).
  void refuse(const ErrorKind &kind, std::string_view field, const std::string &what);
  bool ok() const { return failure.ok(); }
  Status status() const { return failure; }

private:
  const JsonValue *require(std::string_view field);
  int64_t asInteger(std::string_view field, const JsonValue &value, int64_t low, int64_t high);
  double asPositive(std::string_view field, const JsonValue &value);

  const JsonValue &object;
  std::string origin;
  Status failure;
};

} // namespace mmc::import
