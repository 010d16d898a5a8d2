// The model dialect's C++ classes: include this to use model ops, types and attributes.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Model/IR/ModelDialect.h.inc"
#include "dialects/Model/IR/ModelEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Model/IR/ModelAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Model/IR/ModelTypes.h.inc"

namespace mmc::model {

/// The row space of a row tensor type, or nothing for any other type. A row tensor is ranked, has a dynamic dimension
/// 0, static other dimensions and a #model.rows encoding.
std::optional<RowSpace> getRowSpace(mlir::Type type);
bool isFloatRows(mlir::Type type);      ///< row tensor of floats
bool isIntRows(mlir::Type type);        ///< row tensor of i32
bool isParameter(mlir::Type type);      ///< static tensor of floats, no encoding
bool isOffsets(mlir::Type type);        ///< static rank-1 tensor of i32, no encoding
bool isRecurrentState(mlir::Type type); ///< static float tensor with #model.state
bool isCache(mlir::Type type);          ///< float tensor with #model.kv
bool isAnyState(mlir::Type type);       ///< one of the two above

/// tensor<? x channels x element, #model.rows<space>>.
mlir::RankedTensorType getRowType(RowSpace space, llvm::ArrayRef<int64_t> channels, mlir::Type element);

/// The dimensions of a row tensor after the row space.
inline llvm::ArrayRef<int64_t> getChannels(mlir::RankedTensorType type) { return type.getShape().drop_front(); }

/// Registers the model dialect and the upstream dialects that its programs use.
void registerModelDialect(mlir::DialectRegistry &registry);

} // namespace mmc::model

#define GET_OP_CLASSES
#include "dialects/Model/IR/ModelOps.h.inc"
