// Atomic operations on global or shared memory (PTX ISA: atom, red).
//
// Relaxed at the scope of the device unless told otherwise. An order other than relaxed makes the operation acquire
// what the value's writers released, or release what happened before, or both, among the threads of the scope.
//
// Invariant: addresses are aligned to the operand. Float addition rounds in the order of arrival: results that must not
// depend on it are never added so.
#pragma once

#include "ptx/text.cuh"

namespace atomicDetail {
// Operations with their types, as instructions name them; what is missing here does not exist.
template <class T> struct Add;
template <> struct Add<u32> {
  static constexpr char kText[] = "add.u32";
};
template <> struct Add<s32> {
  static constexpr char kText[] = "add.s32";
};
template <> struct Add<u64> {
  static constexpr char kText[] = "add.u64";
};
template <> struct Add<float> {
  static constexpr char kText[] = "add.f32";
};
template <class T> struct Min;
template <> struct Min<u32> {
  static constexpr char kText[] = "min.u32";
};
template <> struct Min<s32> {
  static constexpr char kText[] = "min.s32";
};
template <> struct Min<u64> {
  static constexpr char kText[] = "min.u64";
};
template <class T> struct Max;
template <> struct Max<u32> {
  static constexpr char kText[] = "max.u32";
};
template <> struct Max<s32> {
  static constexpr char kText[] = "max.s32";
};
template <> struct Max<u64> {
  static constexpr char kText[] = "max.u64";
};
template <class T> struct And;
template <> struct And<u32> {
  static constexpr char kText[] = "and.b32";
};
template <> struct And<u64> {
  static constexpr char kText[] = "and.b64";
};
template <class T> struct Or;
template <> struct Or<u32> {
  static constexpr char kText[] = "or.b32";
};
template <> struct Or<u64> {
  static constexpr char kText[] = "or.b64";
};
template <class T> struct Exchange;
template <> struct Exchange<u32> {
  static constexpr char kText[] = "exch.b32";
};
template <> struct Exchange<s32> {
  static constexpr char kText[] = "exch.b32";
};
template <> struct Exchange<u64> {
  static constexpr char kText[] = "exch.b64";
};
template <> struct Exchange<float> {
  static constexpr char kText[] = "exch.b32";
};
template <class T> struct CompareExchange;
template <> struct CompareExchange<u32> {
  static constexpr char kText[] = "cas.b32";
};
template <> struct CompareExchange<s32> {
  static constexpr char kText[] = "cas.b32";
};
template <> struct CompareExchange<u64> {
  static constexpr char kText[] = "cas.b64";
};
template <class T> struct Increment;
template <> struct Increment<u32> {
  static constexpr char kText[] = "inc.u32";
};

template <template <class> class Operation, Order order, Scope scope, class T> MMC_DEVICE T fetch(T *address, T value) {
  static_assert(scope != Scope::cluster || kArchitecture >= 900, "the cluster scope needs sm_90");
  if constexpr (sizeof(T) == 8) {
    u64 old;
    asm volatile("atom.%3.%4.%5 %0, [%1], %2;"
                 : "=l"(old)
                 : "l"(address), "l"(bitCast<u64>(value)), "C"(OrderText<order>::kText), "C"(ScopeText<scope>::kText),
                   "C"(Operation<T>::kText)
                 : "memory");
    return bitCast<T>(old);
  } else {
    // .b32 registers take every 32-bit type.
    u32 old;
    asm volatile("{\n.reg .b32 value, old;\nmov.b32 value, %2;\natom.%3.%4.%5 old, [%1], value;\nmov.b32 %0, old;\n}"
                 : "=r"(old)
                 : "l"(address), "r"(bitCast<u32>(value)), "C"(OrderText<order>::kText), "C"(ScopeText<scope>::kText),
                   "C"(Operation<T>::kText)
                 : "memory");
    return bitCast<T>(old);
  }
}

template <template <class> class Operation, Order order, Scope scope, class T>
MMC_DEVICE void reduce(T *address, T value) {
  static_assert(scope != Scope::cluster || kArchitecture >= 900, "the cluster scope needs sm_90");
  static_assert(order == Order::relaxed || order == Order::release, "a reduction is relaxed or releases");
  if constexpr (sizeof(T) == 8)
    asm volatile("red.%2.%3.%4 [%0], %1;" ::"l"(address), "l"(bitCast<u64>(value)), "C"(OrderText<order>::kText),
                 "C"(ScopeText<scope>::kText), "C"(Operation<T>::kText)
                 : "memory");
  else
    asm volatile("{\n.reg .b32 value;\nmov.b32 value, %1;\nred.%2.%3.%4 [%0], value;\n}" ::"l"(address),
                 "r"(bitCast<u32>(value)), "C"(OrderText<order>::kText), "C"(ScopeText<scope>::kText),
                 "C"(Operation<T>::kText)
                 : "memory");
}
} // namespace atomicDetail

