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

/// The rings of the operands, and what happens to one piece.
struct Lowering::Stream {
  Lowering &lowering;
  Operand &a;
  MutableArrayRef<StreamedProduct> products;
  Value ringA;
  int64_t piece, pieces, stages;
  bool async;

  OpBuilder &builder() { return lowering.builder; }
  Location loc() { return products.front().dot.getLoc(); }
  Value stageOf(Value number) { return arith::RemSIOp::create(builder(), loc(), number, lowering.constant(stages)); }
  void copy(Value number, Value stage) {
    Value at = arith::MulIOp::create(builder(), loc(), number, lowering.constant(piece));
    lowering.copyTo(a, ringA, stage, at);
    for (StreamedProduct &product : products) lowering.copyTo(product.b, product.ring, stage, at);
  }
  /// Until the piece is there for all threads; behind it the stage of products that were waited for is free.
  void arrive(int64_t pending) {
    WaitOp::create(builder(), loc(), pending);
    if (async) FenceProxyOp::create(builder(), loc());
    BarrierOp::create(builder(), loc());
  }
  SmallVector<Value> multiply(ValueRange sums, Value number) {
    Value stage = stageOf(number);
    SmallVector<Value> next;
    for (auto [product, sum] : llvm::zip(products, sums))
      next.push_back(lowering.product(product.dot, sum, ringA, product.ring, stage));
    return next;
  }
  SmallVector<Value> trip(ValueRange sums, Value number);
  SmallVector<Value> run();
};

/// A piece is multiplied while the copies of the one after next begin.
SmallVector<Value> Lowering::Stream::trip(ValueRange sums, Value number) {
  arrive(kAhead - 1);
  Value next = arith::AddIOp::create(builder(), loc(), number, lowering.constant(kAhead));
  Value more = arith::CmpIOp::create(builder(), loc(), arith::CmpIPredicate::slt, next, lowering.constant(pieces));
  auto branch = scf::IfOp::create(builder(), loc(), more, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard inner(builder());
    builder().setInsertionPointToStart(branch.thenBlock());
    copy(next, stageOf(next));
  }
  CommitOp::create(builder(), loc());
  SmallVector<Value> made = multiply(sums, number);
  // The products before are complete then, and their stage is free in all threads behind the next barrier.
  if (async) WgmmaWaitOp::create(builder(), loc(), TypeRange(), products.size(), ValueRange());
  return made;
}

SmallVector<Value> Lowering::Stream::run() {
  for (int64_t i = 0; i < kAhead; ++i) {
    if (i < pieces) copy(lowering.constant(i), lowering.constant(i));
    CommitOp::create(builder(), loc());
  }
  SmallVector<Value> sums;
  for (StreamedProduct &product : products) sums.push_back(product.acc);
  // NOTE: with a product in flight on the way out of the loop ptxas serialises all of them (C7514) where little
  // follows, so the last one stands behind it.
  auto loop = scf::ForOp::create(builder(), loc(), lowering.constant(0), lowering.constant(async ? pieces - 1 : pieces),
                                 lowering.constant(1), sums);
  {
    OpBuilder::InsertionGuard guard(builder());
    builder().setInsertionPointToStart(loop.getBody());
    loop.getInductionVar().setLoc(NameLoc::get(builder().getStringAttr("piece"), loc()));
    sums = trip(loop.getRegionIterArgs(), loop.getInductionVar());
    scf::YieldOp::create(builder(), loc(), sums);
  }
  sums.assign(loop.getResults().begin(), loop.getResults().end());
  if (!async) return sums;
  arrive(0);
  sums = multiply(sums, lowering.constant(pieces - 1));
  auto complete = WgmmaWaitOp::create(builder(), loc(), ValueRange(sums).getTypes(), 0, sums);
  return llvm::to_vector(ValueRange(complete.getResults()));
}

/// The next product of the block with the same left operand, whose right one can be copied as early as this one's; null
/// where there is none. Gate and value of a SwiGLU are such a pair.
tile::DotOp Lowering::partnerOf(tile::DotOp dot) {
  tile::DotOp next;
  for (Operation *user : dot.getA().getUsers()) {
    auto other = dyn_cast<tile::DotOp>(user);
    if (!other || other == dot || other->getBlock() != dot->getBlock() || !dot->isBeforeInBlock(other)) continue;
    if (scopes.back().made.contains(other.getResult()) || (next && next->isBeforeInBlock(other))) continue;
    auto load = other.getB().getDefiningOp<tile::LoadOp>();
    bool alike = other.getA() == dot.getA() && other.getType() == dot.getType() && !other.getAcc() && !dot.getAcc() &&
                 other.getB().getType() == dot.getB().getType() && other.getTransposeA() == dot.getTransposeA() &&
                 other.getTransposeB() == dot.getTransposeB();
    if (!alike || !load || tiles.isMinded(scalar(load.getView()))) continue;
    bool known = llvm::all_of(load->getOperands(), [&](Value operand) {
      Operation *op = operand.getDefiningOp();
      return !op || op->getBlock() != dot->getBlock() || op->isBeforeInBlock(dot);
    });
    if (known) next = other;
  }
  return next;
}

LogicalResult Lowering::emitStreamed(tile::DotOp dot, Operand &a, Operand &b, Value acc, int64_t depth) {
  const int64_t piece = depth % kPiece == 0 ? kPiece : depth % 32 == 0 ? 32 : 16, pieces = depth / piece;
  SmallVector<StreamedProduct> products = {{dot, b, acc, Value()}};
  if (tile::DotOp partner = partnerOf(dot)) {
    constexpr unsigned kNumber = 3; // of its shared tile, beside those of the first product
    FailureOr<Operand> other = operandOf(partner.getB(), kNumber, b.depthDim, b.shape[0], b.shape[1]);
    Value start = startOf(partner);
    if (failed(other) || !start) return failure();
    if (other->load) products.push_back({partner, *other, start, Value()});
  }
  if (comesByRing(a) && llvm::all_of(products, [&](auto &product) { return comesByRing(product.b); })) {
    for (auto [product, sum] : llvm::zip(products, multiplyPiecesFromRing(products, a, piece, pieces)))
      keep(product.dot.getResult(), sum);
    return success();
  }
  // One stage for the piece that is multiplied, and one more where that product runs on while the next one begins.
  const bool async = isAsync(dot, acc.getType(), a.pieceType(piece, 1), b.pieceType(piece, 1));
  const int64_t stages = kAhead + (async ? 2 : 1);
  Stream stream{*this, a, products, tiles.get(a.pieceType(piece, stages), a.number), piece, pieces, stages, async};
  tiles.beforeWrite(stream.ringA);
  for (StreamedProduct &product : products) {
    product.ring = tiles.get(product.b.pieceType(piece, stages), product.b.number);
    tiles.beforeWrite(product.ring);
  }
  for (auto [product, sum] : llvm::zip(products, stream.run())) keep(product.dot.getResult(), sum);
  tiles.afterRead(stream.ringA);
  for (StreamedProduct &product : products) tiles.afterRead(product.ring);
  return success();
}

} // namespace mmc::cuda
