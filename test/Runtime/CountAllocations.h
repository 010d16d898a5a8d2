// Counts every allocation of the process, in all threads, through an interposed allocator: for one file of a program.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

static std::atomic<bool> counting = false;
static std::atomic<uint64_t> allocations = 0;
/// Whether what the calling thread allocates is the runtime's; null: it is.
[[maybe_unused]] static bool (*allocationIsOurs)() = nullptr;

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
  if (counting.load(std::memory_order_relaxed) && (!allocationIsOurs || allocationIsOurs())) ++allocations;
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
