// MMC_EMU_FAULT: whichever call of a program fails, nothing crashes, nothing is left behind, and the same program runs
// in a new context.
#include "test/Cuda/DriverRun.h"

#include <filesystem>

using namespace mmc::emu::test;

namespace {

/// Stops at the first call that fails.
#define MMC_STEP(...)                                                                                                  \
  if (const Result result = (__VA_ARGS__); result != Result::success) return result

/// A program with a call of every kind. Hands back what failed.
Result program(uint32_t &value) {
  const DriverApi &api = driver();
  Context context = nullptr;
  Module module = nullptr;
  Function function = nullptr;
  Stream stream = nullptr, other = nullptr;
  Event event = nullptr, join = nullptr;
  DevicePointer data = 0;
  void *pinned = nullptr;
  int sms = 0;
  MMC_STEP(api.deviceGetAttribute(&sms, DeviceAttribute::multiprocessorCount, 0));
  MMC_STEP(api.devicePrimaryCtxRetain(&context, 0));
  MMC_STEP(api.ctxSetCurrent(context));
  const std::string image = readFile(MMC_DRIVER_MODULE);
  MMC_STEP(api.moduleLoadDataEx(&module, image.data(), 0, nullptr, nullptr));
  MMC_STEP(api.moduleGetFunction(&function, module, "addTo"));
  MMC_STEP(api.streamCreateWithPriority(&stream, streamNonBlocking, 0));
  MMC_STEP(api.streamCreateWithPriority(&other, streamNonBlocking, 0));
  MMC_STEP(api.eventCreate(&event, eventDisableTiming));
  MMC_STEP(api.eventCreate(&join, eventDisableTiming));
  MMC_STEP(api.memAlloc(&data, 256));
  MMC_STEP(api.memHostAlloc(&pinned, 256, 0));
  auto *words = static_cast<uint32_t *>(pinned);
  std::fill_n(words, 64, 5u);
  MMC_STEP(api.memcpyHtoDAsync(data, words, 256, stream));
  uint32_t one = 1;
  void *parameters[] = {&data, &data, &one};
  LaunchConfig config = Rig::config(stream);
  MMC_STEP(api.launchKernelEx(&config, function, parameters, nullptr));
  MMC_STEP(api.streamSynchronize(stream));
  Graph graph = nullptr;
  GraphExec exec = nullptr;
  MMC_STEP(api.streamBeginCapture(stream, CaptureMode::threadLocal));
  MMC_STEP(api.eventRecord(event, stream));
  MMC_STEP(api.streamWaitEvent(other, event, 0));
  config.stream = other;
  MMC_STEP(api.launchKernelEx(&config, function, parameters, nullptr));
  MMC_STEP(api.eventRecord(join, other));
  MMC_STEP(api.streamWaitEvent(stream, join, 0));
  MMC_STEP(api.streamEndCapture(stream, &graph));
  MMC_STEP(api.graphInstantiate(&exec, graph, 0));
  MMC_STEP(api.graphUpload(exec, stream));
  MMC_STEP(api.graphLaunch(exec, stream));
  MMC_STEP(api.memcpyDtoHAsync(words, data, 256, stream));
  MMC_STEP(api.eventRecord(event, stream));
  MMC_STEP(api.eventSynchronize(event));
  value = words[0];
  MMC_STEP(api.graphExecDestroy(exec));
  MMC_STEP(api.graphDestroy(graph));
  MMC_STEP(api.eventDestroy(event));
  MMC_STEP(api.streamDestroy(other));
  MMC_STEP(api.memFreeHost(pinned));
  MMC_STEP(api.memFree(data));
  MMC_STEP(api.moduleUnload(module));
  return api.devicePrimaryCtxRelease(0);
}

size_t openFiles() {
  size_t count = 0;
  for ([[maybe_unused]] auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

size_t mappedModules() {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("mmc-emulated-module") != std::string::npos;
  return count;
}

/// After a program that has failed: no context is left, and none of what it had.
void expectNothingLeft(size_t files) {
  const DriverApi &api = driver();
  unsigned flags = 0;
  int active = 0;
  unsetenv("MMC_EMU_FAULT");
  MMC_GOOD(MMC_MORE(cuDevicePrimaryCtxGetState)(0, &flags, &active));
  if (active) MMC_GOOD(api.devicePrimaryCtxRelease(0));
  EXPECT_EQ(mappedModules(), 0u);
  EXPECT_EQ(openFiles(), files);
  MMC_GOOD(api.init(0));
  Context context = nullptr;
  MMC_GOOD(api.devicePrimaryCtxRetain(&context, 0));
  MMC_GOOD(api.ctxSetCurrent(context));
  size_t free = 0, total = 1;
  MMC_GOOD(api.memGetInfo(&free, &total));
  EXPECT_EQ(free, total);
  MMC_GOOD(api.devicePrimaryCtxRelease(0));
}

TEST(DriverFault, WhicheverCallFails) {
  for (const char *seed : {"0", "3"})
    expectSilent({{"MMC_EMU_SEED", seed}}, [] {
      const DriverApi &api = driver();
      uint32_t value = 0;
      MMC_GOOD(program(value));
      const size_t files = openFiles();
      int fault = 1;
      std::set<Result> results;
      for (;; ++fault) {
        SCOPED_TRACE("call " + std::to_string(fault));
        setenv("MMC_EMU_FAULT", std::to_string(fault).c_str(), 1);
        value = 0;
        Result result = api.init(0);
        if (result == Result::success) result = program(value);
        if (result == Result::success) break; // past its last call
        results.insert(result);
        expectNothingLeft(files);
        value = 0;
        MMC_GOOD(program(value));
        EXPECT_EQ(value, 7u);
        if (testing::Test::HasFailure() || fault > 200) break;
      }
      EXPECT_EQ(fault, 37); // cuInit, 35 calls, and one that there is not
      EXPECT_GE(results.size(), 5u);
    });
}

TEST(DriverFault, FitsTheCall) {
  const std::pair<int, Result> expected[] = {{1, Result::systemNotReady},
                                             {3, Result::outOfMemory},
                                             {5, Result::outOfMemory},
                                             {11, Result::outOfMemory},
                                             {14, Result::launchOutOfResources},
                                             {15, Result::launchFailed},
                                             {16, Result::streamCaptureUnsupported}};
  for (auto &[fault, result] : expected)
    expectSilent({{"MMC_EMU_FAULT", std::to_string(fault)}}, [fault = fault, result = result] {
      uint32_t value = 0;
      if (fault == 1) {
        EXPECT_EQ(MMC_MORE(cuInit)(0), result);
        return;
      }
      EXPECT_EQ(program(value), result) << fault;
    });
}

TEST(DriverFault, AFailedWaitKillsTheContext) {
  expectSilent({{"MMC_EMU_FAULT", "15"}}, [] {
    uint32_t value = 0;
    MMC_REFUSED(launchFailed, program(value));
    DevicePointer data = 0;
    MMC_REFUSED(launchFailed, driver().memAlloc(&data, 4));
    MMC_GOOD(driver().devicePrimaryCtxRelease(0));
    MMC_GOOD(program(value));
  });
}

} // namespace