/// Each returns the old value. Add: u32, s32, u64, float; min, max: u32, s32, u64; and, or: u32, u64; exchange: u32,
/// s32, u64, float.
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchAdd(T *address, T value) {
  return atomicDetail::fetch<atomicDetail::Add, order, scope>(address, value);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchMin(T *address, T value) {
  return atomicDetail::fetch<atomicDetail::Min, order, scope>(address, value);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchMax(T *address, T value) {
  return atomicDetail::fetch<atomicDetail::Max, order, scope>(address, value);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchAnd(T *address, T value) {
  return atomicDetail::fetch<atomicDetail::And, order, scope>(address, value);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T fetchOr(T *address, T value) {
  return atomicDetail::fetch<atomicDetail::Or, order, scope>(address, value);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T exchange(T *address, T value) {
  return atomicDetail::fetch<atomicDetail::Exchange, order, scope>(address, value);
}
/// old >= limit ? 0 : old + 1.
template <Order order = Order::relaxed, Scope scope = Scope::device>
MMC_DEVICE u32 fetchIncrement(u32 *address, u32 limit) {
  return atomicDetail::fetch<atomicDetail::Increment, order, scope>(address, limit);
}
/// Writes `value` where `expected` was found; returns what was found. u32, s32, u64.
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE T compareExchange(T *address, T expected, T value) {
  static_assert(scope != Scope::cluster || kArchitecture >= 900, "the cluster scope needs sm_90");
  if constexpr (sizeof(T) == 8) {
    u64 old;
    asm volatile("atom.%4.%5.%6 %0, [%1], %2, %3;"
                 : "=l"(old)
                 : "l"(address), "l"(bitCast<u64>(expected)), "l"(bitCast<u64>(value)), "C"(OrderText<order>::kText),
                   "C"(ScopeText<scope>::kText), "C"(atomicDetail::CompareExchange<T>::kText)
                 : "memory");
    return bitCast<T>(old);
  } else {
    u32 old;
    asm volatile("atom.%4.%5.%6 %0, [%1], %2, %3;"
                 : "=r"(old)
                 : "l"(address), "r"(bitCast<u32>(expected)), "r"(bitCast<u32>(value)), "C"(OrderText<order>::kText),
                   "C"(ScopeText<scope>::kText), "C"(atomicDetail::CompareExchange<T>::kText)
                 : "memory");
    return bitCast<T>(old);
  }
}

/// Without a result (red): cheaper. Add: u32, s32, u64, float; max: u32, s32, u64; or: u32, u64.
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE void reduceAdd(T *address, T value) {
  atomicDetail::reduce<atomicDetail::Add, order, scope>(address, value);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE void reduceMax(T *address, T value) {
  atomicDetail::reduce<atomicDetail::Max, order, scope>(address, value);
}
template <Order order = Order::relaxed, Scope scope = Scope::device, class T>
MMC_DEVICE void reduceOr(T *address, T value) {
  atomicDetail::reduce<atomicDetail::Or, order, scope>(address, value);
}
