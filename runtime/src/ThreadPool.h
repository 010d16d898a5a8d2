// Runs a region of work on all threads and waits for it: a fork and a join, nothing else.
//
// Between regions workers spin for some microseconds, as the next launch of a step usually follows at once, then sleep.
// A pool runs one region at a time, started by one thread at a time. Regions allocate nothing. An embedding service may
// bring its own threads instead.
#pragma once

#include "runtime/src/Status.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace mmc::runtime {

/// One share of a region.
using ParallelWork = void (*)(void *context, uint32_t worker);
/// A service's own threads; the contract is that of mmc_parallel_for in mmc-c/Runtime.h.
using ParallelFor = void (*)(void *user, uint32_t workers, ParallelWork work, void *context);

class ThreadPool {
public:
  /// `threads` includes the caller of run; 0: one per core that this process may use.
  static Expected<std::unique_ptr<ThreadPool>> create(uint32_t threads);
  /// A pool that passes every region on to `parallelFor`.
  static std::unique_ptr<ThreadPool> wrap(uint32_t workers, ParallelFor parallelFor, void *user);
  ~ThreadPool();

  uint32_t workers() const { return workerCount; }
  /// Calls work(context, worker) once for each worker in [0, workers()); the caller is worker 0. Returns when all have
  /// returned.
  void run(ParallelWork work, void *context);

  /// The same for a callable.
  template <typename Function> void run(Function &&function) {
    run([](void *context, uint32_t worker) { (*static_cast<std::remove_reference_t<Function> *>(context))(worker); },
        &function);
  }

private:
  ThreadPool() = default;
  void loop(uint32_t worker);
  void stop();

  uint32_t workerCount = 1;
  ParallelFor external = nullptr;
  void *externalUser = nullptr;
  std::vector<std::thread> threads;
  ParallelWork work = nullptr;
  void *context = nullptr;
  bool stopping = false;
  /// Counts regions; a change publishes work, context and stopping. On cache lines of their own: all workers poll them.
  alignas(64) std::atomic<int32_t> generation{0};
  alignas(64) std::atomic<int32_t> pending{0};
};

/// Cores that this process may use, at least 1.
uint32_t availableCores();

} // namespace mmc::runtime
