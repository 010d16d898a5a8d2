// Proves release and acquire, scopes, fences and the fence between the proxies.
#include "runtime/cuda/emulation/ops/Fence.h"

#include "test/Cuda/KernelRun.h"

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(messages);
MMC_TEST_KERNEL(messagesToSystem);
MMC_TEST_KERNEL(relaxedStore);
MMC_TEST_KERNEL(relaxedLoad);
MMC_TEST_KERNEL(releaseInBlock);
MMC_TEST_KERNEL(acquireInBlock);
MMC_TEST_KERNEL(messageInBlock);
MMC_TEST_KERNEL(fences);
MMC_TEST_KERNEL(proxy);
MMC_TEST_KERNEL(proxyByFlags);
MMC_TEST_KERNEL(proxyGlobal);
MMC_TEST_KERNEL(readOnly);

/// Stands for a bulk store: reads through the async proxy at once, with what the issuer lets that proxy see.
extern "C" void fakeAsyncRead(const void *from, unsigned bytes) {
  Thread &thread = *scheduler::current();
  Accessor who = accessorOf(thread, Proxy::async, MMC_EMU_SOURCE);
  who.writesSeen = &thread.va;
  who.self = thread.block->beginOperation(thread, who.source, true);
  memory::read(from, bytes, who, false);
}

namespace {

std::string line(const char *marker) { return lineOf("Fence.cu", std::string("BAD: ") + marker); }

template <class... Variant> Outcome send(const MmcEmuKernel &kernel, Shape shape, uint64_t seed, Variant... variant) {
  Device<uint32_t> data({0, 0}), flag({0});
  return run(kernel, shape, seed, data.data, flag.data, variant...);
}

TEST(Fence, ReleaseAndAcquire) {
  const Shape twoBlocks{2, 1};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(send(mmcEmuKernel_messages, twoBlocks, seed)));
    EXPECT_TRUE(silent(send(mmcEmuKernel_messagesToSystem, twoBlocks, seed)));
    for (const MmcEmuKernel *broken : {&mmcEmuKernel_relaxedStore, &mmcEmuKernel_relaxedLoad,
                                       &mmcEmuKernel_releaseInBlock, &mmcEmuKernel_acquireInBlock})
      EXPECT_TRUE(found(send(*broken, twoBlocks, seed), Finding::race, line("message"))) << broken->name;
  }
}

TEST(Fence, BlockScopeOrdersTheBlock) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(send(mmcEmuKernel_messageInBlock, {}, seed, 0u)));
    EXPECT_TRUE(found(send(mmcEmuKernel_messageInBlock, {}, seed, 1u), Finding::race, line("message in a block")));
  }
}

TEST(Fence, FencesMakeRelaxedAccessesOrder) {
  const Shape twoBlocks{2, 1};
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(send(mmcEmuKernel_fences, twoBlocks, seed, 0u)));
    for (uint32_t without : {1u, 2u, 3u, 4u, 8u})
      EXPECT_TRUE(found(send(mmcEmuKernel_fences, twoBlocks, seed, without), Finding::race, line("fences")))
          << "without " << without;
  }
}

TEST(Fence, AsyncProxyNeedsItsFence) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (uint32_t right : {0u, 1u, 2u})
      EXPECT_TRUE(silent(run(mmcEmuKernel_proxy, {}, seed, right))) << "variant " << right;
    for (uint32_t broken : {3u, 4u, 5u, 6u})
      EXPECT_TRUE(found(run(mmcEmuKernel_proxy, {}, seed, broken), Finding::missingProxyFence,
                        line("read through the async proxy")))
          << "variant " << broken;
  }
}

TEST(Fence, WhatTheAsyncProxySeesIsHandedOn) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> flags({0, 0}), other({0, 0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_proxyByFlags, {1, 96}, seed, flags.data, 0u)));
    const Outcome bad = run(mmcEmuKernel_proxyByFlags, {1, 96}, seed, other.data, 1u);
    EXPECT_TRUE(found(bad, Finding::missingProxyFence, line("read after one flag")));
    EXPECT_TRUE(found(bad, Finding::missingProxyFence, line("read after two flags")));
  }
}

TEST(Fence, AsyncProxyFenceOfOneSpace) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> data({0, 0, 0, 0});
    for (uint32_t variant : {0u, 1u}) EXPECT_TRUE(silent(run(mmcEmuKernel_proxyGlobal, {}, seed, data.data, variant)));
    for (uint32_t variant : {2u, 3u}) {
      Device<uint32_t> fresh({0, 0, 0, 0});
      EXPECT_TRUE(found(run(mmcEmuKernel_proxyGlobal, {}, seed, fresh.data, variant), Finding::missingProxyFence,
                        line("global read through the async proxy")))
          << "variant " << variant;
    }
  }
}

TEST(Fence, ReadOnlyLoads) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> data({5, 0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_readOnly, {}, seed, data.data, 0u)));
    EXPECT_EQ(data[1], 5u);
    for (uint32_t broken : {1u, 2u, 3u}) {
      Device<uint32_t> fresh({5, 0});
      EXPECT_TRUE(found(run(mmcEmuKernel_readOnly, {}, seed, fresh.data, broken), Finding::race,
                        line("read-only load of what the kernel writes")));
    }
  }
}

} // namespace
