// Products with a long k, which is taken in pieces through a ring of stages: copies run ahead of the product.
#include "passes/Conversion/TileToHopper/Operand.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

/// k of a piece.
constexpr int64_t kPiece = 64;
/// Pieces whose copies are under way while another one is multiplied.
constexpr int64_t kAhead = 2;

bool isStreamed(int64_t depth) { return depth > 2 * kPiece; }

/// The rings of both operands, and what happens to one piece.
struct Lowering::Stream {
  Lowering &lowering;
  tile::DotOp dot;
  Operand &a, &b;
  Value ringA, ringB;
  int64_t piece, pieces, stages;
  bool async;

  Location loc() { return dot.getLoc(); }
  Value stageOf(Value number) {
    return arith::RemSIOp::create(lowering.builder, loc(), number, lowering.constant(stages));
  }
  void copy(Value number, Value stage) {
    Value at = arith::MulIOp::create(lowering.builder, loc(), number, lowering.constant(piece));
    lowering.copyTo(a, ringA, stage, at);
    lowering.copyTo(b, ringB, stage, at);
  }
  /// Until the piece is there for all threads; behind it the stage of a product that was waited for is free.
  void arrive(int64_t pending) {
    WaitOp::create(lowering.builder, loc(), pending);
    if (async) FenceProxyOp::create(lowering.builder, loc());
    BarrierOp::create(lowering.builder, loc());
  }
  Value multiply(Value acc, Value number) { return lowering.product(dot, acc, ringA, ringB, stageOf(number)); }
  Value trip(Value acc, Value number);
};

/// A piece is multiplied while the copies of the one after next begin.
Value Lowering::Stream::trip(Value acc, Value number) {
  OpBuilder &builder = lowering.builder;
  arrive(kAhead - 1);
  Value next = arith::AddIOp::create(builder, loc(), number, lowering.constant(kAhead));
  Value more = arith::CmpIOp::create(builder, loc(), arith::CmpIPredicate::slt, next, lowering.constant(pieces));
  auto branch = scf::IfOp::create(builder, loc(), more, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard inner(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    copy(next, stageOf(next));
  }
  CommitOp::create(builder, loc());
  Value sum = multiply(acc, number);
  // The product before is complete then, and its stage is free in all threads behind the next barrier.
  if (async) WgmmaWaitOp::create(builder, loc(), TypeRange(), 1, ValueRange());
  return sum;
}

Value Lowering::multiplyInPieces(tile::DotOp dot, Operand &a, Operand &b, Value acc, int64_t depth) {
  const int64_t piece = depth % kPiece == 0 ? kPiece : depth % 32 == 0 ? 32 : 16, pieces = depth / piece;
  if (comesByRing(a) && comesByRing(b)) return multiplyPiecesFromRing(dot, a, b, acc, piece, pieces);
  auto ring = [&](Operand &operand, int64_t stages) {
    SmallVector<int64_t> shape = operand.shape;
    shape[operand.depthDim] = piece;
    return sharedOperandType(builder.getContext(), shape, stages);
  };
  // One stage for the piece that is multiplied, and one more where that product runs on while the next one begins.
  const bool async = isAsync(dot, acc.getType(), ring(a, 1), ring(b, 1));
  const int64_t stages = kAhead + (async ? 2 : 1);
  Stream stream{*this, dot,    a,      b,    tiles.get(ring(a, stages), a.number), tiles.get(ring(b, stages), b.number),
                piece, pieces, stages, async};
  for (Value tile : {stream.ringA, stream.ringB}) tiles.beforeWrite(tile);
  for (int64_t i = 0; i < kAhead; ++i) {
    if (i < pieces) stream.copy(constant(i), constant(i));
    CommitOp::create(builder, dot.getLoc());
  }
  // NOTE: with a product in flight on the way out of the loop ptxas serialises all of them (C7514) where little
  // follows, so the last one stands behind it.
  auto loop = scf::ForOp::create(builder, dot.getLoc(), constant(0), constant(async ? pieces - 1 : pieces), constant(1),
                                 ValueRange{acc});
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    loop.getInductionVar().setLoc(NameLoc::get(builder.getStringAttr("piece"), dot.getLoc()));
    Value sum = stream.trip(loop.getRegionIterArgs()[0], loop.getInductionVar());
    scf::YieldOp::create(builder, dot.getLoc(), sum);
  }
  Value sum = loop.getResult(0);
  if (async) {
    stream.arrive(0);
    sum = waitFor(stream.multiply(sum, constant(pieces - 1)));
  }
  for (Value tile : {stream.ringA, stream.ringB}) tiles.afterRead(tile);
  return sum;
}

} // namespace mmc::cuda
