// Proves the rules of mbarriers: for each a kernel that breaks it, reported with its line, and one close to it that
// stays silent.
#include "runtime/cuda/emulation/ops/Mbarrier.h"

#include "test/Cuda/KernelRun.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(handOver);
MMC_TEST_KERNEL(phases);
MMC_TEST_KERNEL(initWithoutBarrier);
MMC_TEST_KERNEL(overArrival);
MMC_TEST_KERNEL(unorderedArrivals);
MMC_TEST_KERNEL(lateWaiter);
MMC_TEST_KERNEL(indirectKnowledge);
MMC_TEST_KERNEL(invalidated);
MMC_TEST_KERNEL(initTwice);
MMC_TEST_KERNEL(overwritten);
MMC_TEST_KERNEL(overwrittenAtEnd);
MMC_TEST_KERNEL(badCount);
MMC_TEST_KERNEL(nowhere);
MMC_TEST_KERNEL(stuck);
MMC_TEST_KERNEL(polls);
MMC_TEST_KERNEL(transactions);
MMC_TEST_KERNEL(transactionRange);
MMC_TEST_KERNEL(asyncInit);
MMC_TEST_KERNEL(asyncInitLater);
MMC_TEST_KERNEL(copyArrive);
MMC_TEST_KERNEL(remoteArrive);
MMC_TEST_KERNEL(relaxedCluster);
MMC_TEST_KERNEL(remoteCount);
MMC_TEST_KERNEL(waitAbroad);
MMC_TEST_KERNEL(invalidatedTooEarly);
MMC_TEST_KERNEL(invalidatedWhileOthersWait);

/// Stands for a bulk copy: writes through the async proxy at some time after the issue, then completes.
extern "C" void fakeCopy(void *to, unsigned bytes, void *barrier) {
  Thread &thread = *scheduler::current();
  const uint64_t source = MMC_EMU_SOURCE;
  if (!mbarrier::usableByAsync(thread, barrier, source)) return;
  const Epoch operation = thread.block->beginOperation(thread, source);
  Accessor who = accessorOf(thread, Proxy::async, source);
  auto vc = std::make_shared<Clock>(thread.vc), va = std::make_shared<Clock>(thread.va);
  scheduler::submit([=, &thread]() mutable {
    who.writesSeen = va.get();
    who.readsSeen = vc.get();
    who.self = operation;
    if (to && bytes) {
      memory::write(to, bytes, who, false);
      memset(to, 0, bytes);
    }
    mbarrier::completeTransaction(thread, barrier, bytes, operation, source);
  });
}

/// Stands for cp.async.mbarrier.arrive after copies that complete some time later.
extern "C" void fakeArriveOnCopies(void *barrier, unsigned noIncrement) {
  Thread &thread = *scheduler::current();
  const uint64_t source = MMC_EMU_SOURCE;
  if (!mbarrier::beginCopyArrive(thread, barrier, noIncrement, source)) return;
  scheduler::submit(
      [=, &thread, clocks = clocksOf(thread)] { mbarrier::completeCopyArrive(thread, barrier, clocks, source); });
}

namespace {

/// A kernel with one argument, which breaks the rule if it is 1: at every seed a finding at the marked line, and
/// nothing with 0.
void expectRule(const MmcEmuKernel &kernel, Finding finding, const char *marker, Shape shape = {}) {
  const std::string line = lineOf("Mbarrier.cu", std::string("BAD: ") + marker);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(found(run(kernel, shape, seed, 1u), finding, line));
    EXPECT_TRUE(silent(run(kernel, shape, seed, 0u)));
  }
}

TEST(Mbarrier, WaitAcquiresWhatArrivalsReleased) {
  expectRule(mmcEmuKernel_handOver, Finding::race, "read without waiting");
}

TEST(Mbarrier, EveryPhaseOwnsItsClocks) { expectRule(mmcEmuKernel_phases, Finding::race, "written after the phase"); }

TEST(Mbarrier, InitialisationMustBeOrdered) {
  const std::string line = lineOf("Mbarrier.cu", "BAD: init not ordered");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Outcome bad = run(mmcEmuKernel_initWithoutBarrier, {}, seed, 1u);
    // In the other order there is no barrier yet.
    EXPECT_TRUE(found(bad, Finding::race, line) || found(bad, Finding::mbarrierMisuse, line)) << bad.text();
    EXPECT_TRUE(silent(run(mmcEmuKernel_initWithoutBarrier, {}, seed, 0u)));
  }
  EXPECT_TRUE(found(run(mmcEmuKernel_initWithoutBarrier, {}, 0, 1u), Finding::race, line));
}

