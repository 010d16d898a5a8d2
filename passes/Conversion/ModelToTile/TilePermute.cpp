// TilePermute: sorts the routes by expert, stably, in one of two ways.
//
// points = all: scalar loops over one work point. It counts each expert's routes, sums the counts to offsets, and
// places the routes in order of token, then choice. `offsets` serves as the cursor while placing and is shifted back at
// the end. Two passes over tokens x top_k int32 entries, serial: a few microseconds on a CPU next to the expert
// products.
//
// points = experts: a work point per expert, and one for the end. Each reads all choices as tiles and counts those of
// experts before it, which is its offset; then it reads them again and finds its own one after the other. A device has
// as many blocks at it as there are experts, and none waits for another.
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

/// The kernel of one permutation: its views and sizes.
struct Permutation {
  KernelBuilder b;
  int64_t experts, topK;
  Value choice, offsets, source, position, tokens;

  Permutation(model::ProgramOp program, model::PermuteOp permute)
      : b(program, permute.getLoc()), experts(cast<RankedTensorType>(permute.getOffsets().getType()).getDimSize(0) - 1),
        topK(cast<RankedTensorType>(permute.getExperts().getType()).getDimSize(1)) {
    choice = b.read(permute.getExperts(), "experts");
    if (!choice) return;
    offsets = b.addResult(cast<RankedTensorType>(permute.getOffsets().getType()), "offsets");
    source = b.addResult(cast<RankedTensorType>(permute.getSource().getType()), "source");
    position = b.addResult(cast<RankedTensorType>(permute.getPosition().getType()), "position");
    tokens = b.addStep(tile::StepField::token_count);
  }

  void emitAtOnce();
  void emitByExpert();

private:
  struct Chunk {
    Value chosen, exists;
  };
  Chunk loadChunk(Value first);
  Value countWhere(Value condition);
  Value placeOwn(Chunk chunk, Value first, Value place);
  Value reduceAll(tile::ReduceKind kind, Value tile) {
    RankedTensorType row = b.tileType({shape[0] * shape[1]}, getElementTypeOrSelf(tile.getType()));
    return tile::ReduceOp::create(b, kind, tile::ReshapeOp::create(b, row, tile), 0);
  }
  Value toIndexOfFloat(Value count) { return b.toIndex(arith::FPToSIOp::create(b, b.getI32Type(), count)); }

  Value expert, number; // of the work point as a tile; of each choice in its chunk
  SmallVector<int64_t> shape;
};

/// Scalar loops over one work point.
void Permutation::emitAtOnce() {
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
}

// ---------------------------------------------------------------------------------------------------- by expert

/// Choices of the tokens from `first` on, and which of the tile's elements are choices.
Permutation::Chunk Permutation::loadChunk(Value first) {
  Value limit = b.minimum(b.index(shape[0]), arith::SubIOp::create(b, tokens, first));
  Value chosen = b.load(choice, {first, b.index(0)}, {0, 1}, shape, limit);
  Value count = b.toInteger(arith::MulIOp::create(b, limit, b.index(topK)));
  return {chosen, arith::CmpIOp::create(b, arith::CmpIPredicate::slt, number, b.broadcast(count, {}, shape))};
}

/// How many elements fulfil the condition, as f32, which is exact up to 2^24 of them.
Value Permutation::countWhere(Value condition) {
  RankedTensorType floats = b.tileType(shape, b.getF32Type());
  return reduceAll(tile::ReduceKind::add,
                   arith::SelectOp::create(b, condition, b.constant(1.0, floats), b.constant(0.0, floats)));
}

