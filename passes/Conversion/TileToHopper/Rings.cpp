// Operands that other warps copy, ahead of the products that read them: through rings of stages.
//
// Each product's fill stands in front of the wait for it, as if one thread did both; splitRoles() takes them apart. A
// ring serves every product whose operands have its types, in the order of the program, but for those that come while
// a stage of it is held.
#include "passes/Conversion/TileToHopper/Operand.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

/// Stages of whole operands, and of pieces of a long k: at most so many, and as many as two blocks of a multiprocessor
/// have room for.
constexpr int64_t kOperandStages = 2, kPieceStages = 6, kPieceBytes = 98304;

bool Lowering::comesByRing(const Operand &operand) const {
  Value view;
  if (auto load = dyn_cast_or_null<tile::LoadOp>(operand.load)) view = load.getView();
  if (operand.list) view = cast<tile::GatherOp>(operand.load).getView();
  // What the kernel itself writes is loaded by those who know when that is done.
  return roles && view && scopes.size() > 1 && !tiles.isMinded(scalars.lookupOrDefault(view));
}

Lowering::RingTiles Lowering::ringFor(ArrayRef<const Operand *> operands, ArrayRef<SharedType> types, int64_t stages) {
  RingTiles wanted;
  for (auto [operand, type] : llvm::zip(operands, types)) {
    auto staged =
        type ? SharedType::get(type.getContext(), type.getShape(), type.getElementType(), type.getSwizzle(), stages)
             : type;
    wanted.tiles.push_back({{}, staged, type && comesByTensor(*operand, type)});
  }
  // Stages are released in the order of their acquires, so a ring of which one is held is not used by others meanwhile.
  auto isHeld = [&](const RingTiles &ring) {
    return llvm::any_of(scopes, [&](const Scope &scope) { return llvm::is_contained(scope.toRelease, ring.ring); });
  };
  auto isAlike = [](const RingTile &a, const RingTile &b) { return a.type == b.type && a.byTensor == b.byTensor; };
  for (const RingTiles &known : rings)
    if (llvm::equal(known.tiles, wanted.tiles, isAlike) && !isHeld(known)) return known;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&target.getBody().front());
  for (auto [i, tile] : llvm::enumerate(wanted.tiles)) {
    Location loc = NameLoc::get(builder.getStringAttr(i ? "right" : "left"), source.getLoc());
    if (tile.type) tile.tile = AllocOp::create(builder, loc, tile.type);
  }
  wanted.ring = RingOp::create(builder, source.getLoc(), RingType::get(builder.getContext(), stages));
  rings.push_back(wanted);
  return wanted;
}

void Lowering::fillRing(const RingTiles &ring, ArrayRef<const Operand *> operands, Value depth) {
  auto fill = FillOp::create(builder, source.getLoc(), ring.ring);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&fill.getBody(), {}, builder.getIndexType(), source.getLoc());
  Value stage = body->getArgument(0);
  for (auto [operand, tile] : llvm::zip(operands, ring.tiles))
    if (tile.tile) copyTo(*operand, tile.tile, stage, depth, tile.byTensor);
  YieldOp::create(builder, source.getLoc());
}

/// The stage, when it is there for products too.
Value Lowering::acquire(const RingTiles &ring) {
  Value stage = AcquireOp::create(builder, source.getLoc(), ring.ring);
  // The copy engine writes by the way that products of warpgroups read by.
  if (byWarpgroups && !ring.isByEngine()) FenceProxyOp::create(builder, source.getLoc());
  return stage;
}

const Lowering::StagedTile *Lowering::held(Operation *load) const {
  for (const Scope &scope : llvm::reverse(scopes))
    if (auto found = scope.held.find(load); found != scope.held.end()) return &found->second;
  return nullptr;
}

/// Operands that came for an earlier product; false where not all that come by rings are there, or not in one stage.
bool Lowering::takeHeld(Operand &a, Operand &b, Value &stage) const {
  Value stageA, tileA, tileB;
  if (comesByRing(a)) {
    const StagedTile *here = held(a.load);
    if (!here) return false;
    tileA = here->tile, stageA = here->stage;
  }
  stage = stageA;
  if (comesByRing(b)) {
    const StagedTile *here = held(b.load);
    if (!here || (stageA && here->stage != stageA)) return false;
    tileB = here->tile, stage = here->stage;
  }
  if (tileA) a.shared = tileA;
  if (tileB) b.shared = tileB;
  return true;
}

