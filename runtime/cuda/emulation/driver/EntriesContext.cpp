// Primary contexts: retained, released, made current, synchronised; peer access.
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/Entries.h"
#include "runtime/cuda/emulation/driver/Queue.h"

using namespace mmc::emu::driver;

namespace mmc::cuda {

namespace {

bool isDevice(Device device) { return device >= 0 && uint32_t(device) < process().devices; }

/// Null if the handle is none of ours.
CUctx_st *contextOf(Context handle) {
  for (CUctx_st &context : process().contexts)
    if (&context == handle) return &context;
  return nullptr;
}

} // namespace

extern "C" {

Result cuDevicePrimaryCtxRetain(Context *context, Device device) {
  return call(CallKind::allocates, [&] {
    if (!context) return Result::invalidValue;
    if (!isDevice(device)) return Result::invalidDevice;
    CUctx_st &primary = process().contexts[device];
    if (primary.retained++ == 0) primary.copies = process().order.newStream();
    *context = &primary;
    return Result::success;
  });
}

Result cuDevicePrimaryCtxRelease_v2(Device device) {
  return call(CallKind::releases, [&] {
    if (!isDevice(device)) return Result::invalidDevice;
    CUctx_st &primary = process().contexts[device];
    if (!primary.retained) return Result::invalidContext;
    if (primary.retained == 1)
      endContext(primary);
    else
      --primary.retained;
    return Result::success;
  });
}

Result cuDevicePrimaryCtxGetState(Device device, unsigned *flags, int *active) {
  return call(CallKind::asks, [&] {
    if (!flags || !active) return Result::invalidValue;
    if (!isDevice(device)) return Result::invalidDevice;
    *flags = 0;
    *active = process().contexts[device].retained != 0;
    return Result::success;
  });
}

Result cuCtxSetCurrent(Context handle) {
  return call(CallKind::asks, [&] {
    CUctx_st *context = contextOf(handle);
    if (handle && (!context || !context->retained)) return Result::invalidContext;
    currentContext() = context;
    return Result::success;
  });
}

Result cuCtxGetCurrent(Context *context) {
  return call(CallKind::asks, [&] {
    if (!context) return Result::invalidValue;
    *context = currentContext();
    return Result::success;
  });
}

Result cuCtxGetDevice(Device *device) {
  return callIn(CallKind::asks, [&](CUctx_st &context) {
    if (!device) return Result::invalidValue;
    *device = context.device;
    return Result::success;
  });
}

Result cuCtxSynchronize() {
  return callIn(CallKind::synchronises, [&](CUctx_st &context) {
    if (const Result result = checkUnsafe(context); result != Result::success) return result;
    runContext(context);
    if (context.failure != Result::success) return context.failure;
    mmc::emu::StreamClock all = context.ended;
    for (auto &[number, stream] : process().streamsByNumber)
      if (stream->context == &context) join(all, stream->clock);
    process().order.hostWaits(all);
    return Result::success;
  });
}

Result cuCtxEnablePeerAccess(Context handle, unsigned flags) {
  return callIn(CallKind::asks, [&](CUctx_st &context) {
    CUctx_st *peer = contextOf(handle);
    if (!peer || !peer->retained) return Result::invalidContext;
    if (flags) return Result::invalidValue;
    if (peer == &context) return Result::invalidDevice;
    const uint64_t bit = uint64_t(1) << peer->device;
    if (context.peers & bit) return Result::peerAccessAlreadyEnabled;
    context.peers |= bit;
    return Result::success;
  });
}

Result cuCtxDisablePeerAccess(Context handle) {
  return callIn(CallKind::asks, [&](CUctx_st &context) {
    CUctx_st *peer = contextOf(handle);
    if (!peer) return Result::invalidContext;
    const uint64_t bit = uint64_t(1) << peer->device;
    if (!(context.peers & bit)) return Result::peerAccessNotEnabled;
    runContext(context); // launches were made with the access
    context.peers &= ~bit;
    return Result::success;
  });
}

} // extern "C"
} // namespace mmc::cuda
