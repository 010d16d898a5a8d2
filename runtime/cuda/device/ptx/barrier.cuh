// Barriers of blocks, teams and clusters (PTX ISA: barrier.sync, barrier.arrive, barrier.cluster).
//
// Invariant: a named barrier `id` (1 to 15; 0 is syncThreads) is used by a fixed number of threads, a multiple of 32,
// in whole warps. Each orders all memory of those who arrive before that of those who wait.
#pragma once

#include "ptx/launch.cuh"

/// All threads of the block.
MMC_DEVICE void syncThreads() { __syncthreads(); }

/// bar.sync: arrives and waits until `threads` threads have arrived.
MMC_DEVICE void barrierSync(u32 id, u32 threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
/// bar.arrive: arrives only. `threads` counts those who arrive and those who wait.
MMC_DEVICE void barrierArrive(u32 id, u32 threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

/// barrier.cluster.arrive.release and .relaxed: the relaxed one orders nothing (enough to keep a block alive).
template <u32 architecture = kArchitecture> MMC_DEVICE void clusterArrive() {
  static_assert(architecture >= 900, "cluster barriers need sm_90");
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
template <u32 architecture = kArchitecture> MMC_DEVICE void clusterArriveRelaxed() {
  static_assert(architecture >= 900, "cluster barriers need sm_90");
  asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory");
}
/// barrier.cluster.wait.acquire: until all threads of the cluster have arrived.
template <u32 architecture = kArchitecture> MMC_DEVICE void clusterWait() {
  static_assert(architecture >= 900, "cluster barriers need sm_90");
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
template <u32 architecture = kArchitecture> MMC_DEVICE void clusterSync() {
  clusterArrive<architecture>();
  clusterWait<architecture>();
}
