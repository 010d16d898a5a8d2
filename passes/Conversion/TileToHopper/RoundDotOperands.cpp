// Writes the rounding points of products for tensor cores. See Passes.td.
#include "passes/Conversion/TileToHopper/Passes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace mmc::cuda {

#define GEN_PASS_DEF_ROUNDDOTOPERANDS
#include "passes/Conversion/TileToHopper/Passes.h.inc"

namespace {

/// The operand as bf16: what was widened to make it, or its rounding, which stands where the operand is made: what a
/// loop does not change is rounded in front of it.
Value rounded(OpBuilder &builder, Value operand) {
  auto type = cast<RankedTensorType>(operand.getType());
  if (auto widened = operand.getDefiningOp<arith::ExtFOp>())
    if (cast<RankedTensorType>(widened.getIn().getType()).getElementType().isBF16()) return widened.getIn();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfterValue(operand);
  return arith::TruncFOp::create(builder, operand.getLoc(), type.clone(builder.getBF16Type()), operand);
}

/// Whether the product is left to multiplications in float32: it has one row, or sums over one k only.
bool isThin(tile::DotOp dot) {
  auto a = cast<RankedTensorType>(dot.getA().getType());
  return a.getDimSize(0) == 1 || a.getDimSize(1) == 1;
}

struct RoundDotOperands : impl::RoundDotOperandsBase<RoundDotOperands> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](tile::DotOp dot) {
      if (isThin(dot) || !cast<RankedTensorType>(dot.getA().getType()).getElementType().isF32()) return;
      OpBuilder builder(dot);
      Value a = rounded(builder, dot.getA());
      Value b = dot.getA() == dot.getB() ? a : rounded(builder, dot.getB());
      dot.getAMutable().assign(a);
      dot.getBMutable().assign(b);
    });
  }
};

} // namespace
} // namespace mmc::cuda
