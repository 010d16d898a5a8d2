// Proves what the emulation counts, on kernels whose requests, sectors and wavefronts are known by hand: every
// expectation follows from the addresses in kernels/Counting.cu. Each holds under twenty seeds, because the order of
// fibers is none of the hardware's business.
#include "runtime/cuda/emulation/core/Counting.h"
#include "test/Cuda/KernelRun.h"

#include <functional>

using namespace mmc::emu;
using namespace mmc::emu::test;
using counting::Kind;
using counting::LaunchCounts;

MMC_TEST_KERNEL(countedCopy);
MMC_TEST_KERNEL(countedWords);
MMC_TEST_KERNEL(countedPairs);
MMC_TEST_KERNEL(countedVectors);
MMC_TEST_KERNEL(countedMatrix);
MMC_TEST_KERNEL(countedBranch);
MMC_TEST_KERNEL(countedAsync);
MMC_TEST_KERNEL(countedBulk);
MMC_TEST_KERNEL(countedAtomics);

namespace {

/// The kernel's counts under every seed, handed to `check`.
template <class... Parameters>
void counted(const MmcEmuKernel &kernel, Shape shape, const std::function<void(const LaunchCounts &)> &check,
             Parameters... parameters) {
  initialiseOnce();
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    counting::enable(true);
    const Outcome outcome = run(kernel, shape, seed, parameters...);
    EXPECT_TRUE(silent(outcome));
    const LaunchCounts counts = counting::take();
    counting::enable(false);
    SCOPED_TRACE("seed " + std::to_string(seed));
    check(counts);
  }
}

uint64_t sharedRequests(const LaunchCounts &counts) {
  uint64_t requests = 0;
  for (const counting::Place &place : counts.places) requests += place.shared ? place.requests : 0;
  return requests;
}

struct Expected {
  uint64_t bytes, sectors, whole, distinct;
};
void expectTraffic(const counting::Traffic &found, const Expected &expected) {
  EXPECT_EQ(found.bytes, expected.bytes);
  EXPECT_EQ(found.sectors, expected.sectors);
  EXPECT_EQ(found.wholeSectors, expected.whole);
  EXPECT_EQ(found.distinctSectors, expected.distinct);
}

const Shape kOneWarp{1, 32}, kTwoWarps{1, 64};
constexpr uint64_t kNone = 0;

} // namespace

TEST(Counting, ContiguousVectorsUseSectorsWhole) {
  Device<uint32_t> in(std::vector<uint32_t>(256, 1)), out(std::vector<uint32_t>(64, 0));
  counted(
      mmcEmuKernel_countedCopy, kTwoWarps,
      [](const LaunchCounts &counts) {
        expectTraffic(counts.loads, {1024, 32, 32, 32});
        expectTraffic(counts.stores, {256, 8, 8, 8});
      },
      in.data, out.data, 1u);
}

TEST(Counting, StridesUseSectorsInPart) {
  Device<uint32_t> in(std::vector<uint32_t>(256, 1)), out(std::vector<uint32_t>(64 * 8, 0));
  // Two words apart: four of a sector's eight words. Eight apart: a sector for each lane.
  counted(
      mmcEmuKernel_countedCopy, kTwoWarps,
      [](const LaunchCounts &counts) { expectTraffic(counts.stores, {256, 16, 0, 16}); }, in.data, out.data, 2u);
  counted(
      mmcEmuKernel_countedCopy, kTwoWarps,
      [](const LaunchCounts &counts) { expectTraffic(counts.stores, {256, 64, 0, 64}); }, in.data, out.data, 8u);
}

TEST(Counting, ASectorOfTwoRequestsIsDistinctOnce) {
  // Every block reads the same 512 bytes.
  Device<uint32_t> in(std::vector<uint32_t>(256, 1)), out(std::vector<uint32_t>(64, 0));
  for (uint32_t blocks : {1u, 5u})
    counted(
        mmcEmuKernel_countedAtomics, Shape{blocks, 32},
        [&](const LaunchCounts &counts) {
          expectTraffic(counts.loads, {128 * blocks, blocks, kNone, 1});
          expectTraffic(counts.atomics, {128 * blocks, blocks, blocks, 1});
          expectTraffic(counts.stores, {0, 0, 0, 0});
        },
        out.data, static_cast<const uint32_t *>(in.data), 8u);
}

TEST(Counting, WordsInOneBankConflict) {
  const auto conflicts = [](uint64_t stride, uint64_t turns, uint64_t expected) {
    counted(
        mmcEmuKernel_countedWords, kTwoWarps,
        [&](const LaunchCounts &counts) {
          EXPECT_EQ(sharedRequests(counts), 2 * turns);
          EXPECT_EQ(counts.conflicts, expected * 2 * turns) << "stride " << stride;
          EXPECT_EQ(counts.wavefronts, (expected + 1) * 2 * turns);
          expectTraffic(counts.stores, {0, 0, 0, 0});
        },
        uint32_t(stride), uint32_t(turns));
  };
  conflicts(1, 3, 0);
  conflicts(2, 1, 1);
  conflicts(3, 2, 0);
  conflicts(32, 2, 31);
  conflicts(33, 1, 0);
}

TEST(Counting, LanesThatWantOneWordShareAWavefront) {
  // Every thread the same word: a race for the shadow, but no conflict. Reports are not looked at here.
  initialiseOnce();
  counting::enable(true);
  run(mmcEmuKernel_countedWords, kOneWarp, 0, 0u, 1u);
  EXPECT_EQ(counting::take().conflicts, 0u);
  counting::enable(false);
}

