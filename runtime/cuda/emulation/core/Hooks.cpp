// The functions that clang's thread sanitizer instruments loads and stores with, bound to the shadow memory.
//
// An access is on the running thread's stack (nothing to check unless fragments of wgmma lie there), in emulated memory
// (checked), or elsewhere: constants of the module and the launch's parameters pass; the stack of another thread and
// the first pages do not. Code that is not part of a kernel is never instrumented, so there is always a running thread.
//
// The alignment sanitizer's handler is here as well: by then a vector access may have been split into words, and only
// that check still knows what the source promised.
#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/core/Fiber.h"
#include "runtime/cuda/emulation/core/Internal.h"
#include "runtime/cuda/emulation/ops/Fragments.h"

#include <cstring>
#include <string>

namespace mmc::emu {

namespace {

uint64_t bits(const void *address) { return reinterpret_cast<uint64_t>(address); }

/// Neither the thread's own stack nor emulated memory.
[[gnu::noinline]] void elsewhere(const void *address, uint64_t bytes, bool write, uint64_t source) {
  constexpr uint64_t kFirstPages = 64 << 10;
  if (bits(address) >= kFirstPages && !inAnyStack(address)) return;
  char text[128];
  std::snprintf(text, sizeof text, "%s %llu bytes at %p, which is %s", write ? "writes" : "reads",
                static_cast<unsigned long long>(bytes), address,
                inAnyStack(address) ? "local memory of another thread" : "no address");
  reports::add(Finding::outOfBounds, hot.thread, source, text);
  scheduler::abandon();
}

[[gnu::noinline]] void onStack(const void *address, uint64_t bytes, bool write, uint64_t source) {
  fragmentTouched(*hot.thread, address, bytes, write, source);
}

template <bool isWrite>
[[gnu::always_inline]] inline void hook(void *address, uint32_t bytes, uint64_t source, bool aligned) {
  if (bits(address) - hot.stack < kStackBytes) {
    if (!hot.thread->watched.empty()) [[unlikely]]
      onStack(address, bytes, isWrite, source);
    return;
  }
  if (bits(address) - hot.base >= hot.bytes) [[unlikely]]
    return elsewhere(address, bytes, isWrite, source);
  if (hot.counting) [[unlikely]]
    counting::access(*hot.thread, address, bytes, isWrite ? counting::Kind::store : counting::Kind::load, source);
  if (isWrite)
    memory::hookedWrite(address, bytes, source, aligned);
  else
    memory::hookedRead(address, bytes, source, aligned);
}

/// Of any length, without a natural alignment.
void hookRange(const void *address, uint64_t bytes, bool write, uint64_t source) {
  if (bytes == 0) return;
  if (bits(address) - hot.stack < kStackBytes) {
    if (!hot.thread->watched.empty()) onStack(address, bytes, write, source);
  } else if (bits(address) - hot.base >= hot.bytes) {
    elsewhere(address, bytes, write, source);
  } else {
    counting::accessRange(*hot.thread, address, bytes, write ? counting::Kind::store : counting::Kind::load, source);
    memory::hookedRange(address, bytes, write, source);
  }
}

} // namespace
} // namespace mmc::emu

using namespace mmc::emu;

#define SOURCE reinterpret_cast<uint64_t>(__builtin_return_address(0))

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}

#define ACCESS(bytes)                                                                                                  \
  void __tsan_read##bytes(void *p) { hook<false>(p, bytes, SOURCE, true); }                                            \
  void __tsan_write##bytes(void *p) { hook<true>(p, bytes, SOURCE, true); }                                            \
  void __tsan_unaligned_read##bytes(void *p) { hook<false>(p, bytes, SOURCE, false); }                                 \
  void __tsan_unaligned_write##bytes(void *p) { hook<true>(p, bytes, SOURCE, false); }                                 \
  void __tsan_read_write##bytes(void *p) {                                                                             \
    hook<false>(p, bytes, SOURCE, true);                                                                               \
    hook<true>(p, bytes, SOURCE, true);                                                                                \
  }                                                                                                                    \
  void __tsan_unaligned_read_write##bytes(void *p) {                                                                   \
    hook<false>(p, bytes, SOURCE, false);                                                                              \
    hook<true>(p, bytes, SOURCE, false);                                                                               \
  }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __tsan_read_range(void *p, size_t bytes) { hookRange(p, bytes, false, SOURCE); }
void __tsan_write_range(void *p, size_t bytes) { hookRange(p, bytes, true, SOURCE); }
void __tsan_vptr_read(void **p) { hook<false>(p, 8, SOURCE, true); }
void __tsan_vptr_update(void **p, void *) { hook<true>(p, 8, SOURCE, true); }

void *__tsan_memcpy(void *to, const void *from, size_t bytes) {
  hookRange(from, bytes, false, SOURCE);
  hookRange(to, bytes, true, SOURCE);
  return std::memcpy(to, from, bytes);
}
void *__tsan_memmove(void *to, const void *from, size_t bytes) {
  hookRange(from, bytes, false, SOURCE);
  hookRange(to, bytes, true, SOURCE);
  return std::memmove(to, from, bytes);
}
void *__tsan_memset(void *to, int value, size_t bytes) {
  hookRange(to, bytes, true, SOURCE);
  return std::memset(to, value, bytes);
}

/// What the compiler knows where it checks alignment; its layout is clang's (version 1).
struct AlignmentCheck {
  const char *file;
  uint32_t line, column;
  const struct {
    uint16_t kind, info;
    char name[1];
  } *type;
  uint8_t logAlignment;
  uint8_t check;
};

void __ubsan_handle_type_mismatch_v1(AlignmentCheck *check, uint64_t address) {
  const uint64_t source = SOURCE;
  const uint64_t alignment = uint64_t(1) << check->logAlignment;
  if (address == 0) { // a null pointer comes here too
    elsewhere(nullptr, 1, false, source);
    return;
  }
  reports::add(Finding::misaligned, hot.thread, source,
               memory::describeAddress(reinterpret_cast<void *>(address)) + " is used as " + check->type->name +
                   ", which lies at multiples of " + std::to_string(alignment));
}

} // extern "C"
