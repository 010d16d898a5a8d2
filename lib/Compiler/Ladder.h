// One compilation in progress: the module, and the steps that take it down the ladder. The interface in Compiler.h is
// made of these.
#pragma once

#include "lib/Compiler/Compiler.h"
#include "lib/Target/Plan/PlanWriter.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <chrono>

namespace mmc {

/// Every dialect that a level of the ladder uses.
void registerMmcDialects(mlir::DialectRegistry &registry);

/// Fails where a pass to switch off, or to print after, is none that would run.
runtime::Status checkPassNames(const CompileOptions &options);

/// Of the ladder: what has been decided about the module.
enum class Level { model, tile, plan };

class Ladder {
public:
  explicit Ladder(const CompileOptions &options);

  /// Reads HF_DIR, config.json or a .mlir file of any level.
  runtime::Status read(const std::string &input);
  Level level() const { return reached; }
  /// What was asked for, or else what the input was lowered for, or the cpu.
  const Target &getTarget() const { return target; }
  /// Model to tile launches.
  runtime::Status lowerToTile();
  /// Tile launches to a plan.module.
  runtime::Status lowerToPlan();
  /// Kernels to an object or images, and everything to segments. With options.emit, the kernels' text to files in
  /// options.emitFolder instead.
  runtime::Status translate();

  /// The module's text as it is now.
  std::string text();
  const PlanSegments &segments() const { return planSegments; }

private:
  /// Runs `body` with diagnostics collected; a failure becomes a status of `kind`.
  runtime::Status guarded(const runtime::ErrorKind &kind, const char *what,
                          llvm::function_ref<mlir::LogicalResult()> body);
  void finish(const char *name, std::string detail);
  // Translate.cpp
  runtime::Status translateCpu(planir::ModuleOp plan, mlir::ModuleOp kernels, CompiledKernels &compiled);
  runtime::Status translateCuda(mlir::ModuleOp kernels, CompiledKernels &compiled);
  runtime::Status readModule(const std::string &input);
  /// Facts that lower levels need: off the mathematics, or as a higher level's pass wrote them down.
  runtime::Status noteProgram();
  runtime::Status noteLowered(mlir::DictionaryAttr facts, const char *text);
  mlir::LogicalResult runTilePasses();

  const CompileOptions &options;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  PlanSegments planSegments;
  Level reached = Level::model;
  Target target;
  std::string dtype;
  uint64_t parametersTotal = 0, parametersActive = 0, maxModelLen = 0, recurrenceBlock = 0;
  std::chrono::steady_clock::time_point started;
};

} // namespace mmc
