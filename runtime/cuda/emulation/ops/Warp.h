// The rendezvous of a warp: lanes named in a mask meet, one function runs over the arguments of all of them, and all go
// on. Shuffles, votes, ldmatrix, stmatrix and mma.sync are built on it.
//
// The rendezvous itself orders no memory: only __syncwarp does (PTX ISA 9.7.13.2: bar.warp.sync guarantees memory
// order among participating threads, shfl.sync and vote.sync do not).
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>

namespace mmc::emu {

/// The lanes that met. `arguments[lane]` is what that lane passed, null for lanes that are not in `lanes`.
struct WarpCall {
  Warp &warp;
  uint32_t lanes;
  void *arguments[32];
  uint64_t source; // of the lane that came last
  Thread &thread(uint32_t lane) const { return *warp.threads[lane]; }
};
using WarpFunction = void (*)(WarpCall &call);

/// How strict the instruction is about who meets.
enum class WarpForm : uint8_t {
  sync,    // .sync: lanes that have exited or do not exist are not waited for; call sites may differ
  aligned, // .sync.aligned: all 32 lanes, from one call site; anything else is a `divergence` finding
};

/// Suspends the running thread until all lanes in `mask` have called it with the same mask and function; `function`
/// runs once, in the lane that comes last, before anyone goes on. `what` names the instruction in reports. `arguments`
/// must stay valid until the call returns (a local of the caller).
void rendezvous(uint32_t mask, void *arguments, WarpFunction function, uint64_t source,
                const char *what = "warp operation", WarpForm form = WarpForm::sync);

namespace warp {
/// `thread` has exited: whoever waits for its lane waits no longer. Called by the machine.
void onExit(Thread &thread);
} // namespace warp

} // namespace mmc::emu
