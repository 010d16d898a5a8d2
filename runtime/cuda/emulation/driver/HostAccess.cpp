// Implements the fault on memory out of reach.
//
// NOTE: a finding leaves the signal handler by switching to the launch's stack, for good. That is sound because the
// fault comes from a load or store of the kernel itself (or of an operation on its behalf), never from within a library
// that holds a lock.
#include "runtime/cuda/emulation/driver/HostAccess.h"

#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/core/Report.h"
#include "runtime/cuda/emulation/core/Scheduler.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>
#include <ucontext.h>

namespace mmc::emu::driver {

namespace {

struct sigaction former;
std::atomic<pthread_t> runner;
std::atomic<bool> isRunning;

std::string describe(const void *address) {
  return memory::describeAddress(address) + " of device " + std::to_string(memory::deviceOf(address));
}

void onFault(int signal, siginfo_t *info, void *machine) {
  const void *address = info->si_addr;
  if (info->si_code == SEGV_ACCERR && memory::classify(address) == memory::Kind::global) {
    if (isRunning && pthread_equal(runner, pthread_self())) {
      const auto &registers = static_cast<ucontext_t *>(machine)->uc_mcontext.gregs;
      const bool write = registers[REG_ERR] & 2;
      reports::add(Finding::outOfBounds, scheduler::current(), uint64_t(registers[REG_RIP]) + 1,
                   std::string(write ? "writes " : "reads ") + describe(address) +
                       ", to which the running device has no peer access");
      scheduler::abandon(); // does not return
    }
    std::fprintf(stderr, "mmc emulation: the host accesses %s, at %p: device memory is reached by copies only\n",
                 describe(address).c_str(), address);
  }
  // As if there had been no handler: the access is made again.
  sigaction(signal, &former, nullptr);
}

} // namespace

void watchHostAccess() {
  static const bool done = [] {
    struct sigaction action = {};
    action.sa_sigaction = onFault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    return sigaction(SIGSEGV, &action, &former) == 0;
  }();
  (void)done;
}

void beginCommand() {
  runner = pthread_self();
  isRunning = true;
}

void endCommand() { isRunning = false; }

} // namespace mmc::emu::driver
