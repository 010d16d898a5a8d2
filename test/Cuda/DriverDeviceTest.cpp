// The emulated driver before any work: settings, devices, contexts, look-ups; and several devices.
#include "test/Cuda/DriverRun.h"

using namespace mmc::emu::test;

namespace {

TEST(DriverDevice, CallsBeforeInitAreRefused) {
  expectSilent({}, [] {
    int count = 0;
    MMC_REFUSED(notInitialised, MMC_MORE(cuDeviceGetCount)(&count));
    int version = 0;
    MMC_GOOD(MMC_MORE(cuDriverGetVersion)(&version));
    EXPECT_EQ(version, 13000);
    MMC_REFUSED(invalidValue, MMC_MORE(cuDriverGetVersion)(nullptr));
    MMC_REFUSED(invalidValue, MMC_MORE(cuInit)(1));
    MMC_GOOD(MMC_MORE(cuInit)(0));
    MMC_GOOD(MMC_MORE(cuDeviceGetCount)(&count));
    EXPECT_EQ(count, 1);
    MMC_REFUSED(invalidValue, MMC_MORE(cuDeviceGetCount)(nullptr));
  });
}

TEST(DriverDevice, SettingsAreCheckedAndNamed) {
  const std::pair<const char *, const char *> bad[] = {
      {"MMC_EMU_CHECKS", "yes"}, {"MMC_EMU_SEED", "-1"},  {"MMC_EMU_SEED", "x"},
      {"MMC_EMU_SMS", "0"},      {"MMC_EMU_SMS", ""},     {"MMC_EMU_DEVICES", "17"},
      {"MMC_EMU_FAULT", "0"},    {"MMC_EMU_FAULT", "1 "}, {"MMC_EMU_COUNTS", "/nowhere/counts"}};
  for (auto &[name, value] : bad)
    expectFinding({{name, value}}, std::string(name) + "=" + value + ", expected", [] {
      MMC_REFUSED(invalidValue, MMC_MORE(cuInit)(0));
      int count = 0;
      MMC_REFUSED(notInitialised, MMC_MORE(cuDeviceGetCount)(&count));
    });
}

TEST(DriverDevice, Attributes) {
  expectSilent({{"MMC_EMU_SMS", "7"}}, [] {
    const DriverApi &api = driver();
    auto get = [&](DeviceAttribute attribute) {
      int value = -1;
      EXPECT_EQ(api.deviceGetAttribute(&value, attribute, 0), Result::success) << unsigned(attribute);
      return value;
    };
    EXPECT_EQ(get(DeviceAttribute::multiprocessorCount), 7);
    EXPECT_EQ(get(DeviceAttribute::computeCapabilityMajor), 9);
    EXPECT_EQ(get(DeviceAttribute::computeCapabilityMinor), 0);
    EXPECT_EQ(get(DeviceAttribute::warpSize), 32);
    EXPECT_EQ(get(DeviceAttribute::maxSharedMemoryPerBlockOptin), 232448);
    EXPECT_EQ(get(DeviceAttribute::clusterLaunch), 1);
    EXPECT_EQ(get(DeviceAttribute::tensorMapAccessSupported), 1);
    EXPECT_EQ(get(DeviceAttribute::cooperativeLaunch), 0);
    for (auto attribute :
         {DeviceAttribute::maxThreadsPerBlock, DeviceAttribute::maxSharedMemoryPerBlock,
          DeviceAttribute::maxRegistersPerBlock, DeviceAttribute::clockRate, DeviceAttribute::memoryClockRate,
          DeviceAttribute::globalMemoryBusWidth, DeviceAttribute::l2CacheSize,
          DeviceAttribute::maxThreadsPerMultiprocessor, DeviceAttribute::asyncEngineCount,
          DeviceAttribute::maxSharedMemoryPerMultiprocessor, DeviceAttribute::maxRegistersPerMultiprocessor,
          DeviceAttribute::maxBlocksPerMultiprocessor, DeviceAttribute::reservedSharedMemoryPerBlock})
      EXPECT_GT(get(attribute), 0);
    int value = 0;
    MMC_REFUSED(invalidValue, api.deviceGetAttribute(&value, DeviceAttribute(9999), 0));
    MMC_REFUSED(invalidValue, api.deviceGetAttribute(nullptr, DeviceAttribute::warpSize, 0));
    MMC_REFUSED(invalidDevice, api.deviceGetAttribute(&value, DeviceAttribute::warpSize, 1));
  });
}

TEST(DriverDevice, NamesAndNumbers) {
  expectSilent({{"MMC_EMU_DEVICES", "3"}}, [] {
    const DriverApi &api = driver();
    int count = 0;
    MMC_GOOD(api.deviceGetCount(&count));
    EXPECT_EQ(count, 3);
    Device device = -1;
    MMC_GOOD(api.deviceGet(&device, 2));
    EXPECT_EQ(device, 2);
    MMC_REFUSED(invalidDevice, api.deviceGet(&device, 3));
    MMC_REFUSED(invalidDevice, api.deviceGet(&device, -1));
    MMC_REFUSED(invalidValue, api.deviceGet(nullptr, 0));
    char name[64] = "";
    MMC_GOOD(api.deviceGetName(name, sizeof name, 2));
    EXPECT_STREQ(name, "mmc emulated device 2");
    MMC_GOOD(api.deviceGetName(name, 4, 0));
    EXPECT_STREQ(name, "mmc");
    MMC_REFUSED(invalidValue, api.deviceGetName(name, 0, 0));
    Uuid first = {}, second = {}, old = {};
    MMC_GOOD(api.deviceGetUuid(&first, 0));
    MMC_GOOD(api.deviceGetUuid(&second, 1));
    MMC_GOOD(MMC_MORE(cuDeviceGetUuid)(&old, 0));
    EXPECT_NE(std::memcmp(&first, &second, sizeof first), 0);
    EXPECT_EQ(std::memcmp(&first, &old, sizeof first), 0);
    MMC_REFUSED(invalidValue, api.deviceGetUuid(nullptr, 0));
    size_t bytes = 0;
    MMC_GOOD(api.deviceTotalMem(&bytes, 1));
    EXPECT_EQ(bytes, size_t(16) << 30);
    MMC_REFUSED(invalidDevice, api.deviceTotalMem(&bytes, 3));
  });
}

TEST(DriverDevice, ErrorsHaveNamesAndSentences) {
  expectSilent({}, [] {
    const DriverApi &api = driver();
    const char *text = nullptr;
    MMC_GOOD(api.getErrorName(Result::illegalAddress, &text));
    EXPECT_STREQ(text, "CUDA_ERROR_ILLEGAL_ADDRESS");
    MMC_GOOD(api.getErrorString(Result::illegalAddress, &text));
    EXPECT_STREQ(text, "a kernel accessed memory that is not there");
    MMC_REFUSED(invalidValue, api.getErrorName(Result(12345), &text));
    EXPECT_EQ(text, nullptr);
    MMC_REFUSED(invalidValue, api.getErrorString(Result(12345), &text));
    MMC_REFUSED(invalidValue, api.getErrorName(Result::success, nullptr));
  });
}

TEST(DriverDevice, EntryPointsByName) {
  expectSilent({}, [] {
    const auto find = MMC_MORE(cuGetProcAddress_v2);
    void *function = nullptr;
    unsigned status = 9;
    MMC_GOOD(find("cuMemAlloc", &function, 13000, 0, &status));
    EXPECT_EQ(function, reinterpret_cast<void *>(driver().memAlloc));
    EXPECT_EQ(status, 0u);
    MMC_GOOD(find("cuDeviceGetUuid", &function, 12040, 0, nullptr));
    EXPECT_EQ(function, reinterpret_cast<void *>(driver().deviceGetUuid));
    MMC_GOOD(find("cuStreamCreate", &function, 12040, 0, nullptr));
    EXPECT_EQ(function, reinterpret_cast<void *>(MMC_MORE(cuStreamCreate)));
    MMC_REFUSED(notFound, find("cuMemAllocAsync", &function, 13000, 0, &status));
    EXPECT_EQ(status, 1u);
    EXPECT_EQ(function, nullptr);
    MMC_REFUSED(notFound, find("cuInit", &function, 99000, 0, &status));
    EXPECT_EQ(status, 2u);
    MMC_REFUSED(invalidValue, find("cuInit", &function, 13000, 2, &status));
    MMC_REFUSED(invalidValue, find(nullptr, &function, 13000, 0, &status));
#define MMC_FIND(field, symbol, ...) EXPECT_NE(dlsym(dlopen(MMC_EMULATED_DRIVER, RTLD_NOW), #symbol), nullptr);
    MMC_CUDA_DRIVER_ENTRIES(MMC_FIND)
#undef MMC_FIND
  });
}

TEST(DriverContext, RetainedReleasedAndMadeCurrent) {
  expectSilent({}, [] {
    const DriverApi &api = driver();
    Context context = nullptr, again = nullptr, current = nullptr;
    DevicePointer data = 0;
    MMC_REFUSED(invalidContext, api.memAlloc(&data, 4));
    MMC_REFUSED(invalidContext, api.devicePrimaryCtxRelease(0));
    MMC_REFUSED(invalidDevice, api.devicePrimaryCtxRetain(&context, 1));
    MMC_REFUSED(invalidValue, api.devicePrimaryCtxRetain(nullptr, 0));
    MMC_GOOD(api.devicePrimaryCtxRetain(&context, 0));
    MMC_GOOD(api.devicePrimaryCtxRetain(&again, 0));
    EXPECT_EQ(context, again);
    MMC_GOOD(api.ctxGetCurrent(&current));
    EXPECT_EQ(current, nullptr);
    MMC_REFUSED(invalidContext, api.ctxSetCurrent(reinterpret_cast<Context>(&data)));
    MMC_GOOD(api.ctxSetCurrent(context));
    MMC_GOOD(api.ctxGetCurrent(&current));
    EXPECT_EQ(current, context);
    Device device = -1;
    MMC_GOOD(MMC_MORE(cuCtxGetDevice)(&device));
    EXPECT_EQ(device, 0);
    unsigned flags = 9;
    int active = 9;
    MMC_GOOD(MMC_MORE(cuDevicePrimaryCtxGetState)(0, &flags, &active));
    EXPECT_EQ(active, 1);
    MMC_GOOD(api.memAlloc(&data, 4));
    MMC_GOOD(api.ctxSynchronize());
    MMC_GOOD(api.devicePrimaryCtxRelease(0));
    MMC_GOOD(api.memFree(data)); // retained twice
    MMC_GOOD(api.devicePrimaryCtxRelease(0));
    MMC_REFUSED(contextIsDestroyed, api.memAlloc(&data, 4));
    MMC_GOOD(MMC_MORE(cuDevicePrimaryCtxGetState)(0, &flags, &active));
    EXPECT_EQ(active, 0);
    MMC_REFUSED(invalidContext, api.ctxSetCurrent(context));
    MMC_GOOD(api.ctxSetCurrent(nullptr));
    MMC_REFUSED(invalidContext, api.ctxSynchronize());
  });
}

TEST(DriverContext, EverythingGoesWithIt) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      for (int round = 0; round < 3; ++round) {
        Rig rig;
        const DevicePointer data = rig.filled(64, 1);
        rig.pinned(64, 0);
        const Event event = rig.newEvent();
        MMC_GOOD(rig.launch(rig.stream, "addTo", data, data, 1u));
        MMC_GOOD(rig.api.eventRecord(event, rig.stream));
        const Stream capturing = rig.newStream();
        MMC_GOOD(rig.api.streamBeginCapture(capturing, CaptureMode::relaxed));
        MMC_GOOD(rig.api.devicePrimaryCtxRelease(0)); // the launch runs
        Rig next;
        size_t free = 0, total = 1;
        MMC_GOOD(next.api.memGetInfo(&free, &total));
        EXPECT_EQ(free, total);
        MMC_REFUSED(invalidHandle, next.api.streamSynchronize(rig.stream));
        MMC_REFUSED(invalidHandle, next.api.eventSynchronize(event));
        MMC_REFUSED(invalidHandle, next.api.moduleUnload(rig.module));
        MMC_REFUSED(invalidValue, next.api.memFree(data));
        MMC_GOOD(next.api.devicePrimaryCtxRelease(0));
      }
    });
}

