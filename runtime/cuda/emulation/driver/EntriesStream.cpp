// Streams: made, waited for, asked, captured.
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/Entries.h"
#include "runtime/cuda/emulation/driver/Queue.h"

#include <algorithm>

using namespace mmc::emu::driver;

namespace mmc::cuda {

namespace {

constexpr int kLeastPriority = 0, kGreatestPriority = -5;

Result make(Stream *handle, unsigned flags, int priority) {
  return callIn(CallKind::allocates, [&](CUctx_st &context) {
    if (!handle || (flags & ~unsigned(streamNonBlocking))) return Result::invalidValue;
    auto stream = std::make_unique<CUstream_st>();
    stream->context = &context;
    stream->flags = flags;
    stream->priority = std::clamp(priority, kGreatestPriority, kLeastPriority);
    stream->number = process().order.newStream();
    *handle = process().streams.add(std::move(stream));
    process().streamsByNumber[(*handle)->number] = *handle;
    return Result::success;
  });
}

mmc::emu::CommandPlace endOf(const CUstream_st &stream) {
  return {stream.number, process().order.lastOf(stream.number)};
}

/// What forbids to ask for the stream or to wait for it.
Result checkWait(CUstream_st &stream) {
  if (const Result result = refuseInCapture(stream); result != Result::success) return result;
  return checkUnsafe();
}

CaptureStatus statusOf(const CUstream_st &stream) {
  if (!stream.capture) return CaptureStatus::none;
  return stream.capture->invalidated ? CaptureStatus::invalidated : CaptureStatus::active;
}

} // namespace

extern "C" {

Result cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return callIn(CallKind::asks, [&](CUctx_st &) {
    if (least) *least = kLeastPriority;
    if (greatest) *greatest = kGreatestPriority;
    return Result::success;
  });
}

Result cuStreamCreate(Stream *stream, unsigned flags) { return make(stream, flags, 0); }

Result cuStreamCreateWithPriority(Stream *stream, unsigned flags, int priority) {
  return make(stream, flags, priority);
}

Result cuStreamDestroy_v2(Stream handle) {
  return callOn(CallKind::releases, handle, [&](CUctx_st &, CUstream_st &stream) {
    runStream(stream);
    destroyStream(stream);
    return Result::success;
  });
}

Result cuStreamSynchronize(Stream handle) {
  return callOn(CallKind::synchronises, handle, [&](CUctx_st &context, CUstream_st &stream) {
    if (const Result result = checkWait(stream); result != Result::success) return result;
    runStream(stream);
    if (context.failure == Result::success) process().order.hostWaits(stream.clock);
    return context.failure;
  });
}

Result cuStreamQuery(Stream handle) {
  return callOn(CallKind::synchronises, handle, [&](CUctx_st &context, CUstream_st &stream) {
    if (const Result result = checkWait(stream); result != Result::success) return result;
    poll(endOf(stream));
    if (context.failure != Result::success) return context.failure;
    if (!process().order.isExecuted(endOf(stream))) return Result::notReady;
    process().order.hostWaits(stream.clock);
    return Result::success;
  });
}

Result cuStreamWaitEvent(Stream handle, Event event, unsigned flags) {
  return callOn(CallKind::orders, handle, [&](CUctx_st &, CUstream_st &stream) {
    if (!process().events.has(event)) return Result::invalidHandle;
    if (flags > 1) return Result::invalidValue;
    if (stream.capture || event->capture) return captureWait(stream, *event);
    if (!event->recorded) return Result::success;
    join(stream.clock, event->clock);
    if (!process().order.isExecuted(event->place)) stream.waits.push_back(event->place);
    stream.beforeLastLaunch.reset();
    return Result::success;
  });
}

Result cuStreamBeginCapture_v2(Stream handle, CaptureMode mode) {
  return callOn(CallKind::captures, handle, [&](CUctx_st &, CUstream_st &stream) {
    if (unsigned(mode) > unsigned(CaptureMode::relaxed)) return Result::invalidValue;
    return beginCapture(stream, mode);
  });
}

Result cuStreamEndCapture(Stream handle, Graph *graph) {
  return callOn(CallKind::releases, handle, [&](CUctx_st &, CUstream_st &stream) {
    if (!graph) return Result::invalidValue;
    // Made to fail, the capture ends all the same.
    if (stream.capture && process().calls == process().fault) stream.capture->invalidated = true;
    return endCapture(stream, graph);
  });
}

Result cuStreamIsCapturing(Stream handle, CaptureStatus *status) {
  return callOn(CallKind::asks, handle, [&](CUctx_st &, CUstream_st &stream) {
    if (!status) return Result::invalidValue;
    *status = statusOf(stream);
    return Result::success;
  });
}

Result cuStreamGetCaptureInfo_v2(Stream handle, CaptureStatus *status, uint64_t *id, Graph *graph,
                                 const void ***dependencies, size_t *count) {
  return callOn(CallKind::asks, handle, [&](CUctx_st &, CUstream_st &stream) {
    if (!status) return Result::invalidValue;
    *status = statusOf(stream);
    if (graph) *graph = nullptr; // a graph that is being captured has no handle here, and its nodes have none
    if (dependencies) *dependencies = nullptr;
    if (count) *count = 0;
    if (id) *id = stream.capture ? stream.capture->id : 0;
    return Result::success;
  });
}

} // extern "C"
} // namespace mmc::cuda
