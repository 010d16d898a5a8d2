#include "lib/Compiler/Ladder.h"

#include "dialects/Model/IR/Model.h"
#include "dialects/Model/Transforms/Passes.h"
#include "dialects/Plan/IR/Plan.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Compiler/Errors.h"
#include "lib/Compiler/ParameterCount.h"
#include "lib/Import/Import.h"
#include "lib/Target/CPU/CompileCpu.h"
#include "passes/Conversion/TileToPlan/TileToPlan.h"
#include "passes/Pipelines/Pipelines.h"
#include "runtime/src/FileIO.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

#include <filesystem>

using namespace mlir;

namespace mmc {

using runtime::Status;

void registerMmcDialects(DialectRegistry &registry) {
  model::registerModelDialect(registry);
  tile::registerTileDialect(registry);
  planir::registerPlanDialect(registry);
}

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registerMmcDialects(registry);
  return registry;
}

Ladder::Ladder(const CompileOptions &options)
    : options(options), context(makeRegistry()), started(std::chrono::steady_clock::now()) {
  context.loadAllAvailableDialects();
}

void Ladder::finish(const char *name, std::string detail) {
  auto now = std::chrono::steady_clock::now();
  if (options.onStep) options.onStep({name, std::move(detail), std::chrono::duration<double>(now - started).count()});
  started = now;
}

Status Ladder::guarded(const runtime::ErrorKind &kind, const char *what, llvm::function_ref<LogicalResult()> body) {
  std::string messages;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error) return success();
    llvm::raw_string_ostream os(messages);
    auto append = [&](Diagnostic &each) {
      if (!messages.empty()) os << "; ";
      if (auto loc = each.getLocation()->findInstanceOf<FileLineColLoc>())
        os << loc.getFilename().getValue() << ":" << loc.getLine() << ":" << loc.getColumn() << ": ";
      os << each.str();
    };
    append(diagnostic);
    for (Diagnostic &note : diagnostic.getNotes()) append(note);
    return success();
  });
  if (succeeded(body())) return {};
  return Status(kind, messages.empty() ? std::string(what) + " failed" : std::string(what) + ": " + messages);
}

Status Ladder::readModel(const std::string &input) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::path(input).extension() == ".mlir" && !fs::is_directory(input, error)) {
    if (!fs::exists(input, error))
      return Status(compiler::kModelText, "cannot read " + input + ": no such file", "check the path");
    auto status = guarded(compiler::kModelText, "reading the model", [&] {
      module = parseSourceFile<ModuleOp>(input, ParserConfig(&context));
      return success(static_cast<bool>(module));
    });
    if (!status.ok()) return status;
  } else {
    auto imported = import::importModel(context, input);
    if (!imported.ok()) return imported.status();
    module = std::move(imported->module);
  }
  MMC_RETURN_IF_ERROR(noteProgram());
  auto count = static_cast<double>(parametersTotal) / 1e6;
  char detail[64];
  std::snprintf(detail, sizeof detail, "%.1f M parameters", count);
  finish("model", detail);
  return {};
}

/// Facts that lower levels need and that are easiest to read off the mathematics.
Status Ladder::noteProgram() {
  auto programs = llvm::to_vector(module->getOps<model::ProgramOp>());
  if (programs.size() != 1)
    return Status(compiler::kNoProgram, "expected one model.program, found " + std::to_string(programs.size()));
  model::ProgramOp program = programs.front();
  ParameterCount count = countParameters(program);
  parametersTotal = count.total;
  parametersActive = count.active;
  program.walk([&](model::EmbeddingOp embedding) {
    if (auto weight = embedding.getTable().getDefiningOp<model::WeightOp>())
      program->setAttr("embedding", weight.getNameAttr());
  });
  uint64_t limit = 32768;
  if (auto position = program->getAttrOfType<IntegerAttr>("max_position"))
    limit = std::min<uint64_t>(limit, static_cast<uint64_t>(position.getInt()));
  maxModelLen = options.maxModelLen ? options.maxModelLen : limit;
  if (!program->hasAttr("vocabulary"))
    if (auto main = program.lookupSymbol<model::FuncOp>("main"))
      if (auto logits = dyn_cast<RankedTensorType>(main.getResultTypes().front()))
        program->setAttr("vocabulary", Builder(&context).getI64IntegerAttr(logits.getShape().back()));
  return {};
}

LogicalResult Ladder::runTilePasses() {
  PassManager manager(&context);
  PipelineOptions pipeline;
  pipeline.dtype = options.dtype;
  pipeline.recurrenceBlock = options.recurrenceBlock;
  pipeline.maxModelLen = static_cast<int64_t>(maxModelLen);
  pipeline.disabledPasses = options.disabledPasses;
  std::string error;
  if (failed(checkPipelineOptions(pipeline, error))) return emitError(UnknownLoc::get(&context), error);
  buildModelToTilePipeline(manager, pipeline);
  if (!options.printIrAfter.empty()) {
    context.disableMultithreading(); // text of several threads would mix
    llvm::StringSet<> wanted;
    for (const std::string &name : options.printIrAfter) wanted.insert(name);
    auto after = [wanted](Pass *pass, Operation *) {
      return wanted.contains(pass->getName()) || wanted.contains("all");
    };
    manager.enableIRPrinting([](Pass *, Operation *) { return false; }, after, /*printModuleScope=*/true,
                             /*printAfterOnlyOnChange=*/false,
                             /*printAfterOnlyOnFailure=*/false, llvm::errs());
  }
  LogicalResult result = manager.run(*module);
  context.enableMultithreading(); // the CPU target compiles kernels on several threads
  return result;
}

