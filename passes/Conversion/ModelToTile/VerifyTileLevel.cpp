// VerifyTileLevel: nothing of the model level is left in a function's body but the names of data, the stack and the
// return.
#include "passes/Conversion/ModelToTile/Passes.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_VERIFYTILELEVEL
#include "passes/Conversion/ModelToTile/Passes.h.inc"

namespace {

struct VerifyTileLevel : impl::VerifyTileLevelBase<VerifyTileLevel> {
  void runOnOperation() override {
    for (auto function : getOperation().getBody().front().getOps<model::FuncOp>())
      if (failed(verify(function.getBody().front()))) signalPassFailure();
  }

  LogicalResult verify(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op) && !isa<tile::LaunchOp>(op)) op.erase();
    for (Operation &op : block)
      if (!isa<tile::LaunchOp, model::WeightOp, model::ConcatOp, model::RowOp, model::StackOp, model::ReturnOp>(op))
        return op.emitOpError(
            "is not at the tile level: expected launches, weights, table rows, stacks and the return");
    return success();
  }
};

} // namespace
} // namespace mmc
