// What orders two commands, and what does not: each rule by a program that breaks it, whose race is reported under
// every seed, and by one close to it that stays silent. Both compute the same thing.
#include "test/Cuda/DriverRun.h"

using namespace mmc::emu::test;

namespace {

/// Runs both programs under every seed. The broken one fails at some call, and from then on.
void expectRule(const std::function<void(Rig &, bool broken)> &program, const std::string &text = "race: ") {
  for (const Settings &settings : seeds()) {
    auto run = [&](bool broken) {
      return [&program, broken] {
        Rig rig;
        program(rig, broken);
        EXPECT_EQ(rig.api.ctxSynchronize(), broken ? Result::launchFailed : Result::success);
      };
    };
    expectFinding(settings, text, run(true));
    expectSilent(settings, run(false));
  }
}

TEST(DriverOrder, AnEventOrdersTwoStreams) {
  const std::string line = lineOf("Driver.cu", "reads what another stream writes");
  expectRule(
      [](Rig &rig, bool broken) {
        const Stream other = rig.newStream();
        const Event event = rig.newEvent();
        const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
        rig.launch(rig.stream, "fillWith", data, 5u);
        rig.api.eventRecord(event, rig.stream);
        if (!broken) rig.api.streamWaitEvent(other, event, 0);
        rig.launch(other, "addTo", out, data, 1u);
        if (broken) return;
        MMC_GOOD(rig.api.streamSynchronize(other));
        EXPECT_EQ(rig.read(out, 64)[9], 6u);
      },
      line);
}

TEST(DriverOrder, OverwritingNeedsOrderToo) {
  expectRule([](Rig &rig, bool broken) {
    const Stream other = rig.newStream();
    const Event event = rig.newEvent();
    const DevicePointer data = rig.filled(64, 3), out = rig.filled(64, 0);
    rig.launch(rig.stream, "addTo", out, data, 1u);
    rig.api.eventRecord(event, rig.stream);
    if (!broken) rig.api.streamWaitEvent(other, event, 0);
    rig.launch(other, "fillWith", data, 5u);
  });
}

TEST(DriverOrder, AnEventIsWhatWasRecordedBefore) {
  expectRule([](Rig &rig, bool broken) {
    const Stream other = rig.newStream();
    const Event event = rig.newEvent();
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    if (broken) rig.api.eventRecord(event, rig.stream);
    rig.launch(rig.stream, "fillWith", data, 5u);
    if (!broken) rig.api.eventRecord(event, rig.stream);
    rig.api.streamWaitEvent(other, event, 0);
    rig.api.eventRecord(event, rig.stream); // what was waited for stays
    rig.launch(other, "addTo", out, data, 1u);
  });
}

TEST(DriverOrder, AWaitIsForWhatComesAfterIt) {
  expectRule([](Rig &rig, bool broken) {
    const Stream other = rig.newStream();
    const Event event = rig.newEvent();
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    rig.launch(rig.stream, "fillWith", data, 5u);
    rig.api.eventRecord(event, rig.stream);
    if (!broken) rig.api.streamWaitEvent(other, event, 0);
    rig.launch(other, "addTo", out, data, 1u);
    if (broken) rig.api.streamWaitEvent(other, event, 0);
  });
}

TEST(DriverOrder, EventsHandOnWhatTheyHaveWaitedFor) {
  expectRule([](Rig &rig, bool broken) {
    const Stream second = rig.newStream(), third = rig.newStream();
    const Event first = rig.newEvent(), next = rig.newEvent();
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    rig.launch(rig.stream, "fillWith", data, 5u);
    rig.api.eventRecord(first, rig.stream);
    if (broken) rig.api.eventRecord(next, second);
    rig.api.streamWaitEvent(second, first, 0);
    if (!broken) rig.api.eventRecord(next, second);
    rig.api.streamWaitEvent(third, next, 0);
    rig.launch(third, "addTo", out, data, 1u);
  });
}

TEST(DriverOrder, TheHostOrdersByWaiting) {
  expectRule([](Rig &rig, bool broken) {
    const Stream other = rig.newStream();
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    rig.launch(rig.stream, "fillWith", data, 5u);
    rig.api.streamSynchronize(broken ? other : rig.stream);
    rig.launch(other, "addTo", out, data, 1u);
  });
}

TEST(DriverOrder, AnEventThatTheHostHasWaitedForOrders) {
  expectRule([](Rig &rig, bool broken) {
    const Stream other = rig.newStream();
    const Event event = rig.newEvent();
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    rig.launch(rig.stream, "fillWith", data, 5u);
    if (!broken) rig.api.eventRecord(event, rig.stream);
    while (rig.api.eventQuery(event) == Result::notReady) {
    }
    rig.launch(other, "addTo", out, data, 1u);
  });
}

TEST(DriverOrder, CopiesStandInTheirStreams) {
  expectRule([](Rig &rig, bool broken) { // to the device, then a launch
    const Stream other = rig.newStream();
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    uint32_t *staging = rig.pinned(64, 8);
    rig.api.memcpyHtoDAsync(data, staging, 256, broken ? other : rig.stream);
    rig.launch(rig.stream, "addTo", out, data, 1u);
  });
  expectRule([](Rig &rig, bool broken) { // a launch, then to the host
    const Stream other = rig.newStream();
    const DevicePointer data = rig.filled(64, 0);
    uint32_t *staging = rig.pinned(64, 8);
    rig.launch(rig.stream, "fillWith", data, 5u);
    rig.api.memcpyDtoHAsync(staging, data, 256, broken ? other : rig.stream);
    EXPECT_EQ(rig.api.ctxSynchronize(), broken ? Result::launchFailed : Result::success);
    if (!broken) {
      EXPECT_EQ(staging[3], 5u);
    }
  });
  expectRule([](Rig &rig, bool broken) { // two copies
    const Stream other = rig.newStream();
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    rig.api.memcpyDtoDAsync(out, data, 256, rig.stream);
    rig.api.memcpyDtoDAsync(data, out, 128, broken ? other : rig.stream);
  });
  expectRule([](Rig &rig, bool broken) { // a fill beside a launch: a byte in common, or none
    const Stream other = rig.newStream();
    const DevicePointer data = rig.filled(128, 0);
    rig.launch(rig.stream, "fillWith", data, 5u);
    rig.api.memsetD8Async(data + (broken ? 255 : 256), 1, 10, other);
  });
}

TEST(DriverOrder, BlockingCopiesWaitForBlockingStreamsOnly) {
  expectRule([](Rig &rig, bool broken) {
    Stream other = nullptr;
    MMC_GOOD(rig.api.streamCreateWithPriority(&other, broken ? unsigned(streamNonBlocking) : 0, 0));
    const DevicePointer data = rig.filled(64, 0);
    rig.launch(other, "fillWith", data, 5u);
    std::vector<uint32_t> values(64);
    MMC_MORE(cuMemcpyDtoH_v2)(values.data(), data, 256);
    if (!broken) {
      EXPECT_EQ(values[7], 5u);
    }
  });
}

TEST(DriverOrder, DependentLaunchesWaitForWhatTheyRead) {
  expectRule([](Rig &rig, bool broken) {
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    LaunchConfig config = Rig::config(rig.stream);
    LaunchAttribute early = {};
    early.id = LaunchAttributeId::programmaticStreamSerialization;
    early.value.programmaticStreamSerialization = 1;
    config.attributes = &early;
    config.attributeCount = 1;
    rig.launch(rig.stream, "produce", data, 1u);
    // The kernel waits in variant 0, and does not in 1.
    rig.launchWith(config, "consume", data, out, broken ? 1u : 0u);
  });
  expectRule([](Rig &rig, bool broken) { // without the attribute nothing starts early
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0);
    LaunchConfig config = Rig::config(rig.stream);
    LaunchAttribute early = {};
    early.id = LaunchAttributeId::programmaticStreamSerialization;
    early.value.programmaticStreamSerialization = broken;
    config.attributes = &early;
    config.attributeCount = 1;
    rig.launch(rig.stream, "produce", data, 1u);
    rig.launchWith(config, "consume", data, out, 1u);
  });
  expectRule([](Rig &rig, bool broken) { // an ordinary launch between ends it all
    const DevicePointer data = rig.filled(64, 0), out = rig.filled(64, 0), more = rig.filled(64, 0);
    LaunchConfig config = Rig::config(rig.stream);
    LaunchAttribute early = {};
    early.id = LaunchAttributeId::programmaticStreamSerialization;
    early.value.programmaticStreamSerialization = 1;
    config.attributes = &early;
    config.attributeCount = 1;
    rig.launch(rig.stream, "produce", data, 1u);
    if (broken)
      rig.launchWith(config, "consume", data, more, 0u);
    else
      rig.launch(rig.stream, "consume", data, more, 0u);
    rig.launchWith(config, "consume", data, out, 1u);
  });
}