TEST(DriverContext, SettingsAreReadAgainWhileThereIsNone) {
  expectSilent({}, [] {
    const DriverApi &api = driver();
    int count = 0;
    setenv("MMC_EMU_DEVICES", "2", 1);
    MMC_GOOD(api.init(0));
    MMC_GOOD(api.deviceGetCount(&count));
    EXPECT_EQ(count, 2);
    Context context = nullptr;
    MMC_GOOD(api.devicePrimaryCtxRetain(&context, 1));
    setenv("MMC_EMU_DEVICES", "4", 1);
    MMC_GOOD(api.init(0));
    MMC_GOOD(api.deviceGetCount(&count));
    EXPECT_EQ(count, 2);
    MMC_GOOD(api.devicePrimaryCtxRelease(1));
    MMC_GOOD(api.init(0));
    MMC_GOOD(api.deviceGetCount(&count));
    EXPECT_EQ(count, 4);
  });
}

TEST(DriverPeers, EachDeviceHasItsMemory) {
  expectSilent({{"MMC_EMU_DEVICES", "2"}}, [] {
    Rig zero(0), one(1);
    size_t free = 0, total = 0;
    MMC_GOOD(one.api.ctxSetCurrent(one.context));
    DevicePointer all = 0;
    MMC_GOOD(one.api.memGetInfo(&free, &total));
    MMC_GOOD(one.api.memAlloc(&all, total));
    DevicePointer more = 0;
    MMC_REFUSED(outOfMemory, one.api.memAlloc(&more, 1));
    MMC_GOOD(zero.api.ctxSetCurrent(zero.context));
    MMC_GOOD(zero.api.memAlloc(&more, 1));
    // A function and a stream are of one context.
    const LaunchConfig config = Rig::config(one.stream);
    MMC_REFUSED(invalidHandle, zero.launchWith(config, "fillWith", more, 1u));
  });
}

