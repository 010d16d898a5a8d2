// setmaxnreg: warpgroups trade registers of the block's allocation.
//
// A block is given the same number of registers for every thread, by its launch bounds. A warp gives some back (dec) or
// takes more (inc) and is suspended until the block has them. All four warps of a warpgroup must make the same
// requests.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>

namespace mmc::emu::registers {

/// Registers that each thread has at launch: 65,536 over maxThreads * minBlocks (0 counts as 1), at most 255, rounded
/// down to 8.
uint32_t atLaunch(uint32_t maxThreads, uint32_t minBlocks);

/// setmaxnreg.inc (`raise`) or .dec, by one lane; returns when its warp has `count` registers for each thread.
void request(Thread &thread, uint32_t count, bool raise, uint64_t source);

} // namespace mmc::emu::registers
