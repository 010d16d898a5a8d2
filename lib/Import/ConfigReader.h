// Typed access to the fields of a configuration, so that every refusal names the field, what was found and what was
// expected.
#pragma once

#include "lib/Import/Json.h"

#include <set>

namespace mmc::import {

/// Reads fields of one object. The first failure sticks: later reads return their fallback, and `status` is asked once
/// at the end.
class ConfigReader {
public:
  ConfigReader(const JsonValue &object, std::string origin) : object(object), origin(std::move(origin)) {}
  /// Of an object inside that of `outer`, whose key `field` is; messages name a field with the way to it.
  ConfigReader(const JsonValue &object, const ConfigReader &outer, std::string_view field)
      : object(object), origin(outer.origin), path(outer.name(field) + ".") {}

  const std::string &where() const { return origin; }
  std::string name(std::string_view field) const { return path + std::string(field); }

  /// The value where the field is present and not null. This and all reads below note the field as known.
  const JsonValue *find(std::string_view field) const;
  bool has(std::string_view field) const { return find(field) != nullptr; }

  int64_t integer(std::string_view field, int64_t low, int64_t high); ///< required
  int64_t integer(std::string_view field, int64_t low, int64_t high, int64_t fallback);
  // Numbers that float32 holds, which is what the model computes in: normal, or zero where that is allowed.
  double positive(std::string_view field); ///< required; above zero
  double positive(std::string_view field, double fallback);
  double finite(std::string_view field, double fallback);
  bool boolean(std::string_view field, bool fallback);
  std::string string(std::string_view field, std::string fallback);

  /// Notes a field as known without reading it.
  void allow(std::string_view field) { known.emplace(field); }
  /// Refuses the fields that are not known. Null is how the writing library spells a setting that is not set, so it
  /// asks for nothing; other values of an unknown field may mean anything.
  void refuseUnread();

  /// Records a failure (the first one wins).
  void refuse(const ErrorKind &kind, std::string_view field, const std::string &what);
  bool ok() const { return failure.ok(); }
  Status status() const { return failure; }
  /// Takes over the failure of another reader.
  void take(const ConfigReader &other) {
    if (failure.ok()) failure = other.failure;
  }

private:
  const JsonValue *require(std::string_view field);
  int64_t asInteger(std::string_view field, const JsonValue &value, int64_t low, int64_t high);
  double asReal(std::string_view field, const JsonValue &value);
  double asPositive(std::string_view field, const JsonValue &value);

  const JsonValue &object;
  std::string origin, path;
  mutable std::set<std::string, std::less<>> known;
  Status failure;
};

} // namespace mmc::import
