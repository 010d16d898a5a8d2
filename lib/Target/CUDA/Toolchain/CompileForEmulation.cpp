// Emitted kernels to shared objects that the emulated driver loads: each names libmmc_cuda_emu.so as what it needs,
// without that library being there.
//
// Every file has a relative name, seen from a temporary folder: NAME.cu in a folder of its own, the headers in device/
// beside it. So no folder of the machine is in an object, and reports of the emulation cite NAME.cu and its lines.
#include "lib/Target/CUDA/Toolchain/Batch.h"
#include "lib/Target/CUDA/Toolchain/Diagnostics.h"
#include "lib/Target/CUDA/Toolchain/Errors.h"
#include "lib/Target/CUDA/Toolchain/KernelCompiler.h"
#include "lib/Target/CUDA/Toolchain/Process.h"
#include "lib/Target/CUDA/Toolchain/TemporaryFolder.h"

#include <optional>

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

namespace {

constexpr const char *kEmulatedDriver = "libmmc_cuda_emu.so";

#if defined(__linux__) && defined(__x86_64__)
constexpr bool kHasEmulation = true;
#else
constexpr bool kHasEmulation = false;
#endif

class Workshop {
public:
  explicit Workshop(const KernelCompiler &compiler) : compiler(compiler), headers(emulationHeaders()) {}

  const std::vector<Header> &allHeaders() const { return headers; }

  Status prepare() {
    Expected<TemporaryFolder> made = TemporaryFolder::create();
    if (!made.ok()) return made.status();
    folder.emplace(std::move(*made));
    for (const Header &header : headers)
      MMC_RETURN_IF_ERROR(folder->write("device/" + std::string(header.name), header.text));
    return compiler.makeStub(folder->path(), kEmulatedDriver);
  }

  Expected<CompiledKernel> compile(const KernelSource &source, size_t index) const {
    const std::string own = std::to_string(index), file = source.name + ".cu";
    MMC_RETURN_IF_ERROR(folder->write(own + "/" + file, source.text));
    Expected<ProcessOutcome> outcome = runProcess(
        compiler.command(file, "../device", std::string("../") + kEmulatedDriver, "image"), folder->path() + "/" + own);
    if (!outcome.ok()) return outcome.status();
    if (outcome->exitCode != 0) return describeFailure(source, headers, "the emulation", outcome->output);
    Expected<std::string> image = readWhole(folder->path() + "/" + own + "/image");
    if (!image.ok()) return image.status();
    return CompiledKernel{std::move(*image), outcome->output};
  }

private:
  const KernelCompiler &compiler;
  const std::vector<Header> headers;
  std::optional<TemporaryFolder> folder;
};

} // namespace

Expected<std::vector<DeviceImage>> compileForEmulation(std::span<const KernelSource> sources,
                                                       const ToolchainOptions &options) {
  if (!kHasEmulation)
    return Status(kNoEmulation, "the emulated device needs Linux on x86-64, which this program was not built for");
  Expected<KernelCompiler> compiler = KernelCompiler::find();
  if (!compiler.ok()) return compiler.status();
  Workshop workshop(*compiler);
  Recipe recipe;
  recipe.identity = compiler->identity() + "\n" + compiler->options() + digestOfHeaders(workshop.allHeaders());
  recipe.prepare = [&] { return workshop.prepare(); };
  recipe.compile = [&](const KernelSource &source, size_t index) { return workshop.compile(source, index); };
  return compileBatch(sources, recipe, options);
}

} // namespace mmc::cuda
