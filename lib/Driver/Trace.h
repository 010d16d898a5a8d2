// The file of --trace: every launch of a run in the Chrome trace format, for ui.perfetto.dev.
#pragma once

#include "lib/Driver/PlanReport.h"
#include "runtime/src/FileIO.h"

#include <memory>

struct mmc_session;

namespace mmc::driver {

class LaunchTrace {
public:
  /// Records the launches of `session` from now on, until it is destroyed. `tables` must outlive it.
  LaunchTrace(mmc_session *session, const runtime::PlanTables &tables);
  ~LaunchTrace();
  /// Writes and commits the file.
  Status write(runtime::OutputFile &file) const;

private:
  struct Recorder;
  mmc_session *session;
  std::shared_ptr<Recorder> recorder;
};

} // namespace mmc::driver
