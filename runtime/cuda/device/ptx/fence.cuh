// Fences (PTX ISA: fence, fence.proxy.async, fence.mbarrier_init).
//
// Invariant: a fence alone orders nothing for others; it makes the barrier, arrival or flag that follows carry more.
#pragma once

#include "ptx/text.cuh"

/// fence.proxy.async: what this thread wrote, or knows to be written, by plain accesses is visible to the asynchronous
/// proxy (bulk copies, tensor copies, wgmma's operands in shared memory) of those it synchronises with afterwards. All
/// of memory; shared memory only; global memory only. sm_90.
template <u32 architecture = kArchitecture> MMC_DEVICE void fenceProxyAsync() {
  static_assert(architecture >= 900, "fence.proxy.async needs sm_90");
  asm volatile("fence.proxy.async;" ::: "memory");
}
template <u32 architecture = kArchitecture> MMC_DEVICE void fenceProxyAsyncShared() {
  static_assert(architecture >= 900, "fence.proxy.async needs sm_90");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
template <u32 architecture = kArchitecture> MMC_DEVICE void fenceProxyAsyncGlobal() {
  static_assert(architecture >= 900, "fence.proxy.async needs sm_90");
  asm volatile("fence.proxy.async.global;" ::: "memory");
}

/// fence.acq_rel: makes relaxed accesses around it release and acquire, at a scope.
template <Scope scope = Scope::device> MMC_DEVICE void fenceAcquireRelease() {
  static_assert(scope != Scope::cluster || kArchitecture >= 900, "the cluster scope needs sm_90");
  asm volatile("fence.acq_rel.%0;" ::"C"(ScopeText<scope>::kText) : "memory");
}

/// fence.mbarrier_init.release.cluster: after mbarrierInit, before the block (or cluster) barrier that makes it known:
/// the asynchronous proxy and other blocks of the cluster see the initialised objects.
template <u32 architecture = kArchitecture> MMC_DEVICE void fenceMbarrierInit() {
  static_assert(architecture >= 900, "fence.mbarrier_init needs sm_90");
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
