// The tile dialect's C++ classes: include this to use tile ops, types and attributes.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Tile/IR/TileDialect.h.inc"
#include "dialects/Tile/IR/TileEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Tile/IR/TileAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/IR/TileTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Tile/IR/TileOps.h.inc"

namespace mmc::tile {

/// Makes the dialect available to the contexts of `registry`; loading it loads arith, math and scf.
void registerTileDialect(mlir::DialectRegistry &registry);

/// Names of the attributes of kernel arguments.
inline constexpr llvm::StringLiteral kAccessAttr = "tile.access", kWorkAttr = "tile.work", kStepAttr = "tile.step";

/// Whether argument `index` of `kernel` comes from the step record (a field or a work list) rather than from a launch's
/// operands and results.
bool isStepArgument(KernelOp kernel, unsigned index);

} // namespace mmc::tile
