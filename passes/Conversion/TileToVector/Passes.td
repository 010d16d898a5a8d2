// Passes of the CPU path below the tile dialect.
#ifndef MMC_TILE_TO_VECTOR_PASSES
#define MMC_TILE_TO_VECTOR_PASSES

include "mlir/Pass/PassBase.td"

def LowerTileToVector : Pass<"mmc-lower-tile-to-vector", "::mlir::ModuleOp"> {
  let summary = "Lower tile kernels to functions over vectors and pointers for one CPU variant";
  let description = [{
    Each tile.kernel becomes a function NAME__VARIANT(args, begin, end, scratch) of scf, arith, math, vector and LLVM
    pointers, and is erased. Tile values are evaluated on demand, one register-wide vector at a time; what must lie in
    memory gets a place in the scratch buffer, whose size is the function's attribute `mmc.scratch_bytes`. Products
    become register tiles: loops over k whose loop values are vector accumulators.

    * (C1) of the work domain only the first dimension may have a run-time extent;
    * (C2) tiles have rank 1 to 3;
    * (C3) views in panels are read by products only, with n a multiple of 16, padded to 64, k = 1 for f32 and k = 2 for
      bf16, from a row that is a multiple of 64;
    * (C4) tiles of bf16 are loaded, stored, widened, narrowed, selected and multiplied as operands of products; other
      arithmetic is in f32.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
  let options = [
    Option<"variant", "variant", "std::string", "\"x86-64-v3\"",
           "Variant to lower for: x86-64-v3, avx512 or avx512-bf16">,
    Option<"emulateAvx512", "emulate-avx512", "bool", "false",
           "Give 16-lane variants the target features of x86-64-v3 and write bf16 dot products out">
  ];
}

def ExpandVectorMath : Pass<"mmc-expand-vector-math"> {
  let summary = "Replace math functions on f32 by polynomials, so that no call is left";
  let description = [{
    exp, log, tanh, sin, cos, erf and their like by the approximations of the math dialect: exp within about an ulp and
    exact at NaN, the infinities and zero, sin and cos within 1e-6 on [-pi, pi]. The result has no call into a
    mathematics library.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif
