// The emulated driver's modules and launches: images, functions and their attributes, what a launch is refused for, and
// what a finding in a kernel does to the context.
#include "test/Cuda/DriverRun.h"

using namespace mmc::emu::test;

namespace {

TEST(DriverModule, KernelsAreFoundByName) {
  expectSilent({}, [] {
    Rig rig;
    Function function = nullptr, again = nullptr;
    MMC_GOOD(rig.api.moduleGetFunction(&function, rig.module, "fillWith"));
    MMC_GOOD(rig.api.moduleGetFunction(&again, rig.module, "fillWith"));
    EXPECT_EQ(function, again);
    MMC_REFUSED(notFound, rig.api.moduleGetFunction(&function, rig.module, "fill"));
    MMC_REFUSED(invalidHandle, rig.api.moduleGetFunction(&function, nullptr, "fillWith"));
    MMC_REFUSED(invalidValue, rig.api.moduleGetFunction(nullptr, rig.module, "fillWith"));
    MMC_GOOD(rig.api.moduleUnload(rig.module));
    MMC_REFUSED(invalidHandle, rig.api.moduleUnload(rig.module));
    int value = 0;
    MMC_REFUSED(invalidHandle, rig.api.funcGetAttribute(&value, FunctionAttribute::numRegisters, again));
    Module second = nullptr;
    const std::string image = readFile(MMC_DRIVER_MODULE);
    MMC_GOOD(MMC_MORE(cuModuleLoadData)(&second, image.data()));
    MMC_GOOD(rig.api.moduleGetFunction(&function, second, "fillWith"));
  });
}

TEST(DriverModule, TwoLoadsOfOneImageAreApart) {
  expectSilent({}, [] {
    Rig rig;
    Module second = nullptr;
    const std::string image = readFile(MMC_DRIVER_MODULE);
    MMC_GOOD(rig.api.moduleLoadDataEx(&second, image.data(), 0, nullptr, nullptr));
    MMC_GOOD(rig.api.moduleUnload(rig.module));
    rig.module = second;
    const DevicePointer data = rig.allocate(64);
    MMC_GOOD(rig.launch(rig.stream, "fillWith", data, 5u));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
    EXPECT_EQ(rig.read(data, 64), std::vector<uint32_t>(64, 5));
  });
}

TEST(DriverLaunch, EachAddsALineToTheCounts) {
  const std::string file = testing::TempDir() + "mmc-driver-counts";
  std::ofstream(file) << "old";
  const std::string line =
      "{\"kernel\": \"fillWith\", \"grid\": [1, 1, 1], \"threads\": 64, \"loads\": {\"bytes\": 0, "
      "\"sectors\": 0, \"whole_sectors\": 0, \"distinct_sectors\": 0}, \"stores\": {\"bytes\": 256, "
      "\"sectors\": 8, \"whole_sectors\": 8, \"distinct_sectors\": 8}";
  expectSilent({{"MMC_EMU_COUNTS", file}}, [&] {
    Rig rig;
    const DevicePointer data = rig.allocate(64);
    for (uint32_t value : {5u, 6u}) MMC_GOOD(rig.launch(rig.stream, "fillWith", data, value));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
    const std::string counts = readFile(file.c_str());
    EXPECT_EQ(counts.rfind(line, 0), 0u) << counts;
    EXPECT_EQ(std::count(counts.begin(), counts.end(), '\n'), 2) << counts;
  });
  unlink(file.c_str());
}

TEST(DriverModule, AnythingElseIsRefusedAndSaysWhy) {
  expectSilent({}, [] {
    Rig rig;
    char log[200] = "";
    JitOption options[] = {JitOption::errorLogBuffer, JitOption::errorLogBufferSizeBytes};
    void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
    Module module = nullptr;
    auto load = [&](const void *image) { return rig.api.moduleLoadDataEx(&module, image, 2, options, values); };
    std::string cubin = readFile(MMC_DRIVER_MODULE);
    cubin[18] = char(190); // the machine's number
    MMC_REFUSED(noBinaryForGpu, load(cubin.data()));
    EXPECT_THAT(log, HasSubstr("is a cubin"));
    cubin[18] = char(183);
    MMC_REFUSED(noBinaryForGpu, load(cubin.data()));
    EXPECT_THAT(log, HasSubstr("for another machine"));
    const uint32_t fat[16] = {0xba55ed50};
    MMC_REFUSED(noBinaryForGpu, load(fat));
    EXPECT_THAT(log, HasSubstr("fat binary"));
    MMC_REFUSED(invalidImage, load(".version 9.0\n.target sm_90a"));
    EXPECT_THAT(log, HasSubstr("no ELF file"));
    std::string program = readFile(MMC_DRIVER_MODULE);
    program[16] = 1; // the kind of file: an object
    MMC_REFUSED(invalidImage, load(program.data()));
    EXPECT_THAT(log, HasSubstr("no shared object"));
    const std::string other = readFile(MMC_EMULATED_DRIVER);
    MMC_REFUSED(noBinaryForGpu, load(other.data()));
    EXPECT_THAT(log, HasSubstr("does not need libmmc_cuda_emu.so"));
    MMC_REFUSED(invalidValue, load(nullptr));
  });
}

TEST(DriverModule, FunctionsHaveAttributes) {
  expectSilent({}, [] {
    Rig rig;
    const Function large = rig.function("reverseBlock");
    auto get = [&](FunctionAttribute attribute) {
      int value = -2;
      EXPECT_EQ(rig.api.funcGetAttribute(&value, attribute, large), Result::success);
      return value;
    };
    EXPECT_EQ(get(FunctionAttribute::maxThreadsPerBlock), 64);
    EXPECT_EQ(get(FunctionAttribute::sharedSizeBytes), 0);
    EXPECT_EQ(get(FunctionAttribute::localSizeBytes), 0);
    EXPECT_EQ(get(FunctionAttribute::binaryVersion), 90);
    EXPECT_EQ(get(FunctionAttribute::maxDynamicSharedSizeBytes), 48 << 10);
    MMC_GOOD(rig.api.funcSetAttribute(large, FunctionAttribute::maxDynamicSharedSizeBytes, 64 << 10));
    EXPECT_EQ(get(FunctionAttribute::maxDynamicSharedSizeBytes), 64 << 10);
    MMC_REFUSED(invalidValue, rig.api.funcSetAttribute(large, FunctionAttribute::maxDynamicSharedSizeBytes, 232449));
    MMC_REFUSED(invalidValue, rig.api.funcSetAttribute(large, FunctionAttribute::numRegisters, 1));
    int value = 0;
    MMC_REFUSED(invalidValue, rig.api.funcGetAttribute(&value, FunctionAttribute(77), large));
    MMC_REFUSED(invalidHandle, rig.api.funcGetAttribute(&value, FunctionAttribute::numRegisters, nullptr));
    MMC_GOOD(rig.api.funcGetAttribute(&value, FunctionAttribute::requiredClusterWidth, rig.function("inClusters")));
    EXPECT_EQ(value, 2);
  });
}

TEST(DriverModule, ParametersHaveSizesAndPlaces) {
  expectSilent({}, [] {
    Rig rig;
    const Function mixed = rig.function("mixedParameters");
    const std::pair<size_t, size_t> expected[] = {{0, 8}, {8, 1}, {16, 16}, {32, 2}};
    for (size_t i = 0; i < 4; ++i) {
      size_t offset = 99, bytes = 99;
      MMC_GOOD(rig.api.funcGetParamInfo(mixed, i, &offset, &bytes));
      EXPECT_EQ(offset, expected[i].first) << i;
      EXPECT_EQ(bytes, expected[i].second) << i;
    }
    size_t offset = 0;
    MMC_REFUSED(invalidValue, rig.api.funcGetParamInfo(mixed, 4, &offset, nullptr));
    struct {
      uint32_t first = 10, second = 20;
      uint64_t third = 30;
    } pair;
    const DevicePointer out = rig.filled(16, 0);
    MMC_GOOD(rig.launch(rig.stream, "mixedParameters", out, uint8_t(1), pair, uint16_t(2)));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
    EXPECT_EQ(rig.read(out, 1)[0], 63u);
  });
}

TEST(DriverModule, OccupancyIsThatOfTheDevice) {
  expectSilent({{"MMC_EMU_SMS", "6"}}, [] {
    Rig rig;
    const Function function = rig.function("ranksOf");
    auto blocks = [&](int threads, size_t shared) {
      int count = -1;
      EXPECT_EQ(rig.api.occupancyMaxActiveBlocksPerMultiprocessor(&count, function, threads, shared), Result::success);
      return count;
    };
    EXPECT_EQ(blocks(64, 0), 32);
    EXPECT_EQ(blocks(64, 100 << 10), 2);
    EXPECT_EQ(blocks(65, 0), 0); // past the launch bound
    int count = 0;
    MMC_REFUSED(invalidValue, rig.api.occupancyMaxActiveBlocksPerMultiprocessor(&count, function, 0, 0));
    LaunchConfig config = Rig::config(rig.stream);
    LaunchAttribute cluster = {};
    cluster.id = LaunchAttributeId::clusterDimension;
    cluster.value.clusterDimension = {4, 1, 1};
    config.gridX = 8;
    config.sharedBytes = 48 << 10;
    config.attributes = &cluster;
    config.attributeCount = 1;
    MMC_GOOD(rig.api.occupancyMaxActiveClusters(&count, function, &config));
    EXPECT_EQ(count, 6); // 4 blocks fit an SM
    cluster.value.clusterDimension.x = 16;
    MMC_REFUSED(invalidClusterSize, rig.api.occupancyMaxActiveClusters(&count, function, &config));
    MMC_GOOD(rig.api.funcSetAttribute(function, FunctionAttribute::nonPortableClusterSizeAllowed, 1));
    MMC_GOOD(rig.api.occupancyMaxActiveClusters(&count, function, &config));
    EXPECT_EQ(count, 1);
  });
}

TEST(DriverLaunch, ParametersAreCopiedAtTheCall) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.allocate(128);
      uint32_t value = 5;
      DevicePointer to = data;
      void *parameters[] = {&to, &value};
      const Function function = rig.function("fillWith");
      MMC_GOOD(MMC_MORE(cuLaunchKernel)(function, 2, 1, 1, 64, 1, 1, 0, rig.stream, parameters, nullptr));
      value = 6;
      to = 0;
      MMC_GOOD(rig.api.streamSynchronize(rig.stream));
      EXPECT_EQ(rig.read(data, 128), std::vector<uint32_t>(128, 5));
    });
}

