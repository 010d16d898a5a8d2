// Proves atomics: their values, release sequences, races with plain accesses and with narrower scopes, spinning.
#include "runtime/cuda/emulation/ops/Atomics.h"

#include "test/Cuda/KernelRun.h"

#include <bit>
#include <cmath>
#include <limits>

using namespace mmc::emu;
using namespace mmc::emu::test;

MMC_TEST_KERNEL(values);
MMC_TEST_KERNEL(mixed);
MMC_TEST_KERNEL(locks);
MMC_TEST_KERNEL(sequence);
MMC_TEST_KERNEL(ownSequence);
MMC_TEST_KERNEL(loadThenAcquire);
MMC_TEST_KERNEL(lastBlock);
MMC_TEST_KERNEL(locksWithoutAcquire);
MMC_TEST_KERNEL(locksWithoutRelease);
MMC_TEST_KERNEL(lastBlockWithoutAcquire);
MMC_TEST_KERNEL(lastBlockWithoutRelease);
MMC_TEST_KERNEL(deviceScope);
MMC_TEST_KERNEL(blockScope);
MMC_TEST_KERNEL(unequalScopes);
MMC_TEST_KERNEL(failedExchange);
MMC_TEST_KERNEL(plainFlag);
MMC_TEST_KERNEL(spin);
MMC_TEST_KERNEL(twoFlags);
MMC_TEST_KERNEL(sizes);
MMC_TEST_KERNEL(misplaced);

namespace {

using atomics::apply;
using Op = atomics::Operation;
using Type = atomics::Type;

std::string line(const char *marker) { return lineOf("Atomics.cu", std::string("BAD: ") + marker); }

uint64_t value(Op operation, Type type, uint64_t old, uint64_t operand) {
  return apply(operation, type, old, operand, 0, true).value;
}
uint64_t bits(float value) { return std::bit_cast<uint32_t>(value); }

TEST(AtomicValues, Integers) {
  EXPECT_EQ(value(Op::add, Type::u32, 0xffffffff, 2), 1u);
  EXPECT_EQ(value(Op::add, Type::u64, 0xffffffff, 2), 0x100000001u);
  EXPECT_EQ(value(Op::add, Type::u64, ~uint64_t(0), 1), 0u);
  EXPECT_EQ(value(Op::add, Type::s32, 0x7fffffff, 1), 0x80000000u);
  EXPECT_EQ(value(Op::min, Type::u32, 1, 0xffffffff), 1u);
  EXPECT_EQ(value(Op::min, Type::s32, 1, 0xffffffff), 0xffffffffu);
  EXPECT_EQ(value(Op::max, Type::u32, 1, 0xffffffff), 0xffffffffu);
  EXPECT_EQ(value(Op::max, Type::s32, 1, 0xffffffff), 1u);
  EXPECT_EQ(value(Op::max, Type::u64, uint64_t(1) << 40, 7), uint64_t(1) << 40);
  EXPECT_EQ(value(Op::bitAnd, Type::u32, 0b1100, 0b1010), 0b1000u);
  EXPECT_EQ(value(Op::bitOr, Type::u64, uint64_t(1) << 40, 3), (uint64_t(1) << 40) + 3);
  EXPECT_EQ(value(Op::exchange, Type::u32, 5, 9), 9u);
  EXPECT_EQ(apply(Op::compareExchange, Type::u32, 5, 9, 5, true).value, 9u);
  EXPECT_EQ(apply(Op::compareExchange, Type::u64, 5, 9, 6, true).value, 5u);
}

TEST(AtomicValues, IncrementWrapsAtItsLimit) {
  EXPECT_EQ(value(Op::increment, Type::u32, 3, 4), 4u);
  EXPECT_EQ(value(Op::increment, Type::u32, 4, 4), 0u);
  EXPECT_EQ(value(Op::increment, Type::u32, 9, 4), 0u);
  EXPECT_FALSE(apply(Op::increment, Type::u64, 3, 4, 0, true).valid);
}

TEST(AtomicValues, FloatsAddOnly) {
  EXPECT_EQ(value(Op::add, Type::f32, bits(1.5f), bits(2.25f)), bits(3.75f));
  // Half of the last place of 2^24: to even.
  EXPECT_EQ(value(Op::add, Type::f32, bits(16777216.0f), bits(1.0f)), bits(16777216.0f));
  EXPECT_EQ(value(Op::add, Type::f32, bits(16777218.0f), bits(1.0f)), bits(16777220.0f));
  const float small = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(apply(Op::add, Type::f32, bits(0.0f), bits(-small), 0, true).value, bits(0.0f));
  EXPECT_EQ(apply(Op::add, Type::f32, bits(0.0f), bits(-small), 0, false).value, bits(-small));
  EXPECT_FALSE(apply(Op::max, Type::f32, bits(0.0f), bits(1.0f), 0, true).valid);
  EXPECT_EQ(value(Op::exchange, Type::f32, bits(0.0f), bits(-1.0f)), bits(-1.0f));
}

TEST(Atomics, ValuesOfAllThreads) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> results({0, 0, ~0u, 0, ~0u, 0, 5, 0});
    Device<uint64_t> wide({3});
    Device<float> sum({0.25f});
    // 3 blocks of 64: ranks 0 to 191.
    EXPECT_TRUE(silent(run(mmcEmuKernel_values, {3, 64}, seed, results.data, wide.data, sum.data)));
    EXPECT_EQ(results[0], 18336u);
    EXPECT_EQ(results[1], 191u);
    EXPECT_EQ(results[2], 0u);
    EXPECT_EQ(results[3], 0xffffffffu);
    EXPECT_EQ(results[4], 0xffff0000u);
    EXPECT_EQ(results[5], 2u); // 192 steps of a cycle of 10
    EXPECT_EQ(int32_t(results[6]), -191);
    EXPECT_EQ(results[7], 192u);
    EXPECT_EQ(wide[0], 3 + (uint64_t(192) << 33));
    EXPECT_EQ(sum[0], 96.25f);
  }
}

