// Proves the rules of wgmma, each by a kernel that breaks it and is reported with kind and line, and one close to it
// that stays silent and has the right sums, under several seeds.
#include "runtime/cuda/emulation/ops/Wgmma.h"

#include "runtime/cuda/emulation/ops/Descriptor.h"
#include "runtime/cuda/emulation/ptx/calls.h"
#include "test/Cuda/KernelRun.h"

#include <gmock/gmock.h>

using namespace mmc::emu;
using namespace mmc::emu::test;
using testing::HasSubstr;

#define RULE(test, kernel, threads, finding, marker)                                                                   \
  MMC_TEST_KERNEL(kernel);                                                                                             \
  TEST(Wgmma, test) { expectRule(mmcEmuKernel_##kernel, threads, finding, marker); }

namespace {

constexpr uint32_t kOutputs = 256 * 32;

std::string line(const char *marker) { return lineOf("Wgmma.cu", std::string("BAD: ") + marker); }

void expectRule(const MmcEmuKernel &kernel, uint32_t threads, Finding finding, const char *marker) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(kOutputs, 0));
    EXPECT_TRUE(found(run(kernel, {1, threads}, seed, 1u, out.data), finding, line(marker)));
    Device<float> again(std::vector<float>(kOutputs, 0));
    EXPECT_TRUE(silent(run(kernel, {1, threads}, seed, 0u, again.data)));
  }
}

} // namespace

// Shared memory.
RULE(OperandsNeedAProxyFence, proxyFence, 128, Finding::missingProxyFence, "without a proxy fence")
RULE(OperandsOfOthersAreWaitedFor, otherWriter, 256, Finding::race, "without waiting")
RULE(OperandsStayUntilTheWait, overwrite, 128, Finding::race, "overwritten in flight")
RULE(OperandsOfAPendingGroupStay, overwritePending, 128, Finding::race, "of the pending group")
RULE(CopiedOperandsAreWaitedFor, copiedOperands, 128, Finding::race, "without the mbarrier")
RULE(AStageIsRefilledAfterTheWait, refilled, 128, Finding::race, "refilled in flight")
RULE(OperandsLieInSharedMemory, unwritten, 128, Finding::outOfBounds, "past the end")

// Registers.
RULE(AccumulatorsAreNotReadInFlight, readAccumulator, 128, Finding::fragmentInFlight, "read in flight")
RULE(AccumulatorsAreNotWrittenInFlight, writeAccumulator, 128, Finding::fragmentInFlight, "written in flight")
RULE(FragmentsOfAAreNotWrittenInFlight, writeA, 128, Finding::fragmentInFlight, "A written in flight")
RULE(LoadedMatricesDoNotFallOnAInFlight, loadOverA, 128, Finding::fragmentInFlight, "loaded in flight")
RULE(AccumulatorsOfAPendingGroupAreInFlight, readPending, 128, Finding::fragmentInFlight, "read pending")
RULE(ContinuedAccumulatorsAreInFlight, readContinued, 128, Finding::fragmentInFlight, "read continued")
RULE(IssuedWithoutCommit, uncommitted, 128, Finding::fragmentInFlight, "never committed")
RULE(AnAccumulatorInFlightIsNoA, chained, 128, Finding::fragmentInFlight, "A still in flight")

// wgmma.fence.
RULE(AFenceBeforeTheFirst, firstFence, 128, Finding::missingWgmmaFence, "no fence at all")
RULE(AFenceAfterWrites, writtenAfterFence, 128, Finding::missingWgmmaFence, "written after the fence")
RULE(AFenceAfterScaling, scaledBetween, 128, Finding::missingWgmmaFence, "scaled without a fence")
RULE(AFenceAfterReads, readBetween, 128, Finding::missingWgmmaFence, "read without a fence")
RULE(AFenceAfterLoads, loadedAfterFence, 128, Finding::missingWgmmaFence, "A loaded after the fence")
RULE(AFenceBetweenShapes, otherShape, 128, Finding::missingWgmmaFence, "another shape")

// Who executes it.
RULE(AllWarpsFromOnePlace, twoPlaces, 128, Finding::divergence, "the fourth warp")
RULE(AllThreadsWithOneDescriptor, twoDescriptors, 128, Finding::divergence, "descriptors differ")
RULE(AMissingWarpIsADeadlock, warpMissing, 128, Finding::deadlock, "the fourth warp has gone")
RULE(AWholeWarpgroup, halfAGroup, 160, Finding::divergence, "a warp alone")