TEST(DriverLaunch, IsRefusedAsOnADevice) {
  expectSilent({}, [] {
    Rig rig;
    const DevicePointer data = rig.filled(64, 0);
    const LaunchConfig good = Rig::config(rig.stream);
    auto with = [&](auto change) {
      LaunchConfig config = good;
      change(config);
      return rig.launchWith(config, "fillWith", data, 1u);
    };
    MMC_REFUSED(invalidValue, with([](auto &c) { c.gridX = 0; }));
    MMC_REFUSED(invalidValue, with([](auto &c) { c.gridY = 65536; }));
    MMC_REFUSED(invalidValue, with([](auto &c) { c.blockX = 0; }));
    MMC_REFUSED(invalidValue, with([](auto &c) { c.blockX = 1025; }));
    MMC_REFUSED(launchOutOfResources, with([](auto &c) { c.blockX = 65; }));
    MMC_REFUSED(invalidValue, with([](auto &c) { c.sharedBytes = (48 << 10) + 1; }));
    MMC_REFUSED(notSupported, with([](auto &c) { c.stream = nullptr; }));
    MMC_REFUSED(notSupported, with([](auto &c) { c.stream = reinterpret_cast<Stream>(1); }));
    MMC_REFUSED(invalidHandle, with([&](auto &c) { c.stream = reinterpret_cast<Stream>(&c); }));
    MMC_REFUSED(invalidValue, rig.api.launchKernelEx(&good, rig.function("fillWith"), nullptr, nullptr));
    MMC_REFUSED(invalidHandle, rig.api.launchKernelEx(&good, nullptr, nullptr, nullptr));
    void *extra[1] = {};
    MMC_REFUSED(notSupported, rig.api.launchKernelEx(&good, rig.function("fillWith"), nullptr, extra));
    MMC_GOOD(with([](auto &c) { c.sharedBytes = 48 << 10; }));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
  });
}

