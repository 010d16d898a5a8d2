// Proves launches: indices, parameters, limits, which blocks are resident, what is found when a block ends.
#include "test/Cuda/KernelRun.h"

#include <algorithm>
#include <set>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(positions);
MMC_TEST_KERNEL(parameters);
MMC_TEST_KERNEL(pattern);
MMC_TEST_KERNEL(tooMuchShared);
MMC_TEST_KERNEL(counted);
MMC_TEST_KERNEL(resident);
MMC_TEST_KERNEL(forgotten);

namespace {
std::set<const Block *> running;
size_t mostRunning = 0;
bool clustersTogether = true;
} // namespace

extern "C" {
void testBlockStarts() {
  running.insert(scheduler::current()->block);
  mostRunning = std::max(mostRunning, running.size());
  // Peers are resident from the start, whether or not one of their threads has run.
  for (const Block *peer : scheduler::current()->block->cluster) clustersTogether &= peer->shared != nullptr;
}
void testBlockEnds() { running.erase(scheduler::current()->block); }
void testForget() {
  Thread &thread = *scheduler::current();
  thread.block->beginOperation(thread, reinterpret_cast<uint64_t>(__builtin_return_address(0)));
}
}

namespace {

std::string line(const char *marker) { return lineOf("Core.cu", std::string("BAD: ") + marker); }

LaunchOptions shape(std::array<uint32_t, 3> grid, uint32_t threads, std::array<uint32_t, 3> cluster = {1, 1, 1}) {
  LaunchOptions options;
  std::copy(grid.begin(), grid.end(), options.grid);
  std::copy(cluster.begin(), cluster.end(), options.cluster);
  options.block[0] = threads;
  return options;
}

TEST(Launch, EveryThreadRunsOnceAtItsPlace) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Device<uint32_t> out(std::vector<uint32_t>(4 * 6 * 2 * 64, ~0u));
    EXPECT_TRUE(silent(launchWith(mmcEmuKernel_positions, shape({4, 6, 2}, 64, {2, 3, 1}), seed, out.data)));
    for (uint32_t z = 0, at = 0; z < 2; ++z)
      for (uint32_t y = 0; y < 6; ++y)
        for (uint32_t x = 0; x < 4; ++x)
          for (uint32_t t = 0; t < 64; ++t, ++at)
            ASSERT_EQ(out[at], x | y << 8 | z << 16 | (y % 3 * 2 + x % 2) << 24) << x << " " << y << " " << z;
  }
}

TEST(Launch, ParametersAreCopiedWithTheirAlignment) {
  struct alignas(64) Wide {
    uint32_t words[32];
  } wide{};
  wide.words[31] = 77;
  Device<uint8_t> out(std::vector<uint8_t>(4, 9));
  EXPECT_TRUE(silent(run(mmcEmuKernel_parameters, {1, 32}, 0, out.data, uint8_t(5), wide, uint64_t(3) << 56)));
  EXPECT_EQ(out[0], 5);
  EXPECT_EQ(out[1], 77);
  EXPECT_EQ(out[2], 3);
  EXPECT_EQ(out[3], 0);
}

TEST(Launch, SharedMemoryIsNaNUntilWritten) {
  for (int round = 0; round < 2; ++round) { // the second round has the first one's window again
    Device<uint32_t> out(std::vector<uint32_t>(32, 0));
    const Outcome bad = run(mmcEmuKernel_pattern, {1, 32}, 0, out.data);
    EXPECT_TRUE(bad.find(Finding::uninitialisedRead));
    EXPECT_EQ(out[3], 0xffffffffu);
  }
}

TEST(Launch, ASharedStructMustFit) {
  const Outcome bad = run(mmcEmuKernel_tooMuchShared, {1, 32}, 0);
  EXPECT_TRUE(found(bad, Finding::sharedMemory, line("shared struct")));
  LaunchOptions enough = shape({1, 1, 1}, 32);
  enough.dynamicSharedBytes = 256;
  EXPECT_TRUE(silent(launchWith(mmcEmuKernel_tooMuchShared, enough, 0)));
}

