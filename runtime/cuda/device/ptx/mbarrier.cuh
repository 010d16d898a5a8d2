// mbarrier objects in shared memory: phases that complete when all expected arrivals and all expected bytes have come
// (PTX ISA: mbarrier.*).
//
// A phase completes when the pending arrivals and the pending bytes are both zero; then the next begins with the count
// of mbarrierInit. A waiter names the parity of the phase it waits for: 0 for the first, 1 for the second, 0 again ...;
// "wait for the phase before the first", parity 1 on a fresh object, returns at once: how a producer finds an empty
// ring.
//
// Invariant: a waiter is never two phases behind (parity would alias); bytes are expected in the phase in which they
// arrive.
#pragma once

#include "ptx/cluster.cuh"
#include "ptx/text.cuh"

struct alignas(8) Mbarrier {
  u64 state;
};

/// Makes the object, `count` arrivals per phase. By one thread; then fenceMbarrierInit() and a barrier before anybody
/// uses it.
MMC_DEVICE void mbarrierInit(Mbarrier &barrier, u32 count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(sharedAddress(&barrier)), "r"(count) : "memory");
}
/// Ends its life: the memory may be used otherwise. Nobody may be waiting.
MMC_DEVICE void mbarrierInvalidate(Mbarrier &barrier) {
  asm volatile("mbarrier.inval.shared::cta.b64 [%0];" ::"r"(sharedAddress(&barrier)) : "memory");
}

/// mbarrier.expect_tx: the current phase waits for so many more bytes. No arrival, orders nothing. sm_90.
template <u32 architecture = kArchitecture> MMC_DEVICE void mbarrierExpect(Mbarrier &barrier, u32 bytes) {
  static_assert(architecture >= 900, "mbarrier.expect_tx needs sm_90");
  asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(sharedAddress(&barrier)), "r"(bytes)
               : "memory");
}

/// mbarrier.arrive, releasing to the block: `count` arrivals of the current phase.
template <u32 architecture = kArchitecture> MMC_DEVICE void mbarrierArrive(Mbarrier &barrier) {
  if constexpr (architecture >= 900)
    asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(sharedAddress(&barrier)) : "memory");
  else
    asm volatile("{\n.reg .b64 state;\nmbarrier.arrive.shared.b64 state, [%0];\n}" ::"r"(sharedAddress(&barrier))
                 : "memory");
}
template <u32 architecture = kArchitecture> MMC_DEVICE void mbarrierArrive(Mbarrier &barrier, u32 count) {
  static_assert(architecture >= 900, "mbarrier.arrive with a count needs sm_90");
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(&barrier)), "r"(count)
               : "memory");
}
/// mbarrier.arrive.expect_tx: expects the bytes, then arrives once, as one operation. sm_90.
template <u32 architecture = kArchitecture> MMC_DEVICE void mbarrierArriveExpect(Mbarrier &barrier, u32 bytes) {
  static_assert(architecture >= 900, "mbarrier.arrive.expect_tx needs sm_90");
  asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(&barrier)),
               "r"(bytes)
               : "memory");
}
/// The same on the barrier that the cluster's block `rank` has at this place, releasing to the cluster. sm_90.
template <u32 architecture = kArchitecture>
MMC_DEVICE void mbarrierArriveRemote(Mbarrier &barrier, u32 rank, u32 count = 1) {
  static_assert(architecture >= 900, "mbarrier.arrive on another block needs sm_90");
  asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0], %1;" ::"r"(
                   mapToRank<architecture>(&barrier, rank).bits),
               "r"(count)
               : "memory");
}
template <u32 architecture = kArchitecture>
MMC_DEVICE void mbarrierArriveExpectRemote(Mbarrier &barrier, u32 rank, u32 bytes) {
  static_assert(architecture >= 900, "mbarrier.arrive.expect_tx on another block needs sm_90");
  asm volatile("mbarrier.arrive.expect_tx.release.cluster.shared::cluster.b64 _, [%0], %1;" ::"r"(
                   mapToRank<architecture>(&barrier, rank).bits),
               "r"(bytes)
               : "memory");
}

/// mbarrier.test_wait.parity: has the phase of this parity completed? Never waits. If it has: what was released into
/// the phase is ordered before.
template <Scope scope = Scope::block, u32 architecture = kArchitecture>
MMC_DEVICE bool mbarrierTest(Mbarrier &barrier, u32 parity) {
  static_assert(scope == Scope::block || (scope == Scope::cluster && architecture >= 900),
                "mbarriers synchronise a block, or from sm_90 a cluster");
  u32 complete;
  if constexpr (architecture >= 900)
    asm volatile(
        "{\n.reg .pred p;\nmbarrier.test_wait.parity.acquire.%3.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
        : "=r"(complete)
        : "r"(sharedAddress(&barrier)), "r"(parity), "C"(ScopeText<scope>::kText)
        : "memory");
  else
    asm volatile("{\n.reg .pred p;\nmbarrier.test_wait.parity.shared.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
                 : "=r"(complete)
                 : "r"(sharedAddress(&barrier)), "r"(parity)
                 : "memory");
  return complete != 0;
}
/// mbarrier.try_wait.parity: as mbarrierTest, but the hardware may suspend the thread for a while first. sm_90.
template <Scope scope = Scope::block, u32 architecture = kArchitecture>
MMC_DEVICE bool mbarrierTry(Mbarrier &barrier, u32 parity) {
  static_assert(architecture >= 900, "mbarrier.try_wait needs sm_90");
  u32 complete;
  asm volatile(
      "{\n.reg .pred p;\nmbarrier.try_wait.parity.acquire.%3.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
      : "=r"(complete)
      : "r"(sharedAddress(&barrier)), "r"(parity), "C"(ScopeText<scope>::kText)
      : "memory");
  return complete != 0;
}
/// Waits until the phase of this parity has completed. Scope::cluster where other blocks of the cluster arrive.
template <Scope scope = Scope::block, u32 architecture = kArchitecture>
MMC_DEVICE void mbarrierWait(Mbarrier &barrier, u32 parity) {
  if constexpr (architecture >= 900) {
    asm volatile("{\n.reg .pred p;\nMMC_AGAIN_%=:\nmbarrier.try_wait.parity.acquire.%2.shared::cta.b64 p, [%0], "
                 "%1;\n@!p bra MMC_AGAIN_%=;\n}" ::"r"(sharedAddress(&barrier)),
                 "r"(parity), "C"(ScopeText<scope>::kText)
                 : "memory");
  } else {
    while (!mbarrierTest<scope, architecture>(barrier, parity)) {
    }
  }
}

/// cp.async.mbarrier.arrive.noinc: arrives once, when all cp.async of this thread so far are complete. The arrival must
/// be among the expected ones.
MMC_DEVICE void mbarrierArriveOnCopies(Mbarrier &barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(sharedAddress(&barrier)) : "memory");
}
