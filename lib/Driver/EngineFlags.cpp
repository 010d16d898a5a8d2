// Makes engines from flags; see EngineFlags.h.
#include "lib/Driver/EngineFlags.h"

#include "lib/Driver/PlanEngine.h"
#include "lib/Driver/ReferenceEngine.h"
#include "runtime/src/Errors.h"
#include "runtime/src/HostObject.h"
#include "runtime/src/Safetensors.h"

namespace mmc::driver {

void addEngineFlags(CLI::App *command, EngineFlags &flags) {
  command->add_option("-m,--model,model", flags.model, "plan, or HF_DIR, config.json or model.mlir to compile first")
      ->required()
      ->type_name("FILE.plan|HF_DIR");
  addFlagValue(command, "-w,--weights", flags.weights, "checkpoint folder, or random[:SEED] (default: HF_DIR itself)")
      ->type_name("DIR|random[:SEED]");
  addCount(command, "-t,--threads", flags.threads, "threads (default: one per core that the process may use)", 1, 4096);
  addFlagValue(command, "--cpu-variant", flags.cpuVariant,
               "x86-64-v3, avx512 or avx512-bf16 (default: the widest the host executes)")
      ->type_name("NAME");
  addFlagValue(command, "--cuda-variant", flags.cudaVariant,
               "cuda targets: sm_90a, sm_80, ..., or portable under cuda-emu (default: the best that the device runs)")
      ->type_name("NAME");
  addSwitch(command, "--no-host-code", flags.noHostCode, "refuse plans whose kernels are host code");
  flags.cudaGraphsOption =
      addFlagValue(command, "--cuda-graphs", flags.cudaGraphs,
                   "cuda targets: capture steps of up to 256 tokens and replay them (default: on; the same bits)")
          ->check(CLI::IsMember({"on", "off"}))
          ->type_name("on|off");
  flags.cudaSyncOption = addSwitch(command, "--cuda-sync", flags.cudaSync, "cuda targets: wait after each launch");
  addCompileFlags(command, flags.compile);
}

std::string modelFolder(const EngineFlags &flags) {
  const InputKind kind = inputKind(flags.model);
  if (kind == InputKind::modelFolder) return flags.model;
  if (kind == InputKind::configFile) {
    const size_t slash = flags.model.rfind('/');
    return slash == std::string::npos ? "." : flags.model.substr(0, slash);
  }
  return flags.weights.starts_with("random") ? "" : flags.weights;
}

bool isReference(const EngineFlags &flags) { return flags.compile.targets == std::vector<std::string>{"reference"}; }

namespace {

/// The flag, or the folder that the model itself is in.
Expected<WeightsChoice> chooseWeights(const EngineFlags &flags) {
  if (!flags.weights.empty()) return parseWeights(flags.weights);
  WeightsChoice choice;
  if (inputKind(flags.model) == InputKind::plan || inputKind(flags.model) == InputKind::modelText)
    return Status(kUsage, "--weights is missing, and the model has no folder of its own",
                  "give --weights with the checkpoint's folder, or --weights random");
  choice.folder = modelFolder(flags);
  return choice;
}

/// Flags of the runtime that the target has no use for.
Status checkTargetFlags(const EngineFlags &flags, const std::string &target) {
  if (!target.starts_with("cuda"))
    for (const auto &[name, option] :
         {std::pair("--cuda-graphs", flags.cudaGraphsOption), std::pair("--cuda-sync", flags.cudaSyncOption)})
      if (!option->empty())
        return Status(kUsage, cat(name, ": has a meaning on cuda targets only, the target is ", target),
                      cat("leave ", name, " out"));
  const std::tuple<const char *, const std::string &, bool> variants[] = {
      {"--cpu-variant", flags.cpuVariant, target == "cpu"},
      {"--cuda-variant", flags.cudaVariant, target.starts_with("cuda")}};
  for (const auto &[name, given, fits] : variants)
    if (!given.empty() && !fits)
      return Status(kUsage, cat(name, ": found ", given, ", and target ", target, " has no such variants"),
                    cat("leave ", name, " out"));
  return {};
}

/// What would fail after the compilation, before it.
Status checkBeforeCompiling(const EngineFlags &flags, const CompileOptions &options, const WeightsChoice &weights) {
  MMC_RETURN_IF_ERROR(checkCompileOptions(options));
  const std::string family = familyOf(options.target);
  if (flags.noHostCode && family != "cuda")
    return Status(runtime::kHostCodeRefused, cat("the kernels of target ", family, " are host code"),
                  "leave --no-host-code out");
  if (family == "cpu") {
    std::vector<std::string> variants = options.cpuVariants;
    if (variants.empty()) variants.assign(runtime::knownVariants().begin(), runtime::knownVariants().end());
    MMC_RETURN_IF_ERROR(runtime::chooseVariant(variants, flags.cpuVariant).status());
  }
  if (weights.random) return {};
  const Status found = runtime::Checkpoint::open(weights.folder).status();
  if (found.ok() || !flags.weights.empty()) return found;
  return found.identifier() != Status(runtime::kNoCheckpoint, "").identifier()
             ? found
             : Status(runtime::kNoCheckpoint, found.message(),
                      "give --weights with the checkpoint's folder, or --weights random");
}

Status openReference(const EngineFlags &flags, OpenedEngine &opened) {
  if (inputKind(flags.model) == InputKind::plan)
    return Status(kUsage, "--target reference interprets a model description, and a plan has none left",
                  "give the model's folder, config.json or model.mlir");
  MMC_RETURN_IF_ERROR(checkTargetFlags(flags, "reference"));
  MMC_RETURN_IF_ERROR(checkAgainstInterpreter(flags.compile));
  auto weights = chooseWeights(flags);
  MMC_RETURN_IF_ERROR(weights.status());
  Stopwatch watch;
  auto engine = makeReferenceEngine({flags.model, *weights, flags.compile.dtype, flags.compile.maxModelLen});
  MMC_RETURN_IF_ERROR(engine.status());
  opened.engine = std::move(*engine);
  opened.loadSeconds = watch.seconds();
  return {};
}

Status openPlan(const EngineFlags &flags, ProgressMode progress, OpenedEngine &opened) {
  auto weights = chooseWeights(flags);
  MMC_RETURN_IF_ERROR(weights.status());
  PlanEngineOptions options;
  std::vector<uint8_t> compiled;
  auto image = Expected<runtime::PlanImage>(Status());
  if (inputKind(flags.model) == InputKind::plan) {
    image = runtime::PlanImage::open(flags.model);
    options.path = flags.model;
  } else {
    auto compileFlags = compileOptions(flags.compile);
    MMC_RETURN_IF_ERROR(compileFlags.status());
    MMC_RETURN_IF_ERROR(checkTargetFlags(flags, familyOf(compileFlags->target)));
    MMC_RETURN_IF_ERROR(checkBeforeCompiling(flags, *compileFlags, *weights));
    announceCompilation(flags.model, *compileFlags);
    Stopwatch watch;
    auto bytes = compileModelToMemory(flags.model, *compileFlags);
    MMC_RETURN_IF_ERROR(bytes.status());
    compiled = std::move(*bytes);
    opened.compileSeconds = watch.seconds();
    image = runtime::PlanImage::copy(compiled, flags.model);
    options.bytes = &compiled;
  }
  MMC_RETURN_IF_ERROR(image.status());
  auto report = planReportOf(*image);
  MMC_RETURN_IF_ERROR(report.status());
  opened.plan = std::move(*report);
  if (options.bytes == nullptr) {
    MMC_RETURN_IF_ERROR(checkTargetFlags(flags, opened.plan->tables.target));
    MMC_RETURN_IF_ERROR(checkAgainstPlan(flags.compile, opened.plan->tables));
  }
  options.weights = *weights;
  options.cpuVariant = flags.cpuVariant;
  options.cudaVariant = flags.cudaVariant;
  options.noHostCode = flags.noHostCode;
  options.cudaSync = flags.cudaSync;
  options.cudaGraphs = flags.cudaGraphs == "on";
  options.threads = flags.threads;
  options.progress = progress;
  Stopwatch watch;
  auto engine = makePlanEngine(options);
  MMC_RETURN_IF_ERROR(engine.status());
  opened.engine = std::move(*engine);
  opened.loadSeconds = watch.seconds();
  CompileStep step{
      "load",
      cat("weights of ", formatBytes(opened.plan->tables.weightsBytes()), ", variant ", opened.engine->info().variant),
      opened.loadSeconds};
  ladderPrinter()(step);
  return {};
}

} // namespace

Expected<OpenedEngine> openEngine(const EngineFlags &flags, ProgressMode progress) {
  OpenedEngine opened;
  if (inputKind(flags.model) == InputKind::safetensors)
    return Status(kUsage, cat(flags.model, ": is a weights file, expected a plan or a model folder"),
                  "give the folder that it lies in");
  MMC_RETURN_IF_ERROR(isReference(flags) ? openReference(flags, opened) : openPlan(flags, progress, opened));
  return opened;
}

} // namespace mmc::driver
