// Implements streams.
#include "runtime/cuda/emulation/driver/Queue.h"

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/core/Report.h"
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/Graph.h"
#include "runtime/cuda/emulation/driver/HostAccess.h"

#include <cstdio>
#include <set>

namespace mmc::emu::driver {

namespace {

/// Findings of the command that runs.
struct Findings {
  uint32_t count = 0;
  Finding first = Finding::other;
  std::string where;
} findings;

/// Prints each finding once in a process, and counts them all.
void listen() {
  static std::set<std::string> printed;
  static const bool done = [] {
    reports::setListener([](const Report &report) {
      if (findings.count++ == 0) findings.first = report.finding;
      const std::string text = report.text();
      if (printed.insert(text).second)
        std::fprintf(stderr, "mmc emulation: %s  in %s\n", text.c_str(), findings.where.c_str());
    });
    return true;
  }();
  (void)done;
}

Result failureOf(Finding finding) {
  switch (finding) {
  case Finding::outOfBounds:
    return Result::illegalAddress;
  case Finding::misaligned:
    return Result::misalignedAddress;
  default:
    return Result::launchFailed;
  }
}

void execute(CUctx_st &context, const Work &work, const Execution &at, const HostPrint *print) {
  listen();
  reports::take();
  findings = {};
  findings.where = std::string(work.call()) + ", command " + std::to_string(at.place.index) + " of stream " +
                   std::to_string(at.place.stream) + " of device " + std::to_string(context.device);
  const uint64_t all = ~uint64_t(0), own = uint64_t(1) << context.device;
  memory::setAccessible(work.isLaunch() && memory::checksOn() ? own | context.peers : all);
  if (print && !process().host.isUnchanged(*print))
    reports::add(Finding::race, nullptr, 0,
                 "the host changes page-locked memory between the call of this copy and its execution; nothing orders "
                 "the two");
  beginCommand();
  work.run(at);
  endCommand();
  if (findings.count) killContext(context, failureOf(findings.first));
}

void executeGraph(CUctx_st &context, const Command &command) {
  const GraphPlan &plan = *command.graph;
  for (uint32_t node : plan.executionOrder()) {
    if (context.failure != Result::success) return;
    const GraphPlan::Clocks clocks = plan.clocksOf(node, command.before, command.graphBases);
    const Execution at{clocks.place, &clocks.before, clocks.afterDependency ? &*clocks.afterDependency : nullptr};
    execute(context, *plan.nodes[node].work, at, command.prints.empty() ? nullptr : &command.prints[node]);
  }
}

/// Executes the stream's first command.
void runHead(CUstream_st &stream) {
  const Command command = std::move(stream.pending.front());
  stream.pending.pop_front();
  if (command.work)
    execute(*stream.context, *command.work,
            {command.place, &command.before, command.afterDependency ? &*command.afterDependency : nullptr},
            command.prints.empty() ? nullptr : command.prints.data());
  else if (command.graph)
    executeGraph(*stream.context, command);
  process().order.setExecuted(command.place);
}

bool isRunnable(const CUstream_st &stream) {
  if (stream.pending.empty()) return false;
  for (const CommandPlace &wait : stream.pending.front().waits)
    if (!process().order.isExecuted(wait)) return false;
  return true;
}

/// The stream that has to go on for the place to be reached.
CUstream_st &neededFor(CommandPlace place) {
  CUstream_st &stream = *process().streamsByNumber.at(place.stream);
  for (const CommandPlace &wait : stream.pending.front().waits)
    if (!process().order.isExecuted(wait)) return neededFor(wait);
  return stream;
}

CUstream_st &next(CommandPlace place) {
  if (!machineOptions().seed) return neededFor(place);
  std::vector<CUstream_st *> runnable;
  for (auto &[number, stream] : process().streamsByNumber)
    if (isRunnable(*stream)) runnable.push_back(stream);
  return *runnable[scheduler::random() % runnable.size()];
}

/// What the next command of the stream comes after.
StreamClock clockFor(CUstream_st &stream) {
  StreamClock clock = stream.clock;
  join(clock, process().order.host());
  return clock;
}

Command &append(CUstream_st &stream) {
  Command &command = stream.pending.emplace_back();
  command.before = clockFor(stream);
  command.waits = std::exchange(stream.waits, {});
  command.place = process().order.submit(stream.number);
  stream.clock = command.before;
  join(stream.clock, command.place);
  return command;
}

} // namespace

void submit(CUstream_st &stream, std::shared_ptr<const Work> work) {
  const std::optional<StreamClock> beforeLast = std::exchange(stream.beforeLastLaunch, {});
  const bool waits = !stream.waits.empty();
  Command &command = append(stream);
  if (work && work->isLaunch()) {
    if (work->isDependent() && beforeLast && !waits) {
      command.afterDependency = command.before;
      command.before = *beforeLast;
      join(command.before, process().order.host());
    }
    stream.beforeLastLaunch = command.before;
  }
  if (work && work->hostSource().bytes && memory::checksOn())
    command.prints.push_back(process().host.print(work->hostSource()));
  command.work = std::move(work);
}

void submitGraph(CUstream_st &stream, std::shared_ptr<GraphPlan> plan) {
  stream.beforeLastLaunch.reset();
  // One launch of a graph runs after the one before, in whatever stream that was.
  join(stream.clock, plan->lastClock);
  if (plan->lastPlace.index) stream.waits.push_back(plan->lastPlace);
  Command &command = append(stream);
  plan->begin(command.graphBases);
  plan->joinEnd(stream.clock);
  plan->lastPlace = command.place;
  plan->lastClock = stream.clock;
  if (memory::checksOn())
    for (const GraphPlan::Node &node : plan->nodes)
      command.prints.push_back(process().host.print(node.work->hostSource()));
  command.graph = std::move(plan);
}

void runUntil(CommandPlace place) {
  while (!process().order.isExecuted(place)) runHead(next(place));
}

void poll(CommandPlace place) {
  const uint64_t most = machineOptions().seed ? 1 + scheduler::random() % 8 : 1;
  for (uint64_t i = 0; i < most && !process().order.isExecuted(place); ++i) runHead(next(place));
}

void runStream(CUstream_st &stream) { runUntil({stream.number, process().order.lastOf(stream.number)}); }

void runContext(CUctx_st &context) {
  for (auto &[number, stream] : process().streamsByNumber)
    if (stream->context == &context) runStream(*stream);
}

void runAll() {
  for (auto &[number, stream] : process().streamsByNumber) runStream(*stream);
}

Result runNow(CUctx_st &context, std::shared_ptr<const Work> work) {
  Order &order = process().order;
  StreamClock before = order.host();
  for (auto &[number, stream] : process().streamsByNumber) {
    if (stream->context != &context || (stream->flags & cuda::streamNonBlocking)) continue;
    runStream(*stream);
    join(before, stream->clock);
  }
  if (context.failure != Result::success) return context.failure;
  const CommandPlace place = order.submit(context.copies);
  execute(context, *work, {place, &before, nullptr}, nullptr);
  order.setExecuted(place);
  join(before, place);
  if (context.failure == Result::success) order.hostWaits(before);
  return context.failure;
}

void killContext(CUctx_st &context, Result failure) {
  if (context.failure == Result::success) context.failure = failure;
  for (auto &[number, stream] : process().streamsByNumber) {
    if (stream->context != &context) continue;
    if (stream->capture) dropCapture(*stream->capture);
    stream->pending.clear();
    process().order.setExecuted({number, process().order.lastOf(number)});
  }
}

void destroyStream(CUstream_st &stream) {
  join(stream.context->ended, stream.clock);
  if (stream.capture) leaveCapture(stream);
  process().order.retire(stream.number);
  process().streamsByNumber.erase(stream.number);
  process().streams.remove(&stream);
}

} // namespace mmc::emu::driver
