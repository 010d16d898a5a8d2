// Emitted kernels to cubins.
//
// Without -lineinfo: it would make a cubin three times as large, and put the current folder into it.
#include "lib/Target/CUDA/Toolchain/Batch.h"
#include "lib/Target/CUDA/Toolchain/Diagnostics.h"
#include "lib/Target/CUDA/Toolchain/Errors.h"
#include "lib/Target/CUDA/Toolchain/Nvrtc.h"

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

Expected<std::vector<DeviceImage>> compileCubins(std::span<const KernelSource> sources, const std::string &architecture,
                                                 const ToolchainOptions &options) {
  Expected<Nvrtc> nvrtc = Nvrtc::open();
  if (!nvrtc.ok()) return nvrtc.status();
  MMC_RETURN_IF_ERROR(nvrtc->checkArchitecture(architecture));
  const std::vector<std::string> flags = {"-arch=" + architecture, "-std=c++20", "-default-device",
                                          "--ptxas-options=-v"};
  Expected<std::string> compiler = nvrtc->identity();
  if (!compiler.ok()) return compiler.status();
  Recipe recipe;
  recipe.identity = *compiler + "\n" + digestOfHeaders(deviceHeaders());
  for (const std::string &flag : flags) recipe.identity += "\n" + flag;
  recipe.compile = [&](const KernelSource &source, size_t) -> Expected<CompiledKernel> {
    Expected<Nvrtc::Outcome> outcome = nvrtc->compile(source.name + ".cu", source.text, deviceHeaders(), flags);
    if (!outcome.ok()) return outcome.status();
    if (!outcome->compiled) return describeFailure(source, deviceHeaders(), architecture, outcome->log);
    if (outcome->cubin.empty())
      return Status(kToolchain, "NVRTC made no code of kernel " + source.name + " for " + architecture);
    return CompiledKernel{std::move(outcome->cubin), std::move(outcome->log)};
  };
  return compileBatch(sources, recipe, options);
}

} // namespace mmc::cuda
