// Opening a driver: each way in which a machine has none is one status of the class `incompatible` with a sentence, and
// of a driver that is there every pointer is that of its symbol.
#include "runtime/cuda/driver/DriverApi.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

using namespace mmc::cuda;
using mmc::runtime::Status;
using mmc::runtime::StatusCode;
using testing::HasSubstr;

namespace {

struct Environment {
  Environment(const char *name, const char *value) : name(name) { setenv(name, value, 1); }
  ~Environment() { unsetenv(name); }
  const char *name;
};

TEST(DriverApi, AMachineWithoutADriverSaysSo) {
  const Status status = openDriver("libmmc-no-such-driver.so.1").status();
  EXPECT_EQ(status.code(), StatusCode::incompatible);
  EXPECT_EQ(status.identifier(), "MMC-E0700");
  EXPECT_EQ(status.message(), "this machine has no CUDA driver: cannot open libmmc-no-such-driver.so.1");
  EXPECT_THAT(status.cause(), HasSubstr("libmmc-no-such-driver.so.1"));
  EXPECT_FALSE(status.hint().empty());
}

TEST(DriverApi, AnotherLibraryIsNoDriver) {
  const Status status = openDriver("libm.so.6").status();
  EXPECT_EQ(status.code(), StatusCode::incompatible);
  EXPECT_EQ(status.message(), "libm.so.6 lacks cuInit, expected CUDA 12.4 or newer");
}

TEST(DriverApi, TheToolkitsStubIsNoDriver) {
  if (!std::ifstream(MMC_CUDA_STUB)) GTEST_SKIP() << "no " MMC_CUDA_STUB " here";
  const Status status = openDriver(MMC_CUDA_STUB).status();
  EXPECT_EQ(status.identifier(), "MMC-E0700");
  EXPECT_THAT(status.message(), HasSubstr("is the toolkit's stub for linking, not a driver"));
}

TEST(DriverApi, AnOldDriverIsRefused) {
  const Environment version("MMC_FAKE_VERSION", "12030");
  const Status status = openDriver(MMC_FAKE_DRIVER).status();
  EXPECT_EQ(status.code(), StatusCode::incompatible);
  EXPECT_EQ(status.message(), MMC_FAKE_DRIVER " is a driver for CUDA 12.3, expected 12.4 or newer");
}

TEST(DriverApi, ADriverWithoutADeviceSaysSo) {
  const Environment init("MMC_FAKE_INIT", "100");
  const Status status = openDriver(MMC_FAKE_DRIVER).status();
  EXPECT_EQ(status.code(), StatusCode::incompatible);
  EXPECT_EQ(status.text(), "MMC-E0702: the CUDA driver finds no device (a fake error)");
}

TEST(DriverApi, AFailureOfTheDriverIsReportedAsItSaysIt) {
  const Environment init("MMC_FAKE_INIT", "802");
  const Status status = openDriver(MMC_FAKE_DRIVER).status();
  EXPECT_EQ(status.code(), StatusCode::failed);
  EXPECT_EQ(status.text(), "MMC-E0704: cuInit failed: CUDA_ERROR_FAKE (a fake error)");
}

TEST(DriverApi, EveryPointerIsThatOfItsSymbol) {
  const auto opened = openDriver(MMC_FAKE_DRIVER);
  ASSERT_TRUE(opened.ok()) << opened.status().text();
  const DriverApi &api = **opened;
  EXPECT_EQ(api.version, 13000);
  EXPECT_EQ(api.path, MMC_FAKE_DRIVER);
  int entries = 0;
  const auto expected = [](const std::string &name) {
    unsigned sum = 5381;
    for (unsigned char c : name) sum = sum * 33 + c;
    return sum;
  };
  const auto special = [](const std::string &name) {
    return name == "cuInit" || name == "cuDriverGetVersion" || name == "cuGetErrorName" || name == "cuGetErrorString";
  };
  // Two null pointers will do for any signature: the fake looks at no more.
  const auto call = [](void *function) {
    return reinterpret_cast<unsigned (*)(void *, const char **)>(function)(nullptr, nullptr);
  };
#define MMC_CALL(field, symbol, ...)                                                                                   \
  ASSERT_NE(api.field, nullptr) << #symbol;                                                                            \
  if (!special(#symbol)) {                                                                                             \
    EXPECT_EQ(call(reinterpret_cast<void *>(api.field)), expected(#symbol)) << #symbol;                                \
    ++entries;                                                                                                         \
  }
  MMC_CUDA_DRIVER_ENTRIES(MMC_CALL)
  EXPECT_GT(entries, 50);
}

TEST(DriverApi, FailuresOfCallsHaveAClass) {
  const auto opened = openDriver(MMC_FAKE_DRIVER);
  ASSERT_TRUE(opened.ok());
  EXPECT_TRUE(statusOf(**opened, Result::success, "cuMemAlloc_v2").ok());
  const Status memory = statusOf(**opened, Result::outOfMemory, "cuMemAlloc_v2");
  EXPECT_EQ(memory.code(), StatusCode::capacity);
  EXPECT_EQ(memory.text(), "MMC-E0703: cuMemAlloc_v2 failed: CUDA_ERROR_FAKE (a fake error)");
  const Status unknown = statusOf(**opened, Result::unknown, "cuLaunchKernelEx");
  EXPECT_EQ(unknown.text(), "MMC-E0704: cuLaunchKernelEx failed: error 999 (error 999)");
}

} // namespace
