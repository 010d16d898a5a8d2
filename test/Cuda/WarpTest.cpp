// Proves what lanes exchange, and who must meet for it.
#include "test/Cuda/KernelRun.h"

#include <bit>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(exchanges);
MMC_TEST_KERNEL(halves);
MMC_TEST_KERNEL(passes);
MMC_TEST_KERNEL(masks);
MMC_TEST_KERNEL(aligned);

namespace {

std::string line(const char *marker) { return lineOf("Warps.cu", std::string("BAD: ") + marker); }
std::vector<uint32_t> zeros(size_t count) { return std::vector<uint32_t>(count, 0); }
const Shape kWarp{1, 32};

TEST(Warp, Exchanges) {
  auto value = [](uint32_t lane) { return lane * lane + 7; };
  uint32_t ballot = 0, sum = 0, equal[4] = {};
  for (uint32_t lane = 0; lane < 32; ++lane) {
    ballot |= uint32_t(value(lane) % 3 == 0) << lane;
    sum += value(lane);
    equal[value(lane) % 4] |= 1u << lane;
  }
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(32 * 16));
    EXPECT_TRUE(silent(run(mmcEmuKernel_exchanges, kWarp, seed, out.data)));
    for (uint32_t lane = 0; lane < 32; ++lane) {
      const uint32_t *row = &out[lane * 16], group8 = lane / 8 * 8;
      ASSERT_EQ(row[0], value(5));
      ASSERT_EQ(row[1], value(group8 + (lane + 3) % 8));
      ASSERT_EQ(row[2], value(lane < 3 ? lane : lane - 3));
      ASSERT_EQ(row[3], value(lane % 8 < 3 ? lane : lane - 3));
      ASSERT_EQ(row[4], value(lane + 5 < 32 ? lane + 5 : lane));
      ASSERT_EQ(row[5], value(lane % 16 + 5 < 16 ? lane + 5 : lane));
      ASSERT_EQ(row[6], value(lane ^ 9));
      // Bit 3 leads out of the group of 8: up is out of bounds, down is not.
      ASSERT_EQ(row[7], value(lane & 8 ? lane ^ 9 : lane));
      ASSERT_EQ(row[8], ballot);
      ASSERT_EQ(row[9], 1u | 0u << 1 | 1u << 2 | 0u << 3) << "31 * 31 + 7 = 968";
      ASSERT_EQ(row[10], lane == 0);
      ASSERT_EQ(row[11], sum);
      ASSERT_EQ(row[12], uint32_t(-16));
      ASSERT_EQ(row[13], equal[value(lane) % 4]);
      ASSERT_EQ(row[14], ~0u);
      // Element (r, c) of the transposed matrix is element (c, r), which lane 4 c + r / 2 holds.
      const uint32_t r = lane / 4, c = lane % 4 * 2;
      auto element = [](uint32_t row, uint32_t column) { return row * 4 + column / 2 + (column % 2 ? 100 : 0); };
      ASSERT_EQ(row[15], element(c, r) | element(c + 1, r) << 16);
    }
  }
}

TEST(Warp, HalvesMeetByThemselves) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(32));
    EXPECT_TRUE(silent(run(mmcEmuKernel_halves, kWarp, seed, out.data)));
    EXPECT_EQ(out[0], 376u); // 16 + ... + 31
    EXPECT_EQ(out[31], 1u);
    EXPECT_EQ(out[30], 0u);
  }
}

TEST(Warp, OnlySyncWarpOrdersMemory) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(32));
    EXPECT_TRUE(silent(run(mmcEmuKernel_passes, kWarp, seed, out.data, 0u)));
    EXPECT_EQ(out[8], 9u);
    for (uint32_t how : {1u, 2u}) {
      const Outcome bad = run(mmcEmuKernel_passes, kWarp, seed, out.data, how);
      EXPECT_TRUE(found(bad, Finding::race, line("lane writes")));
      EXPECT_TRUE(found(bad, Finding::race, line("lane reads")));
    }
    const Outcome after = run(mmcEmuKernel_passes, kWarp, seed, out.data, 3u);
    EXPECT_TRUE(found(after, Finding::race, line("lane writes again")));
    EXPECT_TRUE(found(after, Finding::race, line("lane reads")));
  }
}

TEST(Warp, MasksNameWhoTakesPart) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(32));
    EXPECT_TRUE(silent(run(mmcEmuKernel_masks, kWarp, seed, out.data, 0u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_masks, kWarp, seed, out.data, 1u), Finding::divergence, line("not named")));
    const Outcome crossed = run(mmcEmuKernel_masks, kWarp, seed, out.data, 2u);
    EXPECT_TRUE(found(crossed, Finding::divergence, line("waits for another")));
    EXPECT_TRUE(found(crossed, Finding::divergence, line("waits elsewhere")));
    EXPECT_TRUE(silent(run(mmcEmuKernel_masks, kWarp, seed, out.data, 3u)));
    EXPECT_EQ(out[4], 16u) << "lanes that have exited are not waited for";
    EXPECT_TRUE(
        found(run(mmcEmuKernel_masks, kWarp, seed, out.data, 4u), Finding::divergence, line("outside of the mask")));
  }
}

TEST(Warp, AlignedInstructionsNeedAllLanesAtOnePlace) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(32));
    EXPECT_TRUE(silent(run(mmcEmuKernel_aligned, kWarp, seed, out.data, 0u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_aligned, kWarp, seed, out.data, 1u), Finding::divergence, line("even place")));
    const Outcome two = run(mmcEmuKernel_aligned, kWarp, seed, out.data, 2u);
    EXPECT_TRUE(found(two, Finding::divergence, line("odd place")));
    EXPECT_TRUE(found(two, Finding::divergence, line("even place")));
  }
  Device<uint32_t> out(zeros(32));
  EXPECT_TRUE(found(run(mmcEmuKernel_aligned, {1, 16}, 0, out.data, 0u), Finding::divergence, line("even place")));
}

} // namespace
