// archs: sm_80 sm_90a sm_120a
// Every operation of ptx/mbarrier.cuh, so that both readers compile it.
#include "ptx/mbarrier.cuh"

struct MbarrierShared {
  Mbarrier some, other;
};

template <u32 architecture> MMC_DEVICE u32 newer(Mbarrier &barrier) {
  u32 done = 0;
  if constexpr (architecture >= 900) {
    mbarrierExpect(barrier, 16);
    mbarrierArrive(barrier, 2);
    mbarrierArriveExpect(barrier, 32);
    mbarrierArriveRemote(barrier, 0);
    mbarrierArriveRemote(barrier, 0, 2);
    mbarrierArriveExpectRemote(barrier, 0, 16);
    done += u32(mbarrierTry(barrier, 0)) + u32(mbarrierTry<Scope::cluster>(barrier, 1)) +
            u32(mbarrierTest<Scope::cluster>(barrier, 1));
    mbarrierWait<Scope::cluster>(barrier, 1);
  }
  return done;
}

MMC_KERNEL(32, 1) void primitives_mbarrier(u32 *out) {
  MMC_SHARED(MbarrierShared, shared);
  if (threadIndex() == 0) {
    mbarrierInit(shared.some, 1);
    mbarrierInit(shared.other, 2);
    mbarrierArrive(shared.some);
    mbarrierWait(shared.some, 0);
    mbarrierArriveOnCopies(shared.other);
    out[0] = u32(mbarrierTest(shared.other, 0)) + newer<kArchitecture>(shared.other);
    mbarrierInvalidate(shared.some);
  }
}
MMC_EXPORT(primitives_mbarrier, 32, 1, MbarrierShared)
