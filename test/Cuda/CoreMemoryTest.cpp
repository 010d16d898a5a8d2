// Proves the shadow memory: each rule by a kernel that breaks it, found at its line under every seed, and one close to
// it that stays silent; and the memory itself: allocations, windows, marks.
#include "runtime/cuda/emulation/core/Internal.h"
#include "test/Cuda/KernelRun.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(writeWrite);
MMC_TEST_KERNEL(writeRead);
MMC_TEST_KERNEL(readWrite);
MMC_TEST_KERNEL(neighbours);
MMC_TEST_KERNEL(vectorAndWords);
MMC_TEST_KERNEL(readsApart);
MMC_TEST_KERNEL(uninitialised);
MMC_TEST_KERNEL(accumulate);
MMC_TEST_KERNEL(globalBounds);
MMC_TEST_KERNEL(sharedBounds);
MMC_TEST_KERNEL(badPointer);
MMC_TEST_KERNEL(localOfAnother);
MMC_TEST_KERNEL(misaligned);
MMC_TEST_KERNEL(genericThenAsync);
MMC_TEST_KERNEL(ownWriteThenAsync);
MMC_TEST_KERNEL(fenceByTheIssuer);
MMC_TEST_KERNEL(readThenAsyncWrite);
MMC_TEST_KERNEL(asyncThenRead);
MMC_TEST_KERNEL(atomics);
MMC_TEST_KERNEL(ranges);
MMC_TEST_KERNEL(fill);
MMC_TEST_KERNEL(drain);

namespace {

uint64_t caller(void *address) { return reinterpret_cast<uint64_t>(address); }

Accessor threadAccessor(Proxy proxy, uint64_t source) {
  Thread &thread = *scheduler::current();
  Accessor who;
  who.writesSeen = proxy == Proxy::async ? &thread.va : &thread.vc;
  who.readsSeen = &thread.vc;
  who.self = thread.epoch();
  who.ownColumn = thread.column;
  who.ownAsyncClock = thread.asyncClock;
  who.proxy = proxy;
  who.thread = &thread;
  who.source = source;
  return who;
}

/// An operation of the running thread that is over at once; with `complete` the thread has waited for it.
void asyncAccess(void *address, unsigned bytes, bool write, bool complete, uint64_t source) {
  Thread &thread = *scheduler::current();
  const Epoch operation = thread.block->beginOperation(thread, source, !complete);
  Accessor who = threadAccessor(Proxy::async, source);
  who.self = operation;
  if (write)
    memory::write(address, bytes, who);
  else
    memory::read(address, bytes, who);
  if (!complete) return;
  thread.vc.raise(operation);
  thread.va.raise(operation);
}

} // namespace

extern "C" {
void testAsyncRead(const void *address, unsigned bytes, unsigned complete) {
  asyncAccess(const_cast<void *>(address), bytes, false, complete, caller(__builtin_return_address(0)));
}
void testAsyncWrite(void *address, unsigned bytes, unsigned complete) {
  asyncAccess(address, bytes, true, complete, caller(__builtin_return_address(0)));
}
void testAtomicAdd(unsigned *address) {
  const Accessor who = threadAccessor(Proxy::atomic, caller(__builtin_return_address(0)));
  memory::read(address, 4, who);
  memory::write(address, 4, who);
  ++*address;
}
void testProxyFence() {
  Thread &thread = *scheduler::current();
  thread.va = thread.vc;
  thread.asyncClock = thread.clock;
  thread.tick();
}
}

namespace {

const Shape kTwoWarps{1, 64}, kOneWarp{1, 32};
std::string line(const char *marker) { return lineOf("CoreMemory.cu", std::string("BAD: ") + marker); }
std::vector<uint32_t> zeros(size_t count) { return std::vector<uint32_t>(count, 0); }

/// Both parties are named, whichever comes second.
testing::AssertionResult conflict(const Outcome &run, Finding finding, const char *one, const char *other) {
  const Report *report = run.find(finding);
  if (!report) return testing::AssertionFailure() << "no " << findingName(finding) << "; " << run.text();
  const std::string a = line(one), b = line(other);
  if ((isAt(report->line, a) && isAt(report->otherLine, b)) || (isAt(report->line, b) && isAt(report->otherLine, a)))
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << "expected " << a << " and " << b << "; " << run.text();
}

TEST(Races, TwoWrites) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(
        conflict(run(mmcEmuKernel_writeWrite, kTwoWarps, seed, 0u), Finding::race, "first write", "second write"));
    EXPECT_TRUE(silent(run(mmcEmuKernel_writeWrite, kTwoWarps, seed, 1u)));
  }
}

