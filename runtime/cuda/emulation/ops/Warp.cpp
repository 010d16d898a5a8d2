// Implements the rendezvous of a warp.
//
// Invariant: the lanes that have arrived at a pending meeting are suspended, so a lane is in one meeting at most.
#include "runtime/cuda/emulation/ops/Warp.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/ops/Fence.h"

#include <bit>

namespace mmc::emu {

namespace {

struct Meeting {
  uint32_t mask = 0, arrived = 0;
  WarpFunction function = nullptr;
  WarpForm form = WarpForm::sync;
  const char *what = nullptr;
  void *arguments[32] = {};
  uint64_t sources[32] = {};
};
struct WarpState {
  Meeting meetings[32]; // of 32 lanes no more can wait
  uint32_t open = 0;    // bit i: meeting i waits; nearly always at most one does

  void close(const Meeting &meeting) { open &= ~(1u << (&meeting - meetings)); }
};

std::string hex(uint32_t mask) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", mask);
  return text;
}

/// The lanes that a meeting still waits for.
uint32_t missing(const Warp &warp, const Meeting &meeting) {
  return meeting.mask & ~meeting.arrived & (meeting.form == WarpForm::aligned ? ~0u : warp.present);
}

/// Runs the function and wakes everyone but the last lane, which runs it.
void complete(Warp &warp, WarpState &state, Meeting &meeting, uint32_t last) {
  WarpCall call{warp, meeting.arrived, {}, meeting.sources[last]};
  for (uint32_t rest = meeting.arrived; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    call.arguments[lane] = meeting.arguments[lane];
  }
  const uint32_t others = meeting.arrived & ~(1u << last);
  state.close(meeting);
  if (!(warp.present & ~meeting.arrived)) counting::meet(warp);
  meeting.function(call);
  for (uint32_t rest = others; rest; rest &= rest - 1) scheduler::wake(*warp.threads[std::countr_zero(rest)]);
}

void diverged(const Thread &thread, uint64_t source, std::string text, uint64_t other = 0) {
  reports::add(Finding::divergence, &thread, source, std::move(text), other);
}

/// What is wrong with the call itself: it then goes no further.
bool refuse(const Thread &thread, uint32_t mask, uint64_t source, const char *what, WarpForm form) {
  if (!(mask >> thread.lane & 1)) {
    diverged(thread, source,
             std::string(what) + " with mask " + hex(mask) + ", which does not name the lane that executes it, lane " +
                 std::to_string(thread.lane));
    return true;
  }
  if (form != WarpForm::aligned) return false;
  if (const uint32_t absent = ~thread.warp->present) {
    diverged(thread, source,
             std::string(what) + " needs all 32 lanes, but lanes " + hex(absent) + " have exited or do not exist");
    return true;
  }
  return false;
}

/// The meeting of this mask and function that is open, or a new one.
Meeting &find(WarpState &state, uint32_t mask, WarpFunction function) {
  for (uint32_t rest = state.open; rest; rest &= rest - 1) {
    Meeting &meeting = state.meetings[std::countr_zero(rest)];
    if (meeting.mask == mask && meeting.function == function) return meeting;
  }
  const int free = std::countr_one(state.open);
  state.open |= 1u << free;
  Meeting &meeting = state.meetings[free];
  meeting.mask = mask;
  meeting.arrived = 0;
  meeting.function = function;
  return meeting;
}

/// Two meetings that wait for lanes of one another: nobody else can resolve that.
void checkCrossed(const WarpState &state, const Thread &thread, const Meeting &mine) {
  for (uint32_t rest = state.open; rest; rest &= rest - 1) {
    const Meeting &other = state.meetings[std::countr_zero(rest)];
    if (&other == &mine) continue;
    const uint32_t there = other.arrived & mine.mask, here = mine.arrived & other.mask;
    if (!there || !here) continue;
    diverged(thread, mine.sources[thread.lane],
             std::string(mine.what) + " with mask " + hex(mine.mask) + " waits for lanes " + hex(there) +
                 ", which wait in a " + other.what + " with mask " + hex(other.mask),
             other.sources[std::countr_zero(there)]);
    scheduler::abandon();
  }
}

} // namespace

void rendezvous(uint32_t mask, void *arguments, WarpFunction function, uint64_t source, const char *what,
                WarpForm form) {
  scheduler::mayYield();
  Thread &thread = *scheduler::current();
  Warp &warp = *thread.warp;
  if (refuse(thread, mask, source, what, form)) scheduler::abandon();
  WarpState &state = stateIn<WarpState>(warp.state);
  Meeting &meeting = find(state, mask, function);
  if (meeting.arrived && form == WarpForm::aligned) {
    const uint64_t first = meeting.sources[std::countr_zero(meeting.arrived)];
    if (!sameSource(first, source))
      diverged(thread, source, std::string(what) + " is reached by lanes of one warp from different places", first);
  }
  meeting.form = form;
  meeting.what = what;
  meeting.arrived |= 1u << thread.lane;
  meeting.arguments[thread.lane] = arguments;
  meeting.sources[thread.lane] = source;
  if (!missing(warp, meeting)) return complete(warp, state, meeting, thread.lane);
  checkCrossed(state, thread, meeting);
  scheduler::suspend({what, source, [&warp, &meeting] {
                        return "warp " + std::to_string(warp.index) + " waits for lanes " +
                               hex(missing(warp, meeting)) + " of mask " + hex(meeting.mask);
                      }});
}

namespace warp {

void onExit(Thread &thread) {
  if (!thread.warp->state) return;
  WarpState &state = stateIn<WarpState>(thread.warp->state);
  for (uint32_t rest = state.open; rest; rest &= rest - 1) {
    Meeting &meeting = state.meetings[std::countr_zero(rest)];
    if (!(meeting.mask >> thread.lane & 1)) continue;
    const uint32_t waiting = uint32_t(std::countr_zero(meeting.arrived));
    if (meeting.form == WarpForm::aligned) {
      diverged(*thread.warp->threads[waiting], meeting.sources[waiting],
               std::string(meeting.what) + " needs all 32 lanes, but lane " + std::to_string(thread.lane) +
                   " has exited");
      scheduler::abandon();
    }
    if (missing(*thread.warp, meeting)) continue;
    complete(*thread.warp, state, meeting, waiting);
    scheduler::wake(*thread.warp->threads[waiting]);
  }
}

} // namespace warp
} // namespace mmc::emu
