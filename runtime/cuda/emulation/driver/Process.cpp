// Implements the driver's state: settings, contexts, faults.
#include "runtime/cuda/emulation/driver/Process.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/HostAccess.h"
#include "runtime/cuda/emulation/driver/Queue.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mmc::emu::driver {

Process &process() {
  static Process *instance = new Process; // outlives whoever calls at exit
  return *instance;
}

CUctx_st *&currentContext() {
  thread_local CUctx_st *current = nullptr;
  return current;
}

namespace {

/// A number from the environment; false if it is none or out of range.
bool readNumber(const char *name, uint64_t least, uint64_t most, uint64_t &value) {
  const char *text = std::getenv(name);
  if (!text) return true;
  char *end = nullptr;
  errno = 0;
  const unsigned long long number = std::strtoull(text, &end, 10);
  if (*text >= '0' && *text <= '9' && !*end && !errno && number >= least && number <= most) {
    value = number;
    return true;
  }
  std::fprintf(stderr, "mmc emulation: %s=%s, expected a number from %llu to %llu\n", name, text,
               static_cast<unsigned long long>(least), static_cast<unsigned long long>(most));
  return false;
}

bool readSwitch(const char *name, bool &value) {
  const char *text = std::getenv(name);
  if (!text) return true;
  const bool on = !std::strcmp(text, "on");
  if (on || !std::strcmp(text, "off")) {
    value = on;
    return true;
  }
  std::fprintf(stderr, "mmc emulation: %s=%s, expected on or off\n", name, text);
  return false;
}

/// A file that launches add their counts to, empty at first; false if it cannot be written.
bool readCountsFile(std::string &file) {
  const char *name = std::getenv("MMC_EMU_COUNTS");
  file = name ? name : "";
  if (file.empty()) return true;
  if (std::FILE *made = std::fopen(name, "w")) return std::fclose(made) == 0;
  std::fprintf(stderr, "mmc emulation: MMC_EMU_COUNTS=%s, expected a file that can be written: %s\n", name,
               std::strerror(errno));
  return false;
}

} // namespace

Result initialise() {
  Process &state = process();
  for (const CUctx_st &context : state.contexts)
    if (context.retained) return isFaulty() ? faultOf(CallKind::initialises) : Result::success;
  MachineOptions options;
  uint64_t sms = options.sms, devices = 1, fault = 0;
  // All of them are read, so that every mistake is named.
  bool good = readSwitch("MMC_EMU_CHECKS", options.checks);
  good &= readNumber("MMC_EMU_SEED", 0, ~uint64_t(0), options.seed);
  good &= readNumber("MMC_EMU_SMS", 1, 1024, sms);
  good &= readNumber("MMC_EMU_DEVICES", 1, kMostDevices, devices);
  good &= readNumber("MMC_EMU_FAULT", 1, ~uint64_t(0), fault);
  good &= readCountsFile(state.countsFile);
  if (!good) return Result::invalidValue;
  options.sms = uint32_t(sms);
  state.devices = uint32_t(devices);
  state.fault = fault;
  state.calls = 0;
  if (isFaulty()) return faultOf(CallKind::initialises);
  for (uint32_t i = 0; i < kMostDevices; ++i) state.contexts[i].device = int(i);
  memory::setAccessible(~uint64_t(0));
  initialiseMachine(options);
  memory::setDevices(state.devices);
  counting::enable(!state.countsFile.empty());
  if (options.checks) watchHostAccess();
  state.initialised = true;
  leave();
  return Result::success;
}

bool isFaulty() { return ++process().calls == process().fault; }

Result faultOf(CallKind kind) {
  switch (kind) {
  case CallKind::asks:
  case CallKind::copies:
  case CallKind::orders:
  case CallKind::releases:
    return Result::operatingSystem;
  case CallKind::initialises:
    return Result::systemNotReady;
  case CallKind::allocates:
  case CallKind::loads:
    return Result::outOfMemory;
  case CallKind::launches:
    return Result::launchOutOfResources;
  case CallKind::synchronises:
    if (CUctx_st *context = currentContext(); context && context->retained) killContext(*context, Result::launchFailed);
    return Result::launchFailed;
  case CallKind::captures:
    return Result::streamCaptureUnsupported;
  }
  return Result::unknown;
}

void leave() {
  if (memory::checksOn()) memory::setAccessible(0);
}

void endContext(CUctx_st &context) {
  Process &state = process();
  if (context.failure == Result::success) runContext(context);
  killContext(context, Result::contextIsDestroyed); // what is left in streams goes
  state.execs.removeIf([&](CUgraphExec_st &exec) { return exec.context == &context; });
  state.graphs.removeIf([&](CUgraph_st &graph) { return graph.context == &context; });
  state.events.removeIf([&](CUevent_st &event) { return event.context == &context; });
  for (auto at = state.streamsByNumber.begin(); at != state.streamsByNumber.end();) {
    CUstream_st *stream = (at++)->second;
    if (stream->context == &context) destroyStream(*stream);
  }
  state.functions.removeIf([&](CUfunc_st &function) { return function.module->context == &context; });
  state.modules.removeIf([&](CUmod_st &module) { return module.context == &context; });
  state.host.removeAllOf(&context);
  memory::setAccessible(~uint64_t(0));
  std::erase_if(state.allocations, [&](auto &entry) {
    if (entry.second != &context) return false;
    memory::freeGlobal(entry.first);
    return true;
  });
  // The end of a context waits for what was left in it, whether it ran or was dropped.
  join(context.ended, CommandPlace{context.copies, state.order.lastOf(context.copies)});
  state.order.hostWaits(context.ended);
  state.order.retire(context.copies);
  const int device = context.device;
  context = {};
  context.device = device;
}

} // namespace mmc::emu::driver
