// A model description as MLIR: parsed from text, or imported. For the commands that look inside.
#pragma once

#include "lib/Driver/Errors.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>

namespace mmc::model {
class ProgramOp;
}

namespace mmc::driver {

/// A context with the module in it, freed together.
class ModelModule {
public:
  /// HF_DIR, config.json or model.mlir; the module has exactly one model.program. Diagnostics become the message.
  static Expected<std::unique_ptr<ModelModule>> read(const std::string &input);
  model::ProgramOp program();
  mlir::ModuleOp module() { return *owned; }
  /// Runs DecomposeExperts and AssignPrecision for `dtype`.
  Status assignPrecision(const std::string &dtype);

private:
  ModelModule();
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> owned;
};

} // namespace mmc::driver
