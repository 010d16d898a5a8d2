// Implements the sequence of wgmma instructions of a warpgroup. Invariants: threads pass entries in order, so entries
// are completed in order; a batch is closed when all 128 threads have committed it, and dropped when all have waited
// for it.
#include "runtime/cuda/emulation/ops/Wgmma.h"

#include "runtime/cuda/emulation/core/Report.h"
#include "runtime/cuda/emulation/ops/Warpgroup.h"
#include "runtime/cuda/emulation/ptx/calls.h"

#include <algorithm>
#include <string>

namespace mmc::emu {

namespace {

const char *stepName(WgmmaStep step) {
  switch (step) {
  case WgmmaStep::fence:
    return "wgmma.fence";
  case WgmmaStep::issue:
    return "wgmma.mma_async";
  case WgmmaStep::commit:
    return "wgmma.commit_group";
  case WgmmaStep::wait:
    return "wgmma.wait_group";
  }
  return "wgmma";
}

std::string number(uint64_t value) { return std::to_string(value); }

/// What is left undone when the block ends: nothing would ever have come of it.
void checkAtEnd(Block &block) {
  for (uint32_t first = 0; first < block.threads.size(); first += kGroupThreads) {
    const auto *state = static_cast<const WgmmaThread *>(block.threads[first]->matrixState.get());
    for (uint32_t i = first; !state && i < std::min<size_t>(first + kGroupThreads, block.threads.size()); ++i)
      state = static_cast<const WgmmaThread *>(block.threads[i]->matrixState.get());
    if (!state) continue;
    const Warpgroup &group = *state->group;
    if (!group.entries.empty()) {
      const WgmmaEntry &entry = group.entries.front();
      reports::add(Finding::divergence, &group.thread(entry.firstThread), entry.source,
                   std::string(stepName(entry.step)) + " was reached by " + number(entry.arrived) +
                       " of the 128 threads of the warpgroup before the kernel ended");
    } else if (!group.open.instructions.empty()) {
      const WgmmaInstruction &instruction = *group.open.instructions.front();
      reports::add(Finding::fragmentInFlight, &group.thread(0), instruction.source,
                   "wgmma.mma_async was never committed: the kernel ended without wgmma.commit_group after it");
    }
  }
}

std::shared_ptr<Warpgroup> groupOf(Thread &thread, uint64_t source) {
  Block &block = *thread.block;
  const uint32_t first = thread.index / kGroupThreads * kGroupThreads;
  if (block.threads.size() < first + kGroupThreads) {
    reports::add(Finding::divergence, &thread, source,
                 "wgmma in an incomplete warpgroup: " + number(block.threads.size() - first) + " of 128 threads exist");
    scheduler::abandon();
  }
  for (uint32_t i = first; i < first + kGroupThreads; ++i)
    if (auto *state = static_cast<WgmmaThread *>(block.threads[i]->matrixState.get()); state && state->group)
      return state->group;
  auto group = std::make_shared<Warpgroup>();
  group->block = &block;
  group->firstThread = first;
  const auto &ends = block.atEnd;
  if (std::find(ends.begin(), ends.end(), checkAtEnd) == ends.end()) block.atEnd.push_back(checkAtEnd);
  return group;
}

WgmmaThread &stateOf(Thread &thread, uint64_t source) {
  if (!thread.matrixState) {
    auto state = std::make_shared<WgmmaThread>(thread);
    state->group = groupOf(thread, source);
    thread.matrixState = state;
  }
  return *static_cast<WgmmaThread *>(thread.matrixState.get());
}

//===--- The sequence --------------------------------------------------------------------------------------------===//

[[noreturn]] void diverge(const Warpgroup &group, const Thread &thread, const WgmmaEntry &entry, WgmmaStep step,
                          uint64_t source, const std::string &what) {
  reports::add(Finding::divergence, &thread, source,
               std::string(stepName(step)) + ": " + what + " than thread " +
                   number(group.firstThread + entry.firstThread) + " of the same warpgroup, which executed " +
                   stepName(entry.step),
               entry.source);
  scheduler::abandon();
  std::abort(); // abandon() returns only outside of launches, where there are no warpgroups
}

/// The thread's next entry, made if it is the first one there.
WgmmaEntry &arrive(WgmmaThread &state, Thread &thread, WgmmaStep step, uint64_t source, uint32_t pending = 0) {
  Warpgroup &group = *state.group;
  const uint64_t at = state.steps++ - group.entriesDone;
  if (at == group.entries.size()) {
    WgmmaEntry &entry = group.entries.emplace_back();
    entry.step = step;
    entry.source = source;
    entry.pending = pending;
    entry.firstThread = thread.index - group.firstThread;
  }
  WgmmaEntry &entry = group.entries[at];
  ++entry.arrived;
  if (entry.step != step || entry.source != source) diverge(group, thread, entry, step, source, "at another place");
  if (entry.pending != pending)
    diverge(group, thread, entry, step, source,
            "another count (" + number(pending) + " against " + number(entry.pending) + ")");
  return entry;
}

/// An instruction that the whole warpgroup has issued knows what each thread knew then.
void finishIssue(Warpgroup &group, WgmmaEntry &entry) {
  if (entry.fresh) {
    if (group.lastClocks) entry.fresh->join(*group.lastClocks);
    group.lastClocks = std::move(entry.fresh);
  }
  entry.instruction->clocks = group.lastClocks;
  group.open.instructions.push_back(std::move(entry.instruction));
}

void finishCommit(Warpgroup &group, Thread &last, uint64_t source) {
  auto batch = std::make_shared<WgmmaBatch>(std::move(group.open));
  group.open = WgmmaBatch();
  batch->source = source;
  batch->epoch = group.block->beginOperation(last, source);
  group.batches.push_back(batch);
  batch->ticket = scheduler::submit([&group, batch] { runBatch(group, *batch); }, &group);
  for (Thread *waiter : std::exchange(group.waiters, {})) scheduler::wake(*waiter);
}

/// Completes the entries that all threads have passed; only the first can be.
void finishEntry(Warpgroup &group, Thread &thread) {
  WgmmaEntry &entry = group.entries.front();
  if (entry.arrived < kGroupThreads) return;
  WgmmaEntry done = std::move(entry);
  group.entries.pop_front();
  ++group.entriesDone;
  if (done.step == WgmmaStep::issue) finishIssue(group, done);
  if (done.step == WgmmaStep::commit) finishCommit(group, thread, done.source);
}

//===--- Issue ---------------------------------------------------------------------------------------------------===//

/// Equal for instructions of one shape, as the exception for accumulators in flight asks: N and the depth.
uint32_t shapeNumber(const WgmmaArguments &a) { return a.n << 8 | depthOf(a.a); }

std::unique_ptr<WgmmaInstruction> makeInstruction(const Thread &thread, const WgmmaArguments &arguments,
                                                  uint64_t source) {
  auto made = std::make_unique<WgmmaInstruction>();
  made->shared = arguments;
  made->source = source;
  if (std::string wrong = checkShape(arguments); !wrong.empty()) {
    reports::add(Finding::badDescriptor, &thread, source, "wgmma: " + wrong);
    scheduler::abandon();
  }
  const auto check = [&](const char *name, uint64_t bits, OperandShape shape) {
    const Descriptor descriptor = Descriptor::decode(bits);
    if (std::string wrong = checkDescriptor(descriptor, shape); !wrong.empty()) {
      reports::add(Finding::badDescriptor, &thread, source, std::string("descriptor of ") + name + ": " + wrong);
      if (!fitsWindow(descriptor, shape)) made->runnable = false;
    }
    return descriptor;
  };
  const auto major = [&](uint32_t flag) { return arguments.flags & flag ? Major::mn : Major::k; };
  if (!arguments.aRegisters) made->a = check("A", arguments.aDescriptor, {64, major(mmcEmuTransposeA)});
  made->b = check("B", arguments.bDescriptor, {arguments.n, major(mmcEmuTransposeB)});
  return made;
}

bool sameOperands(const WgmmaArguments &a, const WgmmaArguments &b) {
  return a.aDescriptor == b.aDescriptor && a.bDescriptor == b.bDescriptor && a.n == b.n && a.a == b.a && a.b == b.b &&
         a.flags == b.flags && !a.aRegisters == !b.aRegisters;
}

/// Joins what the thread knows into the entry: its clocks if they have changed since its last issue (else the
/// warpgroup's last instruction knows them), and its own component always. Then the thread ticks: what it writes later
/// was not seen.
void addClocks(WgmmaThread &state, Thread &thread, WgmmaEntry &entry) {
  if (!memory::checksOn()) return;
  if (!entry.fresh)
    entry.fresh =
        state.group->lastClocks ? std::make_unique<ClockPair>(*state.group->lastClocks) : std::make_unique<ClockPair>();
  if (state.lastAsyncClock != thread.asyncClock || !state.lastClocks.vc.sameAs(thread.vc) ||
      !state.lastClocks.va.sameAs(thread.va)) {
    state.lastClocks = {thread.vc, thread.va};
    state.lastAsyncClock = thread.asyncClock;
    entry.fresh->join(state.lastClocks);
    if (thread.asyncClock) entry.fresh->va.raise(thread.column | thread.asyncClock);
  }
  entry.fresh->vc.raise(thread.epoch());
  thread.tick();
}

void useFragments(WgmmaThread &state, const Thread &thread, const WgmmaArguments &arguments, uint64_t source) {
  FragmentUse use;
  use.batch = state.committed;
  use.source = source;
  use.shape = shapeNumber(arguments);
  bool onStack = true;
  if (arguments.aRegisters) {
    use.begin = reinterpret_cast<const uint8_t *>(arguments.aRegisters);
    use.bytes = 16;
    onStack &= state.fragments.use(use);
  }
  use.begin = static_cast<const uint8_t *>(arguments.d);
  use.bytes = arguments.n * 2;
  use.accumulator = true;
  onStack &= state.fragments.use(use);
  if (onStack) return;
  reports::add(Finding::other, &thread, source, "a fragment of wgmma is not a local variable, expected registers");
  scheduler::abandon();
}

/// The batch is complete for the thread, for both proxies.
void acquire(Thread &thread, WgmmaBatch &batch) {
  if (batch.acquired == 0 || !batch.before.vc.sameAs(thread.vc) || !batch.before.va.sameAs(thread.va)) {
    batch.before = batch.after = {thread.vc, thread.va};
    batch.after.vc.raise(batch.epoch);
    batch.after.va.raise(batch.epoch);
  }
  thread.vc = batch.after.vc;
  thread.va = batch.after.va;
}

std::string describeWait(const Warpgroup &group, uint64_t batch) {
  uint32_t fewest = kGroupThreads, committed = 0;
  for (uint32_t i = 0; i < kGroupThreads; ++i) {
    const auto *state = static_cast<const WgmmaThread *>(group.thread(i).matrixState.get());
    const bool has = state && state->committed > batch;
    committed += has;
    if (!has) fewest = std::min(fewest, i);
  }
  return "group " + number(batch) + " of the warpgroup: " + number(committed) +
         " of 128 threads have committed it, thread " + number(group.firstThread + fewest) + " has not";
}

} // namespace

Fragments *fragmentsOf(Thread &thread) {
  return thread.matrixState ? &static_cast<WgmmaThread *>(thread.matrixState.get())->fragments : nullptr;
}

std::string checkShape(const WgmmaArguments &a) {
  const bool integers = isInteger(a.a);
  if (integers != isInteger(a.b)) return "one operand is an integer, the other is not";
  if (bytesOf(a.a) != bytesOf(a.b) || (bytesOf(a.a) == 2 && a.a != a.b)) return "operands of different types";
  const bool listed = a.n >= 8 && a.n <= 256 && a.n % 8 == 0;
  if (!listed || (integers && a.n > 32 && a.n % 16) || (integers && a.n == 40))
    return "n is " + number(a.n) +
           (integers ? ", expected 8, 16, 24, 32 or a multiple of 16 up to 256"
                     : ", expected a multiple of 8 up to 256");
  if (bytesOf(a.a) == 1 && a.flags & (mmcEmuTransposeA | mmcEmuTransposeB))
    return "8-bit operands are K-major, a transposed one was asked for";
  if (integers && a.flags & (mmcEmuNegateA | mmcEmuNegateB)) return "integer operands cannot be negated";
  if (!integers && a.flags & mmcEmuSaturate) return "only integer sums saturate";
  if (a.aRegisters && a.flags & mmcEmuTransposeA) return "A in registers cannot be transposed";
  return {};
}

namespace wgmma {

void fence(Thread &thread, uint64_t source) {
  WgmmaThread &state = stateOf(thread, source);
  arrive(state, thread, WgmmaStep::fence, source);
  state.fragments.fence();
  finishEntry(*state.group, thread);
}

void issue(Thread &thread, const WgmmaArguments &arguments, uint64_t source) {
  WgmmaThread &state = stateOf(thread, source);
  WgmmaEntry &entry = arrive(state, thread, WgmmaStep::issue, source);
  if (!entry.instruction) entry.instruction = makeInstruction(thread, arguments, source);
  WgmmaInstruction &instruction = *entry.instruction;
  if (!sameOperands(instruction.shared, arguments))
    diverge(*state.group, thread, entry, WgmmaStep::issue, source, "other descriptors or flags");
  const uint32_t index = thread.index - state.group->firstThread;
  instruction.d[index] = arguments.d;
  instruction.aRegisters[index] = arguments.aRegisters;
  useFragments(state, thread, arguments, source);
  addClocks(state, thread, entry);
  finishEntry(*state.group, thread);
}

void commit(Thread &thread, uint64_t source) {
  WgmmaThread &state = stateOf(thread, source);
  arrive(state, thread, WgmmaStep::commit, source);
  ++state.committed;
  finishEntry(*state.group, thread);
  scheduler::mayYield();
}

void wait(Thread &thread, uint32_t pending, uint64_t source) {
  WgmmaThread &state = stateOf(thread, source);
  Warpgroup &group = *state.group;
  arrive(state, thread, WgmmaStep::wait, source, pending);
  finishEntry(group, thread);
  const uint64_t covered = state.committed > pending ? state.committed - pending : 0;
  while (group.closed() < covered) {
    group.waiters.push_back(&thread);
    scheduler::suspend({"wgmma.wait_group", source, [&group, covered] { return describeWait(group, covered - 1); }});
  }
  for (; state.acquired < covered; ++state.acquired) {
    WgmmaBatch &batch = *group.batches[state.acquired - group.batchesDropped];
    scheduler::force(batch.ticket);
    acquire(thread, batch);
    ++batch.acquired;
  }
  state.fragments.complete(covered);
  while (!group.batches.empty() && group.batches.front()->acquired == kGroupThreads) {
    group.batches.pop_front();
    ++group.batchesDropped;
  }
  scheduler::mayYield();
}

} // namespace wgmma
} // namespace mmc::emu

using namespace mmc::emu;

void mmcEmuWgmmaFence() { wgmma::fence(*scheduler::current(), uint64_t(__builtin_return_address(0))); }
void mmcEmuWgmmaCommit() { wgmma::commit(*scheduler::current(), uint64_t(__builtin_return_address(0))); }
void mmcEmuWgmmaWait(unsigned pending) {
  wgmma::wait(*scheduler::current(), pending, uint64_t(__builtin_return_address(0)));
}
void mmcEmuWgmma(void *d, const unsigned *aRegisters, unsigned long aDescriptor, unsigned long bDescriptor, unsigned n,
                 unsigned elementA, unsigned elementB, unsigned flags) {
  wgmma::issue(
      *scheduler::current(),
      {d, aRegisters, aRegisters ? 0 : aDescriptor, bDescriptor, n, Element(elementA), Element(elementB), flags},
      uint64_t(__builtin_return_address(0)));
}
