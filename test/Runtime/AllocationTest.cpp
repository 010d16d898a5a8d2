// A step allocates nothing after the first steps: every allocation of the process is counted.
#include "test/Runtime/CountAllocations.h"
#include "test/Runtime/TinyModel.h"

namespace mmc::test {

namespace {

TEST(AllocationTest, StepsAllocateNothing) {
#ifndef MMC_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "a sanitizer's allocator is in use";
#endif
  auto session = tinySession(tinyModel(), {.threads = 3});
  const std::vector<int32_t> a = tokensOf(1, kMaxModelLen), b = tokensOf(2, kMaxModelLen);
  Sequence *first = *session->createSequence(), *second = *session->createSequence();
  auto step = [&](size_t of, size_t other) {
    const StepEntry entries[] = {{first, a.data() + first->position, of, Logits::all},
                                 {second, b.data() + second->position, other, Logits::last}};
    return session->step(entries).ok();
  };
  ASSERT_TRUE(step(3, 1)); // warm-up: threads have started, lazily bound symbols are bound
  allocations = 0;
  counting = true;
  bool good = true;
  for (auto [x, y] : {std::pair<size_t, size_t>{1, 1}, {7, 1}, {20, 12}, {1, 30}, {1, 1}}) good &= step(x, y);
  counting = false;
  EXPECT_TRUE(good);
  EXPECT_EQ(allocations, 0u);
  // The counter counts.
  counting = true;
  auto *probe = new volatile int(1);
  counting = false;
  delete probe;
  EXPECT_EQ(allocations, 1u);
}

} // namespace

} // namespace mmc::test
