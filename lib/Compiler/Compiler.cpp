#include "lib/Compiler/Compiler.h"

#include "lib/Compiler/Errors.h"
#include "lib/Compiler/Ladder.h"
#include "runtime/src/FileIO.h"
#include "runtime/src/PlanFile.h"

#include <cstdio>

namespace mmc {

using runtime::Status;

/// Writes text atomically, or to standard output for `-`.
static Status writeText(const std::string &output, const std::string &text) {
  if (output == "-") {
    bool fine = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return fine ? Status() : Status(compiler::kModelText, "cannot write to standard output", "check the pipe");
  }
  std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t *>(text.data()), text.size());
  auto file = runtime::OutputFile::create(output);
  if (!file.ok()) return file.status();
  MMC_RETURN_IF_ERROR(file->write(bytes));
  return file->commit();
}

static Status checkOptions(const CompileOptions &options) {
  auto refuse = [](const std::string &what) { return Status(compiler::kOption, what); };
  if (options.target != "cpu") return Status(compiler::kUnknownTarget, "unknown target '" + options.target + "'");
  if (options.dtype != "float32" && options.dtype != "bfloat16")
    return refuse("--dtype expected float32 or bfloat16, got '" + options.dtype + "'");
  if (options.maxNumSeqs < 1 || options.maxNumSeqs > 4096)
    return refuse("--max-num-seqs expected 1 to 4096, got " + std::to_string(options.maxNumSeqs));
  if (options.maxNumBatchedTokens < options.maxNumSeqs || options.maxNumBatchedTokens > 65536)
    return refuse("--max-num-batched-tokens expected --max-num-seqs to 65536, got " +
                  std::to_string(options.maxNumBatchedTokens));
  uint32_t block = options.recurrenceBlock;
  if (block != 32 && block != 64 && block != 128 && block != 256)
    return refuse("--recurrence-block expected 32, 64, 128 or 256, got " + std::to_string(block));
  if (options.maxModelLen > (uint64_t(1) << 31) - 1)
    return refuse("--max-model-len expected less than 2G, got " + std::to_string(options.maxModelLen));
  if (!options.emit.empty() && options.emit != "llvm")
    return Status(compiler::kUnknownTarget, "--emit=" + options.emit + " needs another target",
                  "--emit=llvm works for the cpu target");
  if (const std::string &level = options.stopAfter;
      !level.empty() && level != "model" && level != "tile" && level != "plan")
    return refuse("--stop-after expected model, tile or plan, got '" + level + "'");
  return {};
}

/// Takes the model down as far as the options say; with stopAfter, `text` is that level's text.
static Status descend(Ladder &ladder, const std::string &input, const CompileOptions &options, std::string &text) {
  MMC_RETURN_IF_ERROR(checkOptions(options));
  MMC_RETURN_IF_ERROR(ladder.readModel(input));
  if (options.stopAfter == "model") return text = ladder.text(), Status();
  MMC_RETURN_IF_ERROR(ladder.lowerToTile());
  if (options.stopAfter == "tile") return text = ladder.text(), Status();
  MMC_RETURN_IF_ERROR(ladder.lowerToPlan());
  if (options.stopAfter == "plan") return text = ladder.text(), Status();
  return ladder.translate();
}

static std::vector<runtime::SegmentInput> segmentInputs(const PlanSegments &segments) {
  std::span<const uint8_t> text(reinterpret_cast<const uint8_t *>(segments.text.data()), segments.text.size());
  return {{runtime::SegmentKind::metadata, segments.metadata},
          {runtime::SegmentKind::constants, segments.constants},
          {runtime::SegmentKind::hostObject, segments.object},
          {runtime::SegmentKind::text, text, runtime::kSegmentOptional}};
}

Status importModel(const std::string &input, const std::string &output) {
  CompileOptions options;
  options.stopAfter = "model";
  Ladder ladder(options);
  MMC_RETURN_IF_ERROR(ladder.readModel(input));
  return writeText(output, ladder.text());
}

Status compileModel(const std::string &input, const std::string &output, const CompileOptions &options) {
  Ladder ladder(options);
  std::string text;
  MMC_RETURN_IF_ERROR(descend(ladder, input, options, text));
  if (!options.stopAfter.empty()) return writeText(output, text);
  if (!options.emit.empty()) return Status();
  return runtime::writePlanFile(output, segmentInputs(ladder.segments()));
}

runtime::Expected<std::vector<uint8_t>> compileModelToMemory(const std::string &input, const CompileOptions &options) {
  Ladder ladder(options);
  std::string text;
  if (Status status = descend(ladder, input, options, text); !status.ok()) return status;
  return runtime::buildPlanFile(segmentInputs(ladder.segments()));
}

} // namespace mmc
