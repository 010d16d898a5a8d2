// The driver's state in this process, and the frame around every entry point: one at a time, counted, refused when the
// driver or the context is not fit for it.
//
// Read at cuInit, and again at a later one while no context exists: MMC_EMU_CHECKS (on, off), MMC_EMU_SEED,
// MMC_EMU_SMS, MMC_EMU_DEVICES, MMC_EMU_COUNTS=FILE (each launch adds a line), MMC_EMU_FAULT=K (the K-th call fails;
// cuInit is the first, and those that only look up a name or the version are not counted).
#pragma once

#include "runtime/cuda/emulation/driver/Objects.h"
#include "runtime/cuda/emulation/driver/Order.h"

#include <mutex>

namespace mmc::emu::driver {

using cuda::Result;

constexpr int kVersion = 13000;
constexpr uint32_t kMostDevices = 16;

/// What an entry point does: says how it fails when it is made to, and what stops it.
enum class CallKind : uint8_t {
  asks,         // anything without effect
  initialises,  // cuInit
  allocates,    // or makes an object
  loads,        // a module
  launches,     //
  copies,       // or fills
  orders,       // streams and events, without waiting
  synchronises, // waits or asks whether work is done: made to fail, it kills the context
  captures,     //
  releases,     // made to fail, it does its work all the same
};

struct Process {
  std::mutex mutex;
  bool initialised = false;
  uint32_t devices = 1;
  uint64_t calls = 0, fault = 0;
  std::string countsFile; // launches add a line each; empty: nothing is counted

  Order order;
  HostMemory host;
  CUctx_st contexts[kMostDevices];
  std::map<void *, CUctx_st *> allocations;
  Handles<CUmod_st> modules;
  Handles<CUfunc_st> functions;
  Handles<CUstream_st> streams;
  Handles<CUevent_st> events;
  Handles<CUgraph_st> graphs;
  Handles<CUgraphExec_st> execs;
  std::map<uint32_t, CUstream_st *> streamsByNumber;
};
Process &process();

/// The calling thread's context; null: none.
CUctx_st *&currentContext();
/// Reads the environment and makes the machine. Says what is wrong with the environment on stderr.
Result initialise();
/// Everything of the context goes.
void endContext(CUctx_st &context);

/// Counts a call; true if it is the one that fails.
bool isFaulty();
Result faultOf(CallKind kind);
/// After a call: the host cannot reach device memory.
void leave();

/// A call that needs no context.
template <class Body> Result call(CallKind kind, Body body) {
  std::lock_guard lock(process().mutex);
  if (!process().initialised) return Result::notInitialised;
  const bool faulty = isFaulty();
  if (faulty && kind != CallKind::releases) return faultOf(kind);
  const Result result = body();
  leave();
  return faulty ? faultOf(kind) : result;
}

/// One that needs the thread's context alive: body(context). What has killed it is said before and after.
template <class Body> Result callIn(CallKind kind, Body body) {
  return call(kind, [&] {
    CUctx_st *context = currentContext();
    if (!context) return Result::invalidContext;
    if (!context->retained) return Result::contextIsDestroyed;
    if (context->failure != Result::success) return context->failure;
    return body(*context);
  });
}

/// One on a stream: body(context, stream). The default stream is refused.
template <class Body> Result callOn(CallKind kind, CUstream_st *stream, Body body) {
  return callIn(kind, [&](CUctx_st &) {
    constexpr uintptr_t kPerThreadDefault = 2;
    if (reinterpret_cast<uintptr_t>(stream) <= kPerThreadDefault) return Result::notSupported;
    if (!process().streams.has(stream)) return Result::invalidHandle;
    if (stream->context->failure != Result::success) return stream->context->failure;
    return body(*stream->context, *stream);
  });
}

} // namespace mmc::emu::driver