TEST(Counting, WideAccessesGoByHalvesAndQuarters) {
  const auto wavefronts = [](const MmcEmuKernel &kernel, uint32_t stride, uint64_t needed, uint64_t conflicts) {
    counted(
        kernel, kOneWarp,
        [&](const LaunchCounts &counts) {
          EXPECT_EQ(counts.wavefronts - counts.conflicts, needed);
          EXPECT_EQ(counts.conflicts, conflicts) << "stride " << stride;
        },
        stride);
  };
  wavefronts(mmcEmuKernel_countedPairs, 1, 2, 0);
  wavefronts(mmcEmuKernel_countedPairs, 2, 2, 2);   // in a half, lanes 0 and 8 meet
  wavefronts(mmcEmuKernel_countedPairs, 16, 2, 30); // all 16 lanes of a half meet
  wavefronts(mmcEmuKernel_countedVectors, 1, 4, 0);
  wavefronts(mmcEmuKernel_countedVectors, 8, 4, 28);
  wavefronts(mmcEmuKernel_countedVectors, 9, 4, 0);
}

TEST(Counting, AMatrixIsAWavefrontWhereItsRowsLieInDifferentBanks) {
  Device<uint32_t> out(std::vector<uint32_t>(32, 0));
  // Rows of 16 bytes side by side; 32 apart: rows 0 and 4 meet; 128 apart: all eight.
  for (auto [rowBytes, conflicts] : {std::pair(16u, 0u), {32u, 4u}, {128u, 28u}, {144u, 0u}})
    counted(
        mmcEmuKernel_countedMatrix, kOneWarp,
        [&, conflicts = conflicts](const LaunchCounts &counts) {
          uint64_t loaded = 0, requests = 0;
          for (const counting::Place &place : counts.places)
            if (place.shared && place.kind == Kind::load) loaded += place.conflicts, requests += place.requests;
          EXPECT_EQ(requests, 4u);
          EXPECT_EQ(loaded, conflicts);
        },
        out.data, rowBytes);
}

TEST(Counting, LanesUnderABranchAreARequestOfTheirOwn) {
  Device<uint32_t> out(std::vector<uint32_t>(32 * 4, 0));
  for (uint32_t lanes : {32u, 8u, 3u, 0u})
    counted(
        mmcEmuKernel_countedBranch, kOneWarp,
        [&](const LaunchCounts &counts) {
          const uint64_t sectors = (lanes + 7) / 8 * 4;
          expectTraffic(counts.stores, {lanes * 4 * 4, sectors, lanes % 8 ? kNone : sectors, sectors});
          ASSERT_EQ(counts.places.size(), lanes ? 1u : 0u);
          if (lanes) EXPECT_EQ(counts.places[0].requests, 4u);
        },
        out.data, lanes, 4u);
}

TEST(Counting, AnAsynchronousCopyIsALoadAndAStore) {
  Device<uint32_t> in(std::vector<uint32_t>(128, 1));
  const auto copies = [&](uint32_t stride, uint32_t missing, uint64_t sectors, uint64_t whole, uint64_t conflicts) {
    counted(
        mmcEmuKernel_countedAsync, kOneWarp,
        [&](const LaunchCounts &counts) {
          expectTraffic(counts.loads, {(32 - missing) * 16, sectors, whole, sectors});
          EXPECT_EQ(counts.conflicts, conflicts);
          EXPECT_EQ(counts.wavefronts - counts.conflicts, 4u);
        },
        in.data, stride, missing);
  };
  copies(4, 0, 16, 16, 0);
  copies(4, 1, 16, 15, 0);
  copies(32, 2, 15, 15, 28); // rows of 128 bytes without a swizzle
}

TEST(Counting, ABulkCopyIsARequestByItself) {
  Device<uint32_t> in(std::vector<uint32_t>(64, 1)), out(std::vector<uint32_t>(64, 0));
  counted(
      mmcEmuKernel_countedBulk, kOneWarp,
      [](const LaunchCounts &counts) {
        expectTraffic(counts.loads, {176, 6, 5, 6});
        expectTraffic(counts.stores, {176, 6, 5, 6});
      },
      static_cast<const uint32_t *>(in.data), out.data);
}

TEST(Counting, PlacesAreNamedInJson) {
  Device<uint32_t> in(std::vector<uint32_t>(256, 1)), out(std::vector<uint32_t>(64 * 8, 0));
  initialiseOnce();
  counting::enable(true);
  run(mmcEmuKernel_countedCopy, kTwoWarps, 0, in.data, out.data, 2u);
  LaunchCounts counts = counting::take();
  counting::enable(false);
  counts.kernel = "copy";
  const std::string json = counting::toJson(counts, LaunchOptions{});
  EXPECT_NE(json.find("{\"kernel\": \"copy\", \"grid\": [1, 1, 1]"), std::string::npos) << json;
  EXPECT_NE(json.find("\"stores\": {\"bytes\": 256, \"sectors\": 16, \"whole_sectors\": 0, \"distinct_sectors\": 16}"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(lineOf("Counting.cu", "PLACE: stored")), std::string::npos) << json;
  EXPECT_EQ(json.find("\"kind\": \"load\""), std::string::npos) << "nothing is to be said of the loads: " << json;
}

TEST(Counting, NothingIsCountedUnlessAskedFor) {
  Device<uint32_t> in(std::vector<uint32_t>(256, 1)), out(std::vector<uint32_t>(64, 0));
  counting::enable(false);
  run(mmcEmuKernel_countedCopy, kTwoWarps, 0, in.data, out.data, 1u);
  EXPECT_TRUE(counting::take().places.empty());
}