MMC_TEST_KERNEL(neverWaited);
MMC_TEST_KERNEL(anyDescriptor);
MMC_TEST_KERNEL(raw);
MMC_TEST_KERNEL(pipeline);
MMC_TEST_KERNEL(twoGroups);

namespace {

TEST(Wgmma, AGroupThatIsNeverWaitedFor) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(kOutputs, 0));
    const Outcome bad = run(mmcEmuKernel_neverWaited, {1, 128}, seed, 1u, out.data);
    ASSERT_FALSE(bad.reports.empty()) << "seed " << seed;
    for (const Report &report : bad.reports) EXPECT_TRUE(isAt(report.line, line("never waited for"))) << report.text();
    EXPECT_TRUE(silent(run(mmcEmuKernel_neverWaited, {1, 128}, seed, 0u, out.data)));
  }
}

TEST(Wgmma, TheDeadlockNamesWhoIsMissing) {
  Device<float> out(std::vector<float>(kOutputs, 0));
  const Outcome bad = run(mmcEmuKernel_warpMissing, {1, 128}, 0, 1u, out.data);
  EXPECT_THAT(bad.text(), HasSubstr("wgmma.wait_group"));
  EXPECT_THAT(bad.text(), HasSubstr("96 of 128 threads have committed it, thread 96 has not"));
}

TEST(Wgmma, MessagesNameTheOtherLine) {
  Device<float> out(std::vector<float>(kOutputs, 0));
  const Outcome loaded = run(mmcEmuKernel_loadedAfterFence, {1, 128}, 0, 1u, out.data);
  const Report *report = loaded.find(Finding::missingWgmmaFence);
  ASSERT_TRUE(report) << loaded.text();
  EXPECT_TRUE(isAt(report->line, line("A loaded after the fence"))) << report->text();
  EXPECT_TRUE(isAt(report->otherLine, line("the load"))) << report->text();
  const Outcome proxy = run(mmcEmuKernel_proxyFence, {1, 128}, 0, 1u, out.data);
  const Report *missing = proxy.find(Finding::missingProxyFence);
  ASSERT_TRUE(missing) << proxy.text();
  EXPECT_TRUE(isAt(missing->line, line("without a proxy fence"))) << missing->text();
}

TEST(Wgmma, EachBadDescriptorIsReportedWithItsReason) {
  const Descriptor good{0, 16, 1024, 0, Swizzle::bytes128};
  const auto changed = [&](auto change) {
    Descriptor d = good;
    change(d);
    return d.encode();
  };
  struct Bad {
    uint64_t bits;
    const char *reason;
  };
  const Bad bads[] = {
      {changed([](Descriptor &d) { d.strideOffset = 0; }), "stride byte offset is 0"},
      {changed([](Descriptor &d) { d.strideOffset = 512; }), "stride byte offset is 512"},
      {changed([](Descriptor &d) { d.start = 128; }), "into a swizzle atom"},
      {changed([](Descriptor &d) { d.start = 112; }), "leaves 16 bytes"},
      {changed([](Descriptor &d) { d.baseOffset = 1; }), "base offset 1"},
      {changed([](Descriptor &d) { d.reserved = 1ull << 46; }), "reserved bits"},
      {changed([](Descriptor &d) { d.start = 0x3fc00; }), "ends at shared address"},
      {changed([](Descriptor &d) { d.swizzle = Swizzle::none; }), "leading byte offset is 16"},
  };
  Device<float> out(std::vector<float>(kOutputs, 0));
  for (const Bad &bad : bads)
    for (bool isB : {false, true}) {
      const uint64_t a = isB ? good.encode() : bad.bits, b = isB ? bad.bits : good.encode();
      const Outcome outcome = run(mmcEmuKernel_anyDescriptor, {1, 128}, 1, a, b, out.data);
      ASSERT_TRUE(found(outcome, Finding::badDescriptor, line("descriptor"))) << bad.reason;
      EXPECT_THAT(outcome.find(Finding::badDescriptor)->message, HasSubstr(bad.reason));
      EXPECT_THAT(outcome.find(Finding::badDescriptor)->message,
                  HasSubstr(isB ? "descriptor of B" : "descriptor of A"));
    }
  EXPECT_TRUE(silent(run(mmcEmuKernel_anyDescriptor, {1, 128}, 1, good.encode(), good.encode(), out.data)));
}

