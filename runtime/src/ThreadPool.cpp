// Implements the fork-join pool. Invariant: work and context are written only while every worker waits for the next
// generation.
#include "runtime/src/ThreadPool.h"

#include "runtime/src/Errors.h"

#include <algorithm>
#include <sched.h>
#include <system_error>

namespace mmc::runtime {

namespace {

/// Polls before a waiter sleeps: about 20 microseconds, some times the gap between two launches of a step.
constexpr int kPolls = 600;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Waits until `value` differs from `old`; returns what it is then.
int32_t awaitChange(const std::atomic<int32_t> &value, int32_t old) {
  for (int i = 0; i < kPolls; ++i) {
    const int32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

} // namespace

uint32_t availableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return uint32_t(std::max(1, CPU_COUNT(&set)));
  return std::max(1u, std::thread::hardware_concurrency());
}

Expected<std::unique_ptr<ThreadPool>> ThreadPool::create(uint32_t threads) {
  std::unique_ptr<ThreadPool> pool(new ThreadPool);
  const uint32_t wanted = threads ? threads : availableCores();
  constexpr uint32_t kMost = 4096;
  if (wanted > kMost)
    return Status(kBadArgument, "threads is " + std::to_string(wanted) + ", expected at most " + std::to_string(kMost),
                  "ask for fewer threads");
  try {
    for (uint32_t i = 1; i < wanted; ++i) pool->threads.emplace_back([pool = pool.get(), i] { pool->loop(i); });
  } catch (const std::system_error &error) {
    return Status(kThreadFailed, "cannot start " + std::to_string(wanted) + " threads", {}, error.what());
  }
  pool->workerCount = wanted;
  return pool;
}

std::unique_ptr<ThreadPool> ThreadPool::wrap(uint32_t workers, ParallelFor parallelFor, void *user) {
  std::unique_ptr<ThreadPool> pool(new ThreadPool);
  pool->workerCount = workers ? workers : availableCores();
  pool->external = parallelFor;
  pool->externalUser = user;
  return pool;
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  if (threads.empty()) return;
  stopping = true;
  generation.fetch_add(1, std::memory_order_release);
  generation.notify_all();
  for (std::thread &thread : threads) thread.join();
}

void ThreadPool::run(ParallelWork newWork, void *newContext) {
  if (external) return external(externalUser, workerCount, newWork, newContext);
  if (!threads.empty()) {
    work = newWork;
    context = newContext;
    pending.store(int32_t(threads.size()), std::memory_order_relaxed);
    generation.fetch_add(1, std::memory_order_release);
    generation.notify_all();
  }
  newWork(newContext, 0);
  for (int32_t left = pending.load(std::memory_order_acquire); left;) left = awaitChange(pending, left);
}

void ThreadPool::loop(uint32_t worker) {
  int32_t seen = 0;
  for (;;) {
    seen = awaitChange(generation, seen);
    if (stopping) return;
    work(context, worker);
    if (pending.fetch_sub(1, std::memory_order_acq_rel) == 1) pending.notify_one();
  }
}

} // namespace mmc::runtime
