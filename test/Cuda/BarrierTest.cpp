// Proves the barriers of a block and of a cluster: order, counts, exits, misuse.
#include "test/Cuda/KernelRun.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(phases);
MMC_TEST_KERNEL(someExit);
MMC_TEST_KERNEL(producers);
MMC_TEST_KERNEL(teams);
MMC_TEST_KERNEL(reused);
MMC_TEST_KERNEL(divergent);
MMC_TEST_KERNEL(arrivesTwice);
MMC_TEST_KERNEL(leftOver);
MMC_TEST_KERNEL(numbers);
MMC_TEST_KERNEL(passedOn);
MMC_TEST_KERNEL(rounds);
MMC_TEST_KERNEL(arrivesAndExits);
MMC_TEST_KERNEL(misused);

namespace {

std::string line(const char *marker) { return lineOf("Barriers.cu", std::string("BAD: ") + marker); }
std::string clusterLine(const char *marker) { return lineOf("ClusterBarriers.cu", std::string("BAD: ") + marker); }
std::vector<uint32_t> zeros(size_t count) { return std::vector<uint32_t>(count, 0); }

TEST(Barrier, OrdersAllThreads) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(256));
    EXPECT_TRUE(silent(run(mmcEmuKernel_phases, {1, 256}, seed, out.data, 0u)));
    for (uint32_t t = 0; t < 256; ++t) ASSERT_EQ(out[t], (t + 128) % 256 + 4);
    EXPECT_TRUE(found(run(mmcEmuKernel_phases, {1, 256}, seed, out.data, 1u), Finding::race, line("read of a phase")));
  }
}

TEST(Barrier, CountsThreadsThatHaveExited) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (uint32_t leaving : {0u, 2u, 32u, 70u, 254u}) {
      Device<uint32_t> out(zeros(256));
      EXPECT_TRUE(silent(run(mmcEmuKernel_someExit, {1, 256}, seed, out.data, leaving))) << leaving;
      ASSERT_EQ(out[254], 255u);
    }
}

TEST(Barrier, ProducersArriveAndConsumersWait) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    EXPECT_TRUE(silent(run(mmcEmuKernel_producers, {1, 128}, seed, out.data, 0u)));
    for (uint32_t t = 0; t < 64; ++t) ASSERT_EQ(out[t], t + 64);
    const Outcome mixed = run(mmcEmuKernel_producers, {1, 128}, seed, out.data, 1u);
    EXPECT_TRUE(found(mixed, Finding::barrierMisuse, line("arrive")));
    EXPECT_TRUE(found(mixed, Finding::barrierMisuse, line("sync")));
    EXPECT_TRUE(found(run(mmcEmuKernel_producers, {1, 128}, seed, out.data, 2u), Finding::barrierMisuse, line("sync")));
    const Outcome few = run(mmcEmuKernel_producers, {1, 128}, seed, out.data, 3u);
    EXPECT_TRUE(found(few, Finding::deadlock, line("sync")));
    EXPECT_NE(few.text().find("96 of 128 threads have arrived"), std::string::npos) << few.text();
  }
}

TEST(Barrier, TeamsAreOrderedAmongThemselvesOnly) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(128));
    EXPECT_TRUE(silent(run(mmcEmuKernel_teams, {1, 128}, seed, out.data, 1u)));
    const Outcome bad = run(mmcEmuKernel_teams, {1, 128}, seed, out.data, 0u);
    EXPECT_TRUE(found(bad, Finding::race, line("read of the other team")));
    EXPECT_TRUE(found(bad, Finding::race, line("write of a team")));
  }
}

TEST(Barrier, CarriesNothingFromOnePhaseToTheNext) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(128));
    EXPECT_TRUE(silent(run(mmcEmuKernel_reused, {1, 128}, seed, out.data, 1u)));
    // Unordered, the teams may also meet in one phase by warps: 64 threads are 64 threads. In order they do not.
    if (seed) continue;
    EXPECT_TRUE(found(run(mmcEmuKernel_reused, {1, 128}, seed, out.data, 0u), Finding::race, line("read after")));
  }
}

