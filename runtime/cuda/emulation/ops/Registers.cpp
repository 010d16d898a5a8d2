// Implements setmaxnreg. Invariant: `free` and what the warps hold add up to what the block was given at launch.
#include "runtime/cuda/emulation/ops/Registers.h"

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/ops/Fence.h"
#include "runtime/cuda/emulation/ops/Warp.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <algorithm>
#include <string>

namespace mmc::emu::registers {

namespace {

constexpr uint32_t kOfSm = 65536, kMostAtLaunch = 255;
constexpr uint32_t kLeast = 24, kMost = 256;
constexpr uint32_t kWarpsOfGroup = 4;

struct Request {
  uint64_t source = 0;
  uint32_t count = 0;
};

struct WarpRegisters {
  uint32_t held = 0;             // for each thread
  std::vector<Request> requests; // in order
};

struct BlockRegisters {
  uint32_t atLaunch = 0;
  uint32_t free = 0; // for each of 32 lanes: the unit that warps trade
  std::vector<WarpRegisters> warps;
  std::vector<Thread *> waiters;
};

void misuse(const Thread &thread, uint64_t source, std::string message, uint64_t other = 0) {
  reports::add(Finding::registerRequest, &thread, source, std::move(message), other);
}

/// The four warps of a group must have made as many requests when the block ends; that they are the same has been
/// checked.
void checkAtEnd(Block &block) {
  const BlockRegisters &state = stateIn<BlockRegisters>(block.registerState);
  for (uint32_t first = 0; first < state.warps.size(); first += kWarpsOfGroup) {
    const uint32_t end = std::min<uint32_t>(first + kWarpsOfGroup, uint32_t(state.warps.size()));
    const auto fewer = [&](uint32_t a, uint32_t b) {
      return state.warps[a].requests.size() < state.warps[b].requests.size();
    };
    uint32_t least = first, most = first;
    for (uint32_t warp = first; warp < end; ++warp) {
      if (fewer(warp, least)) least = warp;
      if (fewer(most, warp)) most = warp;
    }
    if (least == most) continue;
    const size_t missing = state.warps[least].requests.size();
    misuse(*block.warps[most]->threads[0], state.warps[most].requests[missing].source,
           "setmaxnreg by warp " + std::to_string(most) + ", but not by warp " + std::to_string(least) +
               " of the same warpgroup: all four warps must execute it");
  }
}

BlockRegisters &stateOf(Block &block) {
  const bool fresh = !block.registerState;
  BlockRegisters &state = stateIn<BlockRegisters>(block.registerState);
  if (fresh) {
    const MmcEmuKernel &kernel = *block.launch->kernel;
    state.atLaunch = atLaunch(std::max<uint32_t>(kernel.maxThreads, uint32_t(block.threads.size())), kernel.minBlocks);
    state.warps.resize(block.warps.size());
    for (WarpRegisters &warp : state.warps) warp.held = state.atLaunch;
    block.atEnd.push_back(checkAtEnd);
  }
  return state;
}

/// What is wrong about a warp's request; empty if nothing is.
std::string refusal(const BlockRegisters &state, uint32_t warp, uint32_t count, bool raise) {
  const uint32_t held = state.warps[warp].held;
  if (count < kLeast || count > kMost || count % 8)
    return "asks for " + std::to_string(count) + " registers, expected a multiple of 8 from 24 to 256";
  if (raise && count < held)
    return "raises to " + std::to_string(count) + " registers, but the warp has " + std::to_string(held);
  if (!raise && count > held)
    return "lowers to " + std::to_string(count) + " registers, but the warp has " + std::to_string(held);
  if (warp / kWarpsOfGroup * kWarpsOfGroup + kWarpsOfGroup > state.warps.size())
    return "in an incomplete warpgroup: the block has " + std::to_string(state.warps.size()) + " warps";
  return "";
}

/// The n-th request of a warp must be the n-th of the other warps of its group.
void checkGroup(const Thread &thread, const BlockRegisters &state, uint32_t warp, const Request &request) {
  const size_t number = state.warps[warp].requests.size();
  const uint32_t first = warp / kWarpsOfGroup * kWarpsOfGroup;
  for (uint32_t other = first; other < std::min<uint32_t>(first + kWarpsOfGroup, uint32_t(state.warps.size()));
       ++other) {
    if (other == warp || state.warps[other].requests.size() <= number) continue;
    const Request &theirs = state.warps[other].requests[number];
    if (theirs.source == request.source && theirs.count == request.count) continue;
    misuse(thread, request.source,
           "setmaxnreg to " + std::to_string(request.count) + " registers, but warp " + std::to_string(other) +
               " of the same warpgroup asked for " + std::to_string(theirs.count) + " at another place",
           theirs.source);
    return;
  }
}

struct Arguments {
  uint32_t count = 0;
  bool raise = false;
};

/// Runs once for a warp, when all lanes have met: checks, and gives back what a dec gives back.
void meet(WarpCall &call) {
  const uint32_t lane = uint32_t(__builtin_ctz(call.lanes));
  Thread &thread = call.thread(lane);
  const Arguments &arguments = *static_cast<const Arguments *>(call.arguments[lane]);
  BlockRegisters &state = stateOf(*thread.block);
  const uint32_t warp = call.warp.index;
  const std::string refused = refusal(state, warp, arguments.count, arguments.raise);
  if (!refused.empty()) misuse(thread, call.source, "setmaxnreg " + refused);
  const Request request{call.source, arguments.count};
  checkGroup(thread, state, warp, request);
  WarpRegisters &mine = state.warps[warp];
  mine.requests.push_back(request);
  if (!refused.empty() || arguments.raise) return;
  state.free += mine.held - arguments.count;
  mine.held = arguments.count;
  for (Thread *waiter : std::exchange(state.waiters, {})) scheduler::wake(*waiter);
}

/// A warp takes its registers when its first lane finds them free; the other lanes then find that the warp has them.
bool take(BlockRegisters &state, uint32_t warp, uint32_t count) {
  WarpRegisters &mine = state.warps[warp];
  if (mine.held >= count) return true;
  if (state.free < count - mine.held) return false;
  state.free -= count - mine.held;
  mine.held = count;
  return true;
}

} // namespace

uint32_t atLaunch(uint32_t maxThreads, uint32_t minBlocks) {
  const uint32_t threads = std::max(maxThreads, 1u) * std::max(minBlocks, 1u);
  return std::min(kOfSm / threads, kMostAtLaunch) / 8 * 8;
}

void request(Thread &thread, uint32_t count, bool raise, uint64_t source) {
  Arguments arguments{count, raise};
  rendezvous(~0u, &arguments, meet, source, "setmaxnreg", WarpForm::aligned);
  BlockRegisters &state = stateOf(*thread.block);
  const uint32_t warp = thread.warp->index;
  if (!raise || !refusal(state, warp, count, raise).empty()) return;
  while (!take(state, warp, count)) {
    state.waiters.push_back(&thread);
    scheduler::suspend({"setmaxnreg.inc", source, [&state, warp, count] {
                          return "warp " + std::to_string(warp) + " has " + std::to_string(state.warps[warp].held) +
                                 " registers for each thread and asks for " + std::to_string(count) + ", " +
                                 std::to_string(state.free) + " are free for each lane";
                        }});
  }
}

} // namespace mmc::emu::registers

using namespace mmc::emu;

void mmcEmuSetRegisters(unsigned count, unsigned raise) {
  registers::request(*scheduler::current(), count, raise != 0, MMC_EMU_SOURCE);
}
