// Captures programs of a step and replays them.
//
// A graph is launched for every step of its shape class with the same kinds of sequences. Its kernels read the true
// counts from the step's record, so their grids are the largest that the class can ask for; a block whose point a step
// does not have returns at once. All else that a launch is given (places of the record, of buffers and pools) is the
// same for every step of a class.
#include "runtime/cuda/session/DeviceGraph.h"

#include "runtime/cuda/session/DeviceBackend.h"
#include "runtime/src/Errors.h"

#include <algorithm>

namespace mmc::cuda {

using runtime::StepRecord;

Status OwnedGraph::begin(const DeviceContext &device, Stream stream, const std::string &what) {
  return MMC_CUDA_CALL(device, streamBeginCapture, (stream, CaptureMode::threadLocal), "beginning to capture " + what);
}

Expected<OwnedGraph> OwnedGraph::end(std::shared_ptr<const DeviceContext> device, Stream stream,
                                     const std::string &what, Status recorded) {
  Graph graph = nullptr;
  Status status = MMC_CUDA_CALL(*device, streamEndCapture, (stream, &graph), "capturing " + what);
  // What failed first says more than that the capture was broken off.
  if (!recorded.ok()) status = std::move(recorded);
  OwnedGraph made;
  if (status.ok())
    status = MMC_CUDA_CALL(*device, graphInstantiate, (&made.exec, graph, 0), "making the graph of " + what);
  if (graph) device->driver().graphDestroy(graph);
  made.device = std::move(device);
  if (!status.ok()) return status;
  MMC_RETURN_IF_ERROR(
      MMC_CUDA_CALL(*made.device, graphUpload, (made.exec, stream), "copying the graph of " + what + " to the device"));
  return made;
}

OwnedGraph::~OwnedGraph() {
  if (!exec) return;
  DeviceContext::Scope scope(*device);
  device->driver().graphExecDestroy(exec);
}

OwnedGraph::OwnedGraph(OwnedGraph &&other) noexcept { *this = std::move(other); }

OwnedGraph &OwnedGraph::operator=(OwnedGraph &&other) noexcept {
  std::swap(device, other.device);
  std::swap(exec, other.exec);
  return *this;
}

// ----------------------------------------------------------------------------------------------------------------
// a backend's graphs

/// Which kinds of sequences a step has: 1 for those that prefill, and 2 for those that decode, where a list names them.
/// A graph is of one choice of them: what a step has no sequences for is not in its graph, nor is the fork.
static unsigned kindsOf(const StepRecord &step, const runtime::PlanTables &plan) {
  unsigned kinds = 0;
  for (size_t i = 0; i < step.workLists.size(); ++i)
    if (step.workLists[i].count && plan.workLists[i].filter != runtime::WorkFilter::all)
      kinds |= plan.workLists[i].filter == runtime::WorkFilter::prefill ? 1 : 2;
  return kinds;
}

/// The largest counts of the step's class, with the step's kinds of sequences.
static StepRecord largestOf(const StepRecord &step, const runtime::PlanTables &plan) {
  StepRecord largest = step;
  largest.tokens = step.entry->tokens;
  largest.sequences = step.entry->sequences;
  largest.outputs = step.entry->outputs;
  for (size_t i = 0; i < largest.workLists.size(); ++i) {
    if (!step.workLists[i].count) continue;
    const uint64_t tile = plan.workLists[i].tileRows;
    // A sequence has at most one tile that is not full.
    largest.workLists[i].count =
        tile ? std::min(largest.tokens, (largest.tokens + largest.sequences * (tile - 1)) / tile) : largest.sequences;
  }
  return largest;
}

bool DeviceBackend::isCaptured(const StepRecord &step) const {
  return options.graphs && !options.synchronous && !observer && step.entry->tokens <= kMostCapturedTokens;
}

Status DeviceBackend::replay(const Place &place, const StepRecord &step, const std::atomic<bool> &cancelled) {
  if (cancelled.load(std::memory_order_relaxed)) return Status(runtime::kStepCancelled, "the step was cancelled");
  const auto entry = size_t(step.entry - plan().entryPoints.data());
  OwnedGraph &graph = place.inHead ? graphs[entry].head : graphs[entry].body[kindsOf(step, plan())];
  if (!graph.get()) {
    const std::string what = "program '" + place.program.name + "' for " + std::to_string(step.entry->tokens) +
                             " tokens and " + std::to_string(step.entry->sequences) + " sequences";
    static const std::atomic<bool> never{false};
    Expected<OwnedGraph> made = OwnedGraph::capture(device, stream.get(), what,
                                                    [&] { return runCommands(place, largestOf(step, plan()), never); });
    if (!made.ok()) return made.status();
    graph = std::move(*made);
  }
  return MMC_CUDA_CALL(*device, graphLaunch, (graph.get(), stream.get()),
                       "launch of program '" + place.program.name + "' in step " + std::to_string(step.number));
}

} // namespace mmc::cuda
