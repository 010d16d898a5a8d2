// SIGINT and SIGTERM: work that can stop is asked to, everything else ends at once; the exit code is 6 in both cases.
//
// Files are written under temporary names, so ending at once leaves nothing half-written under a final name.
#pragma once

#include "lib/Driver/Errors.h"
#include "mmc-c/Runtime.h"

namespace mmc::driver {

/// Once, at the start of the process.
void installInterruptHandler();

/// True after the first signal that came while an InterruptScope existed.
bool wasInterrupted();

/// A failure if interrupted.
Status checkInterrupt();

/// While it exists, the first signal cancels the session's running step and sets wasInterrupted; the second ends the
/// process. `session` may be null. At most one at a time.
class InterruptScope {
public:
  explicit InterruptScope(mmc_session *session);
  ~InterruptScope();
  InterruptScope(const InterruptScope &) = delete;
  InterruptScope &operator=(const InterruptScope &) = delete;
};

} // namespace mmc::driver
