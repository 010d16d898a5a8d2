// The flags of `mmc compile`, which `mmc run` and `mmc bench` take too when they are given a model instead of a plan.
#pragma once

#include "lib/Compiler/Compiler.h"
#include "lib/Driver/Command.h"
#include "runtime/src/PlanTables.h"

namespace mmc::driver {

/// A flag as it was declared, and its value in the one spelling that plans are compared with.
struct CompileFlag {
  const CLI::Option *option;
  std::string name; // --dtype
  std::function<std::string()> value;
};

struct CompileFlags {
  std::vector<std::string> targets; // none: cpu, or what the text of a lower level was lowered for
  std::string dtype;                // empty: the target's own
  std::string quantization = "none", cacheFolder;
  uint32_t devices = 1, tensorParallel = 1, expertParallel = 1, expertTensorParallel = 1, sequenceParallel = 1,
           rankShapes = 1;
  uint64_t maxModelLen = 0;
  uint32_t maxNumSeqs = 0, maxNumBatchedTokens = 0, recurrenceBlock = 0; // 0: the compiler's own
  std::vector<std::string> variants, portableKernels, disabledPasses, printIrAfter;
  std::vector<CompileFlag> declared;
};

/// Declares the flags that shape a plan. `flags` must stay where it is.
void addCompileFlags(CLI::App *command, CompileFlags &flags);

/// The compiler's options; a failure names what this build cannot do.
Expected<CompileOptions> compileOptions(const CompileFlags &flags);

/// Says on standard error what is being compiled, and lets the compiler say what it has to.
void announceCompilation(const std::string &model, CompileOptions &options);

/// Where a plan is given instead of a model: a flag that was given must agree with what the plan says.
Status checkAgainstPlan(const CompileFlags &flags, const runtime::PlanTables &plan);
/// The same for a model that is interpreted.
Status checkAgainstInterpreter(const CompileFlags &flags);

/// Values of a flag whose order means nothing, in one spelling.
std::string flagText(const std::vector<std::string> &values);

/// What an input of run, bench and inspect is, told by its name and, for a folder, by its kind.
enum class InputKind { modelFolder, configFile, modelText, safetensors, plan };
InputKind inputKind(const std::string &path);

/// One line per step of the ladder on standard error, with its time.
std::function<void(const CompileStep &)> ladderPrinter();

} // namespace mmc::driver
