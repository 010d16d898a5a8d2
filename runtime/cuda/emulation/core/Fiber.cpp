// Implements fibers for x86-64. Stacks lie in one reserved range, so that an address tells whether it is on some
// fiber's stack.
#include "runtime/cuda/emulation/core/Fiber.h"

#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <vector>

asm(R"(
.text
.globl mmcEmuSwitch
.type mmcEmuSwitch, @function
.p2align 4
mmcEmuSwitch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size mmcEmuSwitch, .-mmcEmuSwitch
)");

namespace mmc::emu {

namespace {

constexpr uint64_t kGuard = 4096, kSlot = kStackBytes + kGuard, kSlots = 1 << 19;
/// A guard page makes two mappings of each stack, and the kernel allows 65,530 in all: stacks past this number have
/// none.
constexpr uint64_t kGuarded = 24 << 10;

struct Pool {
  uint8_t *base = nullptr;
  uint64_t made = 0;
  std::vector<uint8_t *> free;
} pool;

[[noreturn]] void fail(const char *what) {
  std::fprintf(stderr, "mmc emulation: cannot map memory for %s\n", what);
  std::abort();
}

} // namespace

void *startFiber(uint8_t *top, void (*entry)()) {
  // As if `entry` had been called by a function at address 0: a return address above, six registers below.
  auto *frame = reinterpret_cast<uint64_t *>(top) - 8;
  for (int i = 0; i < 8; ++i) frame[i] = 0;
  frame[6] = reinterpret_cast<uint64_t>(entry);
  return frame;
}

uint8_t *acquireStack() {
  if (!pool.free.empty()) {
    uint8_t *stack = pool.free.back();
    pool.free.pop_back();
    return stack;
  }
  if (!pool.base) {
    void *range = mmap(nullptr, kSlots * kSlot, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) fail("fibers' stacks");
    pool.base = static_cast<uint8_t *>(range);
  }
  if (pool.made == kSlots) fail("more than half a million fibers");
  uint8_t *slot = pool.base + pool.made * kSlot;
  const bool guarded = pool.made < kGuarded;
  ++pool.made;
  uint8_t *from = guarded ? slot + kGuard : slot;
  if (mprotect(from, slot + kSlot - from, PROT_READ | PROT_WRITE) != 0) fail("a fiber's stack");
  return slot + kGuard;
}

uint8_t *topOf(uint8_t *stack) {
  const uint64_t index = uint64_t(stack - pool.base) / kSlot;
  return stack + kStackBytes - index % 31 * 256;
}

void releaseStack(uint8_t *stack) { pool.free.push_back(stack); }

bool inAnyStack(const void *address) {
  return uint64_t(static_cast<const uint8_t *>(address) - pool.base) < pool.made * kSlot;
}

} // namespace mmc::emu
