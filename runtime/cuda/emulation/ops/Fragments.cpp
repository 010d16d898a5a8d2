// Implements the rules of registers in flight. Invariant: a register has kAccumulator or kInput exactly while some use
// in `inFlight` covers it, and kTouched only within [dirtyFirst, dirtyEnd).
#include "runtime/cuda/emulation/ops/Fragments.h"

#include "runtime/cuda/emulation/core/Fiber.h"
#include "runtime/cuda/emulation/core/Report.h"

#include <algorithm>
#include <string>

namespace mmc::emu {

namespace {

enum RegisterState : uint8_t { kAccumulator = 1, kInput = 2, kTouched = 4 };
constexpr uint32_t kRegisters = kStackBytes / 4, kPerSource = 8;

std::string bytesText(uint64_t bytes) { return std::to_string(bytes) + " bytes"; }

} // namespace

struct Fragments::Stack {
  uint8_t states[kRegisters] = {};
  uint64_t touchSources[kRegisters / kPerSource]; // of each eight registers: who touched them last
};

namespace {
/// Stacks of threads that have gone, all states 0: clearing what a thread has used is cheaper than clearing all. Never
/// freed, since blocks may be dropped after the statics.
auto &freeStacks() {
  static auto *stacks = new std::vector<std::unique_ptr<Fragments::Stack>>;
  return *stacks;
}
} // namespace

Fragments::Fragments(Thread &thread) : thread(thread), base(thread.stack) {
  if (freeStacks().empty()) {
    stack = std::make_unique<Stack>();
  } else {
    stack = std::move(freeStacks().back());
    freeStacks().pop_back();
  }
  thread.watched.push_back({});
}

Fragments::~Fragments() {
  fence();
  complete(~uint64_t(0));
  freeStacks().push_back(std::move(stack));
}

uint32_t Fragments::registerAt(const void *address) const {
  const uint64_t offset = uint64_t(static_cast<const uint8_t *>(address) - base);
  return offset < kStackBytes ? uint32_t(offset / 4) : kRegisters;
}

void Fragments::fence() {
  ++fences;
  for (uint32_t i = dirtyFirst; i < dirtyEnd; ++i) stack->states[i] &= uint8_t(~kTouched);
  dirtyFirst = ~0u, dirtyEnd = 0;
}

const FragmentUse *Fragments::findUse(uint32_t first, uint32_t end, bool accumulator) const {
  for (const FragmentUse &use : inFlight) {
    const uint32_t begin = registerAt(use.begin);
    if (use.accumulator == accumulator && begin < end && first < begin + use.bytes / 4) return &use;
  }
  return nullptr;
}

void Fragments::checkFenced(const FragmentUse &use, uint32_t first, uint32_t end) {
  const char *what = use.accumulator ? "accumulator" : "A fragment";
  if (fences == 0) {
    reports::add(Finding::missingWgmmaFence, &thread, use.source, "wgmma without a wgmma.fence before the first one");
    return;
  }
  for (uint32_t i = first; i < end; ++i) {
    if (!(stack->states[i] & kTouched)) continue;
    reports::add(Finding::missingWgmmaFence, &thread, use.source,
                 std::string("register ") + std::to_string(i - first) + " of the " + what +
                     " was accessed by plain code since the last wgmma.fence",
                 stack->touchSources[i / kPerSource]);
    return;
  }
}

void Fragments::checkAccumulator(const FragmentUse &use, uint32_t first, uint32_t end) {
  if (const FragmentUse *input = findUse(first, end, false))
    reports::add(Finding::fragmentInFlight, &thread, use.source,
                 "the accumulator of " + bytesText(use.bytes) +
                     " overlaps a fragment of A that a wgmma in flight reads, expected a wait_group between",
                 input->source);
  const FragmentUse *before = findUse(first, end, true);
  if (!before) return;
  if (before->begin != use.begin || before->bytes != use.bytes)
    reports::add(Finding::fragmentInFlight, &thread, use.source,
                 "the accumulator of " + bytesText(use.bytes) + " overlaps another one of " + bytesText(before->bytes) +
                     " in flight, expected a wait_group between",
                 before->source);
  else if (before->shape != use.shape && before->fences == fences)
    reports::add(Finding::missingWgmmaFence, &thread, use.source,
                 "the accumulator is in flight in a wgmma of another shape, expected a wgmma.fence between",
                 before->source);
}

/// The next wgmma of one shape on the same registers: what there was to check has been checked by the first.
bool Fragments::continueUse(const FragmentUse &use) {
  for (FragmentUse &known : inFlight)
    if (known.begin == use.begin && known.bytes == use.bytes && known.accumulator == use.accumulator &&
        known.shape == use.shape) {
      known.batch = use.batch;
      known.source = use.source;
      known.fences = fences;
      return true;
    }
  return false;
}

bool Fragments::use(const FragmentUse &use) {
  if (continueUse(use)) return true;
  const uint32_t first = registerAt(use.begin), end = first + use.bytes / 4;
  if (first >= kRegisters || end > kRegisters) return false;
  uint8_t seen = 0;
  for (uint32_t i = first; i < end; ++i) seen |= stack->states[i];
  if (fences == 0 || (seen & kTouched)) checkFenced(use, first, end);
  if (use.accumulator) {
    if (seen & (kAccumulator | kInput)) checkAccumulator(use, first, end);
  } else if (seen & kAccumulator) {
    reports::add(Finding::fragmentInFlight, &thread, use.source,
                 "the fragment of A is the accumulator of a wgmma in flight, expected a wait_group between",
                 findUse(first, end, true)->source);
  }
  const uint8_t mark = use.accumulator ? kAccumulator : kInput;
  for (uint32_t i = first; i < end; ++i) stack->states[i] |= mark;
  inFlight.push_back(use);
  inFlight.back().fences = fences;
  return true;
}

void Fragments::complete(uint64_t batch) {
  const auto done = [&](const FragmentUse &use) { return use.batch < batch; };
  if (std::none_of(inFlight.begin(), inFlight.end(), done)) return;
  for (const FragmentUse &use : inFlight) {
    const uint32_t first = registerAt(use.begin);
    if (done(use)) std::for_each_n(&stack->states[first], use.bytes / 4, [](uint8_t &state) { state &= kTouched; });
  }
  std::erase_if(inFlight, done);
  // Uses that overlapped a finished one are still in flight.
  for (const FragmentUse &use : inFlight) {
    const uint8_t mark = use.accumulator ? kAccumulator : kInput;
    std::for_each_n(&stack->states[registerAt(use.begin)], use.bytes / 4, [&](uint8_t &state) { state |= mark; });
  }
}

void Fragments::touched(const void *address, uint64_t bytes, bool write, uint64_t source) {
  if (bytes == 0) return;
  const uint32_t first = registerAt(address);
  if (first >= kRegisters) return;
  const uint64_t offset = uint64_t(static_cast<const uint8_t *>(address) - base);
  const uint32_t end = std::min(uint32_t((offset + bytes + 3) / 4), kRegisters);
  uint8_t seen = 0;
  for (uint32_t i = first; i < end; ++i) {
    seen |= stack->states[i];
    stack->states[i] |= kTouched;
  }
  for (uint32_t i = first / kPerSource; i <= (end - 1) / kPerSource; ++i) stack->touchSources[i] = source;
  dirtyFirst = std::min(dirtyFirst, first);
  dirtyEnd = std::max(dirtyEnd, end);
  if (seen & (kAccumulator | kInput)) touchedInFlight(static_cast<const uint8_t *>(address), bytes, write, source);
}

void Fragments::touchedInFlight(const uint8_t *address, uint64_t bytes, bool write, uint64_t source) {
  const uint32_t first = registerAt(address), end = uint32_t((uint64_t(address - base) + bytes + 3) / 4);
  const FragmentUse *use = findUse(first, end, true);
  if (!use) use = findUse(first, end, false);
  if (!use) return;
  const int64_t which = (address - use->begin) / 4;
  reports::add(Finding::fragmentInFlight, &thread, source,
               std::string(write ? "writes" : "reads") + " register " + std::to_string(std::max<int64_t>(which, 0)) +
                   (use->accumulator ? " of an accumulator" : " of a fragment of A") +
                   " between a wgmma and its wait_group",
               use->source);
}

void fragmentTouched(Thread &thread, const void *address, uint64_t bytes, bool write, uint64_t source) {
  if (Fragments *fragments = fragmentsOf(thread)) fragments->touched(address, bytes, write, source);
}

} // namespace mmc::emu
