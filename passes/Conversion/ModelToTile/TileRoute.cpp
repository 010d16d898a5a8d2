// TileRoute: the router of a mixture of experts, one token per work point: f32 logits against the gate's panels,
// softmax over all experts, the top k with ties to the lowest index, renormalised to sum one. Where the dispatch has
// the norm of the row too, the kernel stores the normalised row; logits come from it as it was rounded for the experts.
//
// Floor: 2 E K FLOP per token; E K f32 weights, which stay in cache.
#include "passes/Conversion/ModelToTile/Passes.h"
#include "passes/Conversion/ModelToTile/TileEmitter.h"
#include "passes/Fusion/Dispatches.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_TILEROUTE
#include "passes/Conversion/ModelToTile/Passes.h.inc"

namespace {

/// tile / sum(tile) along the columns of a [1, n] tile.
Value normalise(KernelBuilder &b, Value tile) {
  Value sum = tile::ReduceOp::create(b, tile::ReduceKind::add, tile, 1);
  return arith::DivFOp::create(b, tile, b.broadcast(sum, {0}, cast<RankedTensorType>(tile.getType()).getShape()));
}

/// Normalises the token's row into a result of the launch; the tile [1, channels] that the router reads.
Value emitNorm(KernelBuilder &b, model::DispatchOp dispatch, Value normalised, Value row) {
  auto norm = findOp<model::RmsNormOp>(dispatch);
  Value x = norm.getX();
  if (auto cast = x.getDefiningOp<arith::ExtFOp>(); cast && cast->getParentOp() == dispatch) x = cast.getIn();
  Value input = b.read(x, "x");
  if (!input) return {};
  auto type = cast<RankedTensorType>(normalised.getType());
  Value result = b.addResult(type, "normalised");
  Value tile = b.widen(b.load(input, {row, b.index(0)}, {1}, {type.getDimSize(1)}));
  tile = b.convert(emitRmsNorm(b, norm, tile), type.getElementType());
  b.store(tile, result, {row, b.index(0)}, {1});
  return tile::ReshapeOp::create(b, b.tileType({1, type.getDimSize(1)}, type.getElementType()), tile);
}

/// Whether the dispatch is a router, alone or behind the norm of its rows.
LogicalResult checkOps(model::DispatchOp dispatch, model::RouteOp route) {
  bool fits = llvm::all_of(dispatch.getBody().front().without_terminator(), [&](Operation &op) {
    return &op == route.getOperation() || isa<model::RmsNormOp, arith::ExtFOp, arith::TruncFOp>(op);
  });
  bool isInside = route.getX().getParentRegion() == &dispatch.getBody();
  if (fits && isInside == bool(findOp<model::RmsNormOp>(dispatch))) return success();
  return dispatch.emitOpError("expected the router alone in its dispatch, or behind the norm of its rows");
}

LogicalResult convert(model::DispatchOp dispatch, WeightLayout layout) {
  auto route = findOp<model::RouteOp>(dispatch);
  if (failed(checkOps(dispatch, route))) return failure();
  auto gate = cast<RankedTensorType>(route.getGate().getType());
  int64_t experts = gate.getDimSize(0), depth = gate.getDimSize(1), topK = route.getTopK();

  KernelBuilder b(dispatch->getParentOfType<model::ProgramOp>(), route.getLoc());
  bool normalises = static_cast<bool>(findOp<model::RmsNormOp>(dispatch));
  Value row = b.addPoint(tile::ExtentKind::tokens, 0, "row");
  Value x;
  if (normalises)
    x = emitNorm(b, dispatch, route.getX(), row);
  else if (Value view = b.read(route.getX(), "x"))
    x = b.load(view, {row, b.index(0)}, {0, 1}, {1, depth});
  if (!x) return failure();
  Value panels = b.readWeight(route.getGate(), layout, "gate");
  Value weights = b.addResult(cast<RankedTensorType>(route.getWeights().getType()), "weights");
  Value chosen = b.addResult(cast<RankedTensorType>(route.getExperts().getType()), "experts");
  Value zero = b.index(0);

  Value X = b.widen(x);
  Value W = b.widen(b.load(panels, {zero, zero}, {0, 1}, {experts, depth}));
  Value logits = tile::DotOp::create(b, X, W, Value(), /*transposeA=*/false, /*transposeB=*/true);
  Value largest = tile::ReduceOp::create(b, tile::ReduceKind::max, logits, 1);
  Value shifted = arith::SubFOp::create(b, logits, b.broadcast(largest, {0}, {1, experts}));
  Value probabilities = normalise(b, math::ExpOp::create(b, shifted));
  auto top = tile::TopKOp::create(b, b.tileType({1, topK}, b.getF32Type()), b.tileType({1, topK}, b.getI32Type()),
                                  probabilities);
  b.store(normalise(b, top.getValues()), weights, {row, zero}, {0, 1});
  b.store(top.getColumns(), chosen, {row, zero}, {0, 1});

  std::string name = (normalises ? "rms_norm_route_" : "route_") + std::to_string(experts) + "x" +
                     std::to_string(depth) + "_top" + std::to_string(topK);
  tile::LaunchOp launch = b.finish(name + "_" + getTypeName(getElementTypeOrSelf(route.getX().getType())), dispatch);
  SmallVector<Value> values;
  for (Value yielded : dispatch.getBody().front().getTerminator()->getOperands()) {
    if (yielded.getDefiningOp() != route.getOperation() && yielded != route.getX())
      return dispatch.emitOpError("expected the router's results and its rows as results");
    unsigned ofRoute = normalises ? 1 : 0; // results before the router's
    values.push_back(
        launch.getResult(yielded == route.getX() ? 0 : ofRoute + cast<OpResult>(yielded).getResultNumber()));
  }
  replaceDispatch(dispatch, values);
  return success();
}

struct TileRoute : impl::TileRouteBase<TileRoute> {
  using TileRouteBase::TileRouteBase;

  void runOnOperation() override {
    std::optional<WeightLayout> layout = parseWeightLayout(weightLayout);
    if (!layout) {
      getOperation().emitError() << "mmc-tile-route expected weight-layout panels or rows, got "
                                 << weightLayout.getValue();
      return signalPassFailure();
    }
    SmallVector<model::DispatchOp> dispatches;
    getOperation().walk([&](model::DispatchOp dispatch) {
      if (getDispatchKind(dispatch) == DispatchKind::route) dispatches.push_back(dispatch);
    });
    for (model::DispatchOp dispatch : dispatches)
      if (failed(convert(dispatch, *layout))) return signalPassFailure();
  }
};

} // namespace
} // namespace mmc
