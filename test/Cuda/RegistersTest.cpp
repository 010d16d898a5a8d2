// Proves setmaxnreg: the block's registers are never exceeded, and every rule on who asks for what.
#include "runtime/cuda/emulation/ops/Registers.h"

#include "test/Cuda/KernelRun.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(usual);
MMC_TEST_KERNEL(tooMany);
MMC_TEST_KERNEL(raiseThatLowers);
MMC_TEST_KERNEL(lowerThatRaises);
MMC_TEST_KERNEL(oneWarp);
MMC_TEST_KERNEL(otherCount);
MMC_TEST_KERNEL(halfAWarp);
MMC_TEST_KERNEL(halfAGroup);
MMC_TEST_KERNEL(oddCount);

namespace {

std::string line(const char *marker) { return lineOf("Registers.cu", std::string("BAD: ") + marker); }

void expectRule(const MmcEmuKernel &kernel, uint32_t threads, Finding finding, const char *marker) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(found(run(kernel, {1, threads}, seed, 1u), finding, line(marker)));
    EXPECT_TRUE(silent(run(kernel, {1, threads}, seed, 0u)));
  }
}

TEST(Registers, AtLaunch) {
  EXPECT_EQ(registers::atLaunch(384, 1), 168u);
  EXPECT_EQ(registers::atLaunch(512, 1), 128u);
  EXPECT_EQ(registers::atLaunch(128, 1), 248u);
  EXPECT_EQ(registers::atLaunch(256, 2), 128u);
  EXPECT_EQ(registers::atLaunch(1024, 0), 64u);
}

TEST(Registers, OneGroupLendsToTheOthers) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) EXPECT_TRUE(silent(run(mmcEmuKernel_usual, {6, 384}, seed, 0u)));
}

TEST(Registers, MoreThanThereAreIsADeadlock) {
  expectRule(mmcEmuKernel_tooMany, 384, Finding::deadlock, "never free");
  const Outcome bad = run(mmcEmuKernel_tooMany, {1, 384}, 0, 1u);
  EXPECT_NE(bad.text().find("has 168 registers for each thread and asks for 240"), std::string::npos) << bad.text();
}

TEST(Registers, Directions) {
  expectRule(mmcEmuKernel_raiseThatLowers, 384, Finding::registerRequest, "inc below");
  expectRule(mmcEmuKernel_lowerThatRaises, 384, Finding::registerRequest, "dec above");
}

TEST(Registers, AllWarpsOfAGroup) {
  expectRule(mmcEmuKernel_oneWarp, 128, Finding::registerRequest, "one warp does not");
  expectRule(mmcEmuKernel_otherCount, 128, Finding::registerRequest, "three warps");
  expectRule(mmcEmuKernel_otherCount, 128, Finding::registerRequest, "the fourth");
  expectRule(mmcEmuKernel_halfAWarp, 128, Finding::divergence, "lanes from two places");
}

TEST(Registers, WholeGroups) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(found(run(mmcEmuKernel_halfAGroup, {1, 192}, seed, 0u), Finding::registerRequest, line("incomplete")));
    EXPECT_TRUE(silent(run(mmcEmuKernel_halfAGroup, {1, 256}, seed, 0u)));
  }
}

TEST(Registers, Counts) {
  for (uint32_t count : {0u, 16u, 60u, 264u})
    EXPECT_TRUE(found(run(mmcEmuKernel_oddCount, {1, 128}, 0, count), Finding::registerRequest, line("odd count")))
        << count;
  for (uint32_t count : {24u, 64u, 248u}) EXPECT_TRUE(silent(run(mmcEmuKernel_oddCount, {1, 128}, 0, count))) << count;
}

} // namespace
