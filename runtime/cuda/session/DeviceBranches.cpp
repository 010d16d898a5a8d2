// Launches that the plan lets run at the same time: those of the second branch go to a stream of their own, which
// begins after all that was asked for before them, and which what comes behind them waits for. A graph that is captured
// meanwhile gets the same fork and join.
//
// A fork costs two events and two waits, so where a step has work for one branch only there is none; nor where launches
// are watched one by one.
#include "runtime/cuda/session/DeviceBackend.h"

namespace mmc::cuda {

using runtime::Command;
using runtime::Launch;
using runtime::StepRecord;

static bool hasWork(const Launch &launch, const StepRecord &step) {
  for (const runtime::Extent &extent : launch.domain)
    if (!runtime::extentOf(extent, step)) return false;
  return true;
}

/// What the later stream gets from now on comes after what the earlier one has.
Status DeviceBackend::orderAfter(Stream later, Stream earlier, const OwnedEvent &event, const Place &place,
                                 const StepRecord &step) {
  const auto doing = [&] {
    return (later == side.get() ? "forking" : "joining") + (" branches of program '" + place.program.name) +
           "' in step " + std::to_string(step.number);
  };
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, eventRecord, (event.get(), earlier), doing()));
  return MMC_CUDA_CALL(*device, streamWaitEvent, (later, event.get(), 0), doing());
}

Status DeviceBackend::runNeighbours(std::span<const Command> commands, const Place &place, const StepRecord &step) {
  bool work[runtime::kMostBranches + 1] = {};
  for (const Command &command : commands) work[command.launch.branch] |= hasWork(command.launch, step);
  const bool forks = work[1] && work[2] && !observer && !options.synchronous;
  if (!forks) {
    for (const Command &command : commands) MMC_RETURN_IF_ERROR(runLaunch(command.launch, place, step, stream.get()));
    return {};
  }
  MMC_RETURN_IF_ERROR(orderAfter(side.get(), stream.get(), forked, place, step));
  sideRuns = true;
  Status status;
  for (size_t i = 0; i < commands.size() && status.ok(); ++i)
    status = runLaunch(commands[i].launch, place, step, commands[i].launch.branch == 2 ? side.get() : stream.get());
  // Joined after a failure too: a capture has to end, and the memory of this step is used again.
  const Status joined = orderAfter(stream.get(), side.get(), joining, place, step);
  sideRuns = !joined.ok();
  return status.ok() ? joined : status;
}

} // namespace mmc::cuda
