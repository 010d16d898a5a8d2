// The hopper dialect's C++ classes: include this to use hopper ops, types and attributes.
#pragma once

#include "dialects/Tile/IR/Tile.h"

#include "dialects/Hopper/IR/HopperDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Hopper/IR/HopperAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Hopper/IR/HopperTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Hopper/IR/HopperOps.h.inc"

namespace mmc::hopper {

/// Makes the dialect available to the contexts of `registry`; loading it loads tile, arith, math and scf.
void registerHopperDialect(mlir::DialectRegistry &registry);

/// What one block may have of shared memory, in bytes (sm_90; smaller devices are checked when a kernel is compiled for
/// them).
inline constexpr int64_t kSharedLimit = 232448;

/// On a tile.kernel: the family of instructions that its products are to be made of where they fit; `wgmma`, or the
/// portable family where there is none. Leaving it out changes no answer but for the order of sums.
inline constexpr llvm::StringLiteral kFamilyAttr = "hopper.family";
inline constexpr llvm::StringLiteral kWgmmaFamily = "wgmma";

/// Whether wgmma can make this product: (C5) and (C6) of hopper.wgmma, for operands that hopper.multiply takes.
bool fitsWgmma(FragmentType result, mlir::Type a, SharedType b, bool transposeA, bool transposeB);

/// Elements that a tensor map's box may have along a dimension.
inline constexpr int64_t kBoxLimit = 256;

/// Whether hopper.tensor_copy can bring a tile of the view: its (C5), access aside, and (C6).
bool fitsTensorMap(tile::ViewType view, llvm::ArrayRef<int64_t> along, SharedType shared);

/// Whether an index is certainly a multiple of `factor`: what may be moved `factor` elements at a time.
bool isMultipleOf(mlir::Value index, int64_t factor);

} // namespace mmc::hopper
