// The emulated driver's streams and events, every entry point with its refusals; tensor maps.
#include "test/Cuda/DriverRun.h"

using namespace mmc::emu::test;

namespace {

TEST(DriverStream, MadeAndDestroyed) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      int least = 9, greatest = 9;
      MMC_GOOD(rig.api.ctxGetStreamPriorityRange(&least, &greatest));
      EXPECT_EQ(least, 0);
      EXPECT_LT(greatest, least);
      Stream stream = nullptr;
      MMC_GOOD(rig.api.streamCreateWithPriority(&stream, streamNonBlocking, greatest));
      MMC_REFUSED(invalidValue, rig.api.streamCreateWithPriority(&stream, 2, 0));
      MMC_REFUSED(invalidValue, rig.api.streamCreateWithPriority(nullptr, 0, 0));
      uint32_t *out = rig.pinned(64, 0);
      const DevicePointer data = rig.filled(64, 4);
      MMC_GOOD(rig.api.memcpyDtoHAsync(out, data, 256, stream));
      MMC_GOOD(rig.api.streamDestroy(stream)); // what it holds runs
      EXPECT_EQ(out[0], 4u);
      MMC_REFUSED(invalidHandle, rig.api.streamDestroy(stream));
      MMC_REFUSED(invalidHandle, rig.api.streamSynchronize(stream));
      MMC_REFUSED(notSupported, rig.api.streamSynchronize(nullptr));
      MMC_REFUSED(notSupported, rig.api.streamDestroy(nullptr));
      MMC_GOOD(MMC_MORE(cuStreamCreate)(&stream, 0));
      MMC_GOOD(rig.api.streamSynchronize(stream));
    });
}

TEST(DriverStream, ManyOfThemOneAfterTheOther) {
  expectSilent({}, [] {
    Rig rig;
    const DevicePointer data = rig.filled(64, 0);
    for (int i = 0; i < 200; ++i) {
      const Stream stream = rig.newStream();
      MMC_GOOD(rig.launch(stream, "addTo", data, data, 1u));
      MMC_GOOD(rig.api.streamSynchronize(stream));
      MMC_GOOD(rig.api.streamDestroy(stream));
    }
    EXPECT_EQ(rig.read(data, 1)[0], 200u);
  });
}

TEST(DriverStream, QueriesMakeProgress) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.filled(64, 0);
      MMC_GOOD(rig.api.streamQuery(rig.stream));
      for (int i = 0; i < 20; ++i) MMC_GOOD(rig.launch(rig.stream, "addTo", data, data, 1u));
      int polls = 0;
      Result result;
      while ((result = rig.api.streamQuery(rig.stream)) == Result::notReady) ++polls;
      MMC_GOOD(result);
      EXPECT_GE(polls, 2);
      EXPECT_LE(polls, 20);
      EXPECT_EQ(rig.read(data, 1)[0], 20u); // the host has waited
    });
}

TEST(DriverEvent, RecordedAskedAndWaitedFor) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.filled(64, 0);
      uint32_t *out = rig.pinned(64, 0);
      Event event = nullptr;
      MMC_GOOD(rig.api.eventCreate(&event, eventDefault));
      MMC_GOOD(rig.api.eventQuery(event)); // never recorded
      MMC_GOOD(rig.api.eventSynchronize(event));
      MMC_GOOD(rig.api.streamWaitEvent(rig.stream, event, 0));
      MMC_GOOD(rig.launch(rig.stream, "fillWith", data, 5u));
      MMC_GOOD(rig.api.memcpyDtoHAsync(out, data, 256, rig.stream));
      MMC_GOOD(rig.api.eventRecord(event, rig.stream));
      MMC_GOOD(rig.api.eventSynchronize(event));
      EXPECT_EQ(out[0], 5u);
      MMC_GOOD(rig.api.eventQuery(event));
      MMC_GOOD(rig.api.eventDestroy(event));
      MMC_REFUSED(invalidHandle, rig.api.eventDestroy(event));
      MMC_REFUSED(invalidHandle, rig.api.eventRecord(event, rig.stream));
      MMC_REFUSED(invalidHandle, rig.api.eventQuery(event));
      MMC_REFUSED(invalidHandle, rig.api.eventSynchronize(event));
      MMC_REFUSED(invalidHandle, rig.api.streamWaitEvent(rig.stream, event, 0));
      MMC_REFUSED(invalidValue, rig.api.eventCreate(&event, 64));
      MMC_REFUSED(invalidValue, rig.api.eventCreate(nullptr, 0));
      MMC_GOOD(rig.api.eventCreate(&event, 0));
      MMC_REFUSED(notSupported, rig.api.eventRecord(event, nullptr));
      MMC_REFUSED(invalidValue, rig.api.streamWaitEvent(rig.stream, event, 2));
    });
}

TEST(DriverEvent, TimesAreOfWhatRanBetween) {
  expectSilent({}, [] {
    Rig rig;
    Event start = nullptr, end = nullptr;
    MMC_GOOD(rig.api.eventCreate(&start, eventDefault));
    MMC_GOOD(rig.api.eventCreate(&end, eventDefault));
    float milliseconds = -1;
    MMC_REFUSED(invalidHandle, rig.api.eventElapsedTime(&milliseconds, start, end)); // never recorded
    const DevicePointer data = rig.filled(64, 0);
    MMC_GOOD(rig.api.eventRecord(start, rig.stream));
    MMC_GOOD(rig.launch(rig.stream, "fillWith", data, 5u));
    MMC_GOOD(rig.api.eventRecord(end, rig.stream));
    MMC_REFUSED(notReady, rig.api.eventElapsedTime(&milliseconds, start, end));
    MMC_GOOD(rig.api.eventSynchronize(end));
    MMC_GOOD(rig.api.eventElapsedTime(&milliseconds, start, end));
    EXPECT_GT(milliseconds, 0);
    EXPECT_LT(milliseconds, 10000);
    const Event untimed = rig.newEvent();
    MMC_GOOD(rig.api.eventRecord(untimed, rig.stream));
    MMC_GOOD(rig.api.eventSynchronize(untimed));
    MMC_REFUSED(invalidHandle, rig.api.eventElapsedTime(&milliseconds, start, untimed));
    MMC_REFUSED(invalidValue, rig.api.eventElapsedTime(nullptr, start, end));
  });
}

TEST(DriverTensorMap, EncodesAndRefuses) {
  auto encode = [](uint64_t stride, TensorMap *map) {
    Rig rig;
    const DevicePointer data = rig.filled(64 * 64, 0);
    const uint64_t sizes[] = {64, 64}, strides[] = {stride};
    const uint32_t box[] = {32, 64}, steps[] = {1, 1};
    return rig.api.tensorMapEncodeTiled(map, TensorElement::f32, 2, reinterpret_cast<void *>(data), sizes, strides, box,
                                        steps, TensorInterleave::none, TensorSwizzle::bytes128, TensorL2Promotion::none,
                                        TensorFill::zeros);
  };
  expectSilent({}, [&] {
    TensorMap map = {};
    MMC_GOOD(encode(256, &map));
    EXPECT_NE(map.opaque[0], 0u);
  });
  expectFinding({}, "cuTensorMapEncodeTiled: ", [&] {
    TensorMap map = {};
    MMC_REFUSED(invalidValue, encode(264, &map));
    EXPECT_EQ(map.opaque[0], 0u);
  });
}

} // namespace
