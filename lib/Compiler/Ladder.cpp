#include "lib/Compiler/Ladder.h"

#include "dialects/Model/IR/Model.h"
#include "dialects/Model/Transforms/Passes.h"
#include "dialects/Plan/IR/Plan.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Compiler/Errors.h"
#include "lib/Compiler/ParameterCount.h"
#include "lib/Import/Import.h"
#include "passes/Conversion/TileToPlan/TileToPlan.h"
#include "passes/Pipelines/Pipelines.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

#include <filesystem>

using namespace mlir;

namespace mmc {

using runtime::Status;

/// The emulation runs the very kernels that a GPU does.
static const char *tiledFor(const Target &target) { return target.family == "cpu" ? "cpu" : "cuda"; }

/// On a tile program: what it was lowered with, for who goes on from its text.
static constexpr llvm::StringLiteral kLoweredAttr = "lowered";

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
  context.printOpOnDiagnostic(false); // a message is a line; the whole op is for mmc-opt
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

Status Ladder::readModule(const std::string &input) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::path(input).extension() == ".mlir" && !fs::is_directory(input, error)) {
    if (!fs::exists(input, error))
      return Status(compiler::kModelText, "cannot read " + input + ": no such file", "check the path");
    if (options.rankShapes > 1)
      return Status(compiler::kOption,
                    "--rank-shapes " + std::to_string(options.rankShapes) + ": " + input +
                        " has its shapes written out",
                    "give the model's folder or its config.json");
    return guarded(compiler::kModelText, "reading the model", [&] {
      module = parseSourceFile<ModuleOp>(input, ParserConfig(&context));
      return success(static_cast<bool>(module));
    });
  }
  import::ImportOptions how;
  how.rankShapes = options.rankShapes;
  auto imported = import::importModel(context, input, how);
  if (!imported.ok()) return imported.status();
  module = std::move(imported->module);
  return {};
}

Status Ladder::read(const std::string &input) {
  MMC_RETURN_IF_ERROR(readModule(input));
  auto programs = llvm::to_vector(module->getOps<model::ProgramOp>());
  auto plans = llvm::to_vector(module->getOps<planir::ModuleOp>());
  if (programs.size() + plans.size() != 1)
    return Status(compiler::kNoProgram,
                  "expected one model.program or plan.module, found " + std::to_string(programs.size() + plans.size()));
  if (!plans.empty()) {
    reached = Level::plan;
    MMC_RETURN_IF_ERROR(noteLowered(plans.front().getFacts(), "plan"));
  } else if (auto lowered = programs.front()->getAttrOfType<DictionaryAttr>(kLoweredAttr)) {
    reached = Level::tile;
    MMC_RETURN_IF_ERROR(noteLowered(lowered, "tile program"));
  } else {
    MMC_RETURN_IF_ERROR(noteProgram());
  }
  char detail[64];
  std::snprintf(detail, sizeof detail, "%.1f M parameters", static_cast<double>(parametersTotal) / 1e6);
  finish("model", detail);
  return {};
}

Status Ladder::noteProgram() {
  model::ProgramOp program = *module->getOps<model::ProgramOp>().begin();
  if (program.walk([](tile::LaunchOp) { return WalkResult::interrupt(); }).wasInterrupted())
    return Status(compiler::kNoProgram, "the program launches tile kernels, but does not say what it was lowered with",
                  "keep the attribute '" + std::string(kLoweredAttr) + "' that --stop-after=tile writes");
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
  target = options.target.family.empty() ? Target{"cpu", {}} : options.target;
  dtype = !options.dtype.empty() ? options.dtype : target.family == "cpu" ? "float32" : "bfloat16";
  recurrenceBlock = options.recurrenceBlock ? options.recurrenceBlock : 64;
  if (!program->hasAttr("vocabulary"))
    if (auto main = program.lookupSymbol<model::FuncOp>("main"))
      if (auto logits = dyn_cast<RankedTensorType>(main.getResultTypes().front()))
        program->setAttr("vocabulary", Builder(&context).getI64IntegerAttr(logits.getShape().back()));
  return {};
}

