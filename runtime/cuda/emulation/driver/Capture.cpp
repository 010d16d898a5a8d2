// Implements captures.
#include "runtime/cuda/emulation/driver/Capture.h"

#include "runtime/cuda/emulation/driver/Queue.h"

#include <algorithm>

namespace mmc::emu::driver {

namespace {

void forget(CUstream_st &stream) {
  stream.capture = nullptr;
  stream.captureTail.clear();
  stream.tailIsLaunch = false;
}

void addToTail(CUstream_st &stream, const std::vector<uint32_t> &nodes) {
  for (uint32_t node : nodes)
    if (std::find(stream.captureTail.begin(), stream.captureTail.end(), node) == stream.captureTail.end()) {
      stream.captureTail.push_back(node);
      stream.tailIsLaunch = false;
    }
}

/// True if every node is one of the stream's last ones, or comes before one.
bool allJoined(const Capture &capture, const CUstream_st &stream) {
  std::vector<bool> reached(capture.nodes.size());
  for (uint32_t node : stream.captureTail) reached[node] = true;
  for (size_t i = capture.nodes.size(); i-- > 0;) {
    if (!reached[i]) return false; // what comes after it has a larger number
    for (uint32_t earlier : capture.nodes[i].after) reached[earlier] = true;
  }
  return true;
}

/// Visits every capture under way once.
template <class Visit> void eachCapture(Visit visit) {
  for (auto &[number, stream] : process().streamsByNumber)
    if (stream->capture && stream->capture->origin == stream) visit(*stream->capture);
}

} // namespace

Result beginCapture(CUstream_st &stream, cuda::CaptureMode mode) {
  if (stream.capture) return Result::illegalState;
  static uint64_t captures = 0;
  auto capture = std::make_shared<Capture>();
  capture->id = ++captures;
  capture->mode = mode;
  capture->origin = &stream;
  capture->thread = std::this_thread::get_id();
  capture->streams.insert(&stream);
  stream.capture = std::move(capture);
  return Result::success;
}

Result endCapture(CUstream_st &stream, CUgraph_st **graph) {
  *graph = nullptr;
  const std::shared_ptr<Capture> capture = stream.capture;
  if (!capture) return Result::illegalState;
  if (capture->mode != cuda::CaptureMode::relaxed && capture->thread != std::this_thread::get_id())
    return Result::streamCaptureWrongThread;
  if (capture->origin != &stream) {
    capture->invalidated = true;
    return Result::streamCaptureUnmatched;
  }
  const bool joined = allJoined(*capture, stream), good = !capture->invalidated;
  dropCapture(*capture);
  if (!good) return Result::streamCaptureInvalidated;
  if (!joined) return Result::streamCaptureUnjoined;
  auto made = std::make_unique<CUgraph_st>();
  made->context = stream.context;
  made->plan = std::make_shared<GraphPlan>();
  made->plan->nodes = std::move(capture->nodes);
  *graph = process().graphs.add(std::move(made));
  return Result::success;
}

void dropCapture(Capture &capture) {
  const std::set<CUstream_st *> streams = std::exchange(capture.streams, {});
  capture.invalidated = true;
  std::shared_ptr<Capture> keep;
  for (CUstream_st *stream : streams) {
    keep = stream->capture;
    forget(*stream);
  }
}

void leaveCapture(CUstream_st &stream) {
  const std::shared_ptr<Capture> capture = stream.capture;
  capture->invalidated = true;
  if (capture->origin == &stream) return dropCapture(*capture);
  capture->streams.erase(&stream);
  forget(stream);
}

Result addWork(CUstream_st &stream, std::shared_ptr<const Work> work) {
  if (!stream.capture) {
    submit(stream, std::move(work));
    return Result::success;
  }
  Capture &capture = *stream.capture;
  if (capture.invalidated) return Result::streamCaptureInvalidated;
  GraphPlan::Node node;
  node.after = std::exchange(stream.captureTail, {});
  node.dependent = work->isDependent() && stream.tailIsLaunch;
  stream.tailIsLaunch = work->isLaunch();
  stream.captureTail.push_back(uint32_t(capture.nodes.size()));
  node.work = std::move(work);
  capture.nodes.push_back(std::move(node));
  return Result::success;
}

Result refuseInCapture(CUstream_st &stream) {
  if (!stream.capture) return Result::success;
  stream.capture->invalidated = true;
  return Result::streamCaptureUnsupported;
}

Result checkUnsafe() {
  Result result = Result::success;
  eachCapture([&](Capture &capture) {
    const bool forbids = capture.mode == cuda::CaptureMode::global || (capture.mode == cuda::CaptureMode::threadLocal &&
                                                                       capture.thread == std::this_thread::get_id());
    if (!forbids) return;
    capture.invalidated = true;
    result = Result::streamCaptureUnsupported;
  });
  return result;
}

Result checkUnsafe(CUctx_st &context) {
  Result result = checkUnsafe();
  eachCapture([&](Capture &capture) {
    if (capture.origin->context != &context) return;
    capture.invalidated = true;
    result = Result::streamCaptureUnsupported;
  });
  return result;
}

Result captureRecord(CUstream_st &stream, CUevent_st &event) {
  if (stream.capture->invalidated) return Result::streamCaptureInvalidated;
  event.capture = stream.capture;
  event.captureTail = stream.captureTail;
  stream.tailIsLaunch = false;
  return Result::success;
}

Result captureWait(CUstream_st &stream, CUevent_st &event) {
  const std::shared_ptr<Capture> theirs = event.capture;
  if (!theirs) { // outside of the capture: the graph could not wait for it
    stream.capture->invalidated = true;
    return Result::streamCaptureIsolation;
  }
  if (theirs->streams.empty()) { // it has ended
    if (stream.capture) stream.capture->invalidated = true;
    return stream.capture ? Result::streamCaptureIsolation : Result::capturedEvent;
  }
  if (theirs->invalidated) return Result::streamCaptureInvalidated;
  if (stream.capture && stream.capture != theirs) {
    stream.capture->invalidated = theirs->invalidated = true;
    return Result::streamCaptureMerge;
  }
  if (!stream.capture) {
    stream.capture = theirs;
    theirs->streams.insert(&stream);
  }
  addToTail(stream, event.captureTail);
  return Result::success;
}

Result checkCaptured(CUevent_st &event) {
  if (!event.capture) return checkUnsafe();
  event.capture->invalidated = true;
  return Result::capturedEvent;
}

} // namespace mmc::emu::driver
