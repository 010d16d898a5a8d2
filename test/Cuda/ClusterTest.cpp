// Proves accesses to other blocks of a cluster: addresses, values, and that the other block must have started and must
// not exit.
#include "runtime/cuda/emulation/ops/Cluster.h"

#include "test/Cuda/KernelRun.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(neighbours);
MMC_TEST_KERNEL(gifts);
MMC_TEST_KERNEL(farewell);
MMC_TEST_KERNEL(wrongRank);

namespace {

const Shape kTwoClusters{8, 32, 4};
std::string line(const char *marker) { return lineOf("Cluster.cu", std::string("BAD: ") + marker); }

TEST(Cluster, RemoteLoads) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> results(std::vector<uint32_t>(256, 0));
    EXPECT_TRUE(silent(run(mmcEmuKernel_neighbours, kTwoClusters, seed, results.data, 0u)));
    for (uint32_t block = 0; block < 8; ++block)
      for (uint32_t thread = 0; thread < 32; ++thread)
        ASSERT_EQ(results[block * 32 + thread], (block + 1) % 4 * 32 + thread) << block << " " << thread;
  }
}

TEST(Cluster, PeerMustHaveStarted) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> results(std::vector<uint32_t>(256, 0));
    const Outcome bad = run(mmcEmuKernel_neighbours, kTwoClusters, seed, results.data, 1u);
    EXPECT_TRUE(found(bad, Finding::sharedMemory, line("remote load")));
    EXPECT_NE(bad.text().find("may not have started"), std::string::npos) << bad.text();
  }
}

TEST(Cluster, PeerMustNotExit) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> results(std::vector<uint32_t>(256, 0));
    const Outcome bad = run(mmcEmuKernel_neighbours, kTwoClusters, seed, results.data, 2u);
    EXPECT_TRUE(found(bad, Finding::sharedMemory, line("remote load")));
    EXPECT_NE(bad.text().find("exit"), std::string::npos) << bad.text();
  }
}

TEST(Cluster, AccessMustBeOrderedBeforeTheExit) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (uint32_t relaxed : {0u, 1u}) {
      Device<uint32_t> results(std::vector<uint32_t>(32, 0)), flags(std::vector<uint32_t>(32, 0));
      const Outcome outcome = run(mmcEmuKernel_farewell, {2, 32, 2}, seed, results.data, flags.data, relaxed);
      EXPECT_EQ(results[9], 9u);
      if (relaxed)
        EXPECT_TRUE(found(outcome, Finding::sharedMemory, line("last remote load")));
      else
        EXPECT_TRUE(silent(outcome));
    }
}

TEST(Cluster, RemoteStores) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> results(std::vector<uint32_t>(256, 0));
    EXPECT_TRUE(silent(run(mmcEmuKernel_gifts, kTwoClusters, seed, results.data, 0u)));
    for (uint32_t block = 0; block < 8; ++block) ASSERT_EQ(results[block * 32 + 5], (block + 3) % 4 * 32 + 5);
    const Outcome bad = run(mmcEmuKernel_gifts, kTwoClusters, seed, results.data, 1u);
    EXPECT_TRUE(found(bad, Finding::race, line("remote store")));
  }
}

TEST(Cluster, RanksAndBounds) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_wrongRank, {2, 32, 2}, seed, 1u, 252u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_wrongRank, {2, 32, 2}, seed, 2u, 0u), Finding::sharedMemory, line("rank")));
    EXPECT_TRUE(found(run(mmcEmuKernel_wrongRank, {2, 32, 2}, seed, 1u, 260u), Finding::outOfBounds, line("outside")));
  }
}

} // namespace
