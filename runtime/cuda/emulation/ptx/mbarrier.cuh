// Host twin of device/ptx/mbarrier.cuh.
#pragma once

#include "ptx/cluster.cuh"

struct alignas(8) Mbarrier {
  u64 state;
};

MMC_DEVICE void mbarrierInit(Mbarrier &barrier, u32 count) { mmcEmuMbarrierInit(&barrier, count); }
MMC_DEVICE void mbarrierInvalidate(Mbarrier &barrier) { mmcEmuMbarrierInvalidate(&barrier); }
MMC_DEVICE void mbarrierExpect(Mbarrier &barrier, u32 bytes) { mmcEmuMbarrierExpect(&barrier, bytes); }
MMC_DEVICE void mbarrierArrive(Mbarrier &barrier) { mmcEmuMbarrierArrive(&barrier, 1); }
MMC_DEVICE void mbarrierArrive(Mbarrier &barrier, u32 count) { mmcEmuMbarrierArrive(&barrier, count); }
MMC_DEVICE void mbarrierArriveExpect(Mbarrier &barrier, u32 bytes) { mmcEmuMbarrierArriveExpect(&barrier, bytes); }
MMC_DEVICE void mbarrierArriveRemote(Mbarrier &barrier, u32 rank, u32 count = 1) {
  mmcEmuMbarrierArriveRemote(mmcEmuMapToRank(&barrier, rank), count);
}
MMC_DEVICE void mbarrierArriveExpectRemote(Mbarrier &barrier, u32 rank, u32 bytes) {
  mmcEmuMbarrierArriveExpectRemote(mmcEmuMapToRank(&barrier, rank), bytes);
}
template <Scope scope = Scope::block> MMC_DEVICE bool mbarrierTest(Mbarrier &barrier, u32 parity) {
  return mmcEmuMbarrierTest(&barrier, parity, u32(scope)) != 0;
}
template <Scope scope = Scope::block> MMC_DEVICE bool mbarrierTry(Mbarrier &barrier, u32 parity) {
  return mmcEmuMbarrierTry(&barrier, parity, u32(scope)) != 0;
}
template <Scope scope = Scope::block> MMC_DEVICE void mbarrierWait(Mbarrier &barrier, u32 parity) {
  mmcEmuMbarrierWait(&barrier, parity, u32(scope));
}
MMC_DEVICE void mbarrierArriveOnCopies(Mbarrier &barrier) { mmcEmuMbarrierArriveOnCopies(&barrier); }
