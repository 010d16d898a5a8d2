// Captures: calls on a stream become nodes of a graph.
//
// The rules are the driver's: a capturing stream is not waited for or asked; a stream that waits for a captured event
// joins the capture, and must be joined again by the one that began it; calls that may wait for the device are refused
// while a capture forbids them. What is not permitted invalidates the capture, so that its end fails.
#pragma once

#include "runtime/cuda/emulation/driver/Graph.h"
#include "runtime/cuda/emulation/driver/Process.h"

#include <set>
#include <thread>

namespace mmc::emu::driver {

struct Capture {
  uint64_t id = 0;
  cuda::CaptureMode mode = cuda::CaptureMode::global;
  CUstream_st *origin = nullptr;
  std::thread::id thread;
  bool invalidated = false;
  std::set<CUstream_st *> streams;
  std::vector<GraphPlan::Node> nodes;
};

Result beginCapture(CUstream_st &stream, cuda::CaptureMode mode);
/// Ends it for all of its streams, whatever the result.
Result endCapture(CUstream_st &stream, CUgraph_st **graph);
/// Ends it without a graph; nothing remembers it as valid.
void dropCapture(Capture &capture);
/// The stream is destroyed.
void leaveCapture(CUstream_st &stream);

/// What a call on a stream has to do: a node of its capture, or a command. Host memory that is not page-locked was
/// refused before.
Result addWork(CUstream_st &stream, std::shared_ptr<const Work> work);
/// A call that a capturing stream does not permit: invalidates the capture.
Result refuseInCapture(CUstream_st &stream);
/// The same for calls that may wait for the device, whichever stream captures. Success: permitted.
Result checkUnsafe();
/// For calls that wait for a whole context.
Result checkUnsafe(CUctx_st &context);

Result captureRecord(CUstream_st &stream, CUevent_st &event);
/// The stream waits for an event; one of the two belongs to a capture.
Result captureWait(CUstream_st &stream, CUevent_st &event);
/// Asks an event or waits for it.
Result checkCaptured(CUevent_st &event);

} // namespace mmc::emu::driver
