// archs: sm_90a sm_120a
// Every access of ptx/cluster.cuh, so that both readers compile it.
#include "ptx/cluster.cuh"

struct ClusterShared {
  Vector16 sixteen[32];
  u64 eight[32];
  float four[32];
};

MMC_KERNEL(32, 1) MMC_CLUSTER(2) void primitives_cluster(float *out) {
  MMC_SHARED(ClusterShared, shared);
  const u32 thread = threadIndex(), other = clusterRank() ^ 1;
  const ClusterAddress four = mapToRank(shared.four, other) + 4 * thread;
  remoteStore(four, remoteLoad<float>(four));
  remoteStore(mapToRank(&shared.eight[thread], other), remoteLoad<u64>(mapToRank(&shared.eight[thread], other)));
  remoteStore(mapToRank(&shared.sixteen[thread], other),
              remoteLoad<Vector16>(mapToRank(&shared.sixteen[thread], other)));
  out[thread] = shared.four[thread];
}
MMC_EXPORT_CLUSTER(primitives_cluster, 32, 1, 2, ClusterShared)
