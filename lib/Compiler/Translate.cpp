// The last steps of the ladder: kernels to code, for the plan's target, and everything to segments.
#include "lib/Compiler/Ladder.h"

#include "dialects/Plan/IR/Plan.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Compiler/Errors.h"
#include "lib/Target/CPU/CompileCpu.h"
#include "lib/Target/CUDA/EmitCuda.h"
#include "lib/Target/CUDA/Toolchain/Toolchain.h"
#include "runtime/src/FileIO.h"

#include "llvm/Support/GlobPattern.h"

#include <filesystem>

using namespace mlir;

namespace mmc {

using runtime::Status;

static Status writeText(const std::string &folder, const std::string &name, const std::string &text) {
  auto file = runtime::OutputFile::create(folder + "/" + name);
  if (!file.ok()) return file.status();
  MMC_RETURN_IF_ERROR(file->write({reinterpret_cast<const uint8_t *>(text.data()), text.size()}));
  return file->commit();
}

static Status makeFolder(const std::string &folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Status(compiler::kOption, "cannot make the folder " + folder, "check the path", error.message());
  return {};
}

// ------------------------------------------------------------------------------------------------ cpu

/// The CPU target's result in the plan writer's terms.
static CompiledKernels toCompiled(const cpu::CpuObject &object, const std::vector<cpu::Variant> &variants) {
  CompiledKernels compiled;
  compiled.object.assign(object.elf.begin(), object.elf.end());
  for (cpu::Variant variant : variants) compiled.variants.push_back(cpu::variantName(variant));
  for (const cpu::CpuKernel &kernel : object.kernels) {
    CompiledKernel &entry = compiled.kernels[kernel.name];
    entry.symbols.push_back(kernel.symbol);
    entry.scratchBytes.push_back(kernel.scratchBytes);
  }
  return compiled;
}

Status Ladder::translateCpu(planir::ModuleOp plan, ModuleOp kernels, CompiledKernels &compiled) {
  cpu::CpuOptions cpuOptions;
  cpuOptions.keepLlvm = !options.emit.empty();
  if (!options.cpuVariants.empty()) {
    cpuOptions.variants.clear();
    for (const std::string &name : options.cpuVariants) {
      auto variant = cpu::parseVariant(name);
      if (!variant) return Status(compiler::kOption, "unknown cpu variant '" + name + "'");
      cpuOptions.variants.push_back(*variant);
    }
  }
  cpuOptions.record = kernelRecords(plan);
  std::optional<cpu::CpuObject> object;
  std::string cause;
  MMC_RETURN_IF_ERROR(guarded(compiler::kCodeGeneration, "compiling kernels", [&] {
    object = cpu::compileCpu(kernels, cpuOptions, cause);
    if (!object) emitError(UnknownLoc::get(&context), cause);
    return success(object.has_value());
  }));
  finish("object",
         std::to_string(object->kernels.size()) + " functions, " + std::to_string(object->elf.size() / 1024) + " KiB");
  if (!options.emit.empty()) { // one file of LLVM IR per kernel and variant
    MMC_RETURN_IF_ERROR(makeFolder(options.emitFolder));
    for (const cpu::CpuKernel &kernel : object->kernels)
      MMC_RETURN_IF_ERROR(writeText(options.emitFolder, kernel.symbol + ".ll", kernel.llvm));
  }
  compiled = toCompiled(*object, cpuOptions.variants);
  return {};
}

// ------------------------------------------------------------------------------------------------ CUDA

/// Puts the images of a variant behind those of the variants before, and says of each kernel where it is.
static void addVariant(CompiledKernels &compiled, const std::string &variant,
                       const std::vector<cuda::DeviceImage> &images, const std::vector<cuda::CudaKernel> &kernels) {
  const auto number = static_cast<uint32_t>(compiled.variants.size());
  compiled.variants.push_back(variant);
  std::map<std::string, uint32_t> imageOf;
  for (const cuda::DeviceImage &image : images) {
    for (const std::string &symbol : image.kernels)
      imageOf[symbol] = static_cast<uint32_t>(compiled.deviceImages.size());
    compiled.images.resize(runtime::roundUp(compiled.images.size(), runtime::kAlignment));
    compiled.deviceImages.push_back({number, compiled.images.size(), image.bytes.size()});
    compiled.images.insert(compiled.images.end(), image.bytes.begin(), image.bytes.end());
  }
  for (const cuda::CudaKernel &kernel : kernels) {
    CompiledKernel &entry = compiled.kernels[kernel.name];
    entry.symbols.push_back(kernel.symbol);
    entry.functions.push_back(kernel.function);
    entry.functions.back().image = imageOf.at(kernel.symbol);
  }
}

/// One file of CUDA C++ per kernel and variant.
static Status writeSources(const std::string &folder, const std::vector<cuda::CudaKernel> &kernels) {
  MMC_RETURN_IF_ERROR(makeFolder(folder));
  for (const cuda::CudaKernel &kernel : kernels)
    MMC_RETURN_IF_ERROR(writeText(folder, kernel.symbol + ".cu", kernel.source));
  return {};
}

/// That every pattern of --portable-kernels is the name of a kernel.
static Status checkPortable(ModuleOp module, const std::vector<std::string> &patterns) {
  for (const std::string &text : patterns) {
    auto pattern = llvm::cantFail(llvm::GlobPattern::create(text)); // checkCompileOptions has let it pass
    auto kernels = module.getOps<tile::KernelOp>();
    if (llvm::none_of(kernels, [&](tile::KernelOp kernel) { return pattern.match(kernel.getSymName()); }))
      return Status(compiler::kOption, "--portable-kernels: found '" + text + "', expected the name of a kernel",
                    "mmc inspect lists a plan's kernels; * stands for any characters");
  }
  return {};
}

Status Ladder::translateCuda(ModuleOp module, CompiledKernels &compiled) {
  MMC_RETURN_IF_ERROR(checkPortable(module, options.portableKernels));
  cuda::ToolchainOptions toolchain;
  toolchain.cacheFolder = options.cacheFolder;
  toolchain.remark = options.onRemark;
  size_t fromCache = 0;
  toolchain.progress = [&](size_t, size_t, size_t cached) { fromCache = cached; };
  for (const std::string &variant : target.variants) {
    std::vector<cuda::CudaKernel> kernels;
    MMC_RETURN_IF_ERROR(guarded(compiler::kCodeGeneration, "emitting kernels", [&]() -> LogicalResult {
      auto emitted = cuda::emitCuda(module, variant, options.portableKernels);
      if (failed(emitted)) return failure();
      kernels = std::move(*emitted);
      return success();
    }));
    finish("cuda", std::to_string(kernels.size()) + " sources for " + variant);
    if (!options.emit.empty()) {
      MMC_RETURN_IF_ERROR(writeSources(options.emitFolder, kernels));
      continue;
    }
    std::vector<cuda::KernelSource> sources;
    for (const cuda::CudaKernel &kernel : kernels) sources.push_back({kernel.symbol, kernel.source});
    const size_t before = compiled.images.size();
    auto images = target.family == "cuda" ? cuda::compileCubins(sources, variant, toolchain)
                                          : cuda::compileForEmulation(sources, toolchain);
    MMC_RETURN_IF_ERROR(images.status());
    addVariant(compiled, variant, *images, kernels);
    finish("images", std::to_string(images->size()) + " images, " +
                         std::to_string((compiled.images.size() - before) / 1024) + " KiB, " +
                         std::to_string(fromCache) + " from the cache");
  }
  return {};
}

// ------------------------------------------------------------------------------------------------ segments

Status Ladder::translate() {
  planir::ModuleOp plan = *module->getOps<planir::ModuleOp>().begin();
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(UnknownLoc::get(&context));
  plan.walk([&](tile::KernelOp kernel) { kernels->push_back(kernel->clone()); });
  CompiledKernels compiled;
  MMC_RETURN_IF_ERROR(target.family == "cpu" ? translateCpu(plan, *kernels, compiled)
                                             : translateCuda(*kernels, compiled));
  if (!options.emit.empty()) return {};
  return guarded(compiler::kLowering, "writing the plan", [&]() -> LogicalResult {
    auto written = serializePlan(plan, compiled);
    if (failed(written)) return failure();
    planSegments = std::move(*written);
    return success();
  });
}

} // namespace mmc
