// Host twin of device/ptx/launch.cuh (described there): kernels are plain functions that a fiber runs.
//
// Invariant: MmcEmuKernel has the layout of core/Machine.h, which kernels cannot include.
#pragma once

#include "base/types.cuh"
#include "ptx/calls.h"

#define MMC_DEVICE inline __attribute__((always_inline))
#define MMC_GRID_CONSTANT const
#define MMC_UNROLL
#define MMC_NO_UNROLL
#define MMC_KERNEL(threads, minBlocks) static __attribute__((noinline))
#define MMC_CLUSTER(blocks)
#define MMC_CONSTANT static const

constexpr u32 kArchitecture = 900;
constexpr bool kHasWgmma = true, kArchitectureSpecific = true;

struct MmcEmuKernel {
  const char *name;
  void (*call)(void **parameters);
  const unsigned *parameterBytes;
  unsigned parameterCount;
  unsigned maxThreads, minBlocks;
  unsigned staticSharedBytes;
  unsigned cluster[3];
};

namespace mmcEmuDetail {
template <class T, T... I> struct Sequence {};
template <class... Types> struct List {};
template <class... T> constexpr unsigned sharedBytes() { return (0u + ... + unsigned(sizeof(T))); }
template <auto kernel, class... A, int... I> inline void apply(void **p, List<A...>, Sequence<int, I...>) {
  kernel(*static_cast<A *>(p[I])...);
}
template <class Function> struct Signature;
template <class... A> struct Signature<void (*)(A...)> {
  static constexpr unsigned kCount = sizeof...(A);
  static constexpr unsigned kBytes[sizeof...(A) + 1] = {unsigned(sizeof(A))..., 0u};
  template <auto kernel> static void call(void **p) {
    apply<kernel>(p, List<A...>{}, __make_integer_seq<Sequence, int, int(sizeof...(A))>{});
  }
};
} // namespace mmcEmuDetail

#define MMC_EXPORT_CLUSTER(kernel, threads, minBlocks, blocks, ...)                                                    \
  extern "C" __attribute__((visibility("default"), used))                                                              \
  const MmcEmuKernel mmcEmuKernel_##kernel = {#kernel,                                                                 \
                                              &mmcEmuDetail::Signature<decltype(&kernel)>::call<&kernel>,              \
                                              mmcEmuDetail::Signature<decltype(&kernel)>::kBytes,                      \
                                              mmcEmuDetail::Signature<decltype(&kernel)>::kCount,                      \
                                              (threads),                                                               \
                                              (minBlocks),                                                             \
                                              mmcEmuDetail::sharedBytes<__VA_ARGS__>(),                                \
                                              {(blocks), (blocks) ? 1u : 0u, (blocks) ? 1u : 0u}};
#define MMC_EXPORT(kernel, threads, minBlocks, ...) MMC_EXPORT_CLUSTER(kernel, threads, minBlocks, 0u, __VA_ARGS__)

#define MMC_SHARED(Type, name)                                                                                         \
  static_assert(alignof(Type) <= 1024, "shared memory begins at a multiple of 1024 bytes");                            \
  Type &name = *static_cast<Type *>(mmcEmuSharedMemory(sizeof(Type)))

template <class To, class From> MMC_DEVICE To bitCast(const From &from) {
  static_assert(sizeof(To) == sizeof(From), "a bit cast keeps the size");
  return __builtin_bit_cast(To, from);
}

MMC_DEVICE u32 threadIndex() { return mmcEmuThreadIndex(0); }
MMC_DEVICE u32 threadCount() { return mmcEmuThreadCount(0); }
MMC_DEVICE u32 laneIndex() { return mmcEmuThreadIndex(0) % 32; }
MMC_DEVICE u32 warpIndex() { return mmcEmuShuffle(mmcEmuShuffleIndex, mmcEmuThreadIndex(0) / 32, 0, 32, ~0u); }
MMC_DEVICE u32 warpgroupIndex() { return mmcEmuShuffle(mmcEmuShuffleIndex, mmcEmuThreadIndex(0) / 128, 0, 32, ~0u); }
MMC_DEVICE u32 blockIndex() { return mmcEmuBlockIndex(0); }
MMC_DEVICE u32 blockIndexY() { return mmcEmuBlockIndex(1); }
MMC_DEVICE u32 blockIndexZ() { return mmcEmuBlockIndex(2); }
MMC_DEVICE u32 blockCount() { return mmcEmuBlockCount(0); }
MMC_DEVICE u32 blockCountY() { return mmcEmuBlockCount(1); }
MMC_DEVICE u32 blockCountZ() { return mmcEmuBlockCount(2); }
MMC_DEVICE u32 clusterRank() { return mmcEmuClusterRank(); }
MMC_DEVICE u32 clusterSize() { return mmcEmuClusterSize(); }
MMC_DEVICE u32 sharedAddress(const void *shared) { return mmcEmuSharedAddress(shared); }
