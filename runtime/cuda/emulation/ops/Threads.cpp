// What a thread knows of itself: indices, counts, its block's shared memory.
#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <string>

using namespace mmc::emu;

namespace {
const Block &block() { return *scheduler::current()->block; }
} // namespace

void *mmcEmuSharedMemory(unsigned bytes) {
  if (bytes > block().sharedBytes) {
    reports::add(Finding::sharedMemory, scheduler::current(), reinterpret_cast<uint64_t>(__builtin_return_address(0)),
                 "the kernel's shared memory has " + std::to_string(bytes) + " bytes, the launch gave " +
                     std::to_string(block().sharedBytes));
    scheduler::abandon();
  }
  return block().shared;
}

unsigned mmcEmuSharedAddress(const void *shared) {
  if (memory::classify(shared) != memory::Kind::shared) {
    reports::add(Finding::sharedMemory, scheduler::current(), reinterpret_cast<uint64_t>(__builtin_return_address(0)),
                 "an address that is not in shared memory is used as one");
    scheduler::abandon();
  }
  return unsigned(static_cast<const uint8_t *>(shared) - memory::sharedWindowOf(shared));
}

unsigned mmcEmuThreadIndex(unsigned axis) { return scheduler::current()->position[axis]; }
unsigned mmcEmuThreadCount(unsigned axis) { return block().launch->options.block[axis]; }
unsigned mmcEmuBlockIndex(unsigned axis) { return block().position[axis]; }
unsigned mmcEmuBlockCount(unsigned axis) { return block().launch->options.grid[axis]; }
unsigned mmcEmuClusterRank() { return block().clusterRank; }
unsigned mmcEmuClusterSize() { return unsigned(block().cluster.size()); }
