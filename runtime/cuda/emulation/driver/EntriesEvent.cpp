// Events. Their times are those of the emulation: what a span took here, not on a device.
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/Entries.h"
#include "runtime/cuda/emulation/driver/Queue.h"

using namespace mmc::emu::driver;

namespace mmc::cuda {

namespace {

template <class Body> Result onEvent(CallKind kind, Event event, Body body) {
  return callIn(kind, [&](CUctx_st &) {
    if (!process().events.has(event)) return Result::invalidHandle;
    return body(*event->context);
  });
}

bool isReached(const CUevent_st &event) { return !event.recorded || process().order.isExecuted(event.place); }

} // namespace

extern "C" {

Result cuEventCreate(Event *event, unsigned flags) {
  return callIn(CallKind::allocates, [&](CUctx_st &context) {
    if (!event || (flags & ~3u)) return Result::invalidValue;
    auto made = std::make_unique<CUevent_st>();
    made->context = &context;
    made->flags = flags;
    *event = process().events.add(std::move(made));
    return Result::success;
  });
}

Result cuEventDestroy_v2(Event event) {
  return onEvent(CallKind::releases, event, [&](CUctx_st &) {
    process().events.remove(event);
    return Result::success;
  });
}

Result cuEventRecord(Event event, Stream handle) {
  return callOn(CallKind::orders, handle, [&](CUctx_st &context, CUstream_st &stream) {
    if (!process().events.has(event) || event->context != &context) return Result::invalidHandle;
    if (stream.capture) return captureRecord(stream, *event);
    auto moment = std::make_shared<Moment>();
    submit(stream, std::make_shared<MarkWork>(moment));
    event->capture = nullptr;
    event->captureTail.clear();
    event->recorded = true;
    event->moment = std::move(moment);
    event->place = {stream.number, process().order.lastOf(stream.number)};
    event->clock = stream.clock;
    return Result::success;
  });
}

Result cuEventSynchronize(Event event) {
  return onEvent(CallKind::synchronises, event, [&](CUctx_st &context) {
    if (const Result result = checkCaptured(*event); result != Result::success) return result;
    if (!event->recorded) return Result::success;
    runUntil(event->place);
    if (context.failure == Result::success) process().order.hostWaits(event->clock);
    return context.failure;
  });
}

Result cuEventQuery(Event event) {
  return onEvent(CallKind::synchronises, event, [&](CUctx_st &context) {
    if (const Result result = checkCaptured(*event); result != Result::success) return result;
    if (!event->recorded) return Result::success;
    poll(event->place);
    if (context.failure != Result::success) return context.failure;
    if (!isReached(*event)) return Result::notReady;
    process().order.hostWaits(event->clock);
    return Result::success;
  });
}

Result cuEventElapsedTime(float *milliseconds, Event start, Event end) {
  return onEvent(CallKind::asks, start, [&](CUctx_st &context) {
    if (!milliseconds) return Result::invalidValue;
    if (!process().events.has(end) || end->context != &context) return Result::invalidHandle;
    if (start->capture || end->capture) return Result::capturedEvent;
    if (((start->flags | end->flags) & eventDisableTiming) || !start->recorded || !end->recorded)
      return Result::invalidHandle;
    if (!isReached(*start) || !isReached(*end)) return Result::notReady;
    *milliseconds = float(double(int64_t(end->moment->nanoseconds - start->moment->nanoseconds)) * 1e-6);
    return Result::success;
  });
}

} // extern "C"
} // namespace mmc::cuda
