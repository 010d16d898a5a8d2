// Passes of the CUDA path below the tile dialect.
#ifndef MMC_TILE_TO_HOPPER_PASSES
#define MMC_TILE_TO_HOPPER_PASSES

include "mlir/Pass/PassBase.td"

def RoundDotOperands : Pass<"mmc-round-dot-operands", "::mlir::ModuleOp"> {
  let summary = "Give tile products operands of bf16, which tensor cores multiply";
  let description = [{
    Each operand of a float32 tile.dot gets its rounding point: widened bf16 values are used as they are, others are
    truncated. Products with one row, or of one column with one row (k = 1), are left in float32: they are computed
    without tensor cores.

    Before and after:
    ```
    %p = tile.dot %s, %v : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>

    %a = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xbf16>
    %p = tile.dot %a, %b : tensor<64x64xbf16>, tensor<64x32xbf16> -> tensor<64x32xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ExpandThinDots : Pass<"mmc-expand-thin-dots", "::mlir::ModuleOp"> {
  let summary = "Write products with one row, and outer products, as elementwise products and sums";
  let description = [{
    A tile.dot of one row becomes a product with the broadcast row and a sum along k, one of k = 1 a product of two
    broadcast vectors; operands of bf16 are widened. Where the second operand is a load of more elements than a block's
    registers hold, and the row can be computed piece by piece too, a loop takes k in pieces and sums them element by
    element first.

    Before and after:
    ```
    %y = tile.dot %q, %s : tensor<1x64xf32>, tensor<64x32xf32> -> tensor<1x32xf32>

    %v = tile.reshape %q : tensor<1x64xf32> -> tensor<64xf32>
    %w = tile.broadcast %v to [0] : tensor<64xf32> -> tensor<64x32xf32>
    %t = arith.mulf %w, %s : tensor<64x32xf32>
    %u = tile.reduce add %t along 0 : tensor<64x32xf32> -> tensor<32xf32>
    %y = tile.reshape %u : tensor<32xf32> -> tensor<1x32xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def ChooseFamily : Pass<"mmc-choose-family", "::mlir::ModuleOp"> {
  let summary = "Say which family of instructions a kernel's products are made of";
  let description = [{
    For sm_90a, kernels with a product of 64 rows or more get the attribute `hopper.family = "wgmma"`; kernels whose
    names match one of `portable`, and those for other variants, get none. Without it the conversion takes the portable
    family, with the same answers but for the order of sums.

    Before and after:
    ```
    tile.kernel @linear(...) domain(...) { ... }

    tile.kernel @linear(...) domain(...) attributes {hopper.family = "wgmma"} { ... }
    ```
  }];
  let options = [
    Option<"variant", "variant", "std::string", "\"portable\"", "sm_90a, or another variant of a plan">,
    ListOption<"portable", "portable", "std::string", "names of kernels that stay portable, with * for any characters">
  ];
  let dependentDialects = ["::mmc::hopper::HopperDialect"];
}

def ConvertTileToHopper : Pass<"mmc-convert-tile-to-hopper", "::mlir::ModuleOp"> {
  let summary = "Convert tile kernels to hopper kernels of their family";
  let description = [{
    A point of the work domain is taken by one block. Products get accumulators over the block's warps, their operands
    shared tiles filled by asynchronous copies, or registers; what is computed elementwise from accumulators or their
    row reductions stays in their layout; everything else is spread over the threads. A loop over rows without loop
    values, which has all of the kernel's stores, to views that the kernel does not read, is dealt out over the grid's
    second dimension.

    In the wgmma family products that fit are made by warpgroups: plain writes to their operands are fenced in front of
    barriers, and where k is streamed one product runs on while the next piece is waited for.

    Before and after:
    ```
    %x = tile.load %v[%r, %c0] along [1] : !tile.view<?x64xf32> -> tensor<64xf32>
    %y = arith.negf %x : tensor<64xf32>

    %x = hopper.load %v[%r, %c0] along [1] : !tile.view<?x64xf32> -> !hopper.fragment<64xf32, #hopper.spread<2>>
    %y = hopper.map(%x) : (...) -> !hopper.fragment<64xf32, #hopper.spread<2>> {
    ^bb0(%a: f32):
      %b = arith.negf %a : f32
      hopper.yield %b : f32
    }
    ```

    * (C1) products have bf16 operands;
    * (C2) tiles have rank 1 to 3, and there is no tile.transpose;
    * (C3) weights are strided views.
  }];
  let dependentDialects = ["::mmc::hopper::HopperDialect"];
}

#endif
