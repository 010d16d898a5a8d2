// The runtime's result types: Status (fine, or what went wrong and how to fix it) and Expected<T> (a value or a
// Status).
//
// No exception leaves a function of the runtime for a reason that a user's input can cause; std::bad_alloc may, and the
// C ABI turns it into a capacity error. A failed Status always has a message; ErrorKind gives it a number, a class (the
// exit code) and a fallback hint.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace mmc::runtime {

/// The class of a failure. The values are the exit codes of the tools and mmc_status_code of the C ABI.
enum class StatusCode : int {
  ok = 0,
  failed = 1,
  usage = 2,
  incompatible = 3,
  integrity = 4,
  capacity = 5,
  cancelled = 6
};

/// A kind of failure: its number in `MMC-E0123`, its class, and what to do about it where the call site knows nothing
/// better.
struct ErrorKind {
  unsigned number;
  StatusCode code;
  const char *hint;
};

/// `text` with control characters (line breaks too), characters that change the direction of text, and bytes that are
/// not UTF-8 written as \xNN: a name from a file can then neither command a terminal nor pretend to be another line.
std::string printable(std::string_view text);

class [[nodiscard]] Status {
public:
  /// Fine.
  Status() = default;
  /// A failure; an empty `hint` takes the kind's. The texts are made printable, line by line, as they may hold names
  /// from files.
  Status(const ErrorKind &kind, std::string message, std::string hint = {}, std::string cause = {});

  bool ok() const { return !rep; }
  StatusCode code() const;
  /// `MMC-E0123`; empty when ok. The texts live as long as a copy of this status.
  const std::string &identifier() const;
  const std::string &message() const;
  const std::string &hint() const;
  const std::string &cause() const;
  /// `MMC-E0123: message` and, where there is one, ` (cause)`: for logs and tests.
  std::string text() const;

private:
  struct Rep {
    StatusCode code;
    std::string identifier, message, hint, cause;
  };
  std::shared_ptr<const Rep> rep;
};

/// The text of an errno value, for `cause`; thread-safe.
std::string describeErrno(int error);

template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : content(std::in_place_index<0>, std::move(value)) {}
  Expected(Status failure) : content(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return content.index() == 0; }
  Status status() const { return ok() ? Status() : std::get<1>(content); }
  T &operator*() { return std::get<0>(content); }
  const T &operator*() const { return std::get<0>(content); }
  T *operator->() { return &std::get<0>(content); }
  const T *operator->() const { return &std::get<0>(content); }

private:
  std::variant<T, Status> content;
};

} // namespace mmc::runtime

/// Returns the failure of a Status or Expected expression from the enclosing function.
#define MMC_RETURN_IF_ERROR(expression)                                                                                \
  do {                                                                                                                 \
    if (::mmc::runtime::Status mmcStatus = (expression); !mmcStatus.ok()) return mmcStatus;                            \
  } while (false)
