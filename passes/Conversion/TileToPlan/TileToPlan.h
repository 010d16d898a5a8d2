// From a program of tile launches to a plan: bindings, buffers with offsets, pools, entry points, branches.
#pragma once

#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <memory>
#include <string>

namespace mlir {
class ModuleOp;
class Pass;
} // namespace mlir

namespace mmc {

struct PlanOptions {
  std::string target = "cpu";    // cpu | cuda | cuda-emu
  std::string dtype = "float32"; // float32 | bfloat16
  uint64_t maxModelLen = 32768;  // tokens
  uint32_t maxNumSeqs = 16;
  uint32_t maxNumBatchedTokens = 4096;
  uint32_t recurrenceBlock = 64; // tokens
  uint32_t pageTokens = 64;
  uint64_t parametersTotal = 0;
  uint64_t parametersActive = 0;

  /// The executable's symbol in the plan.
  llvm::StringRef executable() const { return target == "cpu" ? "cpu" : "cuda"; }
};

/// Replaces the model.program of `module` (functions of tile.launch only) by a plan.module. On failure a diagnostic was
/// emitted.
mlir::LogicalResult convertTileToPlan(mlir::ModuleOp module, const PlanOptions &options);

/// Gives launches of the module's plans that may run at the same time branches of their own: see BranchLaunches.cpp.
std::unique_ptr<mlir::Pass> createBranchLaunchesPass();

/// Register mmc-tile-to-plan and mmc-branch-launches for pass pipelines in text.
void registerTileToPlanPass();
void registerBranchLaunchesPass();

} // namespace mmc
