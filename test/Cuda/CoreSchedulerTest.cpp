// Proves the scheduler: order under seed 0, determinism under others, operations, deadlocks by name, abandoned
// launches.
#include "test/Cuda/KernelRun.h"

#include <set>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(traced);
MMC_TEST_KERNEL(stuck);
MMC_TEST_KERNEL(waitsForTheGrid);
MMC_TEST_KERNEL(operations);
MMC_TEST_KERNEL(abandoned);

namespace {
std::vector<uint32_t> trace;
uint64_t tickets[8];
} // namespace

extern "C" {
void testTrace(unsigned value) { trace.push_back(value); }
void testYield() { scheduler::yield(); }
void testSubmit(unsigned value, unsigned ordered) {
  tickets[value] = scheduler::submit([value] { trace.push_back(value); }, ordered ? &tickets : nullptr);
}
void testForce(unsigned ticket) {
  scheduler::force(tickets[ticket]);
  EXPECT_FALSE(scheduler::pending(tickets[ticket]));
}
void testAbandon() { scheduler::abandon(); }
}

namespace {

std::string line(const char *marker) { return lineOf("Core.cu", std::string("BAD: ") + marker); }

std::vector<uint32_t> traceOf(const MmcEmuKernel &kernel, uint64_t seed, uint32_t how = 0) {
  trace.clear();
  EXPECT_TRUE(silent(run(kernel, {1, 32}, seed, how)));
  return trace;
}

TEST(Scheduler, SeedZeroIsFirstInFirstOut) {
  std::vector<uint32_t> expected;
  for (uint32_t base : {0u, 100u})
    for (uint32_t t = 0; t < 32; ++t) expected.push_back(base + t);
  EXPECT_EQ(traceOf(mmcEmuKernel_traced, 0), expected);
}

TEST(Scheduler, ASeedFixesTheRunAndSeedsDiffer) {
  std::set<std::vector<uint32_t>> runs;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::vector<uint32_t> once = traceOf(mmcEmuKernel_traced, seed);
    EXPECT_EQ(traceOf(mmcEmuKernel_traced, seed), once) << "seed " << seed;
    runs.insert(once);
  }
  EXPECT_EQ(runs.size(), kSeeds);
}

TEST(Scheduler, OperationsAreLateUnderSeedZero) {
  EXPECT_EQ(traceOf(mmcEmuKernel_operations, 0, 0), (std::vector<uint32_t>{100, 200, 1, 2, 3, 4, 5}));
}

TEST(Scheduler, ForceRunsWhatComesBeforeInTheOrder) {
  EXPECT_EQ(traceOf(mmcEmuKernel_operations, 0, 1), (std::vector<uint32_t>{100, 1, 2, 3, 200, 4, 5}));
}

TEST(Scheduler, OperationsKeepTheirOrderUnderSeeds) {
  std::set<std::vector<uint32_t>> runs;
  for (uint64_t seed = 1; seed < 2 * kSeeds; ++seed) {
    const std::vector<uint32_t> got = traceOf(mmcEmuKernel_operations, seed, 1 + seed % 2);
    std::vector<uint32_t> ordered;
    for (uint32_t value : got)
      if (value <= 4) ordered.push_back(value);
    EXPECT_EQ(ordered, (std::vector<uint32_t>{1, 2, 3, 4})) << "seed " << seed;
    EXPECT_EQ(got.size(), 7u);
    runs.insert(got);
  }
  EXPECT_GT(runs.size(), 3u) << "early and late";
}

TEST(Scheduler, OutsideOfALaunchOperationsRunAtOnce) {
  initialiseOnce();
  bool ran = false;
  scheduler::submit([&] { ran = true; });
  EXPECT_TRUE(ran);
  scheduler::abandon(); // returns
}

TEST(Deadlock, SaysWhoWaitsOnWhat) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Outcome bad = run(mmcEmuKernel_stuck, {1, 64}, seed);
    const Report *report = bad.find(Finding::deadlock);
    ASSERT_TRUE(report) << bad.text();
    EXPECT_FALSE(bad.completed);
    const std::string expected[] = {"no thread can run; 64 wait",
                                    "barrier 1 at " + line("first half") +
                                        " in stuck: 32 threads, first thread 0 of block (0, 0, 0): "
                                        "32 of 64 threads have arrived",
                                    "barrier 2 at " + line("second half") +
                                        " in stuck: 32 threads, first thread 32 of block (0, 0, 0): "
                                        "32 of 64 threads have arrived"};
    for (const std::string &part : expected)
      EXPECT_NE(report->message.find(part), std::string::npos) << part << "\n" << report->text();
  }
}

TEST(Deadlock, NamesBlocksThatAreNotResident) {
  LaunchOptions options;
  options.grid[0] = 130; // 128 are resident
  options.block[0] = 32;
  const Outcome bad = launchWith(mmcEmuKernel_waitsForTheGrid, options, 0);
  const Report *report = bad.find(Finding::deadlock);
  ASSERT_TRUE(report) << bad.text();
  EXPECT_NE(report->message.find("4096 wait, and 2 of 130 blocks are not resident"), std::string::npos) << bad.text();
  EXPECT_TRUE(isAt(report->line, line("alone"))) << bad.text();
}

TEST(Abandoned, ALaunchRunsNoFurtherAndTheNextOneIsSound) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    trace.clear();
    EXPECT_FALSE(run(mmcEmuKernel_abandoned, {1, 64}, seed).completed);
    EXPECT_EQ(std::count(trace.begin(), trace.end(), 100u), 0) << "past a barrier that not all have reached";
    EXPECT_EQ(std::count(trace.begin(), trace.end(), 5u), 1);
    EXPECT_EQ(traceOf(mmcEmuKernel_traced, 0).size(), 64u);
  }
}

} // namespace
