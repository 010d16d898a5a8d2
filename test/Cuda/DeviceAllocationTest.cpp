// A step on a device allocates nothing after the first steps. What the emulated driver allocates is its own affair: the
// driver's table is wrapped, and allocations inside of its calls are not counted.
#include "test/Cuda/WrappedDriver.h"
#include "test/Runtime/CountAllocations.h"

namespace mmc::test {

namespace {

TEST(DeviceAllocation, StepsAllocateNothing) {
#ifndef MMC_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "a sanitizer's allocator is in use";
#endif
  auto session = tinySession(WrappedDriver::load());
  allocationIsOurs = [] { return WrappedDriver::inside == 0; };
  uint64_t launches = 0;
  WrappedDriver::onLaunch = [&](const cuda::LaunchConfig &) { ++launches; };
  const std::vector<int32_t> a = tokensOf(1, kMaxModelLen), b = tokensOf(2, kMaxModelLen);
  Sequence *first = *session->createSequence(), *second = *session->createSequence();
  auto step = [&](size_t of, size_t other) {
    const StepEntry entries[] = {{first, a.data() + first->position, of, Logits::all},
                                 {second, b.data() + second->position, other, Logits::last}};
    return session->step(entries).ok();
  };
  ASSERT_TRUE(step(3, 1));
  allocations = launches = 0;
  counting = true;
  bool good = true;
  for (auto [x, y] : {std::pair<size_t, size_t>{1, 1}, {7, 1}, {20, 12}, {1, 30}, {1, 1}}) good &= step(x, y);
  counting = false;
  EXPECT_TRUE(good);
  EXPECT_EQ(allocations, 0u);
  EXPECT_GT(launches, 50u);
  // The counter counts.
  counting = true;
  auto *probe = new volatile int(1);
  counting = false;
  delete probe;
  EXPECT_EQ(allocations, 1u);
}

} // namespace

} // namespace mmc::test
