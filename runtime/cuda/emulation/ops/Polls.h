// Loops of polls. Fibers are not preempted, so a kernel that spins on a flag would never let others run. A poll that
// finds an object as the thread last saw it therefore yields; after some of them the thread is suspended until one of
// the objects that it polls changes, and if nobody is left to change one, that is a deadlock with a name.
//
// A thread may also look at the same unchanged flag often without waiting for it. So a suspended poller is resumed when
// nothing else can run, and only after many such turns in a row does the emulation take its loop for endless.
#pragma once

#include "runtime/cuda/emulation/core/Scheduler.h"

#include <cstdint>
#include <vector>

namespace mmc::emu {

/// Something that threads wait for: a location of atomics, an mbarrier. Must outlive the threads that poll it, at the
/// same address.
class Pollable {
public:
  /// Wakes who waits for a change.
  void changed();
  size_t waiting() const { return waiters.size(); }
  /// Where the first waiter waits.
  uint64_t waitSource() const { return waiters.empty() ? 0 : waiters[0]->wait.source; }

private:
  friend struct Polls;
  uint64_t version = 0;
  std::vector<Thread *> waiters;
};

/// Of one thread.
struct Polls {
  /// Before a poll: lets others run if the thread has seen the object as it is.
  void before(Thread &thread, Pollable &object, const Wait &wait);
  /// After a poll that may be part of a loop.
  void after(Pollable &object);
  /// Suspends until `object` changes, however long.
  void suspendOn(Thread &thread, Pollable &object, Wait wait);

private:
  friend class Pollable;
  struct Seen {
    Pollable *object = nullptr;
    uint64_t version = 0;
  };
  void suspendOnAll(Thread &thread, Wait wait, bool forGood);
  void resume(Thread &thread, const Pollable *changed);
  void sleep(Wait wait);
  static constexpr unsigned kObjects = 8;       // polled in turn
  static constexpr uint32_t kYields = 64;       // then suspended, but resumed when nothing else can run
  static constexpr uint32_t kTurns = 64 + 4096; // then suspended for good
  Seen seen[kObjects];
  unsigned next = 0;
  uint32_t idle = 0; // polls in a row that found nothing new
  std::vector<Pollable *> suspendedOn;
  bool suspended = false;
};

} // namespace mmc::emu