TEST(DriverLaunch, SharedMemoryComesFromTheLaunch) {
  const auto body = [](uint32_t given) {
    return [given] {
      Rig rig;
      std::vector<uint32_t> values(64);
      for (uint32_t i = 0; i < 64; ++i) values[i] = i;
      const DevicePointer data = rig.allocate(64);
      MMC_GOOD(MMC_MORE(cuMemcpyHtoD_v2)(data, values.data(), 256));
      LaunchConfig config = Rig::config(rig.stream);
      config.sharedBytes = given;
      MMC_REFUSED(invalidValue, rig.launchWith(config, "reverseBlock", data));
      MMC_GOOD(rig.api.funcSetAttribute(rig.function("reverseBlock"), FunctionAttribute::maxDynamicSharedSizeBytes,
                                        64 << 10));
      MMC_GOOD(rig.launchWith(config, "reverseBlock", data));
      if (given < 64 << 10) {
        MMC_REFUSED(launchFailed, rig.api.streamSynchronize(rig.stream));
        return;
      }
      MMC_GOOD(rig.api.streamSynchronize(rig.stream));
      EXPECT_EQ(rig.read(data, 64)[10], 53u);
    };
  };
  expectSilent({}, body(64 << 10));
  expectFinding({}, "shared memory", body((64 << 10) - 4));
}

