// Implements the scheduler: the queue of runnable fibers, operations that run early or late, and the stack that both
// use for what needs more than a fiber has.
//
// A suspending fiber switches straight to the next runnable one; only when there is none, or a block has ended, does it
// go back to the launch's own stack. Invariant: `running` is null exactly when no fiber of a kernel is switched in or
// waits for the large stack.
#include "runtime/cuda/emulation/core/Scheduler.h"

#include "runtime/cuda/emulation/core/Fiber.h"
#include "runtime/cuda/emulation/core/Internal.h"
#include "runtime/cuda/emulation/core/Machine.h"

#include <cstdlib>
#include <deque>
#include <map>
#include <unordered_map>

namespace mmc::emu {

namespace {

/// Runnable threads in a ring, so that both ends and any one of them are at hand.
class RunQueue {
public:
  bool empty() const { return count == 0; }
  void clear() { count = first = 0; }
  void push(Thread *thread) {
    if (count == ring.size()) grow();
    ring[(first + count++) & (ring.size() - 1)] = thread;
  }
  Thread *pop() {
    Thread *thread = ring[first];
    first = (first + 1) & (ring.size() - 1);
    --count;
    return thread;
  }
  Thread *popAny(uint64_t random) {
    std::swap(ring[first], ring[(first + random % count) & (ring.size() - 1)]);
    return pop();
  }

private:
  void grow() {
    std::vector<Thread *> larger(std::max<size_t>(1024, ring.size() * 2));
    for (size_t i = 0; i < count; ++i) larger[i] = ring[(first + i) & (ring.size() - 1)];
    ring = std::move(larger);
    first = 0;
  }
  std::vector<Thread *> ring;
  size_t first = 0, count = 0;
};

struct Operation {
  std::function<void()> run;
  const void *order = nullptr;
  const Block *block = nullptr;
};

struct State {
  RunQueue runnable;
  Thread *running = nullptr;
  void *launchStack = nullptr; // stack pointer of launch() while fibers run
  bool insideLaunch = false, abandoned = false;
  uint64_t seed = 0, randomState = 0;
  uint32_t turn = 0; // switches since the launch had its turn

  std::map<uint64_t, Operation> operations; // by ticket
  std::unordered_map<const void *, std::deque<uint64_t>> ordered;
  uint64_t nextTicket = 1;

