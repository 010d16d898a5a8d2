// Host twin of device/ptx/memory.cuh: plain accesses are hooked by the compiler; what orders, or promises, is a call.
// Cache hints change nothing.
//
// Invariant: a plain access of 16 bytes is one access of that size and alignment to the hooks (a vector type), never a
// memcpy.
#pragma once

#include "ptx/launch.cuh"

enum class Cache : u32 { normal, noAllocate, evictFirst, evictLast, streaming };

namespace mmcEmuDetail {
template <u32 bytes> struct Plain;
template <> struct Plain<1> {
  typedef u8 Type __attribute__((may_alias));
};
template <> struct Plain<2> {
  typedef u16 Type __attribute__((may_alias));
};
template <> struct Plain<4> {
  typedef u32 Type __attribute__((may_alias));
};
template <> struct Plain<8> {
  typedef u64 Type __attribute__((may_alias));
};
template <> struct Plain<16> {
  typedef u32 Type __attribute__((vector_size(16), may_alias));
};
template <class T> using PlainOf = typename Plain<sizeof(T)>::Type;

/// Keeps the compiler from loading or storing only the parts that are used, or each part by itself: what a kernel moves
/// is counted.
template <class V> MMC_DEVICE V whole(V value) {
  if constexpr (sizeof(V) == 16)
    __asm__("" : "+x"(value));
  else
    __asm__("" : "+r"(value));
  return value;
}
template <class T> MMC_DEVICE T load(const void *from) {
  return bitCast<T>(whole(*static_cast<const PlainOf<T> *>(from)));
}
template <class T> MMC_DEVICE void store(void *to, const T &value) {
  *static_cast<PlainOf<T> *>(to) = whole(bitCast<PlainOf<T>>(value));
}
} // namespace mmcEmuDetail

template <Cache cache = Cache::normal, class T> MMC_DEVICE T loadGlobal(const T *global) {
  return mmcEmuDetail::load<T>(global);
}

template <Cache cache = Cache::normal, class T> MMC_DEVICE T loadReadOnly(const T *global) {
  static_assert(cache != Cache::streaming, "ld.global.nc takes no .cs");
  static_assert(sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16,
                "loads move 2, 4, 8 or 16 bytes");
  T value;
  mmcEmuLoadReadOnly(&value, global, sizeof(T));
  return value;
}

template <Cache cache = Cache::normal, class T> MMC_DEVICE void storeGlobal(T *global, T value) {
  mmcEmuDetail::store(global, value);
}

template <class T> MMC_DEVICE T loadPlain(const T *from) {
  static_assert(alignof(T) == sizeof(T), "one instruction moves what is aligned to its size");
  return mmcEmuDetail::load<T>(from);
}
template <class T> MMC_DEVICE void storePlain(T *to, const T &value) {
  static_assert(alignof(T) == sizeof(T), "one instruction moves what is aligned to its size");
  mmcEmuDetail::store(to, value);
}

template <class T> MMC_DEVICE T loadShared(const void *shared) { return mmcEmuDetail::load<T>(shared); }
template <class T> MMC_DEVICE void storeShared(void *shared, T value) { mmcEmuDetail::store(shared, value); }

MMC_DEVICE void prefetchL2(const void *) {}

struct L2Policy {
  u64 bits;
};
MMC_DEVICE L2Policy policyEvictFirst() { return {0}; }
MMC_DEVICE L2Policy policyEvictLast() { return {0}; }

template <Order order, Scope scope, class T> MMC_DEVICE T loadOrdered(const T *address) {
  static_assert(order == Order::relaxed || order == Order::acquire, "a load is relaxed or acquires");
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "ordered loads move 4 or 8 bytes");
  const u64 bits = mmcEmuLoadOrdered(address, sizeof(T), u32(order), u32(scope));
  if constexpr (sizeof(T) == 8)
    return bitCast<T>(bits);
  else
    return bitCast<T>(u32(bits));
}
template <Scope scope = Scope::device, class T> MMC_DEVICE T loadRelaxed(const T *address) {
  return loadOrdered<Order::relaxed, scope>(address);
}
template <Scope scope = Scope::device, class T> MMC_DEVICE T loadAcquire(const T *address) {
  return loadOrdered<Order::acquire, scope>(address);
}

template <Order order, Scope scope, class T> MMC_DEVICE void storeOrdered(T *address, T value) {
  static_assert(order == Order::relaxed || order == Order::release, "a store is relaxed or releases");
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "ordered stores move 4 or 8 bytes");
  u64 bits;
  if constexpr (sizeof(T) == 8)
    bits = bitCast<u64>(value);
  else
    bits = bitCast<u32>(value);
  mmcEmuStoreOrdered(address, bits, sizeof(T), u32(order), u32(scope));
}
template <Scope scope = Scope::device, class T> MMC_DEVICE void storeRelaxed(T *address, T value) {
  storeOrdered<Order::relaxed, scope>(address, value);
}
template <Scope scope = Scope::device, class T> MMC_DEVICE void storeRelease(T *address, T value) {
  storeOrdered<Order::release, scope>(address, value);
}
