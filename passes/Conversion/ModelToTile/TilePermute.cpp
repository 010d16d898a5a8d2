// TilePermute: sorts the routes by expert, stably, with scalar loops over one work point. It counts each expert's
// routes, sums the counts to offsets, and places the routes in order of token, then choice. `offsets` serves as the
// cursor while placing and is shifted back at the end.
//
// Floor: two passes over tokens x top_k int32 entries; serial, a few microseconds next to the expert products.
#include "passes/Conversion/ModelToTile/KernelBuilder.h"
#include "passes/Conversion/ModelToTile/Passes.h"
#include "passes/Fusion/Dispatches.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_TILEPERMUTE
#include "passes/Conversion/ModelToTile/Passes.h.inc"

namespace {

using Body = llvm::function_ref<void(Value)>;

void forEach(KernelBuilder &b, Value end, Body body) {
  auto loop = scf::ForOp::create(b, b.index(0), end, b.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

/// view[at] += amount, and the value before.
Value bump(KernelBuilder &b, Value view, Value at, Value amount) {
  Value before = b.loadScalar(view, {at});
  b.store(arith::AddIOp::create(b, before, amount), view, {at}, {});
  return before;
}

LogicalResult convert(model::DispatchOp dispatch) {
  auto program = dispatch->getParentOfType<model::ProgramOp>();
  auto permute = findOp<model::PermuteOp>(dispatch);
  int64_t experts = cast<RankedTensorType>(permute.getOffsets().getType()).getDimSize(0) - 1;
  int64_t topK = cast<RankedTensorType>(permute.getExperts().getType()).getDimSize(1);

  KernelBuilder b(program, permute.getLoc());
  Value choice = b.read(permute.getExperts(), "experts");
  if (!choice) return failure();
  Value offsets = b.addResult(cast<RankedTensorType>(permute.getOffsets().getType()), "offsets");
  Value source = b.addResult(cast<RankedTensorType>(permute.getSource().getType()), "source");
  Value position = b.addResult(cast<RankedTensorType>(permute.getPosition().getType()), "position");
  Value tokens = b.addStep(tile::StepField::token_count);
  b.addPoint(tile::ExtentKind::fixed, 1, "all");
  Value one = b.integer(1), zero = b.integer(0);
  auto expertAt = [&](Value token, Value j) { return b.toIndex(b.loadScalar(choice, {token, j})); };
  auto next = [&](Value e) { return arith::AddIOp::create(b, e, b.index(1)); };

  forEach(b, b.index(experts + 1), [&](Value e) { b.store(zero, offsets, {e}, {}); });
  forEach(b, tokens, [&](Value token) {
    forEach(b, b.index(topK), [&](Value j) { bump(b, offsets, next(expertAt(token, j)), one); });
  });
  forEach(b, b.index(experts), [&](Value e) { bump(b, offsets, next(e), b.loadScalar(offsets, {e})); });
  forEach(b, tokens, [&](Value token) {
    forEach(b, b.index(topK), [&](Value j) {
      Value place = bump(b, offsets, expertAt(token, j), one);
      b.store(b.toInteger(token), source, {b.toIndex(place)}, {});
      b.store(place, position, {token, j}, {});
    });
  });
  // Each offset is now the end of its expert, that is the beginning of the next.
  forEach(b, b.index(experts), [&](Value i) {
    Value e = arith::SubIOp::create(b, b.index(experts), i);
    b.store(b.loadScalar(offsets, {arith::SubIOp::create(b, e, b.index(1))}), offsets, {e}, {});
  });
  b.store(zero, offsets, {b.index(0)}, {});

  std::string name = "permute_" + std::to_string(experts) + "_top" + std::to_string(topK);
  tile::LaunchOp launch = b.finish(name, dispatch);
  // The yielded values, by the op's result that each is.
  SmallVector<Value> values;
  for (Value yielded : dispatch.getBody().front().getTerminator()->getOperands())
    values.push_back(launch.getResult(cast<OpResult>(yielded).getResultNumber()));
  replaceDispatch(dispatch, values);

  int64_t most = topK;
  if (auto known = program->getAttrOfType<IntegerAttr>("routes_per_token")) most = std::max(most, known.getInt());
  program->setAttr("routes_per_token", b.getI64IntegerAttr(most));
  return success();
}

struct TilePermute : impl::TilePermuteBase<TilePermute> {
  void runOnOperation() override {
    SmallVector<model::DispatchOp> dispatches;
    getOperation().walk([&](model::DispatchOp dispatch) {
      if (getDispatchKind(dispatch) == DispatchKind::permute) dispatches.push_back(dispatch);
    });
    for (model::DispatchOp dispatch : dispatches)
      if (failed(convert(dispatch))) return signalPassFailure();
  }
};

} // namespace
} // namespace mmc
