// The signal handler; everything that it touches is a lock-free atomic, mmc_session_cancel included.
#include "lib/Driver/Interrupt.h"

#include <atomic>
#include <csignal>
#include <unistd.h>

namespace mmc::driver {

namespace {

std::atomic<bool> interrupted{false};
std::atomic<bool> cooperative{false};
std::atomic<mmc_session *> running{nullptr};
static_assert(std::atomic<mmc_session *>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void handle(int) {
  static const char message[] = "mmc: error: MMC-E1003: interrupted\nhint: run the command again\n";
  if (!cooperative || interrupted.exchange(true)) {
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    _exit(int(StatusCode::cancelled));
  }
  if (mmc_session *session = running) mmc_session_cancel(session);
}

} // namespace

void installInterruptHandler() {
  struct sigaction action = {};
  action.sa_handler = handle;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool wasInterrupted() { return interrupted; }

Status checkInterrupt() { return interrupted ? Status(kInterrupted, "interrupted") : Status(); }

InterruptScope::InterruptScope(mmc_session *session) {
  running = session;
  cooperative = true;
}

InterruptScope::~InterruptScope() {
  cooperative = false;
  running = nullptr;
}

} // namespace mmc::driver
