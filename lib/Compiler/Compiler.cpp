#include "lib/Compiler/Compiler.h"

#include "lib/Compiler/Errors.h"
#include "lib/Compiler/Ladder.h"
#include "lib/Target/CPU/CompileCpu.h"
#include "runtime/src/LoadedPlan.h"
#include "runtime/src/PlanFile.h"

namespace mmc {

using runtime::Status;

/// Options that the target has no use for. Where none was named it is known once the input was read.
static Status checkForTarget(const CompileOptions &options, const Target &target) {
  const bool cuda = target.family != "cpu";
  const std::string name = targetText(target);
  if (cuda && options.dtype == "float32")
    return Status(compiler::kOption, "--dtype float32: kernels for " + name + " compute in bfloat16",
                  "give --dtype bfloat16, or --target cpu");
  if (!options.emit.empty() && options.emit != (cuda ? "cuda" : "llvm"))
    return Status(compiler::kOption, "--emit=" + options.emit + " needs another target than " + name,
                  cuda ? "give --emit=cuda" : "give --emit=llvm, or --target cuda:sm_90a");
  if (cuda && !options.cpuVariants.empty())
    return Status(compiler::kOption, "--cpu-variants: the target is " + name, "leave it out");
  if (!cuda && !options.portableKernels.empty())
    return Status(compiler::kOption, "--portable-kernels: the target is " + name, "leave it out");
  for (const std::string &pattern : options.portableKernels)
    if (pattern.find_first_of("?[]{}\\") != std::string::npos)
      return Status(compiler::kOption, "--portable-kernels: found '" + pattern + "', expected a kernel's name",
                    "give a name, with * for any characters");
  return {};
}

Status checkCompileOptions(const CompileOptions &options) {
  auto refuse = [](const std::string &what) { return Status(compiler::kOption, what); };
  if (!options.dtype.empty() && options.dtype != "float32" && options.dtype != "bfloat16")
    return refuse("--dtype expected float32 or bfloat16, got '" + options.dtype + "'");
  if (options.maxNumSeqs > kMostSeqs)
    return refuse("--max-num-seqs expected 1 to " + std::to_string(kMostSeqs) + ", got " +
                  std::to_string(options.maxNumSeqs));
  if (options.maxNumBatchedTokens && options.maxNumBatchedTokens < options.maxNumSeqs)
    return refuse("--max-num-batched-tokens expected at least --max-num-seqs (" + std::to_string(options.maxNumSeqs) +
                  "), since each sequence of a step has a token, got " + std::to_string(options.maxNumBatchedTokens));
  if (options.maxNumBatchedTokens > kMostBatchedTokens)
    return refuse("--max-num-batched-tokens expected up to " + std::to_string(kMostBatchedTokens) + ", got " +
                  std::to_string(options.maxNumBatchedTokens));
  uint32_t block = options.recurrenceBlock;
  if (block && block != 32 && block != 64 && block != 128 && block != 256)
    return refuse("--recurrence-block expected 32, 64, 128 or 256, got " + std::to_string(block));
  if (options.maxModelLen > kMostModelLen)
    return refuse("--max-model-len expected up to " + std::to_string(kMostModelLen) + ", got " +
                  std::to_string(options.maxModelLen));
  if (!options.target.family.empty()) MMC_RETURN_IF_ERROR(checkForTarget(options, options.target));
  if (const std::string &level = options.stopAfter;
      !level.empty() && level != "model" && level != "tile" && level != "plan")
    return refuse("--stop-after expected model, tile or plan, got '" + level + "'");
  for (const std::string &name : options.cpuVariants)
    if (!cpu::parseVariant(name))
      return refuse("--cpu-variants: found '" + name + "', expected x86-64-v3, avx512 or avx512-bf16");
  return checkPassNames(options);
}

/// Takes the model down as far as the options say; with stopAfter, `text` is that level's text.
static Status descend(Ladder &ladder, const std::string &input, const CompileOptions &options, std::string &text) {
  MMC_RETURN_IF_ERROR(checkCompileOptions(options));
  MMC_RETURN_IF_ERROR(ladder.read(input));
  MMC_RETURN_IF_ERROR(checkForTarget(options, ladder.getTarget()));
  if (options.stopAfter == "model" && ladder.level() > Level::model)
    return Status(compiler::kOption, "--stop-after=model: " + input + " is at a lower level already");
  if (options.stopAfter == "tile" && ladder.level() > Level::tile)
    return Status(compiler::kOption, "--stop-after=tile: " + input + " is at a lower level already");
  if (!options.printIrAfter.empty() && ladder.level() > Level::model)
    return Status(compiler::kOption, "--print-ir-after: the passes have run on the way to " + input,
                  "leave the flag out, or start from the model");
  if (options.stopAfter == "model") return text = ladder.text(), Status();
  if (ladder.level() == Level::model) MMC_RETURN_IF_ERROR(ladder.lowerToTile());
  if (options.stopAfter == "tile") return text = ladder.text(), Status();
  if (ladder.level() == Level::tile) MMC_RETURN_IF_ERROR(ladder.lowerToPlan());
  if (options.stopAfter == "plan") return text = ladder.text(), Status();
  return ladder.translate();
}

static std::vector<runtime::SegmentInput> segmentInputs(const PlanSegments &segments) {
  std::span<const uint8_t> text(reinterpret_cast<const uint8_t *>(segments.text.data()), segments.text.size());
  return {{runtime::SegmentKind::metadata, segments.metadata},
          {runtime::SegmentKind::constants, segments.constants},
          segments.images.empty() ? runtime::SegmentInput{runtime::SegmentKind::hostObject, segments.object}
                                  : runtime::SegmentInput{runtime::SegmentKind::deviceImages, segments.images},
          {runtime::SegmentKind::text, text, runtime::kSegmentOptional}};
}

/// The plan file's bytes, held against everything that the runtime will check: what it would refuse never gets a name.
static runtime::Expected<std::vector<uint8_t>> buildPlan(const PlanSegments &segments) {
  auto bytes = runtime::buildPlanFile(segmentInputs(segments));
  MMC_RETURN_IF_ERROR(bytes.status());
  auto image = runtime::PlanImage::copy(*bytes);
  const Status status = image.ok() ? runtime::verifyPlan(*image).status() : image.status();
  if (!status.ok()) return Status(compiler::kInvalidPlan, "the plan that was made is not valid: " + status.text());
  return bytes;
}

runtime::Expected<std::string> importModel(const std::string &input) {
  CompileOptions options;
  options.stopAfter = "model";
  Ladder ladder(options);
  MMC_RETURN_IF_ERROR(ladder.read(input));
  return ladder.text();
}

runtime::Expected<std::vector<uint8_t>> compileModelToMemory(const std::string &input, const CompileOptions &options) {
  Ladder ladder(options);
  std::string text;
  MMC_RETURN_IF_ERROR(descend(ladder, input, options, text));
  if (!options.stopAfter.empty()) return std::vector<uint8_t>(text.begin(), text.end());
  if (!options.emit.empty()) return std::vector<uint8_t>();
  return buildPlan(ladder.segments());
}

} // namespace mmc
