// What lanes of a warp exchange: __syncwarp, shuffles, votes, reductions, matches, movmatrix, elect. Each is a function
// over the arguments that the lanes brought to a rendezvous.
//
// Only __syncwarp orders memory (PTX ISA 9.7.13.2, bar.warp.sync); the rules of the others are in 9.7.9.6 (shfl.sync),
// 9.7.13.9 to 9.7.13.14 (vote, match, activemask, redux, elect).
#include "runtime/cuda/emulation/ops/Fence.h"
#include "runtime/cuda/emulation/ops/Warp.h"

#include "runtime/cuda/emulation/ptx/calls.h"

#include <algorithm>
#include <bit>
#include <string>

namespace mmc::emu {

namespace {

/// Of any exchange: `mode` must be the same in all lanes, as it is part of the instruction.
struct Exchange {
  unsigned mode = 0, value = 0, argument = 0, width = 32;
  unsigned result = 0;
};

Exchange &of(const WarpCall &call, uint32_t lane) { return *static_cast<Exchange *>(call.arguments[lane]); }

template <class Function> void forLanes(uint32_t lanes, Function function) {
  for (; lanes; lanes &= lanes - 1) function(uint32_t(std::countr_zero(lanes)));
}

void checkModes(const WarpCall &call, const char *what) {
  const uint32_t first = uint32_t(std::countr_zero(call.lanes));
  forLanes(call.lanes, [&](uint32_t lane) {
    if (of(call, lane).mode != of(call, first).mode)
      reports::add(Finding::divergence, &call.thread(lane), call.source,
                   std::string("lanes ") + std::to_string(first) + " and " + std::to_string(lane) +
                       " meet in different " + what + " instructions");
  });
}

void synchronise(WarpCall &call) {
  ClockPair all;
  forLanes(call.lanes, [&](uint32_t lane) {
    const Thread &thread = call.thread(lane);
    all.vc.join(thread.vc);
    all.va.join(thread.va);
    all.vc.raise(thread.epoch());
    if (thread.asyncClock) all.va.raise(thread.block->serial, thread.index, thread.asyncClock);
  });
  forLanes(call.lanes, [&](uint32_t lane) {
    Thread &thread = call.thread(lane);
    acquireInto(thread, all);
    thread.tick();
  });
}

/// The lane that `lane` reads; itself where that lies outside its group.
uint32_t sourceLane(const Exchange &e, uint32_t lane) {
  const uint32_t begin = lane / e.width * e.width, end = begin + e.width, by = e.argument & 31;
  switch (e.mode) {
  case mmcEmuShuffleUp:
    return lane >= begin + by ? lane - by : lane;
  case mmcEmuShuffleDown:
    return lane + by < end ? lane + by : lane;
  case mmcEmuShuffleXor:
    // Lanes of later groups are not reached, those of earlier ones are (the bound is an upper one).
    return (lane ^ by) < end ? lane ^ by : lane;
  default:
    return begin + e.argument % e.width;
  }
}

void shuffle(WarpCall &call) {
  checkModes(call, "shuffle");
  forLanes(call.lanes, [&](uint32_t lane) {
    Exchange &mine = of(call, lane);
    const uint32_t from = sourceLane(mine, lane);
    if (!(call.lanes >> from & 1)) {
      reports::add(Finding::divergence, &call.thread(lane), call.source,
                   "lane " + std::to_string(lane) + " reads lane " + std::to_string(from) +
                       ", which does not take part in the shuffle");
      return;
    }
    mine.result = of(call, from).value;
  });
}

void vote(WarpCall &call) {
  checkModes(call, "vote");
  uint32_t ballot = 0;
  forLanes(call.lanes, [&](uint32_t lane) { ballot |= uint32_t(of(call, lane).value != 0) << lane; });
  forLanes(call.lanes, [&](uint32_t lane) {
    Exchange &mine = of(call, lane);
    mine.result = mine.mode == mmcEmuVoteBallot ? ballot
                  : mine.mode == mmcEmuVoteAll  ? ballot == call.lanes
                                                : ballot != 0;
  });
}

void elect(WarpCall &call) {
  const uint32_t leader = uint32_t(std::countr_zero(call.lanes));
  forLanes(call.lanes, [&](uint32_t lane) { of(call, lane).result = lane == leader; });
}

uint32_t combine(unsigned mode, uint32_t a, uint32_t b) {
  switch (mode) {
  case mmcEmuWarpAdd:
    return a + b;
  case mmcEmuWarpMinUnsigned:
    return std::min(a, b);
  case mmcEmuWarpMaxUnsigned:
    return std::max(a, b);
  case mmcEmuWarpMinSigned:
    return uint32_t(std::min(int32_t(a), int32_t(b)));
  case mmcEmuWarpMaxSigned:
    return uint32_t(std::max(int32_t(a), int32_t(b)));
  case mmcEmuWarpAnd:
    return a & b;
  case mmcEmuWarpOr:
    return a | b;
  default:
    return a ^ b;
  }
}

void reduce(WarpCall &call) {
  checkModes(call, "redux");
  const uint32_t first = uint32_t(std::countr_zero(call.lanes));
  uint32_t sum = of(call, first).value;
  forLanes(call.lanes & (call.lanes - 1),
           [&](uint32_t lane) { sum = combine(of(call, lane).mode, sum, of(call, lane).value); });
  forLanes(call.lanes, [&](uint32_t lane) { of(call, lane).result = sum; });
}

void matchAny(WarpCall &call) {
  forLanes(call.lanes, [&](uint32_t lane) {
    uint32_t equal = 0;
    forLanes(call.lanes,
             [&](uint32_t other) { equal |= uint32_t(of(call, other).value == of(call, lane).value) << other; });
    of(call, lane).result = equal;
  });
}

void matchAll(WarpCall &call) {
  const uint32_t value = of(call, uint32_t(std::countr_zero(call.lanes))).value;
  bool equal = true;
  forLanes(call.lanes, [&](uint32_t lane) { equal &= of(call, lane).value == value; });
  forLanes(call.lanes, [&](uint32_t lane) { of(call, lane).result = equal ? call.lanes : 0; });
}

/// Lane l holds elements (l / 4, 2 (l % 4)) and the one after it; of the transposed matrix it gets the same two.
void moveMatrix(WarpCall &call) {
  uint16_t matrix[8][8];
  forLanes(call.lanes, [&](uint32_t lane) {
    matrix[lane / 4][lane % 4 * 2] = uint16_t(of(call, lane).value);
    matrix[lane / 4][lane % 4 * 2 + 1] = uint16_t(of(call, lane).value >> 16);
  });
  forLanes(call.lanes, [&](uint32_t lane) {
    of(call, lane).result = matrix[lane % 4 * 2][lane / 4] | uint32_t(matrix[lane % 4 * 2 + 1][lane / 4]) << 16;
  });
}

unsigned meet(uint32_t mask, Exchange exchange, WarpFunction function, uint64_t source, const char *what,
              WarpForm form = WarpForm::sync) {
  rendezvous(mask, &exchange, function, source, what, form);
  return exchange.result;
}

} // namespace
} // namespace mmc::emu

