// Implements the list of findings.
//
// Invariant: a finding is reported once per source line: a kernel that is wrong is wrong in every thread and every
// iteration, and the first one says it.
#include "runtime/cuda/emulation/core/Report.h"

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Scheduler.h"

#include <set>

namespace mmc::emu {

const char *findingName(Finding finding) {
  switch (finding) {
  case Finding::outOfBounds:
    return "out of bounds";
  case Finding::misaligned:
    return "misaligned";
  case Finding::uninitialisedRead:
    return "uninitialised read";
  case Finding::race:
    return "race";
  case Finding::missingProxyFence:
    return "missing proxy fence";
  case Finding::fragmentInFlight:
    return "fragment in flight";
  case Finding::missingWgmmaFence:
    return "missing wgmma fence";
  case Finding::badDescriptor:
    return "bad descriptor";
  case Finding::mbarrierMisuse:
    return "mbarrier misuse";
  case Finding::divergence:
    return "divergence";
  case Finding::registerRequest:
    return "register request";
  case Finding::sharedMemory:
    return "shared memory";
  case Finding::barrierMisuse:
    return "barrier misuse";
  case Finding::deadlock:
    return "deadlock";
  case Finding::launch:
    return "launch";
  case Finding::other:
    break;
  }
  return "other";
}

std::string Report::text() const {
  std::string out = std::string(findingName(finding)) + ": " + message + "\n";
  if (!line.empty()) out += "  at " + line + "\n";
  if (!otherLine.empty()) out += "  other: " + otherLine + "\n";
  if (!kernel.empty()) out += "  in kernel " + kernel;
  if (thread != ~0u)
    out += ", thread " + std::to_string(thread) + " of block (" + std::to_string(block[0]) + ", " +
           std::to_string(block[1]) + ", " + std::to_string(block[2]) + ")";
  if (!kernel.empty()) out += "\n";
  return out;
}

namespace reports {

namespace {
struct State {
  std::vector<Report> found;
  /// (finding, source); a finding without a source is known by its message.
  std::set<std::pair<uint64_t, std::string>> seen;
  std::function<void(const Report &)> listener;
};
State &state() {
  static State instance;
  return instance;
}

void addHere(Finding finding, const Thread *thread, uint64_t source, std::string &message, uint64_t otherSource) {
  Report report;
  report.finding = finding;
  report.message = std::move(message);
  report.thread = ~0u;
  if (thread) {
    report.thread = thread->index;
    std::copy(thread->block->position, thread->block->position + 3, report.block);
    report.kernel = thread->block->launch->kernel->name;
  }
  if (source) report.line = describeSource(source);
  if (otherSource) report.otherLine = describeSource(otherSource);
  state().found.push_back(report);
  if (state().listener) state().listener(report);
}
} // namespace

void add(Finding finding, const Thread *thread, uint64_t source, std::string message, uint64_t otherSource) {
  if (state().found.size() >= kMaxReports) return;
  if (!state().seen.insert({source << 8 | uint64_t(finding), source ? std::string() : message}).second) return;
  scheduler::onLargeStack([&] { addHere(finding, thread, source, message, otherSource); });
}

const std::vector<Report> &all() { return state().found; }

std::vector<Report> take() {
  state().seen.clear();
  return std::exchange(state().found, {});
}

void setListener(std::function<void(const Report &)> listener) { state().listener = std::move(listener); }

} // namespace reports
} // namespace mmc::emu