TEST(Atomics, RaceWithPlainAccesses) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_TRUE(silent(run(mmcEmuKernel_mixed, {}, seed, 0u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_mixed, {}, seed, 1u), Finding::race, line("plain before atomic")));
    EXPECT_TRUE(found(run(mmcEmuKernel_mixed, {}, seed, 2u), Finding::race, line("plain after atomic")));
  }
}

TEST(Atomics, PlainStoreOfAFlag) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> flag({0}), other({0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_plainFlag, {}, seed, flag.data, 0u)));
    EXPECT_TRUE(
        found(run(mmcEmuKernel_plainFlag, {}, seed, other.data, 1u), Finding::race, line("plain store of a flag")));
  }
}

TEST(Atomics, FailedExchangeReleasesNothing) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> data({0, 0}), flag({0, 0}), otherData({0, 0}), otherFlag({0, 0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_failedExchange, {2, 1}, seed, data.data, flag.data, 0u)));
    EXPECT_EQ(flag[0], 9u);
    EXPECT_TRUE(found(run(mmcEmuKernel_failedExchange, {2, 1}, seed, otherData.data, otherFlag.data, 5u), Finding::race,
                      line("not released")));
    EXPECT_EQ(otherFlag[0], 0u);
  }
}

TEST(Atomics, LocksOrderWhatTheyProtect) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (const MmcEmuKernel *kernel :
         {&mmcEmuKernel_locks, &mmcEmuKernel_locksWithoutAcquire, &mmcEmuKernel_locksWithoutRelease}) {
      Device<uint32_t> lock({0}), data({0});
      const Outcome outcome = run(*kernel, {4, 64}, seed, lock.data, data.data);
      EXPECT_EQ(data[0], 8u);
      if (kernel == &mmcEmuKernel_locks)
        EXPECT_TRUE(silent(outcome));
      else
        EXPECT_TRUE(found(outcome, Finding::race, line("protected by the lock"))) << kernel->name;
    }
}

