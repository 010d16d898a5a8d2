// Runs cases in processes of their own. An error on a device ends its context, and a kernel may never end: the worker
// is then given up, the case is told to have failed, and another worker goes on with the next.
#pragma once

#include "lib/Silicon/Device.h"

#include <functional>

namespace mmc::silicon {

struct WorkerOptions {
  std::string driver, kernels;
  int secondsPerCase = 60;
  /// No workers: for tools that watch one process. The first failure ends it.
  bool inProcess = false;
};

struct CaseResult {
  bool ran = false;
  std::string failure; // where it did not
  Words output;
};

struct AllResults {
  DeviceFacts device;
  std::vector<CaseResult> results; // one per case
};

/// Called after each case, in order; may be empty.
using Progress = std::function<void(const Case &, const CaseResult &)>;

/// No case at all: the facts of the device alone. Errors: no worker could be started, or the driver could not be
/// opened. This process never opens it.
runtime::Expected<AllResults> runInWorkers(const std::vector<Case> &cases, const WorkerOptions &options,
                                           const Progress &progress);

} // namespace mmc::silicon
