// Graphs: made ready, launched, destroyed.
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/Entries.h"
#include "runtime/cuda/emulation/driver/Queue.h"

using namespace mmc::emu::driver;

namespace mmc::cuda {

extern "C" {

Result cuGraphInstantiateWithFlags(GraphExec *exec, Graph graph, unsigned long long flags) {
  return callIn(CallKind::allocates, [&](CUctx_st &context) {
    constexpr unsigned long long kUseNodePriority = 8;
    if (!process().graphs.has(graph)) return Result::invalidHandle;
    if (!exec) return Result::invalidValue;
    if (flags & ~kUseNodePriority) return Result::notSupported;
    auto made = std::make_unique<CUgraphExec_st>();
    made->context = &context;
    made->plan = graph->plan->instantiate();
    *exec = process().execs.add(std::move(made));
    return Result::success;
  });
}

Result cuGraphUpload(GraphExec exec, Stream handle) {
  return callOn(CallKind::captures, handle, [&](CUctx_st &context, CUstream_st &stream) {
    if (!process().execs.has(exec) || exec->context != &context) return Result::invalidHandle;
    if (const Result result = refuseInCapture(stream); result != Result::success) return result;
    submit(stream, nullptr);
    return Result::success;
  });
}

/// NOTE: a launch in a capturing stream would be a graph within a graph; it is refused here.
Result cuGraphLaunch(GraphExec exec, Stream handle) {
  return callOn(CallKind::launches, handle, [&](CUctx_st &context, CUstream_st &stream) {
    if (!process().execs.has(exec) || exec->context != &context) return Result::invalidHandle;
    if (const Result result = refuseInCapture(stream); result != Result::success) return result;
    submitGraph(stream, exec->plan);
    return Result::success;
  });
}

Result cuGraphExecDestroy(GraphExec exec) {
  return callIn(CallKind::releases, [&](CUctx_st &) {
    if (!process().execs.has(exec)) return Result::invalidHandle;
    process().execs.remove(exec); // launches under way hold what they need
    return Result::success;
  });
}

Result cuGraphDestroy(Graph graph) {
  return callIn(CallKind::releases, [&](CUctx_st &) {
    if (!process().graphs.has(graph)) return Result::invalidHandle;
    process().graphs.remove(graph);
    return Result::success;
  });
}

} // extern "C"
} // namespace mmc::cuda
