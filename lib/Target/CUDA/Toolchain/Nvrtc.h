// NVIDIA's run-time compiler as a table of function pointers: opened by path, never linked, its types and entry points
// declared here.
#pragma once

#include "lib/Target/CUDA/Toolchain/Headers.h"
#include "runtime/src/Status.h"

#include <string>
#include <vector>

namespace mmc::cuda {

/// NVRTC's program, opaque.
struct NvrtcProgram;
/// nvrtcResult; others are told by their text.
enum class NvrtcResult : int { success = 0, outOfMemory = 1, compilation = 6 };

/// X(member, exported symbol, function type)
#define MMC_NVRTC_ENTRIES(X)                                                                                           \
  X(getErrorString, nvrtcGetErrorString, const char *(NvrtcResult result))                                             \
  X(version, nvrtcVersion, NvrtcResult(int *major, int *minor))                                                        \
  X(getNumSupportedArchs, nvrtcGetNumSupportedArchs, NvrtcResult(int *count))                                          \
  X(getSupportedArchs, nvrtcGetSupportedArchs, NvrtcResult(int *numbers))                                              \
  X(createProgram, nvrtcCreateProgram,                                                                                 \
    NvrtcResult(NvrtcProgram **program, const char *text, const char *name, int headers, const char *const *texts,     \
                const char *const *names))                                                                             \
  X(destroyProgram, nvrtcDestroyProgram, NvrtcResult(NvrtcProgram **program))                                          \
  X(compileProgram, nvrtcCompileProgram, NvrtcResult(NvrtcProgram *program, int count, const char *const *options))    \
  X(getCubinSize, nvrtcGetCUBINSize, NvrtcResult(NvrtcProgram *program, size_t *bytes))                                \
  X(getCubin, nvrtcGetCUBIN, NvrtcResult(NvrtcProgram *program, char *cubin))                                          \
  X(getLogSize, nvrtcGetProgramLogSize, NvrtcResult(NvrtcProgram *program, size_t *bytes))                             \
  X(getLog, nvrtcGetProgramLog, NvrtcResult(NvrtcProgram *program, char *log))

class Nvrtc {
public:
  /// The library that MMC_NVRTC names; without it the first that opens of the loader's, the toolkit's and the wheels'.
  /// It stays loaded until the process ends. Errors: none found, or older than CUDA 12.0 (kNoNvrtc).
  static runtime::Expected<Nvrtc> open();

  const std::string &path() const { return file; }
  /// "13.0"
  std::string versionText() const { return std::to_string(major) + "." + std::to_string(minor); }
  /// What tells this build of the library from others: its version, and its build id or, without one, its digest.
  runtime::Expected<std::string> identity() const;
  /// Whether it makes code for `sm_90a`: kArchitecture if not.
  runtime::Status checkArchitecture(const std::string &architecture) const;

  struct Outcome {
    bool compiled = false;
    std::string cubin, log;
  };
  /// Thread-safe. A failure is NVRTC's own; a program that does not compile is an outcome.
  runtime::Expected<Outcome> compile(const std::string &name, const std::string &text, std::span<const Header> headers,
                                     const std::vector<std::string> &options) const;

private:
  runtime::Status resolve(void *library);
  runtime::Status statusOf(NvrtcResult result, const char *call) const;

#define MMC_MEMBER(member, symbol, ...) std::add_pointer_t<__VA_ARGS__> member = nullptr;
  MMC_NVRTC_ENTRIES(MMC_MEMBER)
#undef MMC_MEMBER
  std::string file; // as the loader found it
  int major = 0, minor = 0;
};

/// Where NVRTC is looked for, in order: paths, and names that the loader looks up.
std::vector<std::string> nvrtcCandidates();

} // namespace mmc::cuda
