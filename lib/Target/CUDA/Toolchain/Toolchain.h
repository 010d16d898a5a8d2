// Emitted kernels to images that a driver loads: cubins by NVRTC, shared objects for the emulation by clang, both from
// the same sources. Knows no MLIR.
//
// Images depend on the sources, the headers inside this library, the options and the compiler alone: folders, threads,
// time and environment leave no trace. What was compiled before is taken from a content cache.
#pragma once

#include "runtime/src/Status.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace mmc::cuda {

/// One emitted kernel: the symbol it exports, an identifier of C++, and the text of its file, NAME.cu.
struct KernelSource {
  std::string name, text;
};

/// A module and the kernels in it.
struct DeviceImage {
  std::string bytes;
  std::vector<std::string> kernels;
  std::string log; // what the compiler said though it succeeded; of cubins, ptxas' figures
};

struct ToolchainOptions {
  /// Empty: $MMC_CACHE_DIR, else $XDG_CACHE_HOME/mmc, else ~/.cache/mmc.
  std::string cacheFolder;
  /// 0: one per core that this process may use.
  unsigned threads = 0;
  /// After the look into the cache, and after each kernel; by one thread at a time.
  std::function<void(size_t done, size_t total, size_t fromCache)> progress;
  /// What is worth saying although the call succeeds: that there is no cache. At most once per call, by the caller's
  /// thread.
  std::function<void(const std::string &text)> remark;
};

/// One cubin per kernel, in the order of the sources, for an architecture such as sm_90a. Errors: no NVRTC (kNoNvrtc),
/// one that does not know the architecture (kArchitecture), a kernel that does not compile (kKernelDoesNotCompile: the
/// first in order, with its line), what hinders the work (kToolchain).
runtime::Expected<std::vector<DeviceImage>>
compileCubins(std::span<const KernelSource> sources, const std::string &architecture, const ToolchainOptions &options);

/// One shared object per kernel for the emulated device. Errors: not on Linux on x86-64 (kNoEmulation), no clang
/// (kNoKernelCompiler), and as above.
runtime::Expected<std::vector<DeviceImage>> compileForEmulation(std::span<const KernelSource> sources,
                                                                const ToolchainOptions &options);

} // namespace mmc::cuda
