// The declarations and registration of the passes from dispatches to tile kernels (see Passes.td).
#pragma once

#include "dialects/Model/IR/Model.h"
#include "dialects/Tile/IR/Tile.h"
#include "mlir/Pass/Pass.h"

namespace mmc {
#define GEN_PASS_DECL
#include "passes/Conversion/ModelToTile/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Conversion/ModelToTile/Passes.h.inc"
} // namespace mmc