TEST(DriverPeers, CopiesReachBoth) {
  for (const Settings &settings : seeds({{"MMC_EMU_DEVICES", "2"}}))
    expectSilent(settings, [] {
      Rig zero(0);
      const DevicePointer from = zero.filled(64, 7);
      Rig one(1);
      const DevicePointer to = one.filled(64, 0);
      MMC_GOOD(one.api.memcpyPeerAsync(to, one.context, from, zero.context, 256, one.stream));
      MMC_GOOD(one.launch(one.stream, "addTo", to, to, 1u));
      MMC_GOOD(one.api.streamSynchronize(one.stream));
      EXPECT_EQ(one.read(to, 64), std::vector<uint32_t>(64, 8));
      MMC_REFUSED(invalidContext, one.api.memcpyPeerAsync(to, nullptr, from, zero.context, 256, one.stream));
      MMC_REFUSED(invalidValue, one.api.memcpyPeerAsync(to, zero.context, from, zero.context, 256, one.stream));
      MMC_REFUSED(invalidValue, one.api.memcpyPeerAsync(to, one.context, from, zero.context, 257, one.stream));
    });
}

TEST(DriverPeers, EventsOrderStreamsOfTwoDevices) {
  for (const Settings &settings : seeds({{"MMC_EMU_DEVICES", "2"}}))
    for (bool broken : {true, false}) {
      auto program = [broken] {
        Rig zero(0);
        const DevicePointer from = zero.filled(64, 7);
        const Event event = zero.newEvent();
        Rig one(1);
        const DevicePointer to = one.filled(64, 0);
        MMC_GOOD(zero.api.ctxSetCurrent(zero.context));
        MMC_GOOD(zero.launch(zero.stream, "addTo", from, from, 1u));
        MMC_GOOD(zero.api.eventRecord(event, zero.stream));
        MMC_GOOD(one.api.ctxSetCurrent(one.context));
        if (!broken) MMC_GOOD(one.api.streamWaitEvent(one.stream, event, 0));
        MMC_GOOD(one.api.memcpyPeerAsync(to, one.context, from, zero.context, 256, one.stream));
        const Result here = one.api.ctxSynchronize();
        MMC_GOOD(zero.api.ctxSetCurrent(zero.context));
        const Result there = zero.api.ctxSynchronize();
        if (broken) {
          EXPECT_TRUE(here == Result::launchFailed || there == Result::launchFailed);
          return;
        }
        MMC_GOOD(here);
        MMC_GOOD(there);
        MMC_GOOD(one.api.ctxSetCurrent(one.context));
        EXPECT_EQ(one.read(to, 1)[0], 8u);
      };
      if (broken)
        expectFinding(settings, "race", program);
      else
        expectSilent(settings, program);
    }
}

