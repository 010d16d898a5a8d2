// A kernel's frame: its declaration, its shared memory, its place in the grid. The twin in emulation/ptx gives the same
// names to the host compiler.
//
//     struct Shared { bf16 a[64 * 64]; Mbarrier full; };
//     MMC_KERNEL(128, 1) void product(MMC_GRID_CONSTANT TensorMap a, float *out) {
//       MMC_SHARED(Shared, shared);
//       ...
//     }
//     MMC_EXPORT(product, 128, 1, Shared)
//
// Invariant: all shared memory of a kernel is one struct, in dynamic shared memory, at a multiple of 1024 bytes (what
// 128-byte swizzles need).
#pragma once

#include "base/types.cuh"

#define MMC_DEVICE __device__ __forceinline__
/// Before a parameter that the hardware reads in place, such as a tensor map.
#define MMC_GRID_CONSTANT const __grid_constant__
#define MMC_UNROLL _Pragma("unroll")
/// Before loops over a ring: unrolling by the number of stages only makes copies of the body.
#define MMC_NO_UNROLL _Pragma("unroll 1")

/// Opens a kernel, before `void name(parameters)`. Both numbers: without the second ptxas ignores setmaxnreg.
#define MMC_KERNEL(threads, minBlocks) extern "C" __global__ __launch_bounds__(threads, minBlocks)
/// Between MMC_KERNEL and `void`: clusters of so many blocks along x. Such a kernel is exported by MMC_EXPORT_CLUSTER.
#define MMC_CLUSTER(blocks) __cluster_dims__(blocks, 1, 1)
/// After the kernel, with the numbers of MMC_KERNEL and the type of its shared memory (none: left out). Only the host
/// reads it.
#define MMC_EXPORT(kernel, threads, minBlocks, ...)
#define MMC_EXPORT_CLUSTER(kernel, threads, minBlocks, blocks, ...)

/// Before a table of numbers at file scope: constant memory.
#define MMC_CONSTANT __constant__ const

/// `name`: the kernel's shared memory.
#define MMC_SHARED(Type, name)                                                                                         \
  static_assert(alignof(Type) <= 1024, "shared memory begins at a multiple of 1024 bytes");                            \
  extern __shared__ __align__(1024) u8 mmcSharedBytes[];                                                               \
  Type &name = *reinterpret_cast<Type *>(mmcSharedBytes)

/// Of the code that is being compiled: 800, 900, 1200; and whether it may use what exists for this architecture alone
/// (sm_90a, sm_120a).
#if defined(__CUDA_ARCH__)
constexpr u32 kArchitecture = __CUDA_ARCH__;
#else
constexpr u32 kArchitecture = 0; // the host's pass of a compiler that makes two
#endif
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
constexpr bool kHasWgmma = true;
#else
constexpr bool kHasWgmma = false;
#endif
#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(__CUDA_ARCH_FEAT_SM100_ALL) || defined(__CUDA_ARCH_FEAT_SM120_ALL)
constexpr bool kArchitectureSpecific = true;
#else
constexpr bool kArchitectureSpecific = false;
#endif

/// The same bits as another type of the same size.
template <class To, class From> MMC_DEVICE To bitCast(const From &from) {
  static_assert(sizeof(To) == sizeof(From), "a bit cast keeps the size");
  return __builtin_bit_cast(To, from);
}

/// Blocks have one axis.
MMC_DEVICE u32 threadIndex() { return threadIdx.x; }
MMC_DEVICE u32 threadCount() { return blockDim.x; }
MMC_DEVICE u32 laneIndex() { return threadIdx.x % 32; }
/// The same number in all lanes, and the compiler knows it: descriptors and branches that depend on it stay uniform. By
/// all lanes of a warp together.
MMC_DEVICE u32 warpIndex() { return __shfl_sync(~0u, threadIdx.x / 32, 0); }
/// A warpgroup is 128 threads: what wgmma and setmaxnreg work by, and so a kernel's roles. As warpIndex().
MMC_DEVICE u32 warpgroupIndex() { return __shfl_sync(~0u, threadIdx.x / 128, 0); }
MMC_DEVICE u32 blockIndex() { return blockIdx.x; }
MMC_DEVICE u32 blockIndexY() { return blockIdx.y; }
MMC_DEVICE u32 blockIndexZ() { return blockIdx.z; }
MMC_DEVICE u32 blockCount() { return gridDim.x; }
MMC_DEVICE u32 blockCountY() { return gridDim.y; }
MMC_DEVICE u32 blockCountZ() { return gridDim.z; }

/// The block's number in its cluster, and the cluster's blocks: %cluster_ctarank, %cluster_nctarank (PTX ISA, special
/// registers; sm_90).
template <u32 architecture = kArchitecture> MMC_DEVICE u32 clusterRank() {
  static_assert(architecture >= 900, "clusters need sm_90");
  u32 rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
template <u32 architecture = kArchitecture> MMC_DEVICE u32 clusterSize() {
  static_assert(architecture >= 900, "clusters need sm_90");
  u32 size;
  asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
  return size;
}

/// The address of a shared object within shared memory, as instructions and descriptors want it.
MMC_DEVICE u32 sharedAddress(const void *shared) { return static_cast<u32>(__cvta_generic_to_shared(shared)); }
