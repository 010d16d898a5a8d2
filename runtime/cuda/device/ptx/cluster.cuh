// Shared memory of the other blocks of a cluster (PTX ISA: mapa, ld.shared::cluster, st.shared::cluster). sm_90.
//
// Invariant: the other block has begun (a cluster barrier after the start) and has not ended (one before the end).
#pragma once

#include "ptx/launch.cuh"

/// An address in the cluster's shared memory.
struct ClusterAddress {
  u32 bits;
};
MMC_DEVICE ClusterAddress operator+(ClusterAddress address, u32 bytes) { return {address.bits + bytes}; }

/// mapa: where the block `rank` has what lies at `shared` here.
template <u32 architecture = kArchitecture> MMC_DEVICE ClusterAddress mapToRank(const void *shared, u32 rank) {
  static_assert(architecture >= 900, "mapa needs sm_90");
  ClusterAddress address;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address.bits) : "r"(sharedAddress(shared)), "r"(rank));
  return address;
}

/// Loads and stores of 4, 8 or 16 bytes, by the generic proxy; ordered by cluster barriers and mbarriers.
template <class T> MMC_DEVICE T remoteLoad(ClusterAddress address) {
  static_assert(kArchitecture >= 900 || sizeof(T) == 0, "ld.shared::cluster needs sm_90");
  if constexpr (sizeof(T) == 16) {
    Vector16 v;
    asm volatile("ld.shared::cluster.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.words[0]), "=r"(v.words[1]), "=r"(v.words[2]), "=r"(v.words[3])
                 : "r"(address.bits)
                 : "memory");
    return bitCast<T>(v);
  } else if constexpr (sizeof(T) == 8) {
    u64 v;
    asm volatile("ld.shared::cluster.u64 %0, [%1];" : "=l"(v) : "r"(address.bits) : "memory");
    return bitCast<T>(v);
  } else {
    static_assert(sizeof(T) == 4, "remote accesses move 4, 8 or 16 bytes");
    u32 v;
    asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(v) : "r"(address.bits) : "memory");
    return bitCast<T>(v);
  }
}
template <class T> MMC_DEVICE void remoteStore(ClusterAddress address, T value) {
  static_assert(kArchitecture >= 900 || sizeof(T) == 0, "st.shared::cluster needs sm_90");
  if constexpr (sizeof(T) == 16) {
    const Vector16 v = bitCast<Vector16>(value);
    asm volatile("st.shared::cluster.v4.u32 [%4], {%0, %1, %2, %3};" ::"r"(v.words[0]), "r"(v.words[1]),
                 "r"(v.words[2]), "r"(v.words[3]), "r"(address.bits)
                 : "memory");
  } else if constexpr (sizeof(T) == 8) {
    asm volatile("st.shared::cluster.u64 [%1], %0;" ::"l"(bitCast<u64>(value)), "r"(address.bits) : "memory");
  } else {
    static_assert(sizeof(T) == 4, "remote accesses move 4, 8 or 16 bytes");
    asm volatile("st.shared::cluster.u32 [%1], %0;" ::"r"(bitCast<u32>(value)), "r"(address.bits) : "memory");
  }
}
