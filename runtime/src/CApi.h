// What the files of the C ABI share: the handles, and the guard that keeps exceptions inside.
#pragma once

#include "mmc-c/Runtime.h"
#include "runtime/src/Session.h"

#include <cstring>

struct mmc_status {
  mmc::runtime::Status status;
};

struct mmc_plan {
  std::shared_ptr<const mmc::runtime::LoadedPlan> loaded;
  std::string digest; // hexadecimal
};

struct mmc_model {
  std::shared_ptr<const mmc::runtime::Model> model;
};

struct mmc_session {
  std::shared_ptr<mmc::runtime::Session> session;
  std::vector<mmc::runtime::StepEntry> entries; // of the step that is being passed on; reserved once
};

struct mmc_sequence {
  std::shared_ptr<mmc::runtime::Session> session;
  mmc::runtime::Sequence *sequence;
};

namespace mmc::runtime {

/// Null for an ok status. Running out of memory gives a static status that mmc_status_free leaves alone.
mmc_status *toC(Status status) noexcept;
mmc_status *outOfMemory() noexcept;
mmc_status *nullArgument(const char *what) noexcept;

/// Runs a function that returns a Status and turns every outcome into a C status.
template <typename Function> mmc_status *guarded(Function function) noexcept {
  try {
    return toC(function());
  } catch (const std::bad_alloc &) {
    return outOfMemory();
  } catch (...) {
    return nullArgument(nullptr);
  }
}

/// The caller's options, with zeros for fields that the caller's version of the struct does not have. False where
/// struct_size is impossible.
template <typename Options> bool readOptions(const Options *from, Options &to) {
  to = {};
  to.struct_size = sizeof to;
  if (!from) return true;
  if (from->struct_size < sizeof from->struct_size) return false;
  std::memcpy(&to, from, from->struct_size < sizeof to ? from->struct_size : sizeof to);
  return true;
}

} // namespace mmc::runtime