TEST(DriverOrder, StagingIsLeftAloneUntilItsCopyRan) {
  expectRule(
      [](Rig &rig, bool broken) {
        const DevicePointer data = rig.filled(64, 0);
        uint32_t *staging = rig.pinned(64, 8);
        rig.api.memcpyHtoDAsync(data, staging, 256, rig.stream);
        if (!broken) MMC_GOOD(rig.api.streamSynchronize(rig.stream));
        staging[63] = 9;
      },
      "the host changes page-locked memory");
  expectRule(
      [](Rig &rig, bool broken) { // next to it is free
        const DevicePointer data = rig.filled(64, 0);
        uint32_t *staging = rig.pinned(65, 8);
        rig.api.memcpyHtoDAsync(data, staging, 256, rig.stream);
        staging[broken ? 0 : 64] = 9;
      },
      "the host changes page-locked memory");
  // A copy of an earlier command into it is no change by the host.
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.filled(64, 4), out = rig.filled(64, 0);
      uint32_t *staging = rig.pinned(64, 8);
      MMC_GOOD(rig.api.memcpyDtoHAsync(staging, data, 256, rig.stream));
      MMC_GOOD(rig.api.memcpyHtoDAsync(out, staging, 256, rig.stream));
      EXPECT_EQ(staging[5], 8u); // nothing has run
      MMC_GOOD(rig.api.streamSynchronize(rig.stream));
      EXPECT_EQ(rig.read(out, 64), std::vector<uint32_t>(64, 4));
    });
}

