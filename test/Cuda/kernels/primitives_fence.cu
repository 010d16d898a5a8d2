// archs: sm_80 sm_90a sm_120a
// Every fence of ptx/fence.cuh, so that both readers compile it.
#include "ptx/fence.cuh"

template <u32 architecture> MMC_DEVICE void newer() {
  if constexpr (architecture >= 900) {
    fenceProxyAsync();
    fenceProxyAsyncShared();
    fenceProxyAsyncGlobal();
    fenceMbarrierInit();
    fenceAcquireRelease<Scope::cluster>();
  }
}

MMC_KERNEL(32, 1) void primitives_fence(u32 *out) {
  out[threadIndex()] = 1;
  fenceAcquireRelease();
  fenceAcquireRelease<Scope::block>();
  fenceAcquireRelease<Scope::system>();
  newer<kArchitecture>();
  out[threadIndex() + 32] = 1;
}
MMC_EXPORT(primitives_fence, 32, 1)