using namespace mmc::emu;

#define SOURCE reinterpret_cast<uint64_t>(__builtin_return_address(0))

void mmcEmuSyncWarp(unsigned mask) { rendezvous(mask, nullptr, synchronise, SOURCE, "__syncwarp"); }

unsigned mmcEmuShuffle(unsigned mode, unsigned value, unsigned argument, unsigned width, unsigned mask) {
  return meet(mask, {mode, value, argument, width}, shuffle, SOURCE, "shuffle");
}
unsigned mmcEmuVote(unsigned mode, unsigned predicate, unsigned mask) {
  return meet(mask, {mode, predicate}, vote, SOURCE, "vote");
}
unsigned mmcEmuElect(unsigned mask) { return meet(mask, {}, elect, SOURCE, "elect"); }
unsigned mmcEmuReduceWarp(unsigned reduction, unsigned value, unsigned mask) {
  return meet(mask, {reduction, value}, reduce, SOURCE, "redux");
}
unsigned mmcEmuMatchAny(unsigned value, unsigned mask) { return meet(mask, {0, value}, matchAny, SOURCE, "match.any"); }
unsigned mmcEmuMatchAll(unsigned value, unsigned mask) { return meet(mask, {0, value}, matchAll, SOURCE, "match.all"); }
unsigned mmcEmuMoveMatrix(unsigned value) {
  return meet(~0u, {0, value}, moveMatrix, SOURCE, "movmatrix", WarpForm::aligned);
}
