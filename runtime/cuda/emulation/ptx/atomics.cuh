// Host twin of device/ptx/atomics.cuh.
#pragma once

#include "ptx/launch.cuh"

namespace atomicDetail {
template <class T> struct Type;
template <> struct Type<u32> {
  static constexpr u32 kCode = mmcEmuAtomicU32;
};
template <> struct Type<s32> {
  static constexpr u32 kCode = mmcEmuAtomicS32;
};
template <> struct Type<u64> {
  static constexpr u32 kCode = mmcEmuAtomicU64;
};
template <> struct Type<float> {
  static constexpr u32 kCode = mmcEmuAtomicFloat;
};

template <class T> MMC_DEVICE u64 toBits(T value) {
  if constexpr (sizeof(T) == 8)
    return bitCast<u64>(value);
  else
    return bitCast<u32>(value);
}
template <class T> MMC_DEVICE T fetch(u32 operation, T *address, T value, T compare, Order order, Scope scope) {
  const u64 old =
      mmcEmuAtomic(operation, Type<T>::kCode, address, toBits(value), toBits(compare), u32(order), u32(scope));
  if constexpr (sizeof(T) == 8)
    return bitCast<T>(old);
  else
    return bitCast<T>(u32(old));
}
template <class T> MMC_DEVICE void reduce(u32 operation, T *address, T value, Order order, Scope scope) {
  mmcEmuReduction(operation, Type<T>::kCode, address, toBits(value), u32(order), u32(scope));
}
/// Whether a type is among those of an operation.
template <class T, class... Allowed> constexpr bool kOneOf = (__is_same(T, Allowed) || ...);
} // namespace atomicDetail

template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchAdd(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, s32, u64, float>, "the operation exists for u32, s32, u64, float");
  return atomicDetail::fetch(mmcEmuAtomicAdd, address, value, T(0), order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchMin(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, s32, u64>, "the operation exists for u32, s32, u64");
  return atomicDetail::fetch(mmcEmuAtomicMin, address, value, T(0), order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchMax(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, s32, u64>, "the operation exists for u32, s32, u64");
  return atomicDetail::fetch(mmcEmuAtomicMax, address, value, T(0), order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchAnd(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, u64>, "the operation exists for u32, u64");
  return atomicDetail::fetch(mmcEmuAtomicAnd, address, value, T(0), order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchOr(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, u64>, "the operation exists for u32, u64");
  return atomicDetail::fetch(mmcEmuAtomicOr, address, value, T(0), order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T exchange(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, s32, u64, float>, "the operation exists for u32, s32, u64, float");
  return atomicDetail::fetch(mmcEmuAtomicExchange, address, value, T(0), order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device>
MMC_DEVICE u32 fetchIncrement(u32 *address, u32 limit) {
  return atomicDetail::fetch(mmcEmuAtomicIncrement, address, limit, 0u, order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T compareExchange(T *address, T expected, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, s32, u64>, "the operation exists for u32, s32, u64");
  return atomicDetail::fetch(mmcEmuAtomicCompareExchange, address, value, expected, order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE void reduceAdd(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, s32, u64, float>, "the operation exists for u32, s32, u64, float");
  static_assert(order == Order::relaxed || order == Order::release, "a reduction is relaxed or releases");
  atomicDetail::reduce(mmcEmuAtomicAdd, address, value, order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE void reduceMax(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, s32, u64>, "the operation exists for u32, s32, u64");
  static_assert(order == Order::relaxed || order == Order::release, "a reduction is relaxed or releases");
  atomicDetail::reduce(mmcEmuAtomicMax, address, value, order, scope);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE void reduceOr(T *address, T value) {
  static_assert(atomicDetail::kOneOf<T, u32, u64>, "the operation exists for u32, u64");
  static_assert(order == Order::relaxed || order == Order::release, "a reduction is relaxed or releases");
  atomicDetail::reduce(mmcEmuAtomicOr, address, value, order, scope);
}
