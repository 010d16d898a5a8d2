// Proves the rules of bulk copies: for each a kernel that breaks it, reported with its line, and one close to it that
// stays silent; and that the bytes arrive.
#include "test/Cuda/KernelRun.h"

#include <numeric>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(bulkThrough);
MMC_TEST_KERNEL(loadWait);
MMC_TEST_KERNEL(loadForgotten);
MMC_TEST_KERNEL(loadForm);
MMC_TEST_KERNEL(storeForm);
MMC_TEST_KERNEL(destination);
MMC_TEST_KERNEL(storeFence);
MMC_TEST_KERNEL(storeReuse);
MMC_TEST_KERNEL(storeVisible);
MMC_TEST_KERNEL(storeGroups);
MMC_TEST_KERNEL(storeForgotten);
MMC_TEST_KERNEL(loadSource);
MMC_TEST_KERNEL(unwritten);
MMC_TEST_KERNEL(multicast);
MMC_TEST_KERNEL(multicastPeer);
MMC_TEST_KERNEL(toCluster);
MMC_TEST_KERNEL(prefetchForm);

namespace {

const std::string kFile = "BulkCopy.cu";

std::vector<uint32_t> ramp(uint32_t count, uint32_t first = 0) {
  std::vector<uint32_t> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

/// Global memory for a test that runs many times: written by the host, known to nobody.
struct Words : Device<uint32_t> {
  explicit Words(uint32_t count, uint32_t first = 0) : Device<uint32_t>(ramp(count, first)) {}
};

TEST(BulkCopy, BytesArrive) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(256, 7), out(256);
    const auto result = run(mmcEmuKernel_bulkThrough, {.blocks = 4}, seed, in.data, out.data);
    ASSERT_TRUE(silent(result));
    for (uint32_t i = 0; i < 256; ++i) ASSERT_EQ(out[i], 1007 + i) << "seed " << seed;
  }
}

TEST(BulkCopy, ALoadIsAwaited) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(64), out(64);
    ASSERT_TRUE(silent(run(mmcEmuKernel_loadWait, {}, seed, 0u, in.data, out.data)));
    ASSERT_TRUE(found(run(mmcEmuKernel_loadWait, {}, seed, 1u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: read without waiting")));
    // An issuer that ends early is no error as long as somebody waits.
    ASSERT_TRUE(silent(run(mmcEmuKernel_loadWait, {}, seed, 2u, in.data, out.data)));
  }
}

TEST(BulkCopy, ALoadIsAwaitedBeforeTheBlockEnds) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(64);
    ASSERT_TRUE(silent(run(mmcEmuKernel_loadForgotten, {.threads = 32}, seed, 0u, in.data)));
    ASSERT_TRUE(found(run(mmcEmuKernel_loadForgotten, {.threads = 32}, seed, 1u, in.data), Finding::other,
                      lineOf(kFile, "BAD: nobody waits")));
  }
}

TEST(BulkCopy, AddressesAndSizesAreMultiplesOfSixteen) {
  const struct {
    uint32_t shared, global, bytes;
    Finding expected;
  } kBad[] = {{8, 0, 64, Finding::misaligned},     {0, 8, 64, Finding::misaligned},
              {0, 0, 72, Finding::misaligned},     {0, 448, 128, Finding::outOfBounds},
              {1024, 0, 64, Finding::outOfBounds}, {262144, 0, 64, Finding::sharedMemory}};
  for (const auto &bad : kBad) {
    Words memory(128);
    ASSERT_TRUE(found(run(mmcEmuKernel_loadForm, {.threads = 32}, 0, bad.shared, bad.global, bad.bytes, memory.data),
                      bad.expected, lineOf(kFile, "BAD: form of a load")))
        << bad.shared << " " << bad.global << " " << bad.bytes;
    ASSERT_TRUE(found(run(mmcEmuKernel_storeForm, {.threads = 32}, 0, bad.shared, bad.global, bad.bytes, memory.data),
                      bad.expected, lineOf(kFile, "BAD: form of a store")))
        << bad.shared << " " << bad.global << " " << bad.bytes;
  }
  for (uint32_t shared : {0u, 16u})
    for (uint32_t global : {0u, 48u, 448u})
      for (uint32_t bytes : {16u, 64u}) {
        Words memory(128);
        ASSERT_TRUE(silent(run(mmcEmuKernel_loadForm, {.threads = 32}, 0, shared, global, bytes, memory.data)));
        ASSERT_TRUE(silent(run(mmcEmuKernel_storeForm, {.threads = 32}, 0, shared, global, bytes, memory.data)));
      }
}

