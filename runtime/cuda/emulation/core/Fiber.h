// Fibers: stacks and the switch between them. A switch saves what the ABI asks a callee to keep, except the floating
// point control state, which nobody here changes.
#pragma once

#include <cstdint>

namespace mmc::emu {

constexpr uint64_t kStackBytes = 64 << 10;

/// Saves the running context's stack pointer in `*from` and goes on where `to` was saved.
extern "C" void mmcEmuSwitch(void **from, void *to);

/// The stack pointer of a fiber that starts in `entry`, which must not return, on the stack that ends at `top`.
void *startFiber(uint8_t *top, void (*entry)());

/// A stack of kStackBytes from the pool, with an inaccessible page below it; never given back to the system.
uint8_t *acquireStack();
void releaseStack(uint8_t *stack);
/// Where the stack's first frame goes: not at the same offset in all stacks, because all of them would compete for the
/// same few sets of the caches.
uint8_t *topOf(uint8_t *stack);
/// True if the address lies in any fiber's stack.
bool inAnyStack(const void *address);

} // namespace mmc::emu