TEST(Barrier, LanesOfAWarpComeFromOnePlace) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_divergent, {1, 64}, seed, 1u)));
    const Outcome bad = run(mmcEmuKernel_divergent, {1, 64}, seed, 0u);
    EXPECT_TRUE(found(bad, Finding::divergence, line("odd lanes")));
    EXPECT_TRUE(found(bad, Finding::divergence, line("even lanes")));
  }
}

TEST(Barrier, OneArrivalPerPhase) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_arrivesTwice, {1, 64}, seed, 0u)));
    const Outcome bad = run(mmcEmuKernel_arrivesTwice, {1, 64}, seed, 1u);
    EXPECT_TRUE(found(bad, Finding::barrierMisuse, line("second arrival")));
    EXPECT_TRUE(found(bad, Finding::barrierMisuse, line("first arrival")));
  }
}

TEST(Barrier, ABlockMustNotEndWithinAPhase) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_leftOver, {1, 64}, seed, 1u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_leftOver, {1, 64}, seed, 0u), Finding::barrierMisuse, line("left over")));
  }
}

TEST(Barrier, ThereAreSixteen) {
  EXPECT_TRUE(silent(run(mmcEmuKernel_numbers, {1, 32}, 0, 15u)));
  EXPECT_TRUE(found(run(mmcEmuKernel_numbers, {1, 32}, 0, 16u), Finding::barrierMisuse, line("number")));
}

TEST(ClusterBarrier, OrdersTheBlocksOfACluster) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> data(zeros(128)), out(zeros(128));
    EXPECT_TRUE(silent(run(mmcEmuKernel_passedOn, {4, 32, 4}, seed, data.data, out.data, 0u)));
    EXPECT_EQ(out[100], 4u);
    for (uint32_t how : {1u, 2u}) {
      Device<uint32_t> fresh(zeros(128));
      const Outcome bad = run(mmcEmuKernel_passedOn, {4, 32, 4}, seed, fresh.data, out.data, how);
      EXPECT_TRUE(found(bad, Finding::race, clusterLine("passed")));
      EXPECT_TRUE(found(bad, Finding::race, clusterLine("received")));
    }
    // And of no other cluster.
    Device<uint32_t> apart(zeros(128));
    EXPECT_TRUE(found(run(mmcEmuKernel_passedOn, {4, 32, 2}, seed, apart.data, out.data, 0u), Finding::race,
                      clusterLine("received")));
  }
}

TEST(ClusterBarrier, CountsThreadsThatHaveExited) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (uint32_t leaving : {0u, 1u, 32u}) {
      Device<uint32_t> data(zeros(96));
      EXPECT_TRUE(silent(run(mmcEmuKernel_rounds, {3, 32, 3}, seed, data.data, leaving)));
      EXPECT_EQ(data[90], 2u);
    }
}

TEST(ClusterBarrier, AnArrivalBeforeAnExitCountsOnce) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> data(zeros(96)), out(zeros(96));
    EXPECT_TRUE(silent(run(mmcEmuKernel_arrivesAndExits, {3, 32, 3}, seed, data.data, out.data)));
    EXPECT_EQ(out[5], 69u);
    EXPECT_EQ(out[69], 5u);
  }
}

TEST(ClusterBarrier, ArriveAndWaitAlternate) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_misused, {2, 32, 2}, seed, 0u)));
    const Outcome twice = run(mmcEmuKernel_misused, {2, 32, 2}, seed, 1u);
    EXPECT_TRUE(found(twice, Finding::barrierMisuse, clusterLine("second cluster arrival")));
    EXPECT_TRUE(found(twice, Finding::barrierMisuse, clusterLine("first cluster arrival")));
    EXPECT_TRUE(
        found(run(mmcEmuKernel_misused, {2, 32, 2}, seed, 2u), Finding::barrierMisuse, clusterLine("cluster wait")));
  }
}

} // namespace
