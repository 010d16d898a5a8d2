// Loads and stores of one thread: with cache hints, and with an order (PTX ISA, "Data Movement: ld, ld.global.nc, st,
// prefetch, createpolicy" and "Memory Consistency Model").
//
// Invariant: addresses are naturally aligned for the size of the access (2, 4, 8 or 16 bytes).
#pragma once

#include "ptx/text.cuh"

/// How a line behaves in the caches: normal; not kept in L1; first or last to go from L1; streaming (used once).
enum class Cache : u32 { normal, noAllocate, evictFirst, evictLast, streaming };

template <Cache cache> struct CacheText;
template <> struct CacheText<Cache::normal> {
  static constexpr char kText[] = "";
};
template <> struct CacheText<Cache::noAllocate> {
  static constexpr char kText[] = ".L1::no_allocate";
};
template <> struct CacheText<Cache::evictFirst> {
  static constexpr char kText[] = ".L1::evict_first";
};
template <> struct CacheText<Cache::evictLast> {
  static constexpr char kText[] = ".L1::evict_last";
};
template <> struct CacheText<Cache::streaming> {
  static constexpr char kText[] = ".cs";
};

/// ld.global of 2, 4, 8 or 16 bytes. Ordered as any weak load: by barriers and fences only.
template <Cache cache = Cache::normal, class T> MMC_DEVICE T loadGlobal(const T *global) {
  const u64 address = __cvta_generic_to_global(global);
  if constexpr (sizeof(T) == 16) {
    Vector16 v;
    asm volatile("ld.global%5.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3])
                 : "l"(address), "C"(CacheText<cache>::kText)
                 : "memory");
    return bitCast<T>(v);
  } else if constexpr (sizeof(T) == 8) {
    u64 v;
    asm volatile("ld.global%2.u64 %0, [%1];" : "=l"(v) : "l"(address), "C"(CacheText<cache>::kText) : "memory");
    return bitCast<T>(v);
  } else if constexpr (sizeof(T) == 4) {
    u32 v;
    asm volatile("ld.global%2.u32 %0, [%1];" : "=r"(v) : "l"(address), "C"(CacheText<cache>::kText) : "memory");
    return bitCast<T>(v);
  } else {
    static_assert(sizeof(T) == 2, "loads move 2, 4, 8 or 16 bytes");
    u16 v;
    asm volatile("ld.global%2.u16 %0, [%1];" : "=h"(v) : "l"(address), "C"(CacheText<cache>::kText) : "memory");
    return bitCast<T>(v);
  }
}

/// ld.global.nc: only for memory that nobody writes while the kernel runs (weights); the compiler may move it freely.
/// Not with Cache::streaming.
template <Cache cache = Cache::normal, class T> MMC_DEVICE T loadReadOnly(const T *global) {
  static_assert(cache != Cache::streaming, "ld.global.nc takes no .cs");
  const u64 address = __cvta_generic_to_global(global);
  if constexpr (sizeof(T) == 16) {
    Vector16 v;
    asm("ld.global.nc%5.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3])
        : "l"(address), "C"(CacheText<cache>::kText));
    return bitCast<T>(v);
  } else if constexpr (sizeof(T) == 8) {
    u64 v;
    asm("ld.global.nc%2.u64 %0, [%1];" : "=l"(v) : "l"(address), "C"(CacheText<cache>::kText));
    return bitCast<T>(v);
  } else if constexpr (sizeof(T) == 4) {
    u32 v;
    asm("ld.global.nc%2.u32 %0, [%1];" : "=r"(v) : "l"(address), "C"(CacheText<cache>::kText));
    return bitCast<T>(v);
  } else {
    static_assert(sizeof(T) == 2, "loads move 2, 4, 8 or 16 bytes");
    u16 v;
    asm("ld.global.nc%2.u16 %0, [%1];" : "=h"(v) : "l"(address), "C"(CacheText<cache>::kText));
    return bitCast<T>(v);
  }
}

/// st.global of 2, 4, 8 or 16 bytes.
template <Cache cache = Cache::normal, class T> MMC_DEVICE void storeGlobal(T *global, T value) {
  const u64 address = __cvta_generic_to_global(global);
  if constexpr (sizeof(T) == 16) {
    const Vector16 v = bitCast<Vector16>(value);
    asm volatile("st.global%5.v4.u32 [%4], {%0, %1, %2, %3};" ::"r"(v.words[0]), "r"(v.words[1]), "r"(v.words[2]),
                 "r"(v.words[3]), "l"(address), "C"(CacheText<cache>::kText)
                 : "memory");
  } else if constexpr (sizeof(T) == 8) {
    asm volatile("st.global%2.u64 [%1], %0;" ::"l"(bitCast<u64>(value)), "l"(address), "C"(CacheText<cache>::kText)
                 : "memory");
  } else if constexpr (sizeof(T) == 4) {
    asm volatile("st.global%2.u32 [%1], %0;" ::"r"(bitCast<u32>(value)), "l"(address), "C"(CacheText<cache>::kText)
                 : "memory");
  } else {
    static_assert(sizeof(T) == 2, "stores move 2, 4, 8 or 16 bytes");
    asm volatile("st.global%2.u16 [%1], %0;" ::"h"(bitCast<u16>(value)), "l"(address), "C"(CacheText<cache>::kText)
                 : "memory");
  }
}

/// One access of 1, 2, 4, 8 or 16 bytes wherever the pointer points; the compiler may move it. T is aligned to its
/// size.
template <class T> MMC_DEVICE T loadPlain(const T *from) {
  static_assert(alignof(T) == sizeof(T), "one instruction moves what is aligned to its size");
  return *from;
}
template <class T> MMC_DEVICE void storePlain(T *to, const T &value) {
  static_assert(alignof(T) == sizeof(T), "one instruction moves what is aligned to its size");
  *to = value;
}

