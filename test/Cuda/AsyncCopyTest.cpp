// Proves cp.async: what arrives, when it may be used, and for each rule a kernel that breaks it, reported with its
// line, and one close to it that stays silent.
#include "test/Cuda/KernelRun.h"

#include <numeric>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(zeroFill);
MMC_TEST_KERNEL(ownRead);
MMC_TEST_KERNEL(otherRead);
MMC_TEST_KERNEL(groups);
MMC_TEST_KERNEL(form);
MMC_TEST_KERNEL(inFlight);
MMC_TEST_KERNEL(twoWriters);
MMC_TEST_KERNEL(toAsyncProxy);
MMC_TEST_KERNEL(arrival);
MMC_TEST_KERNEL(arrivalRing);
MMC_TEST_KERNEL(unwrittenWord);
MMC_TEST_KERNEL(forgotten);

namespace {

const std::string kFile = "AsyncCopy.cu";
const Shape kWarp{.threads = 32};

struct Words : Device<uint32_t> {
  explicit Words(uint32_t count, uint32_t first = 1) : Device<uint32_t>(ramp(count, first)) {}
  static std::vector<uint32_t> ramp(uint32_t count, uint32_t first) {
    std::vector<uint32_t> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
  }
};

TEST(AsyncCopy, CopiesWhatIsValidAndFillsWithZeros) {
  const uint32_t kValid[][3] = {{16, 8, 4}, {0, 0, 0}, {12, 4, 0}, {4, 4, 4}, {8, 0, 4}};
  for (const auto &valid : kValid)
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      Words in(256), out(448);
      ASSERT_TRUE(silent(run(mmcEmuKernel_zeroFill, {}, seed, in.data, out.data, valid[0], valid[1], valid[2])));
      for (uint32_t i = 0; i < 256; ++i) ASSERT_EQ(out[i], i % 4 < valid[0] / 4 ? i + 1 : 0);
      for (uint32_t i = 0; i < 128; ++i) ASSERT_EQ(out[256 + i], i % 2 < valid[1] / 4 ? i + 1 : 0);
      for (uint32_t i = 0; i < 64; ++i) ASSERT_EQ(out[384 + i], valid[2] ? i + 1 : 0);
    }
}

TEST(AsyncCopy, CutsInTheMiddleOfAWord) {
  Words in(256), out(448);
  ASSERT_TRUE(silent(run(mmcEmuKernel_zeroFill, {}, 0, in.data, out.data, 7u, 3u, 1u)));
  in[200] = 0x11223344;
  in[201] = 0x55667788;
  in[50] = 0xaabbccdd;
  ASSERT_TRUE(silent(run(mmcEmuKernel_zeroFill, {}, 0, in.data, out.data, 7u, 3u, 1u)));
  EXPECT_EQ(out[200], 0x11223344u);
  EXPECT_EQ(out[201], 0x00667788u);
  EXPECT_EQ(out[202], 0u);
  EXPECT_EQ(out[256 + 50], 0x00bbccddu);
  EXPECT_EQ(out[384 + 50], 0x000000ddu);
}

TEST(AsyncCopy, ItsThreadUsesACopyAfterTheWait) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(32), out(32);
    ASSERT_TRUE(silent(run(mmcEmuKernel_ownRead, kWarp, seed, 0u, in.data, out.data)));
    for (uint32_t i = 0; i < 32; ++i) ASSERT_EQ(out[i], i + 1);
    for (uint32_t broken : {1u, 2u, 3u})
      ASSERT_TRUE(found(run(mmcEmuKernel_ownRead, kWarp, seed, broken, in.data, out.data), Finding::race,
                        lineOf(kFile, "BAD: own copy read too early")))
          << broken;
  }
}

