// A compiler's log as one failure: the place of the first error, what is wrong, and the line that stands there.
#pragma once

#include "lib/Target/CUDA/Toolchain/Headers.h"
#include "lib/Target/CUDA/Toolchain/Toolchain.h"

namespace mmc::cuda {

/// Logs of NVRTC and of clang alike. An error inside a header is told with the kernel's line that led there, where the
/// log names it. `headers` are what the compiler read.
runtime::Status describeFailure(const KernelSource &source, std::span<const Header> headers, const std::string &target,
                                const std::string &log);

} // namespace mmc::cuda