/// ld.shared and st.shared of 2, 4, 8 or 16 bytes of anything: what lies there may have another type.
template <class T> MMC_DEVICE T loadShared(const void *shared) {
  const u32 address = sharedAddress(shared);
  if constexpr (sizeof(T) == 16) {
    Vector16 v;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3])
                 : "r"(address)
                 : "memory");
    return bitCast<T>(v);
  } else if constexpr (sizeof(T) == 8) {
    u64 v;
    asm volatile("ld.shared.u64 %0, [%1];" : "=l"(v) : "r"(address) : "memory");
    return bitCast<T>(v);
  } else if constexpr (sizeof(T) == 4) {
    u32 v;
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(v) : "r"(address) : "memory");
    return bitCast<T>(v);
  } else {
    static_assert(sizeof(T) == 2, "loads move 2, 4, 8 or 16 bytes");
    u16 v;
    asm volatile("ld.shared.u16 %0, [%1];" : "=h"(v) : "r"(address) : "memory");
    return bitCast<T>(v);
  }
}
template <class T> MMC_DEVICE void storeShared(void *shared, T value) {
  const u32 address = sharedAddress(shared);
  if constexpr (sizeof(T) == 16) {
    const Vector16 v = bitCast<Vector16>(value);
    asm volatile("st.shared.v4.u32 [%4], {%0, %1, %2, %3};" ::"r"(v.words[0]), "r"(v.words[1]), "r"(v.words[2]),
                 "r"(v.words[3]), "r"(address)
                 : "memory");
  } else if constexpr (sizeof(T) == 8) {
    asm volatile("st.shared.u64 [%1], %0;" ::"l"(bitCast<u64>(value)), "r"(address) : "memory");
  } else if constexpr (sizeof(T) == 4) {
    asm volatile("st.shared.u32 [%1], %0;" ::"r"(bitCast<u32>(value)), "r"(address) : "memory");
  } else {
    static_assert(sizeof(T) == 2, "stores move 2, 4, 8 or 16 bytes");
    asm volatile("st.shared.u16 [%1], %0;" ::"h"(bitCast<u16>(value)), "r"(address) : "memory");
  }
}

/// prefetch.global.L2: brings the line to L2; orders nothing.
MMC_DEVICE void prefetchL2(const void *global) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(global)));
}

/// Which lines of L2 go first, for bulk copies (createpolicy.fractional, all accesses).
struct L2Policy {
  u64 bits;
};
MMC_DEVICE L2Policy policyEvictFirst() {
  L2Policy policy;
  asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy.bits));
  return policy;
}
MMC_DEVICE L2Policy policyEvictLast() {
  L2Policy policy;
  asm("createpolicy.fractional.L2::evict_last.b64 %0, 1.0;" : "=l"(policy.bits));
  return policy;
}

/// ld.relaxed or ld.acquire of 4 or 8 bytes, global or shared: polling a flag. A relaxed load orders nothing after it.
template <Order order, Scope scope, class T> MMC_DEVICE T loadOrdered(const T *address) {
  static_assert(order == Order::relaxed || order == Order::acquire, "a load is relaxed or acquires");
  static_assert(scope != Scope::cluster || kArchitecture >= 900, "the cluster scope needs sm_90");
  if constexpr (sizeof(T) == 8) {
    u64 v;
    asm volatile("ld.%2.%3.u64 %0, [%1];"
                 : "=l"(v)
                 : "l"(address), "C"(OrderText<order>::kText), "C"(ScopeText<scope>::kText)
                 : "memory");
    return bitCast<T>(v);
  } else {
    static_assert(sizeof(T) == 4, "ordered loads move 4 or 8 bytes");
    u32 v;
    asm volatile("ld.%2.%3.u32 %0, [%1];"
                 : "=r"(v)
                 : "l"(address), "C"(OrderText<order>::kText), "C"(ScopeText<scope>::kText)
                 : "memory");
    return bitCast<T>(v);
  }
}
template <Scope scope = Scope::device, class T> MMC_DEVICE T loadRelaxed(const T *address) {
  return loadOrdered<Order::relaxed, scope>(address);
}
template <Scope scope = Scope::device, class T> MMC_DEVICE T loadAcquire(const T *address) {
  return loadOrdered<Order::acquire, scope>(address);
}

/// st.relaxed or st.release. A release orders what this thread did before it, and what it knows to have happened
/// before, for those who acquire it.
template <Order order, Scope scope, class T> MMC_DEVICE void storeOrdered(T *address, T value) {
  static_assert(order == Order::relaxed || order == Order::release, "a store is relaxed or releases");
  static_assert(scope != Scope::cluster || kArchitecture >= 900, "the cluster scope needs sm_90");
  if constexpr (sizeof(T) == 8) {
    asm volatile("st.%2.%3.u64 [%1], %0;" ::"l"(bitCast<u64>(value)), "l"(address), "C"(OrderText<order>::kText),
                 "C"(ScopeText<scope>::kText)
                 : "memory");
  } else {
    static_assert(sizeof(T) == 4, "ordered stores move 4 or 8 bytes");
    asm volatile("st.%2.%3.u32 [%1], %0;" ::"r"(bitCast<u32>(value)), "l"(address), "C"(OrderText<order>::kText),
                 "C"(ScopeText<scope>::kText)
                 : "memory");
  }
}
template <Scope scope = Scope::device, class T> MMC_DEVICE void storeRelaxed(T *address, T value) {
  storeOrdered<Order::relaxed, scope>(address, value);
}
template <Scope scope = Scope::device, class T> MMC_DEVICE void storeRelease(T *address, T value) {
  storeOrdered<Order::release, scope>(address, value);
}
