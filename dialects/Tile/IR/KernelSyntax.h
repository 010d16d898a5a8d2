// The head of a kernel in text, shared by the dialects that have kernels: `@name(%x: type {attributes}, ...) domain(%p
// in #tile.extent<...>, ...)`.
#pragma once

#include "mlir/IR/OpImplementation.h"

namespace mmc::tile {

/// Parses a head. Appends the symbol name, function type, domain and argument attributes to `result` under the given
/// attribute names; the arguments and points of the entry block go to `entry`.
mlir::ParseResult parseKernelHead(mlir::OpAsmParser &parser, mlir::OperationState &result,
                                  llvm::SmallVectorImpl<mlir::OpAsmParser::Argument> &entry);

/// Prints a head as parseKernelHead reads it; the first `arguments` values of the entry block are the arguments, the
/// rest points.
void printKernelHead(mlir::OpAsmPrinter &printer, llvm::StringRef name, mlir::Block &entry, unsigned arguments,
                     mlir::ArrayAttr argumentAttributes, mlir::ArrayAttr domain);

/// Names of the attributes that a head makes.
inline constexpr llvm::StringLiteral kKernelHeadAttributes[] = {"sym_name", "function_type", "domain", "arg_attrs"};

} // namespace mmc::tile
