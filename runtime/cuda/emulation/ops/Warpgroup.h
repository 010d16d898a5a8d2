// The state of a warpgroup's wgmma instructions: the sequence that its threads walk, and the batches. For Wgmma.cpp and
// WgmmaBatch.cpp.
#pragma once

#include "runtime/cuda/emulation/ops/Fence.h"
#include "runtime/cuda/emulation/ops/Fragments.h"
#include "runtime/cuda/emulation/ops/Wgmma.h"

#include <deque>
#include <memory>
#include <vector>

namespace mmc::emu {

constexpr uint32_t kGroupThreads = 128;

/// One wgmma.mma_async of the whole warpgroup.
struct WgmmaInstruction {
  WgmmaArguments shared;                          // what all threads agree on; d and aRegisters are those of thread 0
  void *d[kGroupThreads] = {};                    // of each thread
  const uint32_t *aRegisters[kGroupThreads] = {}; // of each thread, or null
  Descriptor a, b;
  std::shared_ptr<const ClockPair> clocks; // of all issuers at the issue
  uint64_t source = 0;
  bool runnable = true; // false: its operands lie outside of the shared window, which was reported
};

/// Instructions up to a commit_group.
struct WgmmaBatch {
  std::vector<std::unique_ptr<WgmmaInstruction>> instructions;
  Epoch epoch = 0;
  uint64_t ticket = 0;
  uint64_t source = 0;
  uint32_t acquired = 0; // threads whose wait has covered it
  /// Clocks of the last thread that acquired it, before and after: threads that knew the same go on sharing.
  ClockPair before, after;
};

enum class WgmmaStep : uint8_t { fence, issue, commit, wait };

struct WgmmaEntry {
  WgmmaStep step = WgmmaStep::fence;
  uint64_t source = 0;
  uint32_t pending = 0;     // wait
  uint32_t firstThread = 0; // who made it
  uint32_t arrived = 0;
  std::unique_ptr<WgmmaInstruction> instruction; // issue
  std::unique_ptr<ClockPair> fresh;              // of the issuers so far
};

struct Warpgroup {
  Block *block = nullptr;
  uint32_t firstThread = 0; // in the block
  std::deque<WgmmaEntry> entries;
  uint64_t entriesDone = 0; // sequence number of entries.front()
  WgmmaBatch open;
  std::deque<std::shared_ptr<WgmmaBatch>> batches; // closed, not yet acquired by all
  uint64_t batchesDropped = 0;                     // number of batches.front()
  std::shared_ptr<const ClockPair> lastClocks;     // of the last instruction that all have issued
  std::vector<Thread *> waiters;

  uint64_t closed() const { return batchesDropped + batches.size(); }
  Thread &thread(uint32_t index) const { return *block->threads[firstThread + index]; }
};

/// What a thread knows of its own: Thread::matrixState.
struct WgmmaThread {
  explicit WgmmaThread(Thread &thread) : fragments(thread) {}
  Fragments fragments;
  std::shared_ptr<Warpgroup> group;
  uint64_t steps = 0;     // entries passed
  uint64_t committed = 0; // batches
  uint64_t acquired = 0;  // batches covered by waits
  // As of the last issue, to see whether anything has changed since.
  ClockPair lastClocks;
  uint32_t lastAsyncClock = 0;
};

/// Runs the batch's instructions in order. The operation of the scheduler.
void runBatch(const Warpgroup &group, const WgmmaBatch &batch);

} // namespace mmc::emu
