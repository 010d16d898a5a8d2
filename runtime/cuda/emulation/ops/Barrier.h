// Barriers of a block (bar.sync, bar.arrive; __syncthreads is barrier 0 over all threads) and of a cluster.
//
// A barrier joins the clocks of all who arrive and hands the result to all who wait: release and acquire among the
// participants, for both proxies' clocks.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>

namespace mmc::emu::barrier {

/// `thread` has exited: barriers that count all threads of the block, and cluster barriers, count it as arrived. Called
/// by the machine.
void onExit(Thread &thread);
/// The part of the cluster's barrier in it.
void onClusterExit(Thread &thread);
/// What is still waiting when a block ends: a barrier with arrivals but no completion is a finding.
void onBlockEnd(Block &block);

} // namespace mmc::emu::barrier
