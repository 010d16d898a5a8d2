// Bulk copies: whole ranges, and boxes of tensors, moved by the copy engine while threads go on (PTX ISA:
// cp.async.bulk, cp.async.bulk.tensor, cp.async.bulk.prefetch, cp.async.bulk.commit_group and wait_group,
// prefetch.tensormap). sm_90; one thread issues.
//
// A load ends on an mbarrier that expects its bytes; whoever waits for that phase sees them. A store belongs to a bulk
// group of its thread. All of them go through the asynchronous proxy: what plain code wrote to the source, or to a
// store's shared memory, needs fenceProxyAsync before; what plain code read or wrote at a load's destination needs to
// be ordered before too (writes: with the fence).
//
// On sm_120a ptxas gives kernels with tensor loads a stack frame; only sm_90a is meant to use them.
//
// Invariant: addresses and sizes of ranges are multiples of 16 bytes; boxes lie in shared memory at a multiple of 128
// bytes, and where swizzled of 8 rows of the swizzle (1024, 512, 256); a box outside of the tensor reads zeros there,
// and its whole size is what the mbarrier counts.
#pragma once

#include "ptx/mbarrier.cuh"
#include "ptx/memory.cuh"

/// What cuTensorMapEncodeTiled makes: a kernel's parameter (MMC_GRID_CONSTANT).
struct alignas(128) TensorMap {
  u64 opaque[16];
};

