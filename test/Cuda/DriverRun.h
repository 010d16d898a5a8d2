// Tests of the emulated driver: each case is a process of its own, because settings are read once and an error may end
// it; and a rig with a context, a module and a stream.
#pragma once

#include "runtime/cuda/driver/DriverApi.h"
#include "runtime/cuda/emulation/driver/Entries.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace mmc::cuda {
inline void PrintTo(Result result, std::ostream *out) { *out << "result " << unsigned(result); }
} // namespace mmc::cuda

namespace mmc::emu::test {

using namespace mmc::cuda;
using testing::HasSubstr;
using testing::Not;

#define MMC_GOOD(...)                                                                                                  \
  do {                                                                                                                 \
    ASSERT_EQ((__VA_ARGS__), ::mmc::cuda::Result::success);                                                            \
  } while (false)
#define MMC_REFUSED(result, ...) EXPECT_EQ((__VA_ARGS__), ::mmc::cuda::Result::result)

using Settings = std::vector<std::pair<const char *, std::string>>;

struct Child {
  int status = 0; // as waitpid gives it
  std::string errors;
  bool passed() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
};

/// Runs the body in a process of its own with these settings; what it writes to stderr is handed back.
inline Child inChild(const Settings &settings, const std::function<void()> &body) {
  const int errors = memfd_create("stderr", 0);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(errors, 2);
    for (auto &[name, value] : settings) setenv(name, value.c_str(), 1);
    body();
    std::fflush(nullptr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  Child outcome;
  waitpid(child, &outcome.status, 0);
  outcome.errors.resize(size_t(lseek(errors, 0, SEEK_END)));
  if (pread(errors, outcome.errors.data(), outcome.errors.size(), 0) < 0) outcome.errors.clear();
  close(errors);
  return outcome;
}

/// The body passes, and writes nothing to stderr.
inline void expectSilent(const Settings &settings, const std::function<void()> &body) {
  const Child child = inChild(settings, body);
  EXPECT_TRUE(child.passed()) << "status " << child.status << "\n" << child.errors;
  EXPECT_EQ(child.errors, "");
}

/// The body passes, and stderr has the text.
inline void expectFinding(const Settings &settings, const std::string &text, const std::function<void()> &body) {
  const Child child = inChild(settings, body);
  EXPECT_TRUE(child.passed()) << "status " << child.status << "\n" << child.errors;
  EXPECT_THAT(child.errors, HasSubstr(text));
}

/// Seeds that a rule of order is tested under.
inline std::vector<Settings> seeds(Settings more = {}) {
  std::vector<Settings> all;
  for (int seed = 0; seed < 6; ++seed) {
    all.push_back(more);
    all.back().push_back({"MMC_EMU_SEED", std::to_string(seed)});
  }
  return all;
}

inline std::string readFile(const char *path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline const DriverApi &driver() {
  static const auto opened = openDriver(MMC_EMULATED_DRIVER);
  if (!opened.ok()) {
    ADD_FAILURE() << opened.status().text();
    std::fflush(nullptr);
    _exit(2);
  }
  return **opened;
}

/// An entry point beside the runtime's table, by its symbol.
template <class Function> Function *moreOf(const char *symbol) {
  void *library = dlopen(MMC_EMULATED_DRIVER, RTLD_NOW | RTLD_LOCAL);
  return reinterpret_cast<Function *>(dlsym(library, symbol));
}
#define MMC_MORE(symbol) ::mmc::emu::test::moreOf<decltype(::mmc::cuda::symbol)>(#symbol)

/// A device with a context that is current, the module of kernels/Driver.cu, and a stream.
struct Rig {
  explicit Rig(Device device = 0) : device(device) {
    expect(api.devicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
    expect(api.ctxSetCurrent(context), "cuCtxSetCurrent");
    const std::string image = readFile(MMC_DRIVER_MODULE);
    expect(api.moduleLoadDataEx(&module, image.data(), 0, nullptr, nullptr), "cuModuleLoadDataEx");
    stream = newStream();
  }
  Rig(const Rig &) = delete;

  static void expect(Result result, const char *what) { EXPECT_EQ(result, Result::success) << what; }

  Stream newStream() {
    Stream made = nullptr;
    expect(api.streamCreateWithPriority(&made, streamNonBlocking, 0), "cuStreamCreateWithPriority");
    return made;
  }
  Event newEvent() {
    Event made = nullptr;
    expect(api.eventCreate(&made, eventDisableTiming), "cuEventCreate");
    return made;
  }
  DevicePointer allocate(size_t words) {
    DevicePointer pointer = 0;
    expect(api.memAlloc(&pointer, words * 4), "cuMemAlloc");
    return pointer;
  }
  /// Filled, and the host has waited for it.
  DevicePointer filled(size_t words, uint32_t value) {
    const DevicePointer pointer = allocate(words);
    expect(MMC_MORE(cuMemsetD32_v2)(pointer, value, words), "cuMemsetD32");
    return pointer;
  }
  uint32_t *pinned(size_t words, uint32_t value) {
    void *pointer = nullptr;
    expect(api.memHostAlloc(&pointer, words * 4, 0), "cuMemHostAlloc");
    std::fill_n(static_cast<uint32_t *>(pointer), words, value);
    return static_cast<uint32_t *>(pointer);
  }
  /// By a copy that waits.
  std::vector<uint32_t> read(DevicePointer from, size_t words) {
    std::vector<uint32_t> values(words);
    expect(MMC_MORE(cuMemcpyDtoH_v2)(values.data(), from, words * 4), "cuMemcpyDtoH");
    return values;
  }
  Function function(const char *name) {
    Function found = nullptr;
    expect(api.moduleGetFunction(&found, module, name), name);
    return found;
  }
  /// One block of 64 threads.
  template <class... Parameters> Result launch(Stream on, const char *name, Parameters... parameters) {
    return launchWith(config(on), name, parameters...);
  }
  static LaunchConfig config(Stream on) { return {1, 1, 1, 64, 1, 1, 0, on, nullptr, 0}; }
  template <class... Parameters>
  Result launchWith(const LaunchConfig &config, const char *name, Parameters... parameters) {
    void *pointers[] = {&parameters..., nullptr};
    return api.launchKernelEx(&config, function(name), pointers, nullptr);
  }

  const DriverApi &api = driver();
  Device device;
  Context context = nullptr;
  Module module = nullptr;
  Stream stream = nullptr;
  // For tests that hand the rig on.
  Stream second = nullptr;
  DevicePointer filledBefore = 0;
};

/// The line of `marker` in a kernel's source, as findings spell it: "Driver.cu:12".
inline std::string lineOf(const std::string &file, const std::string &marker) {
  std::ifstream in(std::string(MMC_KERNEL_DIR "/") + file);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number)
    if (line.find("// BAD: " + marker) != std::string::npos) return file + ":" + std::to_string(number);
  ADD_FAILURE() << "no line is marked \"" << marker << "\"";
  return "nowhere";
}

} // namespace mmc::emu::test
