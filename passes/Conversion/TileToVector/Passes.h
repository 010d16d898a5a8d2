// Creates the passes of the CPU path below the tile dialect; Passes.td describes them.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace mmc::cpu {

#define GEN_PASS_DECL
#include "passes/Conversion/TileToVector/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Conversion/TileToVector/Passes.h.inc"

/// Attribute of a lowered function: bytes of scratch memory that a call needs (i64).
inline constexpr llvm::StringLiteral kScratchBytesAttr = "mmc.scratch_bytes";

} // namespace mmc::cpu