namespace bulkDetail {
template <u32 architecture> MMC_DEVICE void require() { static_assert(architecture >= 900, "bulk copies need sm_90"); }
template <u32 rank> MMC_DEVICE void checkRank() {
  static_assert(rank >= 1 && rank <= 5, "a tensor map has 1 to 5 axes");
}

template <u32 rank> MMC_DEVICE void load(u32 to, const TensorMap &map, u32 signal, const s32 (&at)[rank]) {
  if constexpr (rank == 1)
    asm volatile("cp.async.bulk.tensor.1d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%3}], [%2];" ::"r"(to),
                 "l"(&map), "r"(signal), "r"(at[0])
                 : "memory");
  else if constexpr (rank == 2)
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%3, %4}], [%2];" ::"r"(to),
                 "l"(&map), "r"(signal), "r"(at[0]), "r"(at[1])
                 : "memory");
  else if constexpr (rank == 3)
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to),
                 "l"(&map), "r"(signal), "r"(at[0]), "r"(at[1]), "r"(at[2])
                 : "memory");
  else if constexpr (rank == 4)
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(to),
                 "l"(&map), "r"(signal), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
                 : "memory");
  else
    asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%3, %4, %5, %6, %7}], [%2];" ::"r"(to),
                 "l"(&map), "r"(signal), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
                 : "memory");
}
template <u32 rank>
MMC_DEVICE void load(u32 to, const TensorMap &map, u32 signal, L2Policy policy, const s32 (&at)[rank]) {
  if constexpr (rank == 1)
    asm volatile("cp.async.bulk.tensor.1d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1, {%4}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "l"(policy.bits), "r"(at[0])
                 : "memory");
  else if constexpr (rank == 2)
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1, {%4, %5}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "l"(policy.bits), "r"(at[0]), "r"(at[1])
                 : "memory");
  else if constexpr (rank == 3)
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1, {%4, %5, %6}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "l"(policy.bits), "r"(at[0]), "r"(at[1]), "r"(at[2])
                 : "memory");
  else if constexpr (rank == 4)
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1, {%4, %5, %6, %7}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "l"(policy.bits), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
                 : "memory");
  else
    asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1, {%4, %5, %6, %7, %8}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "l"(policy.bits), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
                 : "memory");
}
template <u32 rank>
MMC_DEVICE void loadMulticast(u32 to, const TensorMap &map, u32 signal, u16 blocks, const s32 (&at)[rank]) {
  if constexpr (rank == 1)
    asm volatile("cp.async.bulk.tensor.1d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster "
                 "[%0], [%1, {%4}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "h"(blocks), "r"(at[0])
                 : "memory");
  else if constexpr (rank == 2)
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster "
                 "[%0], [%1, {%4, %5}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "h"(blocks), "r"(at[0]), "r"(at[1])
                 : "memory");
  else if constexpr (rank == 3)
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster "
                 "[%0], [%1, {%4, %5, %6}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "h"(blocks), "r"(at[0]), "r"(at[1]), "r"(at[2])
                 : "memory");
  else if constexpr (rank == 4)
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster "
                 "[%0], [%1, {%4, %5, %6, %7}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "h"(blocks), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
                 : "memory");
  else
    asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster "
                 "[%0], [%1, {%4, %5, %6, %7, %8}], [%2], %3;" ::"r"(to),
                 "l"(&map), "r"(signal), "h"(blocks), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
                 : "memory");
}
template <u32 rank> MMC_DEVICE void store(const TensorMap &map, u32 from, const s32 (&at)[rank]) {
  if constexpr (rank == 1)
    asm volatile("cp.async.bulk.tensor.1d.global.shared::cta.tile.bulk_group [%0, {%2}], [%1];" ::"l"(&map), "r"(from),
                 "r"(at[0])
                 : "memory");
  else if constexpr (rank == 2)
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%2, %3}], [%1];" ::"l"(&map),
                 "r"(from), "r"(at[0]), "r"(at[1])
                 : "memory");
  else if constexpr (rank == 3)
    asm volatile("cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4}], [%1];" ::"l"(&map),
                 "r"(from), "r"(at[0]), "r"(at[1]), "r"(at[2])
                 : "memory");
  else if constexpr (rank == 4)
    asm volatile("cp.async.bulk.tensor.4d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4, %5}], [%1];" ::"l"(&map),
                 "r"(from), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
                 : "memory");
  else
    asm volatile(
        "cp.async.bulk.tensor.5d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4, %5, %6}], [%1];" ::"l"(&map),
        "r"(from), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
        : "memory");
}
template <u32 rank> MMC_DEVICE void prefetch(const TensorMap &map, const s32 (&at)[rank]) {
  if constexpr (rank == 1)
    asm volatile("cp.async.bulk.prefetch.tensor.1d.L2.global.tile [%0, {%1}];" ::"l"(&map), "r"(at[0]) : "memory");
  else if constexpr (rank == 2)
    asm volatile("cp.async.bulk.prefetch.tensor.2d.L2.global.tile [%0, {%1, %2}];" ::"l"(&map), "r"(at[0]), "r"(at[1])
                 : "memory");
  else if constexpr (rank == 3)
    asm volatile("cp.async.bulk.prefetch.tensor.3d.L2.global.tile [%0, {%1, %2, %3}];" ::"l"(&map), "r"(at[0]),
                 "r"(at[1]), "r"(at[2])
                 : "memory");
  else if constexpr (rank == 4)
    asm volatile("cp.async.bulk.prefetch.tensor.4d.L2.global.tile [%0, {%1, %2, %3, %4}];" ::"l"(&map), "r"(at[0]),
                 "r"(at[1]), "r"(at[2]), "r"(at[3])
                 : "memory");
  else
    asm volatile("cp.async.bulk.prefetch.tensor.5d.L2.global.tile [%0, {%1, %2, %3, %4, %5}];" ::"l"(&map), "r"(at[0]),
                 "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4])
                 : "memory");
}
} // namespace bulkDetail

