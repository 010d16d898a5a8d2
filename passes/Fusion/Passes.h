// The fusion passes' declarations and registration (see Passes.td).
#pragma once

#include "dialects/Model/IR/Model.h"
#include "mlir/Pass/Pass.h"

namespace mmc {
#define GEN_PASS_DECL
#include "passes/Fusion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Fusion/Passes.h.inc"
} // namespace mmc
