// Declares and checks the flags that shape a plan.
#include "lib/Driver/CompileFlags.h"

#include <sys/stat.h>

namespace mmc::driver {

void addCompileFlags(CLI::App *command, CompileFlags &flags) {
  addFlagValue(command, "--target", flags.targets, "where the plan runs; comma-separated: cpu")
      ->delimiter(',')
      ->type_name("TARGET");
  addFlagValue(command, "--dtype", flags.dtype,
               "type of activations and products: float32, bfloat16 (default: float32)")
      ->check(CLI::IsMember({"float32", "bfloat16", "float64"}))
      ->type_name("TYPE");
  addFlagValue(command, "-q,--quantization", flags.quantization, "weights: none")->type_name("SCHEME");
  addCount(command, "--max-model-len,--ctx-size,-c", flags.maxModelLen,
           "longest sequence, prompt and generated tokens together; K and M allowed (default: the model's own limit, "
           "at most 32K)",
           1);
  addCount(command, "--max-num-seqs", flags.maxNumSeqs, "sequences of one step (default: 16)", 1, 65536);
  addCount(command, "--max-num-batched-tokens", flags.maxNumBatchedTokens,
           "tokens of one step over all sequences (default: 4096)", 1, 1048576);
  addCount(command, "--recurrence-block", flags.recurrenceBlock,
           "tokens per block of linear attention: 32, 64, 128, 256 (default: 64)", 32, 256);
  addCount(command, "--devices", flags.devices, "ranks (default: 1)", 1, 65536);
  addCount(command, "--tensor-parallel-size,--tp", flags.tensorParallel,
           "ranks that share each head and vocabulary dimension", 1, 65536);
  addCount(command, "--ep", flags.expertParallel, "ranks that the experts are spread over", 1, 65536);
  addCount(command, "--etp", flags.expertTensorParallel, "ranks that share each expert", 1, 65536);
  addCount(command, "--sp", flags.sequenceParallel, "ranks that share a long prompt", 1, 65536);
  addCount(command, "--rank-shapes", flags.rankShapes,
           "compile one rank's slice of an N-way layout, without collectives", 1, 65536);
  addFlagValue(command, "--cache-dir", flags.cacheFolder,
               "cache of compiled kernels; the cpu target compiles without one")
      ->type_name("DIR");
  addFlagValue(command, "--cpu-variants", flags.variants,
               "variants to compile: x86-64-v3, avx512, avx512-bf16 (default: all)")
      ->delimiter(',')
      ->type_name("NAME");
  addFlagValue(command, "--disable-pass", flags.disabledPasses,
               "switch an optional pass off by its name, e.g. FuseMoEDispatch")
      ->delimiter(',')
      ->type_name("NAME");
  addFlagValue(command, "--print-ir-after", flags.printIrAfter,
               "print the IR after a pass, by its name, on standard error")
      ->delimiter(',')
      ->type_name("NAME");
}

namespace {

Status refuseMoreThanOne(const char *flag, uint32_t value) {
  if (value == 1) return {};
  return Status(kNotSupported, cat(flag, ": found ", value, ", this build compiles for 1 rank"),
                cat("leave ", flag, " out"));
}

} // namespace

Expected<CompileOptions> compileOptions(const CompileFlags &flags) {
  if (flags.targets.size() != 1 || flags.targets[0] != "cpu")
    return Status(kNotSupported,
                  cat("--target: found '", CLI::detail::join(flags.targets, ","), "', this build compiles for cpu"),
                  "give --target cpu");
  if (flags.quantization != "none")
    return Status(kNotSupported, cat("--quantization: found '", flags.quantization, "', this build supports none"),
                  "leave --quantization out");
  if (flags.dtype == "float64")
    return Status(kUsage, "--dtype: found float64, expected float32 or bfloat16 on the cpu target",
                  "give --target reference for float64");
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--devices", flags.devices));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--tensor-parallel-size", flags.tensorParallel));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--ep", flags.expertParallel));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--etp", flags.expertTensorParallel));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--sp", flags.sequenceParallel));
  MMC_RETURN_IF_ERROR(refuseMoreThanOne("--rank-shapes", flags.rankShapes));
  CompileOptions options;
  options.target = "cpu";
  if (!flags.dtype.empty()) options.dtype = flags.dtype;
  options.maxModelLen = flags.maxModelLen;
  options.maxNumSeqs = flags.maxNumSeqs;
  options.maxNumBatchedTokens = flags.maxNumBatchedTokens;
  options.recurrenceBlock = flags.recurrenceBlock;
  options.cpuVariants = flags.variants;
  options.disabledPasses = flags.disabledPasses;
  options.printIrAfter = flags.printIrAfter;
  return options;
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