TEST(BulkCopy, APrefetchHasTheFormOfALoad) {
  Words memory(128);
  const Shape shape{.threads = 32};
  const std::string line = lineOf(kFile, "BAD: form of a prefetch");
  ASSERT_TRUE(silent(run(mmcEmuKernel_prefetchForm, shape, 0, 16u, 64u, memory.data)));
  ASSERT_TRUE(found(run(mmcEmuKernel_prefetchForm, shape, 0, 4u, 64u, memory.data), Finding::misaligned, line));
  ASSERT_TRUE(found(run(mmcEmuKernel_prefetchForm, shape, 0, 0u, 60u, memory.data), Finding::misaligned, line));
  ASSERT_TRUE(found(run(mmcEmuKernel_prefetchForm, shape, 0, 0u, 64u, &memory), Finding::outOfBounds, line));
}

TEST(BulkCopy, ALoadIsOrderedAfterWhatUsedItsDestination) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(64), out(64);
    ASSERT_TRUE(silent(run(mmcEmuKernel_destination, {}, seed, 0u, in.data, out.data)));
    const auto unfenced = run(mmcEmuKernel_destination, {}, seed, 1u, in.data, out.data);
    ASSERT_TRUE(found(unfenced, Finding::missingProxyFence, lineOf(kFile, "BAD: load to a place in use")));
    ASSERT_TRUE(found(unfenced, Finding::missingProxyFence, lineOf(kFile, "BAD: written at a destination")));
    ASSERT_TRUE(found(run(mmcEmuKernel_destination, {}, seed, 2u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: read at a destination")));
  }
}

TEST(BulkCopy, AStoreNeedsAProxyFence) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words out(64);
    ASSERT_TRUE(silent(run(mmcEmuKernel_storeFence, {}, seed, 0u, out.data)));
    const auto unfenced = run(mmcEmuKernel_storeFence, {}, seed, 1u, out.data);
    ASSERT_TRUE(found(unfenced, Finding::missingProxyFence, lineOf(kFile, "BAD: store without fence")));
    ASSERT_TRUE(found(unfenced, Finding::missingProxyFence, lineOf(kFile, "BAD: written before a store")));
  }
}

TEST(BulkCopy, AStoresSourceIsFreeOnceItsGroupHasRead) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words out(64);
    const Shape shape{.threads = 32};
    ASSERT_TRUE(silent(run(mmcEmuKernel_storeReuse, shape, seed, 0u, out.data)));
    EXPECT_EQ(out[7], 7u);
    for (uint32_t broken : {1u, 2u})
      ASSERT_TRUE(found(run(mmcEmuKernel_storeReuse, shape, seed, broken, out.data), Finding::race,
                        lineOf(kFile, "BAD: source written too early")));
    if (seed == 0) {
      EXPECT_EQ(out[7], 7000u) << "late operations move what is there when they run";
    }
  }
}

TEST(BulkCopy, AStoreIsVisibleOnceItsGroupIsComplete) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words out(64);
    const Shape shape{.threads = 32};
    ASSERT_TRUE(silent(run(mmcEmuKernel_storeVisible, shape, seed, 0u, out.data)));
    ASSERT_TRUE(found(run(mmcEmuKernel_storeVisible, shape, seed, 1u, out.data), Finding::race,
                      lineOf(kFile, "BAD: destination read too early")));
  }
}

TEST(BulkCopy, AWaitMayLeaveGroupsPending) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words out(128);
    const Shape shape{.threads = 32};
    ASSERT_TRUE(silent(run(mmcEmuKernel_storeGroups, shape, seed, 0u, out.data)));
    ASSERT_TRUE(found(run(mmcEmuKernel_storeGroups, shape, seed, 1u, out.data), Finding::race,
                      lineOf(kFile, "BAD: source of the pending group")));
  }
}

TEST(BulkCopy, AStoreHasReadBeforeTheBlockEnds) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words out(64);
    const Shape shape{.threads = 32};
    ASSERT_TRUE(silent(run(mmcEmuKernel_storeForgotten, shape, seed, 0u, out.data)));
    EXPECT_EQ(out[63], 63u) << "the end of the kernel completes the writes";
    ASSERT_TRUE(found(run(mmcEmuKernel_storeForgotten, shape, seed, 1u, out.data), Finding::other,
                      lineOf(kFile, "BAD: the block may end before the source is read")));
  }
}

