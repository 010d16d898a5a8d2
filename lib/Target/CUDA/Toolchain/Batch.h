// Compiles what the cache lacks, on several threads: what the two compilers have in common.
#pragma once

#include "lib/Target/CUDA/Toolchain/Cache.h"
#include "lib/Target/CUDA/Toolchain/Toolchain.h"

namespace mmc::cuda {

struct Recipe {
  /// Whatever beside a kernel's name and text decides its bytes: the compiler, its options, the headers.
  std::string identity;
  /// Called once before the first kernel that the cache lacks; may be empty.
  std::function<runtime::Status()> prepare;
  /// Called by several threads at once; `index` is the kernel's place among the sources.
  std::function<runtime::Expected<CompiledKernel>(const KernelSource &source, size_t index)> compile;
};

/// One image per source, in order. A failure is that of the first source in order that fails, whatever the threads.
runtime::Expected<std::vector<DeviceImage>> compileBatch(std::span<const KernelSource> sources, const Recipe &recipe,
                                                         const ToolchainOptions &options);

} // namespace mmc::cuda