TEST(DriverLaunch, Clusters) {
  expectSilent({}, [] {
    Rig rig;
    const DevicePointer data = rig.allocate(8 * 64);
    LaunchConfig config = Rig::config(rig.stream);
    config.gridX = 8;
    LaunchAttribute cluster = {};
    cluster.id = LaunchAttributeId::clusterDimension;
    cluster.value.clusterDimension = {4, 1, 1};
    config.attributes = &cluster;
    config.attributeCount = 1;
    MMC_GOOD(rig.launchWith(config, "ranksOf", data));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
    EXPECT_EQ(rig.read(data, 1)[0], 4u);
    MMC_REFUSED(invalidClusterSize, rig.launchWith(config, "inClusters", data)); // compiled for 2
    cluster.value.clusterDimension.x = 3;
    MMC_REFUSED(invalidClusterSize, rig.launchWith(config, "ranksOf", data)); // does not divide
    cluster.value.clusterDimension.x = 0;
    MMC_REFUSED(invalidClusterSize, rig.launchWith(config, "ranksOf", data));
    cluster.id = LaunchAttributeId::programmaticEvent;
    MMC_REFUSED(notSupported, rig.launchWith(config, "ranksOf", data));
    config.attributeCount = 0; // the kernel's own
    MMC_GOOD(rig.launchWith(config, "inClusters", data));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
    EXPECT_EQ(rig.read(data + 64 * 4, 1)[0], 2u);
  });
}

