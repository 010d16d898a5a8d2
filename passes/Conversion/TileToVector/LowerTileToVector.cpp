// LowerTileToVector: each tile.kernel becomes a function of scf, arith, math, vector and LLVM pointers.
//
//   tile.kernel @copy(%x: !tile.view<?x64xf32>, %y: !tile.view<?x64xf32>) domain(%r in #tile.extent<tokens>) {
//     %v = tile.load %x[%r, %c0] along [1] ...
//     tile.store %v, %y[%r, %c0] along [1] ...
//   }
// becomes, for x86-64-v3,
//   func.func @copy__x86_64_v3(%args: !llvm.ptr, %begin: i64, %end: i64, %scratch: !llvm.ptr) {
//     scf.for %r = %begin to %end { scf.for %v = 0 to 8 { llvm.load ... vector<8xf32>; llvm.store ... } }
//   }
#include "passes/Conversion/TileToVector/Lowering.h"
#include "passes/Conversion/TileToVector/Passes.h"

using namespace mlir;

namespace mmc::cpu {
#define GEN_PASS_DEF_LOWERTILETOVECTOR
#include "passes/Conversion/TileToVector/Passes.h.inc"

namespace {
struct LowerTileToVector : impl::LowerTileToVectorBase<LowerTileToVector> {
  using LowerTileToVectorBase::LowerTileToVectorBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::optional<Variant> parsed = parseVariant(variant);
    if (!parsed) {
      module.emitError() << "option 'variant' expected x86-64-v3, avx512 or avx512-bf16, got '" << variant << "'";
      return signalPassFailure();
    }
    CpuTarget target = CpuTarget::of(*parsed, emulateAvx512);
    SmallVector<tile::KernelOp> kernels(module.getOps<tile::KernelOp>());
    for (tile::KernelOp kernel : kernels) {
      OpBuilder builder(kernel);
      Lowering lowering(kernel, target, builder);
      if (failed(lowering.run())) return signalPassFailure();
      kernel.erase();
    }
  }
};
} // namespace
} // namespace mmc::cpu
