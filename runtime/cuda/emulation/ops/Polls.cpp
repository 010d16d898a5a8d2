// Implements loops of polls. Invariant: a suspended poller is in the waiter lists of exactly the objects in its
// `suspendedOn`, and whoever wakes it empties both.
#include "runtime/cuda/emulation/ops/Polls.h"

#include "runtime/cuda/emulation/ops/Fence.h"

#include <algorithm>
#include <utility>

namespace mmc::emu {

void Pollable::changed() {
  ++version;
  for (Thread *thread : std::exchange(waiters, {})) fenceState(*thread).polls.resume(*thread, this);
}

void Polls::resume(Thread &thread, const Pollable *changed) {
  for (Pollable *object : std::exchange(suspendedOn, {}))
    if (object != changed) std::erase(object->waiters, &thread);
  // NOTE: asynchronous work may run inside of submit(), while the thread only prepares to be suspended.
  if (std::exchange(suspended, false)) scheduler::wake(thread);
}

void Polls::sleep(Wait wait) {
  if (suspendedOn.empty()) return;
  suspended = true;
  scheduler::suspend(std::move(wait));
}

void Polls::before(Thread &thread, Pollable &object, const Wait &wait) {
  const Seen *last = std::find_if(seen, seen + kObjects, [&](const Seen &s) { return s.object == &object; });
  if (last == seen + kObjects) return;
  if (last->version != object.version) {
    idle = 0;
    return;
  }
  if (++idle < kYields) {
    scheduler::yield();
    return;
  }
  suspendOnAll(thread, wait, idle >= kTurns);
}

void Polls::after(Pollable &object) {
  Seen *entry = std::find_if(seen, seen + kObjects, [&](const Seen &s) { return s.object == &object; });
  if (entry == seen + kObjects) {
    entry = &seen[next++ % kObjects];
    idle = 0;
  }
  *entry = {&object, object.version};
}

void Polls::suspendOnAll(Thread &thread, Wait wait, bool forGood) {
  for (const Seen &s : seen) {
    if (!s.object) continue;
    if (s.object->version != s.version) { // another of the polled objects has changed: worth a round
      resume(thread, nullptr);
      scheduler::yield();
      return;
    }
    s.object->waiters.push_back(&thread);
    suspendedOn.push_back(s.object);
  }
  uint64_t rescue = 0;
  if (!forGood)
    rescue = scheduler::submit([this, &thread] {
      if (!suspendedOn.empty()) resume(thread, nullptr);
    });
  sleep(std::move(wait));
  if (!forGood && scheduler::pending(rescue)) scheduler::force(rescue);
}

void Polls::suspendOn(Thread &thread, Pollable &object, Wait wait) {
  object.waiters.push_back(&thread);
  suspendedOn.push_back(&object);
  sleep(std::move(wait));
}

} // namespace mmc::emu
