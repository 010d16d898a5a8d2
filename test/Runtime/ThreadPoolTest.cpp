// The fork-join pool: every worker once per region, nothing of a region outlives it.
#include "test/Runtime/TinyModel.h"

namespace mmc::test {

namespace {

TEST(ThreadPoolTest, EveryWorkerOncePerRegion) {
  for (uint32_t threads : {1u, 2u, 7u}) {
    auto pool = std::move(*ThreadPool::create(threads));
    EXPECT_EQ(pool->workers(), threads);
    std::vector<int> calls(threads);
    for (int round = 1; round <= 2000; ++round) {
      pool->run([&](uint32_t worker) { ++calls[worker]; });
      for (int count : calls) ASSERT_EQ(count, round);
    }
  }
}

TEST(ThreadPoolTest, WorkersThatSleepWakeAgain) {
  auto pool = std::move(*ThreadPool::create(3));
  std::atomic<int> calls = 0;
  for (int round = 0; round < 5; ++round) {
    pool->run([&](uint32_t) { ++calls; });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(calls, 15);
}

TEST(ThreadPoolTest, DefaultIsTheCoresOfTheProcess) {
  EXPECT_EQ((*ThreadPool::create(0))->workers(), availableCores());
  EXPECT_GE(availableCores(), 1u);
}

} // namespace

} // namespace mmc::test