TEST(Mbarrier, OverArrival) {
  expectRule(mmcEmuKernel_overArrival, Finding::mbarrierMisuse, "over-arrival");
  const Outcome bad = run(mmcEmuKernel_overArrival, {}, 0, 1u);
  ASSERT_EQ(bad.reports.size(), 1u) << bad.text();
  EXPECT_EQ(
      bad.reports[0].message,
      "arrives 3 times, but the mbarrier at shared+0x0 is in phase 0, 2 of 2 arrivals pending, 0 bytes outstanding");
}

TEST(Mbarrier, ArrivalThatCouldCountForEitherPhase) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Outcome bad = run(mmcEmuKernel_unorderedArrivals, {}, seed, 1u);
    EXPECT_TRUE(found(bad, Finding::mbarrierMisuse, lineOf("Mbarrier.cu", "BAD: unordered arrival")));
    EXPECT_TRUE(found(bad, Finding::mbarrierMisuse, lineOf("Mbarrier.cu", "BAD: other unordered arrival")));
    EXPECT_TRUE(silent(run(mmcEmuKernel_unorderedArrivals, {}, seed, 0u)));
    EXPECT_TRUE(silent(run(mmcEmuKernel_indirectKnowledge, {}, seed, 0u)));
  }
}

TEST(Mbarrier, LateWaiter) {
  const std::string line = lineOf("Mbarrier.cu", "BAD: late waiter");
  unsigned times = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    // Whether the producer gets two phases ahead is the schedule's choice, but arrivals without knowledge of the phase
    // before show always.
    const Outcome bad = run(mmcEmuKernel_lateWaiter, {}, seed, 1u);
    times += bool(found(bad, Finding::mbarrierMisuse, line));
    EXPECT_TRUE(silent(run(mmcEmuKernel_lateWaiter, {}, seed, 0u)));
  }
  EXPECT_TRUE(found(run(mmcEmuKernel_lateWaiter, {}, 0, 1u), Finding::mbarrierMisuse, line));
  EXPECT_GE(times, kSeeds / 2);
}

TEST(Mbarrier, Lifetime) {
  expectRule(mmcEmuKernel_invalidated, Finding::mbarrierMisuse, "use after invalidate");
  expectRule(mmcEmuKernel_initTwice, Finding::mbarrierMisuse, "live");
  expectRule(mmcEmuKernel_overwritten, Finding::mbarrierMisuse, "overwritten");
  expectRule(mmcEmuKernel_overwritten, Finding::mbarrierMisuse, "overwrites");
  expectRule(mmcEmuKernel_overwrittenAtEnd, Finding::mbarrierMisuse, "overwritten at the end");
  expectRule(mmcEmuKernel_badCount, Finding::mbarrierMisuse, "count");
  expectRule(mmcEmuKernel_nowhere, Finding::mbarrierMisuse, "no mbarrier");
}

TEST(Mbarrier, InvalidatedWhileInUse) {
  const std::string waiting = lineOf("Mbarrier.cu", "BAD: others may wait");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Outcome bad = run(mmcEmuKernel_invalidatedWhileOthersWait, {}, seed, 1u);
    EXPECT_TRUE(found(bad, Finding::race, waiting) || found(bad, Finding::mbarrierMisuse, waiting)) << bad.text();
    EXPECT_TRUE(silent(run(mmcEmuKernel_invalidatedWhileOthersWait, {}, seed, 0u)));
  }
  EXPECT_TRUE(found(run(mmcEmuKernel_invalidatedWhileOthersWait, {}, 0, 1u), Finding::race, waiting));
  const std::string line = lineOf("Mbarrier.cu", "BAD: invalidated too early");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_invalidatedTooEarly, {}, seed, 0u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_invalidatedTooEarly, {}, seed, 1u), Finding::mbarrierMisuse, line));
    const Outcome unawaited = run(mmcEmuKernel_invalidatedTooEarly, {}, seed, 3u);
    EXPECT_TRUE(found(unawaited, Finding::race, line) || found(unawaited, Finding::mbarrierMisuse, line))
        << unawaited.text();
    // By the schedule the other thread waits already, or has yet to use the barrier, or nothing but the order is wrong.
    const Outcome unordered = run(mmcEmuKernel_invalidatedTooEarly, {}, seed, 2u);
    EXPECT_TRUE(found(unordered, Finding::race, line) || found(unordered, Finding::mbarrierMisuse, line))
        << unordered.text();
  }
}

TEST(Mbarrier, DeadlockNamesPhaseAndCounts) {
  expectRule(mmcEmuKernel_stuck, Finding::deadlock, "stuck");
  const Outcome bad = run(mmcEmuKernel_stuck, {}, 0, 1u);
  EXPECT_FALSE(bad.completed);
  EXPECT_NE(bad.text().find("phase 0 (parity 0): mbarrier at shared+0x0 is in phase 0, 1 of 2 arrivals pending"),
            std::string::npos)
      << bad.text();
}