  uint8_t *largeStack = nullptr;
  void *largePointer = nullptr; // of the large stack while it is idle
  void *callerPointer = nullptr;
  const std::function<void()> *request = nullptr;
};
State state;

constexpr uint64_t kLargeStackBytes = 1 << 20;
constexpr uint32_t kLongTurn = 1 << 16;

/// Body of the large stack: serves requests for ever.
void serveLargeStack() {
  for (;;) {
    (*state.request)();
    state.request = nullptr;
    mmcEmuSwitch(&state.largePointer, state.callerPointer);
  }
}

void resetLargeStack() {
  if (!state.largeStack) state.largeStack = static_cast<uint8_t *>(std::aligned_alloc(4096, kLargeStackBytes));
  state.largePointer = startFiber(state.largeStack + kLargeStackBytes, serveLargeStack);
  state.request = nullptr;
}

void setRunning(Thread *thread) {
  state.running = thread;
  hot.thread = thread;
  hot.stack = thread ? reinterpret_cast<uint64_t>(thread->stack) : 0;
}

Thread *pickNext() {
  if (state.runnable.empty()) return nullptr;
  return state.seed ? state.runnable.popAny(scheduler::random()) : state.runnable.pop();
}

/// Leaves the running fiber for the next one, or for the launch.
void switchAway() {
  Thread *from = state.running;
  if (!state.operations.empty() && scheduler::oneIn(8)) scheduler::runAnyOperation();
  Thread *next = ++state.turn < kLongTurn ? pickNext() : nullptr;
  if (next == from) return;
  ++from->block->launch->counters.switches;
  setRunning(next);
  mmcEmuSwitch(&from->stackPointer, next ? next->stackPointer : state.launchStack);
}

/// Takes the operation out and runs it.
void runOperation(uint64_t ticket) {
  auto at = state.operations.find(ticket);
  Operation operation = std::move(at->second);
  state.operations.erase(at);
  scheduler::onLargeStack(operation.run);
}

} // namespace

namespace scheduler {

void setSeed(uint64_t seed) {
  state.seed = seed;
  state.randomState = seed;
}

uint64_t random() { // splitmix64
  uint64_t z = state.randomState += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

bool seeded() { return state.seed != 0; }

bool oneIn(uint32_t n) { return state.seed && random() % n == 0; }

Thread *current() { return state.running; }

void suspend(Wait wait) {
  state.running->wait = std::move(wait);
  switchAway();
  state.running->wait.what = nullptr;
}

void wake(Thread &thread) { state.runnable.push(&thread); }

void yield() {
  state.runnable.push(state.running);
  switchAway();
}

void mayYield() {
  if (oneIn(4)) yield();
}

void onLargeStack(const std::function<void()> &function) {
  if (!state.insideLaunch || state.request) {
    function(); // outside of fibers, or there already
    return;
  }
  if (!state.largePointer) resetLargeStack();
  state.request = &function;
  mmcEmuSwitch(&state.callerPointer, state.largePointer);
}

uint64_t submit(std::function<void()> operation, const void *order) {
  const uint64_t ticket = state.nextTicket++;
  state.operations[ticket] = {std::move(operation), order, state.running ? state.running->block : nullptr};
  if (order) state.ordered[order].push_back(ticket);
  if (!state.insideLaunch || oneIn(3)) force(ticket);
  return ticket;
}

bool pending(uint64_t ticket) { return state.operations.count(ticket) != 0; }

void force(uint64_t ticket) {
  auto at = state.operations.find(ticket);
  if (at == state.operations.end()) return;
  const void *order = at->second.order;
  if (!order) return runOperation(ticket);
  for (;;) { // an operation may submit or force others
    auto queue = state.ordered.find(order);
    if (queue == state.ordered.end() || queue->second.front() > ticket) return;
    const uint64_t first = queue->second.front();
    queue->second.pop_front();
    if (queue->second.empty()) state.ordered.erase(queue);
    runOperation(first);
  }
}

bool runAnyOperation() {
  if (state.operations.empty()) return false;
  uint64_t ticket = state.operations.begin()->first;
  if (state.seed) {
    const uint64_t span = state.operations.rbegin()->first - ticket + 1;
    ticket = state.operations.lower_bound(ticket + random() % span)->first;
  }
  // Within one order the first comes first.
  const void *order = state.operations[ticket].order;
  force(order ? state.ordered[order].front() : ticket);
  return true;
}

void finishOperationsOf(const Block &block) {
  for (bool found = true; found;) {
    found = false;
    for (auto &[ticket, operation] : state.operations)
      if (operation.block == &block) {
        force(ticket);
        found = true;
        break;
      }
  }
}

void startThread(Thread &thread, void (*entry)()) {
  thread.stack = acquireStack();
  thread.stackPointer = startFiber(topOf(thread.stack), entry);
  state.runnable.push(&thread);
}

void beginLaunch() {
  state.insideLaunch = true;
  state.abandoned = false;
}

void endLaunch() {
  state.insideLaunch = false;
  if (!state.abandoned) return;
  state.runnable.clear();
  state.operations.clear();
  state.ordered.clear();
  resetLargeStack();
  setRunning(nullptr);
}

bool runOne() {
  Thread *next = pickNext();
  if (!next) return false;
  setRunning(next);
  state.turn = 0;
  mmcEmuSwitch(&state.launchStack, next->stackPointer);
  return true;
}

bool ranForLong() { return state.turn >= kLongTurn; }

void leaveFinished(bool toLaunch) {
  Thread *from = state.running, *next = toLaunch ? nullptr : pickNext();
  setRunning(next);
  mmcEmuSwitch(&from->stackPointer, next ? next->stackPointer : state.launchStack);
  std::abort(); // a finished fiber is never picked
}

bool abandoned() { return state.abandoned; }

void abandon() {
  if (!state.insideLaunch) return;
  state.abandoned = true;
  void *dropped;
  if (state.running)
    mmcEmuSwitch(&dropped, state.launchStack);
  else if (state.request) // an operation that the launch itself runs
    mmcEmuSwitch(&dropped, state.callerPointer);
}

} // namespace scheduler
} // namespace mmc::emu