TEST(DriverOrder, MemoryThatIsNotPageLockedIsReadAtTheCall) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.filled(64, 0);
      std::vector<uint32_t> values(64, 8);
      MMC_GOOD(rig.api.memcpyHtoDAsync(data, values.data(), 256, rig.stream));
      values.assign(64, 9);
      MMC_GOOD(rig.launch(rig.stream, "addTo", data, data, 1u));
      MMC_GOOD(rig.api.memcpyDtoHAsync(values.data(), data, 256, rig.stream));
      EXPECT_EQ(values, std::vector<uint32_t>(64, 9)); // that copy was waited for
    });
}

/// The order in which two streams' launches ran, as bits, with nothing that reports their races.
uint32_t orderUnder(const char *seed) {
  setenv("MMC_EMU_SEED", seed, 1);
  setenv("MMC_EMU_CHECKS", "off", 1);
  Rig rig;
  const Stream other = rig.newStream();
  const DevicePointer data = rig.filled(64, 1);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(rig.launch(rig.stream, "appendBit", data, 0u), Result::success);
    EXPECT_EQ(rig.launch(other, "appendBit", data, 1u), Result::success);
  }
  EXPECT_EQ(rig.api.ctxSynchronize(), Result::success);
  const uint32_t order = rig.read(data, 1)[0];
  EXPECT_EQ(rig.api.devicePrimaryCtxRelease(0), Result::success);
  return order;
}

TEST(DriverOrder, ASeedFixesTheOrderAndSeedsDiffer) {
  std::set<std::string> orders;
  for (const char *seed : {"0", "1", "2", "3", "4"}) {
    auto print = [&] { std::fprintf(stderr, "%u", orderUnder(seed)); };
    const Child first = inChild({}, print), again = inChild({}, print);
    EXPECT_TRUE(first.passed() && again.passed()) << first.errors << again.errors;
    EXPECT_EQ(first.errors, again.errors) << "seed " << seed;
    orders.insert(first.errors);
  }
  EXPECT_GE(orders.size(), 4u);
}

TEST(DriverOrder, OnlyWhatIsWaitedForRunsWithoutASeed) {
  expectSilent({}, [] {
    Rig rig;
    const Stream other = rig.newStream();
    uint32_t *mine = rig.pinned(64, 0), *theirs = rig.pinned(64, 0);
    const DevicePointer data = rig.filled(64, 6);
    MMC_GOOD(rig.api.memcpyDtoHAsync(theirs, data, 256, other));
    MMC_GOOD(rig.api.memcpyDtoHAsync(mine, data, 256, rig.stream));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
    EXPECT_EQ(mine[0], 6u);
    EXPECT_EQ(theirs[0], 0u);
    MMC_GOOD(rig.api.streamSynchronize(other));
    EXPECT_EQ(theirs[0], 6u);
  });
}

} // namespace