TEST(Atomics, ReleaseSequences) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (uint32_t broken : {0u, 1u}) {
      Device<uint32_t> data({0, 0, 0}), flag({0, 0}), other({0, 0, 0}), otherFlag({0, 0});
      const Outcome passed = run(mmcEmuKernel_sequence, {3, 1}, seed, data.data, flag.data, broken);
      const Outcome own = run(mmcEmuKernel_ownSequence, {2, 1}, seed, other.data, otherFlag.data, broken);
      if (!broken) {
        EXPECT_TRUE(silent(passed));
        EXPECT_TRUE(silent(own));
      } else {
        EXPECT_TRUE(found(passed, Finding::race, line("release sequence")));
        EXPECT_TRUE(found(own, Finding::race, line("after the release")));
      }
    }
}

TEST(Atomics, AcquireAfterARelaxedLoad) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (uint32_t broken : {0u, 1u}) {
      Device<uint32_t> data({0, 0}), flag({0, 0});
      const Outcome outcome = run(mmcEmuKernel_loadThenAcquire, {3, 1}, seed, data.data, flag.data, broken);
      if (!broken)
        EXPECT_TRUE(silent(outcome));
      else
        EXPECT_TRUE(found(outcome, Finding::race, line("seen by a relaxed load")));
    }
}

TEST(Atomics, LastBlockCombines) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    for (const MmcEmuKernel *kernel :
         {&mmcEmuKernel_lastBlock, &mmcEmuKernel_lastBlockWithoutAcquire, &mmcEmuKernel_lastBlockWithoutRelease}) {
      Device<uint32_t> data(std::vector<uint32_t>(11, 0)), counter({0});
      const Outcome outcome = run(*kernel, {10, 1}, seed, data.data, counter.data);
      EXPECT_EQ(data[10], 55u);
      if (kernel == &mmcEmuKernel_lastBlock)
        EXPECT_TRUE(silent(outcome));
      else
        EXPECT_TRUE(found(outcome, Finding::race, line("combined"))) << kernel->name;
    }
}

TEST(Atomics, ScopesThatDoNotReachEachOtherRace) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> counter({0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_deviceScope, {2, 1}, seed, counter.data)));
    EXPECT_TRUE(silent(run(mmcEmuKernel_blockScope, {1, 1}, seed, counter.data)));
    EXPECT_TRUE(
        found(run(mmcEmuKernel_blockScope, {2, 1}, seed, counter.data), Finding::race, line("scope of the block")));
    EXPECT_EQ(counter[0], 5u);
    const Outcome unequal = run(mmcEmuKernel_unequalScopes, {2, 1}, seed, counter.data);
    EXPECT_TRUE(found(unequal, Finding::race, line("wide")));
    EXPECT_TRUE(found(unequal, Finding::race, line("narrow")));
  }
}

TEST(Atomics, EndlessSpinIsADeadlockThatNamesTheValue) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint32_t> flag({0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_spin, {}, seed, flag.data, 0u)));
    Device<uint32_t> other({0});
    const Outcome bad = run(mmcEmuKernel_spin, {}, seed, other.data, 1u);
    EXPECT_TRUE(found(bad, Finding::deadlock, line("endless spin")));
    EXPECT_NE(bad.text().find("whose 4 bytes hold 40 and do not change"), std::string::npos) << bad.text();
    char address[32];
    snprintf(address, sizeof address, "0x%llx",
             static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(other.data)));
    EXPECT_NE(bad.text().find(address), std::string::npos) << bad.text();
  }
}

TEST(Atomics, PollsOfTwoFlagsAndIdleLooks) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Device<uint32_t> flags({0, 0, 3, 0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_twoFlags, {}, seed, flags.data, 2000u)));
    EXPECT_EQ(flags[3], 6000u);
  }
}

TEST(Atomics, SizesAndAlignment) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Device<uint64_t> place({0}), other({0});
    EXPECT_TRUE(silent(run(mmcEmuKernel_sizes, {}, seed, place.data, 0u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_sizes, {}, seed, other.data, 1u), Finding::race, line("another size")));
    EXPECT_TRUE(silent(run(mmcEmuKernel_misplaced, {1, 32}, seed, reinterpret_cast<uint8_t *>(place.data), 4u)));
    EXPECT_TRUE(found(run(mmcEmuKernel_misplaced, {1, 32}, seed, reinterpret_cast<uint8_t *>(place.data), 2u),
                      Finding::misaligned, line("misaligned")));
  }
}

} // namespace
