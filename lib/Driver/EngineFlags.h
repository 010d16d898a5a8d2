// The flags of run and bench that say what to run and on what, and how an engine is made of them.
#pragma once

#include "lib/Driver/CompileFlags.h"
#include "lib/Driver/Engine.h"
#include "lib/Driver/PlanReport.h"

namespace mmc::driver {

struct EngineFlags {
  std::string model, weights, cpuVariant, cudaVariant;
  CompileFlags compile;
  uint32_t threads = 0;
  bool noHostCode = false, cudaSync = false;
  std::string cudaGraphs = "on";
  const CLI::Option *cudaGraphsOption = nullptr, *cudaSyncOption = nullptr; // whether they were given
};

void addEngineFlags(CLI::App *command, EngineFlags &flags);

/// Whether the model is interpreted instead of compiled.
bool isReference(const EngineFlags &flags);

struct OpenedEngine {
  std::unique_ptr<Engine> engine;
  std::optional<PlanReport> plan; // absent for the reference interpreter
  double compileSeconds = 0, loadSeconds = 0;
};

/// Imports and compiles where the model is not a plan, printing each step of the ladder on standard error; then loads.
Expected<OpenedEngine> openEngine(const EngineFlags &flags, ProgressMode progress);

/// The folder with the model's own files (config.json, tokenizer.json): of the model, else of the weights; empty where
/// there is none.
std::string modelFolder(const EngineFlags &flags);

} // namespace mmc::driver
