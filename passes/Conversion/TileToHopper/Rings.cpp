// Operands that other warps copy, ahead of the products that read them: through rings of stages.
//
// Each product's fill stands in front of the wait for it, as if one thread did both; splitRoles() takes them apart. A
// ring serves every product whose operands have its types, in the order of the program, but for those that come while
// a stage of it is held.
#include "passes/Conversion/TileToHopper/Operand.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

/// Stages of pieces of a long k, and of whole operands.
constexpr int64_t kPieceStages = 6, kOperandStages = 2;

bool Lowering::comesByRing(const Operand &operand) const {
  auto load = dyn_cast_or_null<tile::LoadOp>(operand.load);
  // What the kernel itself writes is loaded by those who know when that is done.
  return roles && load && scopes.size() > 1 && !tiles.isMinded(scalars.lookupOrDefault(load.getView()));
}

Lowering::RingTiles Lowering::ringFor(const Operand &operandA, SharedType a, const Operand &operandB, SharedType b,
                                      int64_t stages) {
  const bool tensorA = a && comesByTensor(operandA, a), tensorB = b && comesByTensor(operandB, b);
  auto staged = [&](SharedType type) {
    return type ? SharedType::get(type.getContext(), type.getShape(), type.getElementType(), type.getSwizzle(), stages)
                : type;
  };
  // Stages are released in the order of their acquires, so a ring of which one is held is not used by others meanwhile.
  auto isHeld = [&](const RingTiles &ring) {
    return llvm::any_of(scopes, [&](const Scope &scope) { return llvm::is_contained(scope.toRelease, ring.ring); });
  };
  for (const RingTiles &known : rings)
    if (known.typeA == Type(staged(a)) && known.typeB == Type(staged(b)) && known.tensorA == tensorA &&
        known.tensorB == tensorB && !isHeld(known))
      return known;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&target.getBody().front());
  auto allocate = [&](SharedType type, const char *name) -> Value {
    if (!type) return {};
    return AllocOp::create(builder, NameLoc::get(builder.getStringAttr(name), source.getLoc()), staged(type));
  };
  Value tileA = allocate(a, "left"), tileB = allocate(b, "right");
  Value ring = RingOp::create(builder, source.getLoc(), RingType::get(builder.getContext(), stages));
  rings.push_back({ring, tileA, tileB, staged(a), staged(b), tensorA, tensorB});
  return rings.back();
}

void Lowering::fillRing(const RingTiles &ring, const Operand &a, const Operand &b, Value depth) {
  auto fill = FillOp::create(builder, source.getLoc(), ring.ring);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&fill.getBody(), {}, builder.getIndexType(), source.getLoc());
  Value stage = body->getArgument(0);
  if (ring.a) copyTo(a, ring.a, stage, depth, ring.tensorA);
  if (ring.b) copyTo(b, ring.b, stage, depth, ring.tensorB);
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
  const bool holdA = isUsedAgain(a, ring.a), holdB = isUsedAgain(b, ring.b);
  if (holdA) scopes.back().held[a.load] = {ring.a, stage};
  if (holdB) scopes.back().held[b.load] = {ring.b, stage};
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
  const RingTiles ring = ringFor(a, typeOf(a), b, typeOf(b), kOperandStages);
  fillRing(ring, a, b, Value());
  if (ring.a) a.shared = ring.a;
  if (ring.b) b.shared = ring.b;
  return ring;
}

Value Lowering::multiplyPiecesFromRing(tile::DotOp dot, Operand &a, Operand &b, Value acc, int64_t piece,
                                       int64_t pieces) {
  const SharedType typeA = a.pieceType(piece, 1), typeB = b.pieceType(piece, 1);
  const RingTiles ring = ringFor(a, typeA, b, typeB, kPieceStages);
  const bool async = isAsync(dot, acc.getType(), typeA, typeB);
  auto multiply = [&](Value sum, Value number) {
    fillRing(ring, a, b, arith::MulIOp::create(builder, dot.getLoc(), number, constant(piece)));
    return product(dot, sum, ring.a, ring.b, acquire(ring));
  };
  auto release = [&]() { ReleaseOp::create(builder, dot.getLoc(), ring.ring); };
  // A product runs on while the next piece is waited for, so a stage is released one piece later. The first and the
  // last piece stand outside of the loop: with a product in flight on the way out ptxas may serialise all of them
  // (C7514).
  Value sum = async ? multiply(acc, constant(0)) : acc;
  auto loop = scf::ForOp::create(builder, dot.getLoc(), constant(async ? 1 : 0), constant(async ? pieces - 1 : pieces),
                                 constant(1), ValueRange{sum});
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    loop.getInductionVar().setLoc(NameLoc::get(builder.getStringAttr("piece"), dot.getLoc()));
    Value next = multiply(loop.getRegionIterArgs()[0], loop.getInductionVar());
    if (async) WgmmaWaitOp::create(builder, dot.getLoc(), TypeRange(), 1, ValueRange());
    release();
    scf::YieldOp::create(builder, dot.getLoc(), next);
  }
  if (!async) return loop.getResult(0);
  sum = complete(multiply(loop.getResult(0), constant(pieces - 1)));
  release();
  release();
  return sum;
}

} // namespace mmc::cuda
