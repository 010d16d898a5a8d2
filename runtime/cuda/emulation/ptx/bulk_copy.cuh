// Host twin of device/ptx/bulk_copy.cuh. L2 policies change nothing.
#pragma once

#include "ptx/mbarrier.cuh"
#include "ptx/memory.cuh"

struct alignas(128) TensorMap {
  u64 opaque[16];
};

namespace bulkDetail {
template <class... Coordinates>
MMC_DEVICE void load(void *shared, const TensorMap &map, Mbarrier &barrier, u32 blocks, Coordinates... at) {
  static_assert(sizeof...(at) >= 1 && sizeof...(at) <= 5, "a tensor map has 1 to 5 axes");
  const s32 coordinates[] = {s32(at)...};
  mmcEmuTensorLoad(shared, &map, &barrier, sizeof...(at), coordinates, blocks);
}
} // namespace bulkDetail

template <class... Coordinates>
MMC_DEVICE void tensorLoad(void *shared, const TensorMap &map, Mbarrier &barrier, Coordinates... at) {
  bulkDetail::load(shared, map, barrier, 0, at...);
}
template <class... Coordinates>
MMC_DEVICE void tensorLoadPolicy(void *shared, const TensorMap &map, Mbarrier &barrier, L2Policy, Coordinates... at) {
  bulkDetail::load(shared, map, barrier, 0, at...);
}
template <class... Coordinates>
MMC_DEVICE void tensorLoadMulticast(void *shared, const TensorMap &map, Mbarrier &barrier, u16 blocks,
                                    Coordinates... at) {
  bulkDetail::load(shared, map, barrier, blocks, at...);
}
template <class... Coordinates>
MMC_DEVICE void tensorStore(const TensorMap &map, const void *shared, Coordinates... at) {
  static_assert(sizeof...(at) >= 1 && sizeof...(at) <= 5, "a tensor map has 1 to 5 axes");
  const s32 coordinates[] = {s32(at)...};
  mmcEmuTensorStore(&map, shared, sizeof...(at), coordinates);
}
template <class... Coordinates> MMC_DEVICE void tensorPrefetch(const TensorMap &map, Coordinates... at) {
  static_assert(sizeof...(at) >= 1 && sizeof...(at) <= 5, "a tensor map has 1 to 5 axes");
  const s32 coordinates[] = {s32(at)...};
  mmcEmuTensorPrefetch(&map, sizeof...(at), coordinates);
}
MMC_DEVICE void prefetchTensorMap(const TensorMap &map) { mmcEmuPrefetchTensorMap(&map); }

MMC_DEVICE void bulkLoad(void *shared, const void *global, u32 bytes, Mbarrier &barrier) {
  mmcEmuBulkLoad(shared, global, bytes, &barrier, 0);
}
MMC_DEVICE void bulkLoadPolicy(void *shared, const void *global, u32 bytes, Mbarrier &barrier, L2Policy) {
  mmcEmuBulkLoad(shared, global, bytes, &barrier, 0);
}
MMC_DEVICE void bulkLoadMulticast(void *shared, const void *global, u32 bytes, Mbarrier &barrier, u16 blocks) {
  mmcEmuBulkLoad(shared, global, bytes, &barrier, blocks);
}
MMC_DEVICE void bulkStore(void *global, const void *shared, u32 bytes) { mmcEmuBulkStore(global, shared, bytes); }
MMC_DEVICE void bulkCopyToCluster(ClusterAddress to, const void *shared, u32 bytes, ClusterAddress barrier) {
  mmcEmuBulkCopyToCluster(to.place, shared, bytes, barrier.place);
}
MMC_DEVICE void bulkPrefetch(const void *global, u32 bytes) { mmcEmuBulkPrefetch(global, bytes); }
MMC_DEVICE void bulkCommit() { mmcEmuBulkCommit(); }
template <u32 pending> MMC_DEVICE void bulkWait() { mmcEmuBulkWait(pending, 0); }
template <u32 pending> MMC_DEVICE void bulkWaitRead() { mmcEmuBulkWait(pending, 1); }
