// archs: sm_80 sm_90a sm_120a
// Every name of ptx/launch.cuh, so that both readers compile it.
#include "ptx/launch.cuh"

struct LaunchShared {
  alignas(1024) u32 words[32];
};

MMC_KERNEL(128, 1) void primitives_launch(u32 *out) {
  MMC_SHARED(LaunchShared, shared);
  if (laneIndex() == 0) shared.words[warpIndex()] = sharedAddress(&shared);
  u32 sum = 0;
  MMC_UNROLL for (u32 i = 0; i < 4; ++i) sum += blockCount() * i;
  MMC_NO_UNROLL for (u32 i = 0; i < blockIndex(); ++i) sum += blockCountY() + blockCountZ() * i;
  if (threadIndex() == 0) shared.words[8] = bitCast<u32>(float(threadCount()));
  if constexpr (kArchitecture >= 900) sum += clusterRank() + clusterSize();
  out[blockIndex() * 128 + threadIndex()] =
      sum + warpgroupIndex() + blockIndexY() + blockIndexZ() + u32(kArchitectureSpecific);
}
MMC_EXPORT(primitives_launch, 128, 1, LaunchShared)