TEST(Races, AWriteAndARead) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    // Where the read comes first, it finds nothing written; then the write finds the read.
    EXPECT_TRUE(conflict(run(mmcEmuKernel_writeRead, kTwoWarps, seed, out.data, 0u), Finding::race, "written", "read"));
    EXPECT_TRUE(silent(run(mmcEmuKernel_writeRead, kTwoWarps, seed, out.data, 1u)));
    EXPECT_EQ(out[2], 35u);
  }
}

TEST(Races, AReadByManyAndAWrite) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    EXPECT_TRUE(conflict(run(mmcEmuKernel_readWrite, kTwoWarps, seed, out.data, 0u), Finding::race, "read early",
                         "overwritten"));
    EXPECT_TRUE(silent(run(mmcEmuKernel_readWrite, kTwoWarps, seed, out.data, 1u)));
  }
}

TEST(Races, AreExactToTheByte) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    EXPECT_TRUE(silent(run(mmcEmuKernel_neighbours, kTwoWarps, seed, out.data, 1u)));
    const Outcome bad = run(mmcEmuKernel_neighbours, kTwoWarps, seed, out.data, 0u);
    EXPECT_TRUE(found(bad, Finding::race, line("one byte too far")));
    EXPECT_EQ(bad.reports.size(), 1u) << bad.text();
  }
}

TEST(Races, VectorsAndTheirWords) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    EXPECT_TRUE(silent(run(mmcEmuKernel_vectorAndWords, kTwoWarps, seed, out.data, 1u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_vectorAndWords, kTwoWarps, seed, out.data, 0u), Finding::race,
                      line("word of a vector")));
  }
}

TEST(Races, ALaterReaderOfOtherBytesHidesNobody) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(2));
    EXPECT_TRUE(silent(run(mmcEmuKernel_readsApart, kTwoWarps, seed, out.data, 1u)));
    EXPECT_TRUE(conflict(run(mmcEmuKernel_readsApart, kTwoWarps, seed, out.data, 0u), Finding::race, "first word",
                         "overwrites the first word"));
  }
}

TEST(Races, CopiesAndFillsOfRanges) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    EXPECT_TRUE(silent(run(mmcEmuKernel_ranges, kTwoWarps, seed, out.data, 0u)));
    EXPECT_EQ(out[63], 0x01010101u);
    EXPECT_TRUE(
        found(run(mmcEmuKernel_ranges, kTwoWarps, seed, out.data, 1u), Finding::uninitialisedRead, line("copy")));
    EXPECT_TRUE(found(run(mmcEmuKernel_ranges, kTwoWarps, seed, out.data, 2u), Finding::race, line("copy")));
  }
}

TEST(Uninitialised, IsExactToTheByte) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(1));
    EXPECT_TRUE(silent(run(mmcEmuKernel_uninitialised, kOneWarp, seed, out.data, 1u)));
    const Outcome bad = run(mmcEmuKernel_uninitialised, kOneWarp, seed, out.data, 0u);
    EXPECT_TRUE(found(bad, Finding::uninitialisedRead, line("partly written")));
  }
}

TEST(Uninitialised, IsSeenBeforeAWriteToTheSamePlace) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_accumulate, kOneWarp, seed, 1u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_accumulate, kOneWarp, seed, 0u), Finding::uninitialisedRead,
                      line("accumulates from nothing")));
  }
}

TEST(Bounds, OfGlobalMemoryToTheByte) {
  Device<uint8_t> data(std::vector<uint8_t>(100, 0));
  EXPECT_TRUE(silent(run(mmcEmuKernel_globalBounds, kOneWarp, 0, data.data, 99u)));
  for (uint32_t index : {100u, 255u, 256u, 300u}) {
    const Outcome bad = run(mmcEmuKernel_globalBounds, kOneWarp, 0, data.data, index);
    EXPECT_TRUE(found(bad, Finding::outOfBounds, line("global index")));
    EXPECT_FALSE(bad.completed);
  }
}

TEST(Bounds, AFreedAllocation) {
  initialiseOnce();
  auto *data = static_cast<uint8_t *>(memory::allocateGlobal(4096));
  EXPECT_TRUE(silent(run(mmcEmuKernel_globalBounds, kOneWarp, 0, data, 17u)));
  EXPECT_TRUE(memory::freeGlobal(data));
  EXPECT_FALSE(memory::freeGlobal(data));
  const Outcome bad = run(mmcEmuKernel_globalBounds, kOneWarp, 0, data, 17u);
  EXPECT_TRUE(found(bad, Finding::outOfBounds, line("global index")));
  EXPECT_NE(bad.text().find("freed"), std::string::npos) << bad.text();
}

