// archs: sm_90a
// Every copy of ptx/bulk_copy.cuh, so that both readers compile it.
#include "ptx/bulk_copy.cuh"

struct BulkCopyShared {
  alignas(128) u8 bytes[4096];
  Mbarrier full;
};

template <class... At> MMC_DEVICE void eachRank(BulkCopyShared &shared, const TensorMap &map, At... at) {
  tensorLoad(shared.bytes, map, shared.full, at...);
  tensorLoadPolicy(shared.bytes, map, shared.full, policyEvictFirst(), at...);
  tensorLoadMulticast(shared.bytes, map, shared.full, u16(1), at...);
  tensorPrefetch(map, at...);
  tensorStore(map, shared.bytes, at...);
}

MMC_KERNEL(32, 1) MMC_CLUSTER(2) void primitives_bulk_copy(MMC_GRID_CONSTANT TensorMap map, u8 *bytes) {
  MMC_SHARED(BulkCopyShared, shared);
  if (threadIndex() != 0) return;
  prefetchTensorMap(map);
  eachRank(shared, map, 1);
  eachRank(shared, map, 1, 2);
  eachRank(shared, map, 1, 2, 3);
  eachRank(shared, map, 1, 2, 3, 4);
  eachRank(shared, map, 1, 2, 3, 4, 5);
  bulkPrefetch(bytes, 4096);
  bulkLoad(shared.bytes, bytes, 4096, shared.full);
  bulkLoadPolicy(shared.bytes, bytes, 4096, shared.full, policyEvictLast());
  bulkLoadMulticast(shared.bytes, bytes, 4096, shared.full, u16(3));
  bulkCopyToCluster(mapToRank(shared.bytes, 1), shared.bytes, 2048, mapToRank(&shared.full, 1));
  bulkStore(bytes, shared.bytes, 4096);
  bulkCommit();
  bulkWaitRead<1>();
  bulkWait<0>();
}
MMC_EXPORT_CLUSTER(primitives_bulk_copy, 32, 1, 2, BulkCopyShared)
