// Programmatic dependent launch: a kernel that starts before its predecessors in the stream have ended.
//
// Until griddepcontrol.wait a thread's clocks contain only what LaunchOptions::before orders, so that any access to a
// predecessor's output is a race by the ordinary rule; the wait adds what LaunchOptions::afterDependency orders.
// Whoever synchronises with a thread that has waited takes that over.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>

namespace mmc::emu::dependentLaunch {

/// griddepcontrol.wait
void wait(Thread &thread);
/// griddepcontrol.launch_dependents: counted once for a block, in Counters::triggeredBlocks. A block that exits without
/// it triggers by its exit.
void launchDependents(Thread &thread);

} // namespace mmc::emu::dependentLaunch