TEST(Bounds, OfSharedMemory) {
  // words begin at 1024 in a struct of 1024 + 256 + 128 + 64 + 8 bytes, which is padded to 1488.
  EXPECT_TRUE(silent(run(mmcEmuKernel_sharedBounds, kOneWarp, 0, 115u)));
  EXPECT_TRUE(found(run(mmcEmuKernel_sharedBounds, kOneWarp, 0, 116u), Finding::outOfBounds, line("shared index")));
  EXPECT_TRUE(silent(run(mmcEmuKernel_sharedBounds, kOneWarp, 0, 115u))) << "a launch after an abandoned one";
}

TEST(Bounds, PointersToNothing) {
  Device<uint32_t> data(zeros(1));
  EXPECT_TRUE(silent(run(mmcEmuKernel_badPointer, kOneWarp, 0, data.data)));
  for (uint64_t address : {uint64_t(0), uint64_t(64)})
    EXPECT_TRUE(found(run(mmcEmuKernel_badPointer, kOneWarp, 0, address), Finding::outOfBounds, line("pointer")));
}

TEST(Bounds, LocalMemoryOfAnotherThread) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_localOfAnother, kOneWarp, seed, 1u)));
    EXPECT_TRUE(
        found(run(mmcEmuKernel_localOfAnother, kOneWarp, seed, 0u), Finding::outOfBounds, line("local of another")));
  }
}

TEST(Alignment, IsNatural) {
  EXPECT_TRUE(silent(run(mmcEmuKernel_misaligned, kOneWarp, 0, 0u)));
  EXPECT_TRUE(found(run(mmcEmuKernel_misaligned, kOneWarp, 0, 1u), Finding::misaligned, line("misaligned word")));
  EXPECT_TRUE(found(run(mmcEmuKernel_misaligned, kOneWarp, 0, 2u), Finding::misaligned, line("misaligned vector")));
}

TEST(Proxies, AGenericWriteNeedsAFenceForTheAsyncProxy) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_genericThenAsync, kTwoWarps, seed, 0u)));
    EXPECT_TRUE(silent(run(mmcEmuKernel_fenceByTheIssuer, kTwoWarps, seed)));
    for (uint32_t how : {1u, 2u}) {
      const Outcome bad = run(mmcEmuKernel_genericThenAsync, kTwoWarps, seed, how);
      EXPECT_TRUE(conflict(bad, Finding::missingProxyFence, "generic write", "async read"));
      EXPECT_FALSE(bad.find(Finding::race)) << bad.text();
    }
  }
}

TEST(Proxies, OwnWritesNeedAFenceToo) {
  EXPECT_TRUE(silent(run(mmcEmuKernel_ownWriteThenAsync, kOneWarp, 0, 1u)));
  EXPECT_TRUE(conflict(run(mmcEmuKernel_ownWriteThenAsync, kOneWarp, 0, 0u), Finding::missingProxyFence, "own write",
                       "async read of it"));
}

TEST(Proxies, AFenceWithoutABarrierIsARace) {
  const Outcome bad = run(mmcEmuKernel_genericThenAsync, kTwoWarps, 0, 3u);
  EXPECT_TRUE(conflict(bad, Finding::race, "generic write", "async read")) << bad.text();
}

TEST(Proxies, AReadNeedsOnlyOrderBeforeAnAsyncWrite) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    EXPECT_TRUE(silent(run(mmcEmuKernel_readThenAsyncWrite, kTwoWarps, seed, out.data, 1u)));
    EXPECT_TRUE(conflict(run(mmcEmuKernel_readThenAsyncWrite, kTwoWarps, seed, out.data, 0u), Finding::race,
                         "generic read", "async write"));
  }
}

TEST(Proxies, AnAsyncWriteIsForThoseWhoWaited) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    EXPECT_TRUE(silent(run(mmcEmuKernel_asyncThenRead, kTwoWarps, seed, out.data, 1u)));
    EXPECT_TRUE(conflict(run(mmcEmuKernel_asyncThenRead, kTwoWarps, seed, out.data, 0u), Finding::race, "async source",
                         "read of a copy"));
  }
}

TEST(Atomics, RaceWithPlainAccessesOnly) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> out(zeros(64));
    EXPECT_TRUE(silent(run(mmcEmuKernel_atomics, kTwoWarps, seed, out.data, 0u)));
    EXPECT_EQ(out[9], 64u);
    EXPECT_TRUE(found(run(mmcEmuKernel_atomics, kTwoWarps, seed, out.data, 1u), Finding::race,
                      line("plain read of an atomic")));
    EXPECT_TRUE(found(run(mmcEmuKernel_atomics, kTwoWarps, seed, out.data, 2u), Finding::race,
                      line("plain write of an atomic")));
  }
}