/// A stage of which a tile is used again is held to the end of the loop's trip.
void Lowering::holdOrRelease(const RingTiles &ring, const Operand &a, const Operand &b, Value stage) {
  auto isUsedAgain = [&](const Operand &operand, Value tile) {
    return tile && operand.load->getBlock() == scopes.back().block && !operand.value.hasOneUse();
  };
  const bool holdA = isUsedAgain(a, ring.a()), holdB = isUsedAgain(b, ring.b());
  if (holdA) scopes.back().held[a.load] = {ring.a(), stage};
  if (holdB) scopes.back().held[b.load] = {ring.b(), stage};
  if (holdA || holdB)
    scopes.back().toRelease.push_back(ring.ring);
  else
    ReleaseOp::create(builder, source.getLoc(), ring.ring);
}

void Lowering::releaseHeld() {
  for (Value ring : scopes.back().toRelease) ReleaseOp::create(builder, source.getLoc(), ring);
}

Lowering::RingTiles Lowering::bringByRing(Operand &a, Operand &b) {
  auto typeOf = [&](const Operand &operand) {
    return comesByRing(operand) ? sharedOperandType(builder.getContext(), operand.shape, 1) : SharedType();
  };
  const RingTiles ring = ringFor({&a, &b}, {typeOf(a), typeOf(b)}, kOperandStages);
  fillRing(ring, {&a, &b}, Value());
  if (ring.a()) a.shared = ring.a();
  if (ring.b()) b.shared = ring.b();
  return ring;
}

/// Products that share a left operand go through k together.
SmallVector<Value> Lowering::multiplyPiecesFromRing(ArrayRef<StreamedProduct> products, Operand &a, int64_t piece,
                                                    int64_t pieces) {
  SmallVector<const Operand *> operands = {&a};
  for (const StreamedProduct &product : products) operands.push_back(&product.b);
  SmallVector<SharedType> types;
  int64_t bytes = 0;
  for (const Operand *operand : operands) bytes += types.emplace_back(operand->pieceType(piece, 1)).getBytes();
  const RingTiles ring = ringFor(operands, types, std::min(kPieceStages, kPieceBytes / bytes));
  tile::DotOp first = products.front().dot;
  Location loc = first.getLoc();
  const bool async = isAsync(first, products.front().acc.getType(), types[0], types[1]);
  auto multiply = [&](ValueRange sums, Value number) {
    fillRing(ring, operands, arith::MulIOp::create(builder, loc, number, constant(piece)));
    Value stage = acquire(ring);
    SmallVector<Value> next;
    for (auto [i, product] : llvm::enumerate(products))
      next.push_back(this->product(product.dot, sums[i], ring.a(), ring.tiles[i + 1].tile, stage));
    return next;
  };
  auto release = [&]() { ReleaseOp::create(builder, loc, ring.ring); };
  // Products run on while the next piece is waited for, so a stage is released one piece later. The first and the last
  // piece stand outside of the loop: with a product in flight on the way out ptxas may serialise all of them (C7514).
  SmallVector<Value> sums;
  for (const StreamedProduct &product : products) sums.push_back(product.acc);
  if (async && sums.size() > 1) WgmmaFenceOp::create(builder, loc, sums);
  if (async) sums = multiply(sums, constant(0));
  auto loop = scf::ForOp::create(builder, loc, constant(async ? 1 : 0), constant(async ? pieces - 1 : pieces),
                                 constant(1), sums);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    loop.getInductionVar().setLoc(NameLoc::get(builder.getStringAttr("piece"), loc));
    sums = multiply(loop.getRegionIterArgs(), loop.getInductionVar());
    if (async) WgmmaWaitOp::create(builder, loc, TypeRange(), products.size(), ValueRange());
    release();
    scf::YieldOp::create(builder, loc, sums);
  }
  sums.assign(loop.getResults().begin(), loop.getResults().end());
  if (!async) return sums;
  sums = multiply(sums, constant(pieces - 1));
  auto complete = WgmmaWaitOp::create(builder, loc, ValueRange(sums).getTypes(), 0, sums);
  release();
  release();
  return llvm::to_vector(ValueRange(complete.getResults()));
}

} // namespace mmc::cuda