Status Ladder::noteLowered(DictionaryAttr facts, const char *text) {
  auto number = [&](StringRef name) -> uint64_t {
    auto value = facts.getAs<IntegerAttr>(name);
    return value ? static_cast<uint64_t>(value.getInt()) : 0;
  };
  // Kernels are tiled for the cpu or for CUDA; a plan says which of the two that execute CUDA it is for.
  auto family = facts.getAs<StringAttr>("target");
  std::string found = family ? family.str() : "cpu";
  target = options.target;
  if (target.family.empty())
    target = {found, found == "cpu" ? std::vector<std::string>() : std::vector<std::string>{"sm_90a"}};
  auto type = facts.getAs<StringAttr>("dtype");
  dtype = type ? type.str() : "";
  maxModelLen = number("max_model_len");
  recurrenceBlock = number("recurrence_block");
  parametersTotal = number("parameters_total");
  parametersActive = number("parameters_active");
  if (dtype.empty() || !maxModelLen || !recurrenceBlock)
    return Status(compiler::kNoProgram,
                  std::string("the ") + text + " does not say dtype, max_model_len and recurrence_block",
                  "keep the attributes that --stop-after writes");
  // A flag cannot undo what was decided on the way to this text.
  auto decided = [&](const std::string &flag, const std::string &asked, const std::string &with) {
    return Status(compiler::kOption, flag + " " + asked + ": the " + text + " was lowered with " + with,
                  "leave the flag out, or start from the model");
  };
  auto compare = [&](const char *flag, uint64_t asked, StringRef name) {
    uint64_t found = number(name);
    return asked && found && asked != found ? decided(flag, std::to_string(asked), std::to_string(found)) : Status();
  };
  bool same = target.family == found || (reached == Level::tile && found == "cuda" && target.family == "cuda-emu");
  if (!same) return decided("--target", targetText(target), found);
  if (!options.dtype.empty() && options.dtype != dtype) return decided("--dtype", options.dtype, dtype);
  MMC_RETURN_IF_ERROR(compare("--max-model-len", options.maxModelLen, "max_model_len"));
  MMC_RETURN_IF_ERROR(compare("--recurrence-block", options.recurrenceBlock, "recurrence_block"));
  MMC_RETURN_IF_ERROR(compare("--max-num-seqs", options.maxNumSeqs, "max_num_seqs"));
  MMC_RETURN_IF_ERROR(compare("--max-num-batched-tokens", options.maxNumBatchedTokens, "max_num_batched_tokens"));
  if (!options.disabledPasses.empty())
    return decided("--disable-pass", options.disabledPasses.front(), "its passes, which have run already");
  return {};
}

Status checkPassNames(const CompileOptions &options) {
  PipelineOptions pipeline;
  pipeline.disabledPasses = options.disabledPasses;
  std::string error;
  if (failed(checkPipelineOptions(pipeline, error))) return Status(compiler::kOption, "--disable-pass: " + error);
  if (options.printIrAfter.empty()) return {};
  if (options.stopAfter == "model")
    return Status(compiler::kOption, "--print-ir-after: no pass runs with --stop-after=model", "leave one of them out");
  SmallVector<StringRef> names = {"all"};
  const bool cpu = familyOf(options.target) == "cpu";
  for (const PassInfo &pass : getPassList())
    if (!llvm::is_contained(options.disabledPasses, StringRef(pass.name)) && !(cpu && pass.onlyCuda))
      names.push_back(pass.name);
  for (const std::string &name : options.printIrAfter)
    if (!llvm::is_contained(names, name))
      return Status(compiler::kOption, "--print-ir-after: found '" + name + "', expected one of the passes that run",
                    "the names are " + llvm::join(names, ", "));
  return {};
}

/// Prints the module after the passes of these names, or after `all`.
static void printAfter(PassManager &manager, const std::vector<std::string> &names) {
  if (names.empty()) return;
  manager.getContext()->disableMultithreading(); // text of several threads would mix
  llvm::StringSet<> wanted;
  for (const std::string &name : names) wanted.insert(name);
  auto after = [wanted](Pass *pass, Operation *) { return wanted.contains(pass->getName()) || wanted.contains("all"); };
  manager.enableIRPrinting([](Pass *, Operation *) { return false; }, after, /*printModuleScope=*/true,
                           /*printAfterOnlyOnChange=*/false,
                           /*printAfterOnlyOnFailure=*/false, llvm::errs());
}

