// Streams as queues: commands wait until something forces them, so that whatever the host does too early shows.
//
// With seed 0 only what is waited for is executed, as late as possible; other seeds choose among the heads of all
// streams of the process. A launch runs as a whole: launches of two streams do not run at the same time, and one that
// spins on another's store is a deadlock.
#pragma once

#include "runtime/cuda/emulation/driver/Process.h"

namespace mmc::emu::driver {

/// Puts the work at the end of the stream (null: only what the stream has to wait for).
void submit(CUstream_st &stream, std::shared_ptr<const Work> work);
/// The same for a graph.
void submitGraph(CUstream_st &stream, std::shared_ptr<GraphPlan> plan);

/// Executes commands until the one at the place has been; it may be dropped because its context dies.
void runUntil(CommandPlace place);
/// Executes a few on the way there: a poll.
void poll(CommandPlace place);
/// All commands of a stream, of a context, of the process.
void runStream(CUstream_st &stream);
void runContext(CUctx_st &context);
void runAll();

/// Executes a work at once, after all streams that wait for the default stream: a blocking copy.
Result runNow(CUctx_st &context, std::shared_ptr<const Work> work);

/// The context is dead: what is left in its streams is dropped.
void killContext(CUctx_st &context, Result failure);
/// The stream goes, with its number.
void destroyStream(CUstream_st &stream);

} // namespace mmc::emu::driver
