// Proves programmatic dependent launch: what is ordered before and after griddepcontrol.wait, and the count of
// launch_dependents.
#include "runtime/cuda/emulation/ops/DependentLaunch.h"

#include "test/Cuda/KernelRun.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(produce);
MMC_TEST_KERNEL(consume);
MMC_TEST_KERNEL(overwrite);

namespace {

std::string line(const char *marker) { return lineOf("DependentLaunch.cu", std::string("BAD: ") + marker); }

/// Two launches in one stream; the second may start before the first has ended.
struct Pair {
  explicit Pair(uint64_t seed) : seed(seed) {
    static uint64_t index = 0;
    first.place = {7, ++index};
    second.place = {7, ++index};
    first.grid[0] = 2;
    first.block[0] = second.block[0] = 64;
    earlier.blocksBelow = allocateBlocks(1, {0, 0});
    earlier.lastCommand = std::vector<uint64_t>(8, first.place.index - 1);
    complete = earlier;
    complete.lastCommand[7] = first.place.index;
    first.before = &earlier;
    second.before = &earlier;
    second.afterDependency = &complete;
  }
  uint64_t seed;
  LaunchOptions first, second;
  StreamClock earlier, complete;
};

TEST(DependentLaunch, WaitOrdersTheProducer) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (uint32_t variant = 0; variant < 5; ++variant) {
      Device<uint32_t> data(std::vector<uint32_t>(128, 0)), results(std::vector<uint32_t>(64, 0));
      Pair pair(seed);
      EXPECT_TRUE(silent(launchWith(mmcEmuKernel_produce, pair.first, seed, data.data, 1u)));
      const Outcome outcome = launchWith(mmcEmuKernel_consume, pair.second, seed, data.data, results.data, variant);
      if (variant == 0 || variant == 2) {
        EXPECT_TRUE(silent(outcome)) << "variant " << variant;
        EXPECT_EQ(results[5], 6u);
      } else {
        const char *marker = variant == 4 ? "read before the wait" : "read without the wait";
        EXPECT_TRUE(found(outcome, Finding::race, line(marker))) << "variant " << variant;
        EXPECT_TRUE(found(outcome, Finding::race, line("produced"))) << "variant " << variant;
      }
    }
}

TEST(DependentLaunch, OverwritingNeedsTheWaitToo) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (uint32_t wait : {0u, 1u}) {
      Device<uint32_t> data(std::vector<uint32_t>(128, 0));
      Pair pair(seed);
      EXPECT_TRUE(silent(launchWith(mmcEmuKernel_produce, pair.first, seed, data.data, 1u)));
      const Outcome outcome = launchWith(mmcEmuKernel_overwrite, pair.second, seed, data.data, wait);
      if (wait)
        EXPECT_TRUE(silent(outcome));
      else
        EXPECT_TRUE(found(outcome, Finding::race, line("overwritten before the wait")));
    }
}

TEST(DependentLaunch, TriggersAreCounted) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> data(std::vector<uint32_t>(5 * 64, 0));
    EXPECT_EQ(run(mmcEmuKernel_produce, {5, 64}, seed, data.data, 1u).counters.triggeredBlocks, 5u);
    EXPECT_EQ(run(mmcEmuKernel_produce, {5, 64}, seed, data.data, 0u).counters.triggeredBlocks, 1u);
  }
}

} // namespace
