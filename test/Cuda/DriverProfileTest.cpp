// Proves the driver with a clock: it is another driver in every call, and its file names the kernels that were launched,
// how often, in which shape.
#include "runtime/cuda/session/LoadedKernels.h"
#include "test/Cuda/DriverRun.h"

#include <nlohmann/json.hpp>

using namespace mmc::emu::test;

namespace {

/// A folder's file that is gone after the test.
struct File {
  std::string path = "/tmp/mmc-profile-" + std::to_string(getpid()) + ".json";
  ~File() { std::remove(path.c_str()); }
};

TEST(DriverProfile, CountsAndTimesLaunches) {
  const File file;
  const Child child = inChild({{"MMC_PROFILED_DRIVER", MMC_EMULATED_DRIVER}, {"MMC_PROFILE", file.path}}, [] {
    const auto opened = openDriver(MMC_PROFILE_DRIVER);
    ASSERT_TRUE(opened.ok()) << opened.status().text();
    const DriverApi &api = **opened;
    EXPECT_EQ(api.version, driver().version);
    Context context = nullptr;
    MMC_GOOD(api.devicePrimaryCtxRetain(&context, 0));
    MMC_GOOD(api.ctxSetCurrent(context));
    const std::string image = readFile(MMC_DRIVER_MODULE);
    Module module = nullptr;
    MMC_GOOD(api.moduleLoadDataEx(&module, image.data(), 0, nullptr, nullptr));
    Function fill = nullptr;
    MMC_GOOD(api.moduleGetFunction(&fill, module, "fillWith"));
    Stream stream = nullptr;
    MMC_GOOD(api.streamCreateWithPriority(&stream, streamNonBlocking, 0));
    DevicePointer words = 0;
    MMC_GOOD(api.memAlloc(&words, 1024));
    uint32_t value = 7, found[64] = {};
    void *parameters[] = {&words, &value, nullptr};
    const LaunchConfig config = {1, 1, 1, 64, 1, 1, 0, stream, nullptr, 0};
    for (int i = 0; i < 3; ++i) MMC_GOOD(api.launchKernelEx(&config, fill, parameters, nullptr));
    MMC_GOOD(api.memcpyDtoHAsync(found, words, sizeof found, stream));
    MMC_GOOD(api.streamSynchronize(stream));
    EXPECT_THAT(found, testing::Each(7u));
    // A captured launch is not run, so it is not timed.
    MMC_GOOD(api.streamBeginCapture(stream, CaptureMode::relaxed));
    MMC_GOOD(api.launchKernelEx(&config, fill, parameters, nullptr));
    Graph graph = nullptr;
    MMC_GOOD(api.streamEndCapture(stream, &graph));
    std::fflush(nullptr);
    std::exit(testing::Test::HasFailure() ? 1 : 0); // the file is written when the process ends
  });
  ASSERT_TRUE(child.passed()) << child.errors;
  const auto report = nlohmann::json::parse(readFile(file.path.c_str()), nullptr, false);
  ASSERT_FALSE(report.is_discarded());
  ASSERT_EQ(report["kernels"].size(), 1u);
  const auto &times = report["kernels"]["fillWith"];
  EXPECT_EQ(times["launches"], 3);
  EXPECT_EQ(times["blocks"], 1);
  EXPECT_EQ(times["threads"], 64);
  EXPECT_GT(times["least"], 0.0);
  EXPECT_GE(times["most"], times["least"]);
  EXPECT_GE(times["seconds"], 3 * times["least"].get<double>());
}

TEST(DriverProfile, WithoutADriverThereIsNoDevice) {
  const Child child = inChild({{"MMC_PROFILED_DRIVER", "/nowhere/libcuda.so.1"}}, [] {
    const auto opened = openDriver(MMC_PROFILE_DRIVER);
    ASSERT_FALSE(opened.ok());
  });
  EXPECT_TRUE(child.passed()) << child.errors;
  EXPECT_THAT(child.errors, HasSubstr("cannot open the driver '/nowhere/libcuda.so.1'"));
}

TEST(DriverProfile, TheRuntimeOpensTheDriverThatIsNamed) {
  expectSilent({{"MMC_CUDA_DRIVER", "/nowhere/driver.so"}}, [] {
    const auto opened = openDriverFor("cuda");
    ASSERT_FALSE(opened.ok());
    EXPECT_THAT(opened.status().message(), HasSubstr("cannot open /nowhere/driver.so"));
  });
}

} // namespace
