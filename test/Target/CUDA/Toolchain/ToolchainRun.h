// What tests of the toolchain share: folders and settings that end with a test, small kernels, and calls with one
// cache.
#pragma once

#include "lib/Target/CUDA/Toolchain/Toolchain.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <optional>
#include <string>

namespace mmc::cuda::test {

using runtime::Expected;
using runtime::Status;
using runtime::StatusCode;
using testing::HasSubstr;
using testing::Not;

/// A variable of the environment for as long as this lives; without a value: unset.
class Setting {
public:
  Setting(const char *name, const std::optional<std::string> &value) : name(name) {
    if (const char *old = std::getenv(name)) before = old;
    set(value);
  }
  ~Setting() { set(before); }
  Setting(const Setting &) = delete;

private:
  void set(const std::optional<std::string> &value) { value ? setenv(name, value->c_str(), 1) : unsetenv(name); }
  const char *name;
  std::optional<std::string> before;
};

/// A folder of its own, removed with everything in it.
class Folder {
public:
  Folder() {
    if (!mkdtemp(path.data())) ADD_FAILURE() << "cannot make " << path;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder &) = delete;
  std::string operator/(const std::string &name) const { return path + "/" + name; }

  std::string path = "/tmp/mmc-toolchain-test-XXXXXX";
};

inline std::string readFile(const std::filesystem::path &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void writeFile(const std::filesystem::path &path, const std::string &text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// Regular files below a folder.
inline std::vector<std::string> filesBelow(const std::string &folder) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(folder, ignored))
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  return files;
}

/// y[i] = factor x[i], written as the compiler writes kernels.
inline KernelSource scaleKernel(const std::string &name, int factor) {
  return {name, "#include \"block/kernel.cuh\"\n\nMMC_KERNEL(64, 1) void " + name +
                    "(const float *x, float *y, const u32 *count) {\n"
                    "  const u32 i = blockIndex() * 64 + threadIndex();\n"
                    "  if (i < *count) y[i] = " +
                    std::to_string(factor) + ".0f * x[i];\n}\nMMC_EXPORT(" + name + ", 64, 1)\n"};
}

inline std::vector<KernelSource> scaleKernels(int count) {
  std::vector<KernelSource> sources;
  for (int i = 1; i <= count; ++i) sources.push_back(scaleKernel("scale" + std::to_string(i), i));
  return sources;
}

/// A call's options, and what it told.
struct Call {
  explicit Call(const std::string &cacheFolder, unsigned threads = 1) {
    options.cacheFolder = cacheFolder;
    options.threads = threads;
    options.progress = [this](size_t done, size_t total, size_t fromCache) {
      progress.push_back({done, total, fromCache});
    };
    options.remark = [this](const std::string &text) { remarks.push_back(text); };
  }
  Call(const Call &) = delete;

  ToolchainOptions options;
  std::vector<std::array<size_t, 3>> progress;
  std::vector<std::string> remarks;
};

inline std::vector<std::string> bytesOf(const Expected<std::vector<DeviceImage>> &images) {
  std::vector<std::string> bytes;
  if (!images.ok()) {
    ADD_FAILURE() << images.status().text();
    return bytes;
  }
  for (const DeviceImage &image : *images) bytes.push_back(image.bytes);
  return bytes;
}

} // namespace mmc::cuda::test
