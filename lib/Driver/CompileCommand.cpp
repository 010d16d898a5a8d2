// mmc compile: a model to a plan file, and the plan's memory certificate.
#include "lib/Driver/CompileFlags.h"
#include "lib/Driver/Outputs.h"
#include "lib/Driver/PlanReport.h"

namespace mmc::driver {

namespace {

struct CompileCommandFlags {
  CompileFlags compile;
  std::string model, output, stopAfter, emit;
  bool json = false;
};

/// The certificate of the plan that was just written; `bytes` are the file's.
Status reportPlan(const CompileCommandFlags &flags, std::span<const uint8_t> bytes, double seconds) {
  auto image = runtime::PlanImage::copy(bytes, flags.output);
  MMC_RETURN_IF_ERROR(image.status());
  auto report = planReportOf(*image);
  MMC_RETURN_IF_ERROR(report.status());
  note(cat("wrote ", flags.output, ", ", formatBytes(report->fileBytes), ", in ", formatFixed(seconds, 2), " s"));
  for (const std::string &line : certificateLines(*report)) note("  " + line);
  return flags.json ? writeOutput(planJson(*report) + "\n") : Status();
}

/// Flags that each say something, and together nothing.
Status checkTogether(const CompileCommandFlags &flags) {
  const bool plan = flags.stopAfter.empty() && flags.emit.empty();
  if (!flags.stopAfter.empty() && !flags.emit.empty())
    return Status(kUsage, "--stop-after and --emit exclude each other", "leave one of them out");
  if (flags.json && !plan)
    return Status(kUsage, "--json describes a plan, and --stop-after and --emit write none", "leave --json out");
  if (flags.json && flags.output == "-")
    return Status(kUsage, "-o - and --json both write to standard output", "give -o FILE, or leave --json out");
  return {};
}

Status compile(const CompileCommandFlags &flags) {
  MMC_RETURN_IF_ERROR(checkTogether(flags));
  auto options = compileOptions(flags.compile);
  MMC_RETURN_IF_ERROR(options.status());
  options->stopAfter = flags.stopAfter;
  options->emit = flags.emit;
  MMC_RETURN_IF_ERROR(checkCompileOptions(*options));
  std::optional<runtime::OutputFile> file;
  if (flags.emit.empty()) {
    const OutputForm form = flags.stopAfter.empty() ? OutputForm::binary : OutputForm::text;
    auto opened = openOutput("-o", flags.output, form, {flags.model});
    MMC_RETURN_IF_ERROR(opened.status());
    file.emplace(std::move(*opened));
  } else {
    MMC_RETURN_IF_ERROR(checkOutputFolder("-o", flags.output));
    options->emitFolder = flags.output;
  }
  Stopwatch watch;
  announceCompilation(flags.model, *options);
  auto bytes = compileModelToMemory(flags.model, *options);
  MMC_RETURN_IF_ERROR(bytes.status());
  if (file) MMC_RETURN_IF_ERROR(writeWhole(*file, *bytes));
  if (flags.stopAfter.empty() && flags.emit.empty()) return reportPlan(flags, *bytes, watch.seconds());
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
  addFlagValue(command, "-o,--output", flags->output, "plan file to write, - for standard output (folder with --emit)")
      ->required()
      ->type_name("FILE.plan");
  addCompileFlags(command, flags->compile);
  addFlagValue(command, "--stop-after", flags->stopAfter,
               "write the text of a level instead of a plan: model, tile, plan")
      ->check(CLI::IsMember({"model", "tile", "plan"}))
      ->type_name("LEVEL");
  addFlagValue(command, "--emit", flags->emit,
               "write one file per kernel and variant instead of a plan: llvm (cpu), cuda")
      ->check(CLI::IsMember({"llvm", "cuda"}))
      ->type_name("FORM");
  addSwitch(command, "--json", flags->json, "print what `mmc inspect --json` says of the plan");
}

} // namespace mmc::driver