TEST(Launch, RefusesWhatTheHardwareRefuses) {
  auto refused = [](LaunchOptions options, const char *why) {
    Device<uint32_t> out(std::vector<uint32_t>(64, 0));
    const Outcome run = launchWith(mmcEmuKernel_positions, options, 0, out.data);
    const Report *report = run.find(Finding::launch);
    return !run.completed && report && report->message.find(why) != std::string::npos
               ? testing::AssertionSuccess()
               : testing::AssertionFailure() << "expected \"" << why << "\"; " << run.text();
  };
  EXPECT_TRUE(refused(shape({0, 1, 1}, 64), "grid (0, 1, 1)"));
  EXPECT_TRUE(refused(shape({1, 65536, 1}, 64), "grid (1, 65536, 1)"));
  EXPECT_TRUE(refused(shape({1, 1, 1}, 0), "block (0, 1, 1)"));
  EXPECT_TRUE(refused(shape({1, 1, 1}, 1025), "at most 1024 threads"));
  EXPECT_TRUE(refused(shape({1, 1, 1}, 96), "96 threads, but the kernel's launch bound is 64"));
  EXPECT_TRUE(refused(shape({3, 1, 1}, 64, {2, 1, 1}), "cluster (2, 1, 1) does not divide grid (3, 1, 1)"));
  EXPECT_TRUE(refused(shape({17, 1, 1}, 64, {17, 1, 1}), "expected 1 to 16 blocks"));
  LaunchOptions large = shape({1, 1, 1}, 64);
  large.dynamicSharedBytes = 232449;
  EXPECT_TRUE(refused(large, "232449 bytes of shared memory, at most 232448"));
  large.dynamicSharedBytes = 232448;
  EXPECT_TRUE(silent([&] {
    Device<uint32_t> out(std::vector<uint32_t>(64, 0));
    return launchWith(mmcEmuKernel_positions, large, 0, out.data);
  }()));
  large.grid[0] = large.cluster[0] = 8;
  EXPECT_TRUE(refused(large, "needs more blocks at a time than 4 SMs hold"));
}

TEST(Launch, BlocksOfAnSm) {
  MmcEmuKernel kernel = mmcEmuKernel_positions;
  EXPECT_EQ(blocksPerSm(kernel, 1024, 0), 2u);
  EXPECT_EQ(blocksPerSm(kernel, 33, 0), 32u);
  EXPECT_EQ(blocksPerSm(kernel, 96, 0), 21u);
  EXPECT_EQ(blocksPerSm(kernel, 128, 100 << 10), 2u);
  EXPECT_EQ(blocksPerSm(kernel, 128, 115712), 2u); // 2 x (113 KiB + 1 KiB) is all there is
  EXPECT_EQ(blocksPerSm(kernel, 128, 115713), 1u);
}

TEST(Launch, AsManyBlocksAreResidentAsFit) {
  LaunchOptions options = shape({48, 1, 1}, 32, {2, 1, 1});
  options.dynamicSharedBytes = 70 << 10; // three on an SM
  for (uint64_t seed = 1; seed < 6; ++seed) {
    mostRunning = 0;
    clustersTogether = true;
    EXPECT_TRUE(silent(launchWith(mmcEmuKernel_resident, options, seed)));
    EXPECT_TRUE(running.empty());
    EXPECT_TRUE(clustersTogether);
    EXPECT_LE(mostRunning, 12u);
    EXPECT_GE(mostRunning, 8u) << "many, under a seed";
  }
}

TEST(Launch, CountsBytesOfGlobalMemory) {
  Device<uint32_t> out(std::vector<uint32_t>(32, 0));
  initialiseOnce();
  void *pointers[] = {&out.data};
  const LaunchResult result = launch(mmcEmuKernel_counted, shape({1, 1, 1}, 32), pointers);
  EXPECT_TRUE(result.completed);
  EXPECT_EQ(result.counters.globalBytesRead, 128u);
  EXPECT_EQ(result.counters.globalBytesWritten, 129u);
  EXPECT_EQ(result.counters.blocks, 1u);
}

TEST(Launch, OperationsMustBeWaitedFor) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_forgotten, {2, 32}, seed, 1u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_forgotten, {2, 32}, seed, 0u), Finding::other, line("nobody waits")));
  }
}

} // namespace
