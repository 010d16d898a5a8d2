// Blocks and their threads as objects: kept from one launch to the next, because making 256 threads costs more than
// running them. And the words for threads and waits in reports.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <memory>
#include <string>
#include <vector>

namespace mmc::emu {

struct Launch;

/// A block of that shape, its threads at their start, without stacks, window and serial.
std::unique_ptr<Block> acquireBlock(const uint32_t (&shape)[3]);
/// Takes the block's stacks and window back.
void releaseBlock(std::unique_ptr<Block> block);

/// So that epochs of the launch can be described later, too.
void rememberLaunch(const Launch &launch);
/// One line for each place where threads wait, 16 at most.
std::string describeWaits(const std::vector<const Thread *> &threads);

} // namespace mmc::emu