TEST(Wgmma, ShapesThatExist) {
  for (uint32_t n = 0; n <= 264; ++n) {
    const bool floats = n % 8 == 0 && n >= 8 && n <= 256;
    const bool integers = n == 8 || n == 24 || (n % 16 == 0 && n >= 16 && n <= 256);
    EXPECT_EQ(checkShape({nullptr, nullptr, 0, 0, n, Element::bf16, Element::bf16, 0}).empty(), floats) << n;
    EXPECT_EQ(checkShape({nullptr, nullptr, 0, 0, n, Element::e4m3, Element::e5m2, 0}).empty(), floats) << n;
    EXPECT_EQ(checkShape({nullptr, nullptr, 0, 0, n, Element::s8, Element::u8, 0}).empty(), integers) << n;
  }
  const auto wrong = [](Element a, Element b, uint32_t flags) {
    return checkShape({nullptr, nullptr, 0, 0, 64, a, b, flags});
  };
  EXPECT_THAT(wrong(Element::bf16, Element::f16, 0), HasSubstr("different types"));
  EXPECT_THAT(wrong(Element::bf16, Element::e4m3, 0), HasSubstr("different types"));
  EXPECT_THAT(wrong(Element::s8, Element::e4m3, 0), HasSubstr("one operand is an integer"));
  EXPECT_THAT(wrong(Element::e4m3, Element::e4m3, mmcEmuTransposeB), HasSubstr("K-major"));
  EXPECT_THAT(wrong(Element::s8, Element::s8, mmcEmuNegateA), HasSubstr("negated"));
  EXPECT_THAT(wrong(Element::bf16, Element::bf16, mmcEmuSaturate), HasSubstr("saturate"));
}

TEST(Wgmma, AShapeThatDoesNotExistIsReported) {
  Device<int32_t> d(std::vector<int32_t>(128 * 128, 0));
  const uint32_t bf16 = uint32_t(Element::bf16);
  EXPECT_TRUE(
      found(run(mmcEmuKernel_raw, {1, 128}, 0, d.data, 60u, bf16, bf16, 0u), Finding::badDescriptor, line("shape")));
  EXPECT_TRUE(silent(run(mmcEmuKernel_raw, {1, 128}, 0, d.data, 64u, bf16, bf16, 0u)));
}

TEST(Wgmma, IntegersSaturateWhereAsked) {
  // Bytes of bf16 ones are 0x80 and 0x3f: for s8, 16 pairs of (-128)^2 + 63^2.
  const int32_t sum = 16 * (128 * 128 + 63 * 63);
  const uint32_t s8 = uint32_t(Element::s8);
  for (uint32_t saturate : {0u, uint32_t(mmcEmuSaturate)}) {
    Device<int32_t> d(std::vector<int32_t>(128 * 128, INT32_MAX - 7));
    EXPECT_TRUE(silent(run(mmcEmuKernel_raw, {1, 128}, 3, d.data, 16u, s8, s8, saturate | mmcEmuAccumulate)));
    for (uint32_t thread = 0; thread < 128; ++thread) {
      EXPECT_EQ(d[thread * 128 + 7], saturate ? INT32_MAX : int32_t(uint32_t(INT32_MAX - 7) + uint32_t(sum)));
      EXPECT_EQ(d[thread * 128 + 8], INT32_MAX - 7) << "n16 has eight registers";
    }
  }
}

TEST(Wgmma, BatchesRunInOrderUnderAllSeeds) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<float> out(std::vector<float>(kOutputs, 0));
    EXPECT_TRUE(silent(run(mmcEmuKernel_pipeline, {1, 128}, seed, 5u, out.data)));
    for (uint32_t i = 0; i < 128 * 32; ++i) ASSERT_EQ(out[i], 5 * 64) << "seed " << seed;
    Device<float> two(std::vector<float>(kOutputs, 0));
    EXPECT_TRUE(silent(run(mmcEmuKernel_twoGroups, {1, 256}, seed, 5u, two.data)));
    for (uint32_t i = 0; i < 256 * 32; ++i) ASSERT_EQ(two[i], 5 * 16) << "seed " << seed;
  }
}

} // namespace
