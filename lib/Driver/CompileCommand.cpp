// mmc compile: a model to a plan file, and the plan's memory certificate.
#include "lib/Driver/CompileFlags.h"
#include "lib/Driver/PlanReport.h"

namespace mmc::driver {

namespace {

struct CompileCommandFlags {
  CompileFlags compile;
  std::string model, output, stopAfter, emit;
  bool json = false;
};

/// The certificate of the plan that was just written, read back from the file: what is printed is what is there.
Status reportPlan(const CompileCommandFlags &flags, double seconds) {
  auto report = readPlanReport(flags.output);
  MMC_RETURN_IF_ERROR(report.status());
  note(cat("wrote ", flags.output, ", ", formatBytes(report->fileBytes), ", in ", formatFixed(seconds, 2), " s"));
  for (const std::string &line : certificateLines(*report)) note("  " + line);
  return flags.json ? writeOutput(planJson(*report) + "\n") : Status();
}

Status compile(const CompileCommandFlags &flags) {
  auto options = compileOptions(flags.compile);
  MMC_RETURN_IF_ERROR(options.status());
  options->stopAfter = flags.stopAfter;
  options->emit = flags.emit;
  if (!flags.emit.empty()) options->emitFolder = flags.output;
  options->onStep = ladderPrinter();
  Stopwatch watch;
  note(cat("compiling ", flags.model, " for ", options->target, ", ", options->dtype));
  MMC_RETURN_IF_ERROR(compileModel(flags.model, flags.output, *options));
  if (flags.stopAfter.empty() && flags.emit.empty()) return reportPlan(flags, watch.seconds());
  note(cat("wrote ", flags.output, " in ", formatFixed(watch.seconds(), 2), " s"));
  return {};
}

} // namespace

void addCompileCommand(const CommandLine &line) {
  auto flags = std::make_shared<CompileCommandFlags>();
  CLI::App *command = line.add("compile", "compile a model to a plan file", [flags] { return compile(*flags); });
  command->add_option("-m,--model,model", flags->model, "HF_DIR, config.json or model.mlir")
      ->required()
      ->type_name("MODEL");
  addFlagValue(command, "-o,--output", flags->output, "plan file to write (folder with --emit)")
      ->required()
      ->type_name("FILE.plan");
  addCompileFlags(command, flags->compile);
  addFlagValue(command, "--stop-after", flags->stopAfter,
               "write the text of a level instead of a plan: model, tile, plan")
      ->check(CLI::IsMember({"model", "tile", "plan"}))
      ->type_name("LEVEL");
  addFlagValue(command, "--emit", flags->emit, "write one file per kernel and variant instead of a plan: llvm")
      ->check(CLI::IsMember({"llvm", "cuda"}))
      ->type_name("FORM");
  addSwitch(command, "--json", flags->json, "print what `mmc inspect --json` says of the plan");
}

} // namespace mmc::driver
