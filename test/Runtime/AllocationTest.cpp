// A step allocates nothing after the first steps: every allocation of the process is counted, in all threads, through
// an interposed allocator.
#include "test/Runtime/TinyModel.h"

#include <cstdlib>

static std::atomic<bool> counting = false;
static std::atomic<uint64_t> allocations = 0;

// The sanitizers bring an allocator of their own.
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MMC_SANITIZED
#endif
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(MMC_SANITIZED)
#define MMC_COUNTS_ALLOCATIONS
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static void count() {
  if (counting.load(std::memory_order_relaxed)) ++allocations;
}
void *malloc(size_t size) {
  count();
  return __libc_malloc(size);
}
void *calloc(size_t items, size_t size) {
  count();
  return __libc_calloc(items, size);
}
void *realloc(void *old, size_t size) {
  count();
  return __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **to, size_t alignment, size_t size) {
  count();
  *to = __libc_memalign(alignment, size);
  return *to ? 0 : 12;
}
}
#endif

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
