// Tile kernels to one shared object: a job per kernel and variant, on as many threads as asked for, then one link.
//
// A job owns its module and its LLVM context; jobs share the MLIR context, whose dialects are all loaded before the
// first one starts.
#include "lib/Target/CPU/CompileCpu.h"

#include "dialects/Tile/IR/Tile.h"
#include "lib/Target/CPU/Stages.h"
#include "passes/Conversion/TileToVector/CpuTarget.h"
#include "passes/Conversion/TileToVector/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

namespace {
struct Job {
  CpuTarget target;
  OwningOpRef<ModuleOp> module;
  CpuKernel result;
  SmallVector<char, 0> object;
  std::string error;
  bool keepLlvm = false;
};
} // namespace

static bool runJob(Job &job, const CpuOptions &options) {
  PassManager manager(job.module->getContext(), ModuleOp::getOperationName(), PassManager::Nesting::Implicit);
  manager.enableVerifier(false);
  buildCpuPipeline(manager, job.target);
  if (failed(manager.run(*job.module))) {
    job.error = "cannot lower kernel '" + job.result.name + "' for " + variantName(job.target.variant);
    return false;
  }
  for (auto function : job.module->getOps<LLVM::LLVMFuncOp>())
    if (function.getSymName() == job.result.symbol)
      job.result.scratchBytes = function->getAttrOfType<IntegerAttr>(kScratchBytesAttr).getInt();
  Constant record;
  if (options.record)
    record = {job.result.symbol + "__record", options.record(job.result.name, job.result.scratchBytes)};
  if (emitObject(*job.module, record, job.object, job.error, job.keepLlvm ? &job.result.llvm : nullptr)) return true;
  job.error = "kernel '" + job.result.name + "' for " + variantName(job.target.variant) + ": " + job.error;
  return false;
}

static void runJobs(std::vector<Job> &jobs, const CpuOptions &options, unsigned threads) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> stop = false;
  auto work = [&] {
    for (size_t i = next++; i < jobs.size() && !stop; i = next++) {
      if (!runJob(jobs[i], options)) stop = true;
      jobs[i].module = nullptr;
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned t = 1; t < threads && t < jobs.size(); ++t) helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers) helper.join();
}

std::optional<CpuObject> mmc::cpu::compileCpu(ModuleOp module, const CpuOptions &options, std::string &error) {
  MLIRContext &context = *module.getContext();
  prepareContext(context);
  // The first diagnostic becomes the error's reason; it also reaches the context's own handler.
  std::mutex mutex;
  std::string reason;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    std::lock_guard lock(mutex);
    if (reason.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error) reason = diagnostic.str();
    return failure();
  });

  std::vector<Job> jobs;
  for (tile::KernelOp kernel : module.getOps<tile::KernelOp>())
    for (Variant variant : options.variants) {
      Job job;
      job.target = CpuTarget::of(variant, options.emulateAvx512);
      job.module = ModuleOp::create(kernel.getLoc());
      job.module->getBody()->push_back(kernel->clone());
      job.result.name = kernel.getSymName().str();
      job.result.variant = variant;
      job.result.symbol = kernelSymbol(job.result.name, variant);
      job.keepLlvm = options.keepLlvm;
      jobs.push_back(std::move(job));
    }
  unsigned threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  runJobs(jobs, options, context.isMultithreadingEnabled() ? threads : 1);

  CpuObject result;
  std::vector<SmallVector<char, 0>> objects;
  for (Job &job : jobs) {
    if (!job.error.empty()) {
      error = job.error + (reason.empty() ? "" : ": " + reason);
      return std::nullopt;
    }
    objects.push_back(std::move(job.object));
    result.kernels.push_back(std::move(job.result));
  }
  if (objects.empty()) {
    error = "the module has no tile.kernel, or no variant was asked for";
    return std::nullopt;
  }
  if (!linkSharedObject(objects, result.elf, error)) return std::nullopt;
  return result;
}
