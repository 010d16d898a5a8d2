// Registers that wgmma reads and writes behind a thread's back: accumulators and fragments of A, which lie on the
// emulated thread's stack. Each four bytes of the stack are one register with a state, so what is wrong is found at the
// access, exactly.
//
// Rules (PTX ISA 9.7.15.7): between the issue of a wgmma and a wait_group that covers it no plain code may
// touch its registers. Between an access by plain code and a wgmma that uses the register there must be a wgmma.fence;
// and one before the first wgmma. Accumulators that pass from one wgmma to the next of the same shape need none.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace mmc::emu {

/// A use of registers by one wgmma.
struct FragmentUse {
  const uint8_t *begin = nullptr;
  uint32_t bytes = 0;
  bool accumulator = false; // or A
  uint32_t shape = 0;       // of the instruction: equal numbers are equal shapes
  uint64_t batch = 0;       // of the thread, from 0
  uint64_t source = 0;
  uint64_t fences = 0; // of the thread before it; Fragments counts
};

/// Of one thread, made by its first wgmma instruction. From then on Thread::watched is not empty, which tells the hooks
/// to call touched() for accesses to the thread's own stack.
class Fragments {
public:
  explicit Fragments(Thread &thread);
  ~Fragments();
  Fragments(const Fragments &) = delete;

  /// wgmma.fence
  void fence();
  /// Checks the use against the rules and marks its registers as in flight. False if the memory is not on the stack.
  bool use(const FragmentUse &use);
  /// wait_group: batches before `batch` are complete.
  void complete(uint64_t batch);
  /// Plain code reads or writes.
  void touched(const void *address, uint64_t bytes, bool write, uint64_t source);

  struct Stack;

private:
  bool continueUse(const FragmentUse &use);
  void touchedInFlight(const uint8_t *address, uint64_t bytes, bool write, uint64_t source);
  const FragmentUse *findUse(uint32_t first, uint32_t end, bool accumulator) const;
  void checkAccumulator(const FragmentUse &use, uint32_t first, uint32_t end);
  void checkFenced(const FragmentUse &use, uint32_t first, uint32_t end);
  uint32_t registerAt(const void *address) const;

  Thread &thread;
  const uint8_t *base; // of the thread's stack, which it may have given back when this is destroyed
  uint64_t fences = 0;
  std::unique_ptr<Stack> stack;            // a state for each register
  uint32_t dirtyFirst = ~0u, dirtyEnd = 0; // registers that may be marked as touched
  std::vector<FragmentUse> inFlight;
};

/// Null before the thread's first wgmma instruction.
Fragments *fragmentsOf(Thread &thread);

/// What the hooks call for a plain access to the running thread's stack if Thread::watched is not empty, and operations
/// that write results into registers behind the compiler's back (ldmatrix) for theirs.
void fragmentTouched(Thread &thread, const void *address, uint64_t bytes, bool write, uint64_t source);

} // namespace mmc::emu
