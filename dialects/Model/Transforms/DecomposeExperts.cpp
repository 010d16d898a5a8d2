// Writes model.experts as the ops that become kernels. The before and after are in Passes.td.
#include "dialects/Model/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace mmc::model {

#define GEN_PASS_DEF_DECOMPOSEEXPERTS
#include "dialects/Model/Transforms/Passes.h.inc"

namespace {

void decompose(ExpertsOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto experts = cast<RankedTensorType>(op.getExperts().getType());
  auto weight = cast<RankedTensorType>(op.getGateWeight().getType());
  Type i32 = builder.getI32Type();
  auto offsetsType = RankedTensorType::get({weight.getDimSize(0) + 1}, i32);
  auto permute =
      PermuteOp::create(builder, loc, offsetsType, getRowType(RowSpace::routes, {}, i32), experts, op.getExperts());
  Value offsets = permute.getOffsets();
  Value rows = GatherRoutesOp::create(builder, loc, op.getX(), permute.getSource());
  Value gate = GroupedLinearOp::create(builder, loc, rows, offsets, op.getGateWeight());
  Value up = GroupedLinearOp::create(builder, loc, rows, offsets, op.getUpWeight());
  Value silu = SiluOp::create(builder, loc, gate.getType(), gate);
  Value hidden = arith::MulFOp::create(builder, loc, silu, up);
  Value down = GroupedLinearOp::create(builder, loc, hidden, offsets, op.getDownWeight());
  Value combined = CombineOp::create(builder, loc, down, op.getWeights(), permute.getPosition());
  op.getResult().replaceAllUsesWith(combined);
  op.erase();
}

struct DecomposeExperts : impl::DecomposeExpertsBase<DecomposeExperts> {
  void runOnOperation() override {
    SmallVector<ExpertsOp> all;
    int64_t routes = 0;
    getOperation().walk([&](ExpertsOp op) {
      all.push_back(op);
      routes = std::max(routes, cast<RankedTensorType>(op.getExperts().getType()).getShape().back());
    });
    for (ExpertsOp op : all) decompose(op);
    if (routes > 0) getOperation()->setAttr("routes_per_token", Builder(&getContext()).getI64IntegerAttr(routes));
  }
};

} // namespace
} // namespace mmc::model