TEST(DriverPeers, KernelsNeedPeerAccess) {
  for (const Settings &settings : seeds({{"MMC_EMU_DEVICES", "2"}}))
    for (bool enabled : {false, true}) {
      auto program = [enabled] {
        Rig zero(0);
        const DevicePointer theirs = zero.filled(64, 7);
        Rig one(1);
        const DevicePointer out = one.filled(64, 0);
        int can = 0;
        MMC_GOOD(one.api.deviceCanAccessPeer(&can, 1, 0));
        EXPECT_EQ(can, 1);
        MMC_GOOD(one.api.deviceCanAccessPeer(&can, 1, 1));
        EXPECT_EQ(can, 0);
        MMC_REFUSED(peerAccessNotEnabled, one.api.ctxDisablePeerAccess(zero.context));
        if (enabled) {
          MMC_GOOD(one.api.ctxEnablePeerAccess(zero.context, 0));
          MMC_REFUSED(peerAccessAlreadyEnabled, one.api.ctxEnablePeerAccess(zero.context, 0));
        }
        MMC_REFUSED(invalidDevice, one.api.ctxEnablePeerAccess(one.context, 0));
        MMC_REFUSED(invalidContext, one.api.ctxEnablePeerAccess(nullptr, 0));
        MMC_GOOD(one.launch(one.stream, "addTo", out, theirs, 1u));
        EXPECT_EQ(one.api.streamSynchronize(one.stream), enabled ? Result::success : Result::illegalAddress);
        if (!enabled) { // the other device goes on
          MMC_GOOD(zero.api.ctxSetCurrent(zero.context));
          EXPECT_EQ(zero.read(theirs, 1)[0], 7u);
          return;
        }
        EXPECT_EQ(one.read(out, 1)[0], 8u);
        MMC_GOOD(one.api.ctxDisablePeerAccess(zero.context));
        MMC_GOOD(one.launch(one.stream, "addTo", out, theirs, 1u));
        MMC_REFUSED(illegalAddress, one.api.streamSynchronize(one.stream));
      };
      expectFinding(settings, "of device 0, to which the running device has no peer access", program);
      if (!enabled) expectFinding(settings, lineOf("Driver.cu", "reads what another stream writes"), program);
    }
}

} // namespace