TEST(BulkCopy, ALoadsSourceStaysUntilItIsComplete) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(64), out(64);
    const Shape shape{.threads = 32};
    ASSERT_TRUE(silent(run(mmcEmuKernel_loadSource, shape, seed, 0u, in.data, out.data)));
    EXPECT_EQ(out[0], 9u);
    Words again(64);
    ASSERT_TRUE(found(run(mmcEmuKernel_loadSource, shape, seed, 1u, again.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: source of a load written")));
    if (seed == 0) {
      EXPECT_EQ(out[0], 9000u) << "late operations move what is there when they run";
    }
  }
}

TEST(BulkCopy, UnwrittenBytesMayBeCopiedButNotUsed) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(64), out(2048);
    memory::setInitialised(in.data + 32, 128, false);
    ASSERT_TRUE(silent(run(mmcEmuKernel_unwritten, {}, seed, 0u, in.data, out.data)));
    EXPECT_TRUE(memory::isInitialised(out.data + 1024, 128));
    EXPECT_FALSE(memory::isInitialised(out.data + 1024 + 32, 1));
    ASSERT_TRUE(found(run(mmcEmuKernel_unwritten, {}, seed, 1u, in.data, out.data), Finding::uninitialisedRead,
                      lineOf(kFile, "BAD: nothing has written it")));
  }
}

TEST(BulkCopy, AMulticastCompletesInEachBlock) {
  const Shape shape{.blocks = 2, .cluster = 2};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words in(64, 5), out(128);
    ASSERT_TRUE(silent(run(mmcEmuKernel_multicast, shape, seed, 0u, in.data, out.data)));
    for (uint32_t i = 0; i < 128; ++i) ASSERT_EQ(out[i], 5 + i % 64);
    ASSERT_TRUE(found(run(mmcEmuKernel_multicast, shape, seed, 1u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: read of a multicast without waiting")));
    ASSERT_TRUE(found(run(mmcEmuKernel_multicast, shape, seed, 2u, in.data, out.data), Finding::sharedMemory,
                      lineOf(kFile, "BAD: load for both")));
    ASSERT_TRUE(found(run(mmcEmuKernel_multicast, shape, seed, 3u, in.data, out.data), Finding::sharedMemory,
                      lineOf(kFile, "BAD: load for both")));
    ASSERT_TRUE(silent(run(mmcEmuKernel_multicastPeer, shape, seed, 0u, in.data, out.data)));
    ASSERT_TRUE(found(run(mmcEmuKernel_multicastPeer, shape, seed, 1u, in.data, out.data), Finding::race,
                      lineOf(kFile, "BAD: read of a peer's part")));
  }
}

TEST(BulkCopy, AMulticastReadsGlobalMemoryOnce) {
  Words in(64), out(128);
  initialiseOnce();
  LaunchOptions options;
  options.grid[0] = options.cluster[0] = 2;
  options.block[0] = 64;
  uint32_t broken = 0;
  void *parameters[] = {&broken, &in.data, &out.data};
  EXPECT_EQ(launch(mmcEmuKernel_multicast, options, parameters).counters.globalBytesRead, 256u);
}

TEST(BulkCopy, ACopyToAPeerCompletesThere) {
  const Shape shape{.blocks = 2, .cluster = 2};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Words out(64);
    ASSERT_TRUE(silent(run(mmcEmuKernel_toCluster, shape, seed, 0u, out.data)));
    for (uint32_t i = 0; i < 64; ++i) ASSERT_EQ(out[i], 500 + i);
    ASSERT_TRUE(found(run(mmcEmuKernel_toCluster, shape, seed, 1u, out.data), Finding::sharedMemory,
                      lineOf(kFile, "BAD: to a peer")));
    ASSERT_TRUE(found(run(mmcEmuKernel_toCluster, shape, seed, 4u, out.data), Finding::sharedMemory,
                      lineOf(kFile, "BAD: to a peer")));
    ASSERT_TRUE(found(run(mmcEmuKernel_toCluster, shape, seed, 2u, out.data), Finding::race,
                      lineOf(kFile, "BAD: read of a peer's copy without waiting")));
    ASSERT_TRUE(found(run(mmcEmuKernel_toCluster, shape, seed, 3u, out.data), Finding::missingProxyFence,
                      lineOf(kFile, "BAD: to a peer")));
  }
}

} // namespace
