// Creates the passes of the CUDA path below the tile dialect; Passes.td describes them.
#pragma once

#include "dialects/Hopper/IR/Hopper.h"

#include "mlir/Pass/Pass.h"

namespace mmc::cuda {

#define GEN_PASS_DECL
#include "passes/Conversion/TileToHopper/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Conversion/TileToHopper/Passes.h.inc"

} // namespace mmc::cuda
