// Implements Status: an immutable, shared record, absent when all is well.
#include "runtime/src/Status.h"

#include <cstdio>
#include <system_error>

namespace mmc::runtime {

namespace {
const std::string kEmpty;
}

Status::Status(const ErrorKind &kind, std::string message, std::string hint, std::string cause) {
  char identifier[16];
  snprintf(identifier, sizeof identifier, "MMC-E%04u", kind.number % 10000);
  if (hint.empty()) hint = kind.hint;
  rep = std::make_shared<const Rep>(Rep{kind.code, identifier, std::move(message), std::move(hint), std::move(cause)});
}

StatusCode Status::code() const { return rep ? rep->code : StatusCode::ok; }
const std::string &Status::identifier() const { return rep ? rep->identifier : kEmpty; }
const std::string &Status::message() const { return rep ? rep->message : kEmpty; }
const std::string &Status::hint() const { return rep ? rep->hint : kEmpty; }
const std::string &Status::cause() const { return rep ? rep->cause : kEmpty; }

std::string Status::text() const {
  if (!rep) return "ok";
  std::string text = rep->identifier + ": " + rep->message;
  return rep->cause.empty() ? text : text + " (" + rep->cause + ")";
}

std::string describeErrno(int error) { return std::generic_category().message(error); }

} // namespace mmc::runtime