TEST(AsyncCopy, OtherThreadsUseItAfterABarrierToo) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(64), out(64);
    ASSERT_TRUE(silent(run(mmcEmuKernel_otherRead, {}, seed, 0u, in.data, out.data)));
    for (uint32_t i = 0; i < 64; ++i) ASSERT_EQ(out[i], 64 - i);
    ASSERT_TRUE(found(run(mmcEmuKernel_otherRead, {}, seed, 1u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: copy of another thread read too early")));
  }
}

TEST(AsyncCopy, AWaitMayLeaveGroupsPending) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(256), out(256);
    ASSERT_TRUE(silent(run(mmcEmuKernel_groups, kWarp, seed, 0u, in.data, out.data)));
    for (uint32_t i = 0; i < 224; ++i) ASSERT_EQ(out[i], i + 1);
    ASSERT_TRUE(found(run(mmcEmuKernel_groups, kWarp, seed, 1u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: younger group read")));
  }
}

TEST(AsyncCopy, ChecksItsForm) {
  const struct {
    uint32_t size, shared, global, valid;
    Finding expected;
  } kBad[] = {
      {4, 2, 0, 4, Finding::misaligned},
      {4, 0, 2, 4, Finding::misaligned},
      {8, 4, 0, 8, Finding::misaligned},
      {8, 0, 4, 8, Finding::misaligned},
      {16, 8, 0, 16, Finding::misaligned},
      {16, 0, 8, 16, Finding::misaligned},
      {4, 0, 0, 5, Finding::other},
      {16, 0, 0, 17, Finding::other},
      {16, 0, 256, 16, Finding::outOfBounds},
      {16, 0, 240, 16, Finding::outOfBounds},
      {16, 2176, 0, 16, Finding::outOfBounds},
      {16, 262144, 0, 16, Finding::sharedMemory},
  };
  for (const auto &b : kBad) {
    Words in(62); // 248 bytes
    ASSERT_TRUE(found(run(mmcEmuKernel_form, kWarp, 0, b.size, b.shared, b.global, b.valid, in.data), b.expected,
                      lineOf(kFile, "BAD: form of " + std::to_string(b.size))))
        << b.size << " " << b.shared << " " << b.global << " " << b.valid;
  }
  const uint32_t kGood[][4] = {{4, 4, 4, 4},    {8, 8, 8, 8},     {16, 16, 16, 16},
                               {16, 0, 240, 8}, {16, 0, 1024, 0}, {8, 2040, 240, 8}};
  for (const auto &g : kGood) {
    Words in(62);
    ASSERT_TRUE(silent(run(mmcEmuKernel_form, kWarp, 0, g[0], g[1], g[2], g[3], in.data)));
  }
}

TEST(AsyncCopy, BothEndsStayUntilTheCopyIsComplete) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(32), out(32);
    ASSERT_TRUE(silent(run(mmcEmuKernel_inFlight, kWarp, seed, 0u, in.data, out.data)));
    EXPECT_EQ(out[0], 1u);
    ASSERT_TRUE(found(run(mmcEmuKernel_inFlight, kWarp, seed, 1u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: source written")));
    if (seed == 0) {
      EXPECT_EQ(out[0], 3u) << "late copies move what is there when they run";
    }
    ASSERT_TRUE(found(run(mmcEmuKernel_inFlight, kWarp, seed, 2u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: destination written")));
  }
}

TEST(AsyncCopy, TwoCopiesToOnePlaceRace) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(32);
    ASSERT_TRUE(silent(run(mmcEmuKernel_twoWriters, {}, seed, 0u, in.data)));
    ASSERT_TRUE(found(run(mmcEmuKernel_twoWriters, {}, seed, 1u, in.data), Finding::race,
                      lineOf(kFile, "BAD: second copy to one place")));
  }
}

TEST(AsyncCopy, TheAsyncProxySeesACopyAfterAFence) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(256), out(256, 1000);
    ASSERT_TRUE(silent(run(mmcEmuKernel_toAsyncProxy, {}, seed, 0u, in.data, out.data)));
    EXPECT_EQ(out[255], 256u);
    const Outcome unfenced = run(mmcEmuKernel_toAsyncProxy, {}, seed, 1u, in.data, out.data);
    ASSERT_TRUE(found(unfenced, Finding::missingProxyFence, lineOf(kFile, "BAD: store of a cp.async")));
    ASSERT_TRUE(found(unfenced, Finding::missingProxyFence, lineOf(kFile, "BAD: cp.async before a store")));
  }
}

TEST(AsyncCopy, AnArrivalCoversTheCopiesBeforeIt) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(64), out(128, 1000);
    ASSERT_TRUE(silent(run(mmcEmuKernel_arrival, {}, seed, 0u, in.data, out.data)));
    for (uint32_t i = 0; i < 64; ++i) ASSERT_EQ(out[i], i + 1);
    ASSERT_TRUE(found(run(mmcEmuKernel_arrival, {}, seed, 1u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: copy after the arrival")));
    ASSERT_TRUE(found(run(mmcEmuKernel_arrival, {}, seed, 2u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: read without the arrival")));
    ASSERT_TRUE(found(run(mmcEmuKernel_arrival, {}, seed, 3u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: plain write read")));
  }
}

TEST(AsyncCopy, ARingCompletesOnMbarriers) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(512), out(512);
    ASSERT_TRUE(silent(run(mmcEmuKernel_arrivalRing, {}, seed, in.data, out.data)));
    for (uint32_t i = 0; i < 512; ++i) ASSERT_EQ(out[i], i / 32 * 32 + 31 - i % 32 + 1);
  }
}

TEST(AsyncCopy, UnwrittenBytesMayBeCopiedButNotUsed) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(32), out(32);
    memory::setInitialised(in.data + 16, 64, false);
    ASSERT_TRUE(silent(run(mmcEmuKernel_unwrittenWord, kWarp, seed, 0u, in.data, out.data)));
    ASSERT_TRUE(found(run(mmcEmuKernel_unwrittenWord, kWarp, seed, 1u, in.data, out.data), Finding::uninitialisedRead,
                      lineOf(kFile, "BAD: nothing has written it")));
  }
}

TEST(AsyncCopy, ABlockMayEndWithCopiesUnderWay) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(32);
    ASSERT_TRUE(silent(run(mmcEmuKernel_forgotten, kWarp, seed, in.data)));
  }
}

} // namespace