/// A kernel with a finding: what the next synchronisation says, and every call after it.
void expectDead(const char *kernel, Result expected, const std::string &text, uint32_t argument = 0) {
  SCOPED_TRACE(kernel);
  for (const Settings &settings : seeds()) {
    const Child child = inChild(settings, [&] {
      Rig rig;
      const DevicePointer data = rig.filled(64, 0);
      const Function function = rig.function("fillWith");
      const LaunchConfig config = Rig::config(rig.stream);
      MMC_GOOD(rig.launch(rig.stream, kernel, data, argument));
      EXPECT_EQ(rig.api.streamSynchronize(rig.stream), expected);
      // It sticks, and runs nothing more.
      EXPECT_EQ(rig.api.launchKernelEx(&config, function, nullptr, nullptr), expected);
      EXPECT_EQ(rig.api.streamSynchronize(rig.stream), expected);
      DevicePointer more = 0;
      EXPECT_EQ(rig.api.memAlloc(&more, 4), expected);
      EXPECT_EQ(rig.api.ctxSynchronize(), expected);
      EXPECT_EQ(rig.api.memFree(data), expected);
      // A new context is a new start.
      MMC_GOOD(rig.api.devicePrimaryCtxRelease(0));
      Rig next;
      const DevicePointer other = next.filled(64, 0);
      MMC_GOOD(next.launch(next.stream, "fillWith", other, 3u));
      MMC_GOOD(next.api.streamSynchronize(next.stream));
      EXPECT_EQ(next.read(other, 64), std::vector<uint32_t>(64, 3));
    });
    EXPECT_TRUE(child.passed()) << child.errors;
    EXPECT_THAT(child.errors, HasSubstr(text));
  }
}

TEST(DriverLaunch, AFindingKillsTheContext) {
  expectDead("allWriteOne", Result::launchFailed, lineOf("Driver.cu", "race"));
  expectDead("writeAt", Result::illegalAddress, lineOf("Driver.cu", "out of bounds"), 64);
  expectDead("misplacedBy", Result::misalignedAddress, lineOf("Driver.cu", "misaligned"), 2);
  expectDead("waitAlone", Result::launchFailed, lineOf("Driver.cu", "deadlock"));
}

TEST(DriverLaunch, AFindingIsPrintedOnceAndFailsEveryTime) {
  const Child child = inChild({}, [] {
    for (int i = 0; i < 3; ++i) {
      Rig rig;
      const DevicePointer data = rig.filled(64, 0);
      MMC_GOOD(rig.launch(rig.stream, "allWriteOne", data));
      MMC_REFUSED(launchFailed, rig.api.streamSynchronize(rig.stream));
      MMC_GOOD(rig.api.devicePrimaryCtxRelease(0));
    }
  });
  EXPECT_TRUE(child.passed()) << child.errors;
  const std::string line = "at " + lineOf("Driver.cu", "race");
  const size_t first = child.errors.find(line);
  ASSERT_NE(first, std::string::npos) << child.errors;
  EXPECT_EQ(child.errors.find(line, first + 1), std::string::npos) << child.errors;
}

TEST(DriverLaunch, CloseToThoseIsSilent) {
  for (const Settings &settings : seeds())
    expectSilent(settings, [] {
      Rig rig;
      const DevicePointer data = rig.filled(64, 0);
      MMC_GOOD(rig.launch(rig.stream, "writeAt", data, 63u));
      MMC_GOOD(rig.launch(rig.stream, "misplacedBy", data, 4u));
      MMC_GOOD(rig.api.streamSynchronize(rig.stream));
      EXPECT_EQ(rig.read(data, 64)[63], 7u);
      EXPECT_EQ(rig.read(data, 64)[1], 7u);
    });
}

TEST(DriverLaunch, WithoutChecksARaceIsNotSeen) {
  expectSilent({{"MMC_EMU_CHECKS", "off"}}, [] {
    Rig rig;
    const DevicePointer data = rig.filled(64, 0);
    MMC_GOOD(rig.launch(rig.stream, "allWriteOne", data));
    MMC_GOOD(rig.api.streamSynchronize(rig.stream));
    EXPECT_EQ(rig.read(data, 1)[0], 7u);
  });
}

} // namespace
