//===- Result.h - how the text library reports failure ---------------------===//
//
// No exception leaves this library and nothing is printed: every function that can fail on a user's input returns a
// Result or a Status. An Error carries what a tool needs for its two lines, `mmc: error: MMC-E0705: <message>` and
// `hint: <hint>`, and for its exit code. Invariant: a Result holds exactly one of a value and an Error.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_RESULT_H
#define MMC_TEXT_RESULT_H

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace mmc::text {

/// The class of a failure; the values are mmc's exit codes.
enum class ErrorKind : int { Failed = 1, Usage = 2, Incompatible = 3, Integrity = 4, Capacity = 5 };

/// The numbers behind `MMC-E0...`; a number is never reused for another meaning.
enum class ErrorCode : int {
  FileUnreadable = 700,
  JsonSyntax = 701,
  JsonStructure = 702, ///< depth, size, duplicate key
  FieldInvalid = 703,
  SettingUnsupported = 704,
  VocabularyInvalid = 705,
  MergesInvalid = 706,
  AddedTokensInvalid = 707,
  RegexInvalid = 708,
  RegexBudget = 709,
  TextTooLarge = 710,
  IdOutOfRange = 711,
  ChatInvalid = 712,
  SamplingParameter = 713,
  LogitsInvalid = 714,
  GenerationConfigInvalid = 715,
  OutOfMemory = 716,
};

struct Error {
  ErrorCode code;
  ErrorKind kind;
  std::string message; ///< names the field, then found against expected; lower case, no final dot
  std::string hint;    ///< the fix; never empty

  /// `MMC-E0705`.
  std::string codeName() const { return "MMC-E0" + std::to_string(static_cast<int>(code)); }
  /// `MMC-E0705: message`, for logs and tests.
  std::string describe() const { return codeName() + ": " + message; }
};

/// An empty `hint` takes the code's own.
Error makeError(ErrorCode code, ErrorKind kind, std::string message, std::string hint = {});

/// Success, or an Error.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Error error) : failure(std::move(error)) {}
  bool ok() const { return !failure; }
  explicit operator bool() const { return ok(); }
  /// Only when not ok().
  const Error &error() const { return *failure; }

private:
  std::optional<Error> failure;
};

/// A value, or an Error.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : content(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content(std::in_place_index<1>, std::move(error)) {}
  bool ok() const { return content.index() == 0; }
  explicit operator bool() const { return ok(); }
  /// Only when ok().
  T &operator*() { return *std::get_if<0>(&content); }
  const T &operator*() const { return *std::get_if<0>(&content); }
  T *operator->() { return std::get_if<0>(&content); }
  const T *operator->() const { return std::get_if<0>(&content); }
  /// Only when not ok().
  const Error &error() const { return *std::get_if<1>(&content); }

private:
  std::variant<T, Error> content;
};

} // namespace mmc::text

#endif
