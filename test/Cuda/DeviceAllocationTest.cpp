// A step on a device allocates nothing after the first steps. What the emulated driver allocates is its own affair: the
// driver's table is wrapped, and allocations inside of its calls are not counted.
#include "test/Cuda/WrappedDriver.h"
#include "test/Runtime/CountAllocations.h"

namespace mmc::test {

namespace {

/// Allocations of some steps of two sequences, after the same steps of two others.
uint64_t allocationsOfSteps(const SessionOptions &options, uint64_t &launches) {
  auto session = tinySession(WrappedDriver::load(), options);
  allocationIsOurs = [] { return WrappedDriver::inside == 0; };
  WrappedDriver::onLaunch = [&](const cuda::LaunchConfig &) { ++launches; };
  const std::vector<int32_t> a = tokensOf(1, kMaxModelLen), b = tokensOf(2, kMaxModelLen);
  for (const bool counted : {false, true}) {
    Sequence *first = *session->createSequence(), *second = *session->createSequence();
    allocations = launches = 0;
    counting = counted;
    bool good = true;
    for (auto [x, y] : {std::pair<size_t, size_t>{3, 1}, {1, 1}, {7, 1}, {20, 12}, {1, 30}, {1, 1}}) {
      const StepEntry entries[] = {{first, a.data() + first->position, x, Logits::all},
                                   {second, b.data() + second->position, y, Logits::last}};
      good &= session->step(entries).ok();
    }
    counting = false;
    EXPECT_TRUE(good);
    session->destroySequence(first);
    session->destroySequence(second);
  }
  WrappedDriver::onLaunch = {};
  return allocations;
}

TEST(DeviceAllocation, StepsAllocateNothing) {
#ifndef MMC_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "a sanitizer's allocator is in use";
#endif
  uint64_t launches = 0;
  EXPECT_EQ(allocationsOfSteps({.cudaGraphs = false}, launches), 0u);
  EXPECT_GT(launches, 50u);
  EXPECT_EQ(allocationsOfSteps({.cudaGraphs = true}, launches), 0u);
  // The counter counts.
  counting = true;
  auto *probe = new volatile int(1);
  counting = false;
  delete probe;
  EXPECT_EQ(allocations, 1u);
}

} // namespace

} // namespace mmc::test