TEST(Mbarrier, LoopsOfPollsEnd) { expectRule(mmcEmuKernel_polls, Finding::deadlock, "endless polls"); }

TEST(Mbarrier, TransactionsBalance) {
  const auto line = [](const char *marker) { return lineOf("Mbarrier.cu", std::string("BAD: ") + marker); };
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (uint32_t late : {0u, 1u}) EXPECT_TRUE(silent(run(mmcEmuKernel_transactions, {}, seed, 64u, 64u, late)));
    const Outcome tooMuch = run(mmcEmuKernel_transactions, {}, seed, 96u, 64u, 0u);
    EXPECT_NE(tooMuch.text().find("32 bytes outstanding"), std::string::npos) << tooMuch.text();
    const Outcome tooLittle = run(mmcEmuKernel_transactions, {}, seed, 32u, 64u, 0u);
    // Either copy may be the last.
    EXPECT_TRUE(found(tooLittle, Finding::mbarrierMisuse, line("copied too much")) ||
                found(tooLittle, Finding::mbarrierMisuse, line("first copy")));
    EXPECT_NE(tooLittle.text().find("-32 bytes outstanding"), std::string::npos) << tooLittle.text();
  }
  expectRule(mmcEmuKernel_transactionRange, Finding::mbarrierMisuse, "transaction range");
}

TEST(Mbarrier, InitialisationMustReachTheAsyncProxy) {
  const std::string line = lineOf("Mbarrier.cu", "BAD: init not visible to the async proxy");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(found(run(mmcEmuKernel_asyncInit, {}, seed, 0u), Finding::missingProxyFence, line));
    EXPECT_TRUE(silent(run(mmcEmuKernel_asyncInit, {}, seed, 1u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_asyncInit, {}, seed, 2u), Finding::missingProxyFence, line));
    EXPECT_TRUE(silent(run(mmcEmuKernel_asyncInit, {}, seed, 3u)));
    for (uint32_t reused : {0u, 1u}) {
      EXPECT_TRUE(silent(run(mmcEmuKernel_asyncInitLater, {}, seed, reused, 1u)));
      EXPECT_TRUE(found(run(mmcEmuKernel_asyncInitLater, {}, seed, reused, 0u), Finding::missingProxyFence,
                        lineOf("Mbarrier.cu", "BAD: later, init not visible to the async proxy")));
    }
  }
}

TEST(Mbarrier, ArrivalByCompletedCopies) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (uint32_t noIncrement : {0u, 1u}) EXPECT_TRUE(silent(run(mmcEmuKernel_copyArrive, {}, seed, noIncrement)));
}

TEST(Mbarrier, RemoteArrival) {
  const Shape pair{2, 32, 2};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_remoteArrive, pair, seed, 0u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_remoteArrive, pair, seed, 1u), Finding::race,
                      lineOf("Mbarrier.cu", "BAD: acquired for the block only")));
    EXPECT_TRUE(found(run(mmcEmuKernel_remoteArrive, pair, seed, 2u), Finding::sharedMemory,
                      lineOf("Mbarrier.cu", "BAD: peer not started")));
  }
}

TEST(Mbarrier, RelaxedClusterBarrierHandsOverFencedInitialisations) {
  const Shape pair{2, 32, 2};
  const std::string init = lineOf("Mbarrier.cu", "BAD: initialisation not released"),
                    data = lineOf("Mbarrier.cu", "BAD: not released");
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_relaxedCluster, pair, seed, 0u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_relaxedCluster, pair, seed, 1u), Finding::race, init));
    EXPECT_TRUE(found(run(mmcEmuKernel_relaxedCluster, pair, seed, 2u), Finding::race, data));
  }
}

TEST(Mbarrier, RemoteAtomics) {
  const Shape pair{2, 32, 2};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> result({0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_remoteCount, pair, seed, result.data, 0u)));
    EXPECT_EQ(result[0], 64u);
    EXPECT_TRUE(found(run(mmcEmuKernel_remoteCount, pair, seed, result.data, 1u), Finding::race,
                      lineOf("Mbarrier.cu", "BAD: remote atomic for the block only")));
    EXPECT_TRUE(found(run(mmcEmuKernel_remoteCount, pair, seed, result.data, 2u), Finding::sharedMemory,
                      lineOf("Mbarrier.cu", "BAD: remote atomic")));
  }
}

TEST(Mbarrier, WaitNamesTheOwnBlock) {
  expectRule(mmcEmuKernel_waitAbroad, Finding::mbarrierMisuse, "wait on another block's barrier", {2, 32, 2});
}

} // namespace
