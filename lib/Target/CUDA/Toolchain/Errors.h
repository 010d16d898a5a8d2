// The kinds of failure of compiling kernels: number, class and fallback hint. Numbers are stable.
//
//   E092x kernels for devices
#pragma once

#include "runtime/src/Status.h"

namespace mmc::cuda {

inline constexpr runtime::ErrorKind kNoNvrtc{
    920, runtime::StatusCode::incompatible,
    "install the CUDA toolkit, or `pip install nvidia-cuda-nvrtc`, or set MMC_NVRTC to the path of libnvrtc.so"};
inline constexpr runtime::ErrorKind kArchitecture{921, runtime::StatusCode::incompatible,
                                                  "choose one of these architectures, or install another NVRTC"};
inline constexpr runtime::ErrorKind kNoKernelCompiler{
    922, runtime::StatusCode::incompatible,
    "install clang 20 or newer with a linker (on Debian: apt-get install clang-22 lld-22), or set MMC_EMU_CLANG to the "
    "path of clang++"};
inline constexpr runtime::ErrorKind kNoEmulation{923, runtime::StatusCode::incompatible,
                                                 "compile for cuda-emu on Linux on x86-64"};
inline constexpr runtime::ErrorKind kKernelDoesNotCompile{
    924, runtime::StatusCode::failed, "this is a defect of the compiler: report it with the model description"};
inline constexpr runtime::ErrorKind kToolchain{925, runtime::StatusCode::failed,
                                               "check free space and permissions of the folder for temporary files"};

} // namespace mmc::cuda
