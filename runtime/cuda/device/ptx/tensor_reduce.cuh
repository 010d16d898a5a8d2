// Tensor copies that add to global memory, and fences for tensor maps that kernels write (PTX ISA:
// cp.reduce.async.bulk.tensor, fence.proxy.tensormap). sm_90; one thread issues.
//
// Additions of several threads and blocks to one element do not race, but their order is open, so sums of floats differ
// in the last place from run to run.
//
// Invariant: as for stores (ptx/bulk_copy.cuh); the elements are u32, s32, u64, f16, bf16 or f32.
#pragma once

#include "ptx/bulk_copy.cuh"
#include "ptx/text.cuh"

namespace bulkDetail {
template <u32 rank> MMC_DEVICE void reduceAdd(const TensorMap &map, u32 from, const s32 (&at)[rank]) {
  if constexpr (rank == 1)
    asm volatile("cp.reduce.async.bulk.tensor.1d.global.shared::cta.add.tile.bulk_group [%0, {%2}], [%1];" ::"l"(&map),
                 "r"(from), "r"(at[0])
                 : "memory");
  else if constexpr (rank == 2)
    asm volatile(
        "cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group [%0, {%2, %3}], [%1];" ::"l"(&map),
        "r"(from), "r"(at[0]), "r"(at[1])
        : "memory");
  else if constexpr (rank == 3)
    asm volatile(
        "cp.reduce.async.bulk.tensor.3d.global.shared::cta.add.tile.bulk_group [%0, {%2, %3, %4}], [%1];" ::"l"(&map),
        "r"(from), "r"(at[0]), "r"(at[1]), "r"(at[2])
        : "memory");
  else if constexpr (rank == 4)
    asm volatile(
        "cp.reduce.async.bulk.tensor.4d.global.shared::cta.add.tile.bulk_group [%0, {%2, %3, %4, %5}], [%1];" ::"l"(
            &map),
        "r"(from), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
        : "memory");
  else
    asm volatile(
        "cp.reduce.async.bulk.tensor.5d.global.shared::cta.add.tile.bulk_group [%0, {%2, %3, %4, %5, %6}], [%1];" ::"l"(
            &map),
        "r"(from), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
        : "memory");
}
} // namespace bulkDetail

/// Adds a box to the tensor; what lies outside of it is dropped. Then bulkCommit().
template <class... Coordinates>
MMC_DEVICE void tensorReduceAdd(const TensorMap &map, const void *shared, Coordinates... at) {
  bulkDetail::require<sizeof...(at) ? kArchitecture : 0>();
  bulkDetail::checkRank<sizeof...(at)>();
  bulkDetail::reduceAdd<sizeof...(at)>(map, sharedAddress(shared), {s32(at)...});
}

/// fence.proxy.tensormap::generic: what this thread knows of maps in global memory, others see who acquire.
template <Scope scope = Scope::device, u32 architecture = kArchitecture> MMC_DEVICE void fenceTensorMapRelease() {
  bulkDetail::require<architecture>();
  asm volatile("fence.proxy.tensormap::generic.release.%0;" ::"C"(ScopeText<scope>::kText) : "memory");
}
/// ... and copies of this thread see the map as others have released it.
template <Scope scope = Scope::device, u32 architecture = kArchitecture>
MMC_DEVICE void fenceTensorMapAcquire(const TensorMap &map) {
  bulkDetail::require<architecture>();
  asm volatile("fence.proxy.tensormap::generic.acquire.%1 [%0], 128;" ::"l"(&map), "C"(ScopeText<scope>::kText)
               : "memory");
}
