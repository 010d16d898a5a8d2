// Declares and checks the flags that shape a plan.
#include "lib/Driver/CompileFlags.h"

#include <sys/stat.h>

namespace mmc::driver {

namespace {

std::string textOf(const std::string &value) { return value; }
std::string textOf(const std::vector<std::string> &values) { return flagText(values); }
template <typename T> std::string textOf(const T &value) { return std::to_string(value); }

/// Declares flags and keeps a record of each.
struct Declarer {
  CLI::App *command;
  CompileFlags &flags;

  template <typename T>
  CLI::Option *value(const char *names, T &value, const char *type, const char *description) const {
    CLI::Option *option = addFlagValue(command, names, value, description)->type_name(type);
    if constexpr (std::is_same_v<T, std::vector<std::string>>) option->delimiter(',');
    return record(option, names, value);
  }
  template <typename T>
  void count(const char *names, T &value, const char *description, uint64_t least = 1, uint64_t most = 65536) const {
    record(addCount(command, names, value, description, least, most), names, value);
  }

private:
  template <typename T> CLI::Option *record(CLI::Option *option, std::string name, const T &value) const {
    name = name.substr(name.find("--"));
    flags.declared.push_back({option, name.substr(0, name.find(',')), [&value] { return textOf(value); }});
    return option;
  }
};

} // namespace

void addCompileFlags(CLI::App *command, CompileFlags &flags) {
  const Declarer add{command, flags};
  add.value("--target", flags.targets, "TARGET",
            "where the plan runs; comma-separated where one plan can hold several: cpu, cuda:sm_90a, "
            "cuda:sm_80, cuda-emu:portable, cuda-emu:sm_90a");
  add.value("--dtype", flags.dtype, "TYPE",
            "type of activations and products: float32, bfloat16 (default: float32 on cpu, bfloat16 on CUDA)")
      ->check(CLI::IsMember({"float32", "bfloat16", "float64"}));
  add.value("-q,--quantization", flags.quantization, "SCHEME", "weights: none");
  add.count("--max-model-len,--ctx-size,-c", flags.maxModelLen,
            "longest sequence, prompt and generated tokens together; K and M allowed (default: the model's own limit, "
            "at most 32K)",
            1, kMostModelLen);
  add.count("--max-num-seqs", flags.maxNumSeqs, "sequences of one step (default: 16)", 1, kMostSeqs);
  add.count("--max-num-batched-tokens", flags.maxNumBatchedTokens,
            "tokens of one step over all sequences (default: 4096)", 1, kMostBatchedTokens);
  add.count("--recurrence-block", flags.recurrenceBlock,
            "tokens per block of linear attention: 32, 64, 128, 256 (default: 64)", 32, 256);
  add.count("--devices", flags.devices, "ranks (default: 1)");
  add.count("--tensor-parallel-size,--tp", flags.tensorParallel, "ranks that share each head and vocabulary dimension");
  add.count("--ep", flags.expertParallel, "ranks that the experts are spread over");
  add.count("--etp", flags.expertTensorParallel, "ranks that share each expert");
  add.count("--sp", flags.sequenceParallel, "ranks that share a long prompt");
  add.count("--rank-shapes", flags.rankShapes,
            "compile one rank's shapes of an N-way tensor-parallel layout, without collectives: for measuring kernels");
  add.value("--cache-dir", flags.cacheFolder, "DIR",
            "cache of kernels compiled for CUDA (default: $MMC_CACHE_DIR, $XDG_CACHE_HOME/mmc or ~/.cache/mmc)");
  add.value("--cpu-variants", flags.variants, "NAME",
            "variants to compile: x86-64-v3, avx512, avx512-bf16 (default: all)");
  add.value("--portable-kernels", flags.portableKernels, "NAME",
            "kernels for sm_90a that stay with mma.sync, with * for any characters");
  add.value("--disable-pass", flags.disabledPasses, "NAME",
            "switch an optional pass off by its name, e.g. FuseMoEDispatch");
  add.value("--print-ir-after", flags.printIrAfter, "NAME",
            "print the IR after a pass, by its name or after all, on standard error");
}

namespace {

Status refuseMoreThanOne(const char *flag, uint32_t value) {
  if (value == 1) return {};
  return Status(kNotSupported, cat(flag, ": found ", value, ", this build compiles for 1 rank"),
                cat("leave ", flag, " out"));
}

} // namespace

Expected<CompileOptions> compileOptions(const CompileFlags &flags) {
  auto target = flags.targets.empty() ? Expected<Target>(Target()) : parseTarget(flags.targets);
  MMC_RETURN_IF_ERROR(target.status());
  if (flags.quantization != "none")
    return Status(kNotSupported, cat("--quantization: found '", flags.quantization, "', this build supports none"),
                  "leave --quantization out");
  if (flags.dtype == "float64")
    return Status(kUsage, "--dtype: found float64, expected float32 or bfloat16",
                  "give --target reference for float64");
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--devices", flags.devices));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--tensor-parallel-size", flags.tensorParallel));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--ep", flags.expertParallel));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--etp", flags.expertTensorParallel));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--sp", flags.sequenceParallel));
  CompileOptions options;
  options.target = *target;
  options.cacheFolder = flags.cacheFolder;
  if (!flags.dtype.empty()) options.dtype = flags.dtype;
  options.maxModelLen = flags.maxModelLen;
  options.maxNumSeqs = flags.maxNumSeqs;
  options.maxNumBatchedTokens = flags.maxNumBatchedTokens;
  options.recurrenceBlock = flags.recurrenceBlock;
  options.rankShapes = flags.rankShapes;
  options.cpuVariants = flags.variants;
  options.portableKernels = flags.portableKernels;
  options.disabledPasses = flags.disabledPasses;
  options.printIrAfter = flags.printIrAfter;
  return options;
}

void announceCompilation(const std::string &model, CompileOptions &options) {
  options.onStep = ladderPrinter();
  options.onRemark = [](const std::string &text) { note(text); };
  // The text of a lower level says itself what it is for.
  const bool known = !options.target.family.empty() || inputKind(model) != InputKind::modelText;
  note(cat("compiling ", model, known ? cat(" for ", targetText(options.target)) : "",
           options.dtype.empty() ? "" : cat(", ", options.dtype)));
}

InputKind inputKind(const std::string &path) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return InputKind::modelFolder;
  if (path.ends_with(".safetensors")) return InputKind::safetensors;
  if (path.ends_with(".json")) return InputKind::configFile;
  if (path.ends_with(".mlir")) return InputKind::modelText;
  return InputKind::plan;
}

std::function<void(const CompileStep &)> ladderPrinter() {
  return [](const CompileStep &step) {
    std::string name = step.name;
    name.resize(std::max<size_t>(name.size(), 8), ' ');
    std::string seconds = formatFixed(step.seconds, 3);
    seconds.insert(0, seconds.size() < 8 ? 8 - seconds.size() : 0, ' ');
    note(cat("  ", name, seconds, " s   ", step.detail));
  };
}

} // namespace mmc::driver
