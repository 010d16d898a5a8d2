// The flags of `mmc compile`, which `mmc run` and `mmc bench` take too when they are given a model instead of a plan.
#pragma once

#include "lib/Compiler/Compiler.h"
#include "lib/Driver/Command.h"

namespace mmc::driver {

struct CompileFlags {
  std::vector<std::string> targets = {"cpu"};
  std::string dtype; // empty: the target's own
  std::string quantization = "none", cacheFolder;
  uint32_t devices = 1, tensorParallel = 1, expertParallel = 1, expertTensorParallel = 1, sequenceParallel = 1,
           rankShapes = 1;
  uint64_t maxModelLen = 0;
  uint32_t maxNumSeqs = CompileOptions().maxNumSeqs, maxNumBatchedTokens = CompileOptions().maxNumBatchedTokens;
  uint32_t recurrenceBlock = CompileOptions().recurrenceBlock;
  std::vector<std::string> variants, disabledPasses, printIrAfter;
};

/// Declares the flags that shape a plan.
void addCompileFlags(CLI::App *command, CompileFlags &flags);

/// The compiler's options; a failure names what this build cannot do.
Expected<CompileOptions> compileOptions(const CompileFlags &flags);

/// What an input of run, bench and inspect is, told by its name and, for a folder, by its kind.
enum class InputKind { modelFolder, configFile, modelText, safetensors, plan };
InputKind inputKind(const std::string &path);

/// One line per step of the ladder on standard error, with its time.
std::function<void(const CompileStep &)> ladderPrinter();

} // namespace mmc::driver