Status Ladder::lowerToTile() {
  PipelineOptions names;
  names.disabledPasses = options.disabledPasses;
  std::string error;
  if (failed(checkPipelineOptions(names, error))) return Status(compiler::kOption, "--disable-pass: " + error);
  MMC_RETURN_IF_ERROR(guarded(compiler::kLowering, "lowering to tile kernels", [&] { return runTilePasses(); }));
  unsigned kernels = 0;
  module->walk([&](tile::KernelOp) { ++kernels; });
  finish("tile", std::to_string(kernels) + " kernels");
  return {};
}

Status Ladder::lowerToPlan() {
  PlanOptions plan;
  plan.dtype = options.dtype;
  plan.maxModelLen = maxModelLen;
  plan.maxNumSeqs = options.maxNumSeqs;
  plan.maxNumBatchedTokens = options.maxNumBatchedTokens;
  plan.recurrenceBlock = options.recurrenceBlock;
  plan.parametersTotal = parametersTotal;
  plan.parametersActive = parametersActive;
  MMC_RETURN_IF_ERROR(guarded(compiler::kLowering, "planning",
                              [&] { return failed(convertTileToPlan(*module, plan)) ? failure() : module->verify(); }));
  unsigned entries = 0;
  module->walk([&](planir::EntryOp) { ++entries; });
  finish("plan", std::to_string(entries) + " shape classes");
  return {};
}

/// The CPU target's result in the plan writer's terms.
static HostObject toHostObject(const cpu::CpuObject &compiled, const std::vector<cpu::Variant> &variants) {
  HostObject object;
  object.elf.assign(compiled.elf.begin(), compiled.elf.end());
  for (cpu::Variant variant : variants) object.variants.push_back(cpu::variantName(variant));
  for (const cpu::CpuKernel &kernel : compiled.kernels) {
    HostKernel &entry = object.kernels[kernel.name];
    entry.symbols.push_back(kernel.symbol);
    entry.scratchBytes.push_back(kernel.scratchBytes);
  }
  return object;
}

/// One file of LLVM IR per kernel and variant.
static Status writeKernels(const cpu::CpuObject &compiled, const std::string &folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Status(compiler::kOption, "cannot make the folder " + folder, "check the path", error.message());
  for (const cpu::CpuKernel &kernel : compiled.kernels) {
    auto file = runtime::OutputFile::create(folder + "/" + kernel.symbol + ".ll");
    if (!file.ok()) return file.status();
    MMC_RETURN_IF_ERROR(file->write({reinterpret_cast<const uint8_t *>(kernel.llvm.data()), kernel.llvm.size()}));
    MMC_RETURN_IF_ERROR(file->commit());
  }
  return {};
}

Status Ladder::translate() {
  cpu::CpuOptions cpuOptions;
  cpuOptions.keepLlvm = !options.emit.empty();
  if (!options.cpuVariants.empty()) {
    cpuOptions.variants.clear();
    for (const std::string &name : options.cpuVariants) {
      auto variant = cpu::parseVariant(name);
      if (!variant)
        return Status(compiler::kOption,
                      "unknown cpu variant '" + name + "', expected x86-64-v3, avx512 or avx512-bf16");
      cpuOptions.variants.push_back(*variant);
    }
  }
  planir::ModuleOp plan = *module->getOps<planir::ModuleOp>().begin();
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(UnknownLoc::get(&context));
  plan.walk([&](tile::KernelOp kernel) { kernels->push_back(kernel->clone()); });
  std::optional<cpu::CpuObject> compiled;
  std::string cause;
  MMC_RETURN_IF_ERROR(guarded(compiler::kCodeGeneration, "compiling kernels", [&] {
    compiled = cpu::compileCpu(*kernels, cpuOptions, cause);
    if (!compiled) emitError(UnknownLoc::get(&context), cause);
    return success(compiled.has_value());
  }));
  finish("object", std::to_string(compiled->kernels.size()) + " functions, " +
                       std::to_string(compiled->elf.size() / 1024) + " KiB");
  if (!options.emit.empty()) return writeKernels(*compiled, options.emitFolder);
  HostObject object = toHostObject(*compiled, cpuOptions.variants);
  return guarded(compiler::kLowering, "writing the plan", [&]() -> LogicalResult {
    auto written = serializePlan(plan, object);
    if (failed(written)) return failure();
    planSegments = std::move(*written);
    return success();
  });
}

std::string Ladder::text() {
  std::string out;
  llvm::raw_string_ostream os(out);
  module->print(os);
  os << "\n";
  return out;
}

} // namespace mmc
