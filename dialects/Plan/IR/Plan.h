// The plan dialect's C++ classes: include this to use plan ops and attributes.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Plan/IR/PlanDialect.h.inc"
#include "dialects/Plan/IR/PlanEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Plan/IR/PlanAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/Plan/IR/PlanOps.h.inc"

namespace mmc::planir {
void registerPlanDialect(mlir::DialectRegistry &registry);
} // namespace mmc::plan