/// Loads the box at the coordinates (elements, fastest axis first). `shared` and `barrier` are this block's.
template <class... Coordinates>
MMC_DEVICE void tensorLoad(void *shared, const TensorMap &map, Mbarrier &barrier, Coordinates... at) {
  bulkDetail::require<sizeof...(at) ? kArchitecture : 0>();
  bulkDetail::checkRank<sizeof...(at)>();
  bulkDetail::load<sizeof...(at)>(sharedAddress(shared), map, sharedAddress(&barrier), {s32(at)...});
}
/// The same with an L2 policy: weights that are read once go first.
template <class... Coordinates>
MMC_DEVICE void tensorLoadPolicy(void *shared, const TensorMap &map, Mbarrier &barrier, L2Policy policy,
                                 Coordinates... at) {
  bulkDetail::require<sizeof...(at) ? kArchitecture : 0>();
  bulkDetail::checkRank<sizeof...(at)>();
  bulkDetail::load<sizeof...(at)>(sharedAddress(shared), map, sharedAddress(&barrier), policy, {s32(at)...});
}
/// Loads the box to this place in every block of the cluster whose bit is set; each block's barrier at this place
/// counts the bytes that it gets.
template <class... Coordinates>
MMC_DEVICE void tensorLoadMulticast(void *shared, const TensorMap &map, Mbarrier &barrier, u16 blocks,
                                    Coordinates... at) {
  bulkDetail::require<sizeof...(at) ? kArchitecture : 0>();
  bulkDetail::checkRank<sizeof...(at)>();
  bulkDetail::loadMulticast<sizeof...(at)>(sharedAddress(shared), map, sharedAddress(&barrier), blocks, {s32(at)...});
}
/// Stores a box; what lies outside of the tensor is dropped. Then bulkCommit().
template <class... Coordinates>
MMC_DEVICE void tensorStore(const TensorMap &map, const void *shared, Coordinates... at) {
  bulkDetail::require<sizeof...(at) ? kArchitecture : 0>();
  bulkDetail::checkRank<sizeof...(at)>();
  bulkDetail::store<sizeof...(at)>(map, sharedAddress(shared), {s32(at)...});
}
/// Brings the box to L2.
template <class... Coordinates> MMC_DEVICE void tensorPrefetch(const TensorMap &map, Coordinates... at) {
  bulkDetail::require<sizeof...(at) ? kArchitecture : 0>();
  bulkDetail::checkRank<sizeof...(at)>();
  bulkDetail::prefetch<sizeof...(at)>(map, {s32(at)...});
}
/// Brings the map itself to the copy engine's cache.
template <u32 architecture = kArchitecture> MMC_DEVICE void prefetchTensorMap(const TensorMap &map) {
  bulkDetail::require<architecture>();
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

/// Loads a range.
template <u32 architecture = kArchitecture>
MMC_DEVICE void bulkLoad(void *shared, const void *global, u32 bytes, Mbarrier &barrier) {
  bulkDetail::require<architecture>();
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   sharedAddress(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(sharedAddress(&barrier))
               : "memory");
}
template <u32 architecture = kArchitecture>
MMC_DEVICE void bulkLoadPolicy(void *shared, const void *global, u32 bytes, Mbarrier &barrier, L2Policy policy) {
  bulkDetail::require<architecture>();
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;" ::
          "r"(sharedAddress(shared)),
      "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(sharedAddress(&barrier)), "l"(policy.bits)
      : "memory");
}
template <u32 architecture = kArchitecture>
MMC_DEVICE void bulkLoadMulticast(void *shared, const void *global, u32 bytes, Mbarrier &barrier, u16 blocks) {
  bulkDetail::require<architecture>();
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1], %2, "
               "[%3], %4;" ::"r"(sharedAddress(shared)),
               "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(sharedAddress(&barrier)), "h"(blocks)
               : "memory");
}
/// Stores a range. Then bulkCommit().
template <u32 architecture = kArchitecture> MMC_DEVICE void bulkStore(void *global, const void *shared, u32 bytes) {
  bulkDetail::require<architecture>();
  asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(__cvta_generic_to_global(global)),
               "r"(sharedAddress(shared)), "r"(bytes)
               : "memory");
}
/// Copies from this block to another's shared memory; the barrier is one of that block.
template <u32 architecture = kArchitecture>
MMC_DEVICE void bulkCopyToCluster(ClusterAddress to, const void *shared, u32 bytes, ClusterAddress barrier) {
  bulkDetail::require<architecture>();
  asm volatile(
      "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to.bits),
      "r"(sharedAddress(shared)), "r"(bytes), "r"(barrier.bits)
      : "memory");
}
/// Brings a range to L2.
template <u32 architecture = kArchitecture> MMC_DEVICE void bulkPrefetch(const void *global, u32 bytes) {
  bulkDetail::require<architecture>();
  asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(__cvta_generic_to_global(global)), "r"(bytes)
               : "memory");
}

/// Ends a bulk group: all stores of this thread since the last one.
template <u32 architecture = kArchitecture> MMC_DEVICE void bulkCommit() {
  bulkDetail::require<architecture>();
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
/// Until at most `pending` of the last groups are incomplete; the first form: completely, the second: as far as reading
/// their sources goes, so that these may be overwritten.
template <u32 pending, u32 architecture = kArchitecture> MMC_DEVICE void bulkWait() {
  bulkDetail::require<architecture>();
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(pending) : "memory");
}
template <u32 pending, u32 architecture = kArchitecture> MMC_DEVICE void bulkWaitRead() {
  bulkDetail::require<architecture>();
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(pending) : "memory");
}