LogicalResult Ladder::runTilePasses() {
  PassManager manager(&context);
  PipelineOptions pipeline;
  pipeline.target = tiledFor(target);
  pipeline.dtype = dtype;
  pipeline.recurrenceBlock = static_cast<int64_t>(recurrenceBlock);
  pipeline.maxModelLen = static_cast<int64_t>(maxModelLen);
  const uint32_t stepTokens = std::max(PlanOptions().maxNumBatchedTokens, options.maxNumSeqs);
  pipeline.maxStepTokens = options.maxNumBatchedTokens ? options.maxNumBatchedTokens : stepTokens;
  pipeline.disabledPasses = options.disabledPasses;
  std::string error;
  if (failed(checkPipelineOptions(pipeline, error))) return emitError(UnknownLoc::get(&context), error);
  buildModelToTilePipeline(manager, pipeline);
  printAfter(manager, options.printIrAfter);
  LogicalResult result = manager.run(*module);
  context.enableMultithreading(); // the CPU target compiles kernels on several threads
  return result;
}

Status Ladder::lowerToTile() {
  MMC_RETURN_IF_ERROR(guarded(compiler::kLowering, "lowering to tile kernels", [&] { return runTilePasses(); }));
  Builder builder(&context);
  auto fact = [&](StringRef name, uint64_t value) {
    return builder.getNamedAttr(name, builder.getI64IntegerAttr(static_cast<int64_t>(value)));
  };
  (*module->getOps<model::ProgramOp>().begin())
      ->setAttr(kLoweredAttr, builder.getDictionaryAttr(
                                  {builder.getNamedAttr("dtype", builder.getStringAttr(dtype)),
                                   fact("max_model_len", maxModelLen), fact("parameters_active", parametersActive),
                                   fact("parameters_total", parametersTotal), fact("recurrence_block", recurrenceBlock),
                                   builder.getNamedAttr("target", builder.getStringAttr(tiledFor(target)))}));
  reached = Level::tile;
  unsigned kernels = 0;
  module->walk([&](tile::KernelOp) { ++kernels; });
  finish("tile", std::to_string(kernels) + " kernels");
  return {};
}

Status Ladder::lowerToPlan() {
  PlanOptions plan;
  plan.target = target.family;
  plan.dtype = dtype;
  plan.maxModelLen = maxModelLen;
  if (options.maxNumSeqs) plan.maxNumSeqs = options.maxNumSeqs;
  plan.maxNumBatchedTokens = std::max(plan.maxNumBatchedTokens, plan.maxNumSeqs);
  if (options.maxNumBatchedTokens) plan.maxNumBatchedTokens = options.maxNumBatchedTokens;
  // A small step cannot have the default number of sequences.
  plan.maxNumSeqs = std::min(plan.maxNumSeqs, plan.maxNumBatchedTokens);
  plan.recurrenceBlock = static_cast<uint32_t>(recurrenceBlock);
  plan.parametersTotal = parametersTotal;
  plan.parametersActive = parametersActive;
  MMC_RETURN_IF_ERROR(guarded(compiler::kLowering, "planning",
                              [&] { return failed(convertTileToPlan(*module, plan)) ? failure() : verify(*module); }));
  if (target.family != "cpu" && !llvm::is_contained(options.disabledPasses, StringRef("BranchLaunches"))) {
    PassManager manager(&context);
    manager.addPass(createBranchLaunchesPass());
    printAfter(manager, options.printIrAfter);
    MMC_RETURN_IF_ERROR(guarded(compiler::kLowering, "branching", [&] { return manager.run(*module); }));
    context.enableMultithreading(); // the CPU target compiles kernels on several threads
  }
  reached = Level::plan;
  unsigned entries = 0;
  module->walk([&](planir::EntryOp) { ++entries; });
  finish("plan", std::to_string(entries) + " shape classes");
  return {};
}

std::string Ladder::text() {
  std::string out;
  llvm::raw_string_ostream os(out);
  module->print(os);
  os << "\n";
  return out;
}

} // namespace mmc