TEST(Streams, NothingOrdersTwoOfThemButEvents) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> data(zeros(256)), out(zeros(256));
    LaunchOptions first, second;
    first.grid[0] = second.grid[0] = 4;
    first.block[0] = second.block[0] = 64;
    StreamClock none, event;
    event.lastCommand = {0, 1};
    first.place = {1, 1}, second.place = {2, 1};
    first.before = second.before = &none;
    EXPECT_TRUE(silent(launchWith(mmcEmuKernel_fill, first, seed, data.data, 3u)));
    const Outcome bad = launchWith(mmcEmuKernel_drain, second, seed, out.data, data.data);
    EXPECT_TRUE(conflict(bad, Finding::race, "fill", "drain"));
    EXPECT_NE(bad.text().find("of an earlier launch of fill"), std::string::npos) << bad.text();
    // The event orders the reads now, but those of the launch above are on record: ordered on its own stream.
    event.lastCommand.push_back(1);
    second.place.index = 2;
    second.before = &event;
    EXPECT_TRUE(silent(launchWith(mmcEmuKernel_drain, second, seed, out.data, data.data)));
    EXPECT_EQ(out[70], 3u);
    // And the other way round: overwriting what the other stream may still read.
    first.place.index = 2;
    StreamClock own;
    own.lastCommand = {0, 1};
    first.before = &own;
    EXPECT_TRUE(conflict(launchWith(mmcEmuKernel_fill, first, seed, data.data, 4u), Finding::race, "fill", "drain"));
  }
}

TEST(Allocations, AreApartAndCounted) {
  initialiseOnce();
  const uint64_t used = memory::used();
  auto *a = static_cast<uint8_t *>(memory::allocateGlobal(1)), *b = static_cast<uint8_t *>(memory::allocateGlobal(300));
  EXPECT_EQ(reinterpret_cast<uint64_t>(a) % 256, 0u);
  EXPECT_GE(b - a, 512);
  EXPECT_EQ(memory::used() - used, 256u + 512u);
  EXPECT_EQ(memory::globalAllocationOf(b + 299).begin, b);
  EXPECT_EQ(memory::globalAllocationOf(b + 299).bytes, 300u);
  EXPECT_EQ(memory::globalAllocationOf(b + 300).begin, nullptr);
  EXPECT_FALSE(memory::freeGlobal(b + 1));
  EXPECT_TRUE(memory::freeGlobal(a));
  EXPECT_TRUE(memory::freeGlobal(b));
  EXPECT_EQ(memory::used(), used);
  EXPECT_EQ(memory::allocateGlobal(machineOptions().globalBytes + 1), nullptr);
  EXPECT_EQ(memory::classify(a), memory::Kind::global);
  EXPECT_EQ(memory::classify(&used), memory::Kind::none);
}

TEST(Allocations, RoomIsLimited) {
  initialiseOnce();
  memory::setCapacity(memory::used() + (1 << 20));
  void *all = memory::allocateGlobal(1 << 20);
  EXPECT_NE(all, nullptr);
  EXPECT_EQ(memory::allocateGlobal(1), nullptr);
  memory::freeGlobal(all);
  all = memory::allocateGlobal(1 << 20);
  EXPECT_NE(all, nullptr);
  memory::freeGlobal(all);
  memory::setCapacity(machineOptions().globalBytes);
}

TEST(Allocations, InitialisedBytesAreMarkedOneByOne) {
  initialiseOnce();
  auto *data = static_cast<uint8_t *>(memory::allocateGlobal(64));
  EXPECT_FALSE(memory::isInitialised(data, 1));
  memory::setInitialised(data + 3, 30, true);
  EXPECT_TRUE(memory::isInitialised(data + 3, 30));
  EXPECT_FALSE(memory::isInitialised(data + 2, 2));
  EXPECT_FALSE(memory::isInitialised(data + 32, 2));
  memory::setInitialised(data + 20, 1, false);
  EXPECT_FALSE(memory::isInitialised(data + 3, 30));
  EXPECT_TRUE(memory::isInitialised(data + 21, 12));
  memory::freeGlobal(data);
}

TEST(Allocations, AccessesOfOldLaunchesAreForgotten) {
  Device<uint32_t> data(zeros(256)), out(zeros(256));
  LaunchOptions options;
  options.grid[0] = 4;
  options.block[0] = 64;
  EXPECT_TRUE(silent(launchWith(mmcEmuKernel_drain, options, 0, out.data, data.data)));
  StreamClock none;
  options.before = &none;
  options.place = {7, 1};
  memory::compact(allocateBlocks(1, {}));
  EXPECT_TRUE(silent(launchWith(mmcEmuKernel_fill, options, 0, data.data, 1u)));
  EXPECT_TRUE(silent(launchWith(mmcEmuKernel_fill, options, 0, out.data, 1u)));
  options.place = {8, 1};
  EXPECT_TRUE(launchWith(mmcEmuKernel_fill, options, 0, out.data, 1u).find(Finding::race)) << "nothing to forget here";
}

} // namespace
