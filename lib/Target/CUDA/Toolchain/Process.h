// Programs that are run without a shell, with a small environment, so that what a user's environment says to compilers
// changes nothing.
#pragma once

#include "runtime/src/Status.h"

#include <string>
#include <vector>

namespace mmc::cuda {

struct ProcessOutcome {
  int exitCode = 0;   // 128 and the signal's number where one ended it
  std::string output; // what it wrote, errors and data
};

/// Runs arguments[0], a path, in a folder and waits for it. Its input is empty. Thread-safe.
runtime::Expected<ProcessOutcome> runProcess(const std::vector<std::string> &arguments,
                                             const std::string &folder = "/");

/// The absolute path of a program: of a name with a slash that file, else what PATH leads to. Empty if there is none
/// that can be executed.
std::string findProgram(const std::string &name);

} // namespace mmc::cuda
