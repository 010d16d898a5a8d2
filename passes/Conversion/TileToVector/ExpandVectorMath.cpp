// ExpandVectorMath: functions of math become polynomials.
//
//   %y = math.exp %x : vector<8xf32>    becomes    fma chains, integer shifts and selects on vector<8xf32>
//
// Left to LLVM as call: `expf` once per lane, an undefined symbol of the object. The upstream patterns are accurate to
// about an ulp and right at NaN and the infinities.
#include "passes/Conversion/TileToVector/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace mmc::cpu {
#define GEN_PASS_DEF_EXPANDVECTORMATH
#include "passes/Conversion/TileToVector/Passes.h.inc"

namespace {
struct ExpandVectorMath : impl::ExpandVectorMathBase<ExpandVectorMath> {
  using ExpandVectorMathBase::ExpandVectorMathBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};
} // namespace
} // namespace mmc::cpu