/// Places the expert's choices of a chunk from `place` on, in their order; the place after them.
Value Permutation::placeOwn(Chunk chunk, Value first, Value place) {
  Value own =
      arith::AndIOp::create(b, chunk.exists, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, chunk.chosen, expert));
  Value count = toIndexOfFloat(countWhere(own));
  // The first of them has the largest key; others have one below every key.
  RankedTensorType floats = b.tileType(shape, b.getF32Type());
  Value none = b.constant(-static_cast<double>(shape[0] * shape[1] + 1), floats);
  Value key = arith::SelectOp::create(b, own, arith::NegFOp::create(b, b.toFloat(number)), none);
  auto loop = scf::ForOp::create(b, b.index(0), count, b.index(1), ValueRange{b.constant(1.0, b.getF32Type())});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value before = b.broadcast(loop.getRegionIterArg(0), {}, shape);
  Value later = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, key, before);
  Value found = reduceAll(tile::ReduceKind::max, arith::SelectOp::create(b, later, key, none));
  Value at = toIndexOfFloat(arith::NegFOp::create(b, found));
  Value token = arith::AddIOp::create(b, first, arith::DivSIOp::create(b, at, b.index(topK)));
  Value route = arith::AddIOp::create(b, place, loop.getInductionVar());
  b.store(b.toInteger(token), source, {route}, {});
  b.store(b.toInteger(route), position, {token, arith::RemSIOp::create(b, at, b.index(topK))}, {});
  scf::YieldOp::create(b, found);
  b.setInsertionPointAfter(loop);
  return arith::AddIOp::create(b, place, count);
}

/// A work point per expert; the last one has no routes, and its offset is the number of all.
void Permutation::emitByExpert() {
  constexpr int64_t kChoices = 256; // of a chunk: eight for each lane of a warp
  shape = {std::max<int64_t>(1, kChoices / topK), topK};
  Value point = b.addPoint(tile::ExtentKind::fixed, experts + 1, "expert");
  RankedTensorType integers = b.tileType(shape, b.getI32Type());
  expert = b.broadcast(b.toInteger(point), {}, shape);
  number =
      arith::AddIOp::create(b, arith::MulIOp::create(b, tile::IotaOp::create(b, integers, 0), b.splat(topK, integers)),
                            tile::IotaOp::create(b, integers, 1));
  auto forChunks = [&](Value init, llvm::function_ref<Value(Chunk, Value, Value)> body) {
    auto loop = scf::ForOp::create(b, b.index(0), tokens, b.index(shape[0]), ValueRange{init});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value first = b.named(loop.getInductionVar(), "first");
    Value carried = body(loadChunk(first), first, loop.getRegionIterArg(0));
    scf::YieldOp::create(b, carried);
    return loop.getResult(0);
  };
  Value before = forChunks(b.constant(0.0, b.getF32Type()), [&](Chunk chunk, Value, Value sum) {
    Value less = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, chunk.chosen, expert);
    return arith::AddFOp::create(b, sum, countWhere(arith::AndIOp::create(b, chunk.exists, less))).getResult();
  });
  Value offset = toIndexOfFloat(b.named(before, "before"));
  b.store(b.toInteger(offset), offsets, {point}, {});
  forChunks(offset, [&](Chunk chunk, Value first, Value place) { return placeOwn(chunk, first, place); });
}

LogicalResult convert(model::DispatchOp dispatch, bool byExpert) {
  auto program = dispatch->getParentOfType<model::ProgramOp>();
  Permutation permutation(program, findOp<model::PermuteOp>(dispatch));
  KernelBuilder &b = permutation.b;
  int64_t experts = permutation.experts, topK = permutation.topK;
  if (!permutation.choice) return failure();
  byExpert ? permutation.emitByExpert() : permutation.emitAtOnce();

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
  using TilePermuteBase::TilePermuteBase;

  void runOnOperation() override {
    if (points != "all" && points != "experts") {
      getOperation().emitError() << "mmc-tile-permute expected points all or experts, got " << points.getValue();
      return signalPassFailure();
    }
    SmallVector<model::DispatchOp> dispatches;
    getOperation().walk([&](model::DispatchOp dispatch) {
      if (getDispatchKind(dispatch) == DispatchKind::permute) dispatches.push_back(dispatch);
    });
    for (model::DispatchOp dispatch : dispatches)
      if (failed(convert(dispatch, points == "experts"))) return signalPassFailure();
  }
};

} // namespace
} // namespace mmc
