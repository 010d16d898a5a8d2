// NOTE: a position times a frequency reaches 10^7 radians, where a float32 angle has an error of a radian. So angles
// are formed and reduced to one turn in float64; only the remainder is rounded to float32, and sine and cosine are
// taken of that.
#include "passes/Conversion/ModelToTile/RopeKernels.h"
#include "passes/Fusion/Dispatches.h"

#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;

namespace mmc {

// ---------------------------------------------------------------------------------------------------- table

/// Angles of one position, less the nearest multiple of a turn: in [-pi, pi], f64.
static Value emitAngles(KernelBuilder &b, Value position, ArrayRef<double> frequencies) {
  RankedTensorType type = b.tileType({static_cast<int64_t>(frequencies.size())}, b.getF64Type());
  Value angle =
      arith::MulFOp::create(b, b.broadcast(arith::SIToFPOp::create(b, b.getF64Type(), position), {}, type.getShape()),
                            arith::ConstantOp::create(b, DenseElementsAttr::get(type, frequencies)));
  // 2 pi in two parts. The high part has 26 significant bits, so its product with a number of turns below 2^27 is
  // exact.
  const double turn = 6.283185307179586476925;
  const double high = llvm::bit_cast<double>(llvm::bit_cast<uint64_t>(turn) & ~((uint64_t(1) << 27) - 1));
  const double low = (turn - high) + 2.4492935982947064e-16; // and what float64 leaves of 2 pi
  Value turns = math::RoundEvenOp::create(b, arith::MulFOp::create(b, angle, b.constant(1.0 / turn, type)));
  angle = arith::SubFOp::create(b, angle, arith::MulFOp::create(b, turns, b.constant(high, type)));
  return arith::SubFOp::create(b, angle, arith::MulFOp::create(b, turns, b.constant(low, type)));
}

static std::string getTableName(double theta, int64_t dims) {
  return "rope_table_" + std::to_string(dims) + "_theta" + std::to_string(static_cast<uint64_t>(theta));
}

std::pair<Value, Value> emitRotation(KernelBuilder &b, model::RopeOp rope, Value position) {
  int64_t dims = rope.getRotaryDim(), pairs = dims / 2;
  double theta = rope.getTheta().convertToDouble();
  SmallVector<double> frequencies;
  for (int64_t j = 0; j < pairs; ++j)
    frequencies.push_back(std::pow(theta, -2.0 * static_cast<double>(j) / static_cast<double>(dims)));
  Value angle = b.convert(emitAngles(b, position, frequencies), b.getF32Type());
  Value cosines = math::CosOp::create(b, angle);
  return {cosines, math::SinOp::create(b, angle)};
}

std::pair<Value, Value> loadRotation(KernelBuilder &b, Value cosines, Value sines, Value row) {
  int64_t pairs = cast<tile::ViewType>(cosines.getType()).getShape().back();
  Value c = b.load(cosines, {row, b.index(0)}, {1}, {pairs});
  return {c, b.load(sines, {row, b.index(0)}, {1}, {pairs})};
}

static tile::LaunchOp emitTable(model::RopeOp rope, Operation *before) {
  int64_t dims = rope.getRotaryDim(), pairs = dims / 2;
  double theta = rope.getTheta().convertToDouble();
  KernelBuilder b(rope->getParentOfType<model::ProgramOp>(), rope.getLoc());
  auto type = model::getRowType(model::RowSpace::tokens, {pairs}, b.getF32Type());
  Value cosines = b.addResult(type, "cosines"), sines = b.addResult(type, "sines");
  Value row = b.addPoint(tile::ExtentKind::tokens, 0, "row");
  auto [c, s] = emitRotation(b, rope, b.loadScalar(b.addStep(tile::StepField::row_positions), {row}));
  b.store(c, cosines, {row, b.index(0)}, {1});
  b.store(s, sines, {row, b.index(0)}, {1});
  tile::LaunchOp launch = b.finish(getTableName(theta, dims), before);
  launch->setAttr("rope_table", b.getF64ArrayAttr({theta, static_cast<double>(dims)}));
  return launch;
}

std::pair<Value, Value> getRopeTable(model::RopeOp rope, Operation *before) {
  Builder builder(rope.getContext());
  Attribute key =
      builder.getF64ArrayAttr({rope.getTheta().convertToDouble(), static_cast<double>(rope.getRotaryDim())});
  for (auto launch : before->getBlock()->getOps<tile::LaunchOp>())
    if (launch->getAttr("rope_table") == key && launch->isBeforeInBlock(before))
      return {launch.getResult(0), launch.getResult(1)};
  tile::LaunchOp launch = emitTable(rope, before);
  return {launch.getResult(0), launch.getResult(1)};
}

// ---------------------------------------------------------------------------------------------------- rotation

HeadChain::HeadChain(model::DispatchOp dispatch, Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (op->getParentOp() != dispatch.getOperation() || op->getNumOperands() == 0) break;
    ops.insert(ops.begin(), op);
    value = op->getOperand(0);
  }
  source = value;
}

model::RopeOp HeadChain::getRope() const {
  for (Operation *op : ops)
    if (auto rope = dyn_cast<model::RopeOp>(op)) return rope;
  return {};
}

LogicalResult HeadChain::verify() const {
  for (Operation *op : ops)
    if (!isa<arith::TruncFOp, arith::ExtFOp>(op) && op != getRope())
      return op->emitOpError("cannot be part of the dispatch of an attention or a rope: expected casts and one rope");
  return success();
}

SmallVector<HeadChain::Piece> HeadChain::emit(KernelBuilder &b, Value view, Rotation rotation, Value row,
                                              Value head) const {
  int64_t channels = cast<tile::ViewType>(view.getType()).getShape().back();
  model::RopeOp rope = getRope();
  int64_t dims = rope ? rope.getRotaryDim() : 0;
  auto load = [&](int64_t first, int64_t count) {
    return Piece{first, b.load(view, {row, head, b.index(first)}, {2}, {count})};
  };
  SmallVector<Piece> pieces;
  if (rope) pieces = {load(0, dims / 2), load(dims / 2, dims / 2)};
  if (dims < channels) pieces.push_back(load(dims, channels - dims));

  for (Operation *op : ops) {
    Type element = getElementTypeOrSelf(op->getResult(0).getType());
    if (op == rope) {
      Value x1 = b.widen(pieces[0].second), x2 = b.widen(pieces[1].second);
      auto [c, s] = rotation();
      auto times = [&](Value x, Value y) { return arith::MulFOp::create(b, x, y); };
      pieces[0].second = arith::SubFOp::create(b, times(x1, c), times(x2, s));
      pieces[1].second = arith::AddFOp::create(b, times(x2, c), times(x1, s));
    }
    for (Piece &piece : pieces) piece.second = b.convert(piece.second, element);
  }
  return pieces;
}

LogicalResult convertRope(model::DispatchOp dispatch) {
  Value yielded = dispatch.getBody().front().getTerminator()->getOperand(0);
  HeadChain chain(dispatch, yielded);
  if (dispatch->getNumResults() != 1) return dispatch.emitOpError("expected one result of a rope's dispatch");
  if (failed(chain.verify())) return failure();
  auto type = cast<RankedTensorType>(yielded.getType());
  auto [cosineTensor, sineTensor] = getRopeTable(chain.getRope(), dispatch);

  KernelBuilder b(dispatch->getParentOfType<model::ProgramOp>(), dispatch.getLoc());
  Value x = b.read(chain.getSource(), "x");
  if (!x) return failure();
  Value cosines = b.read(cosineTensor, "cosines"), sines = b.read(sineTensor, "sines");
  Value y = b.addResult(type, "y");
  Value row = b.addPoint(tile::ExtentKind::tokens, 0, "row");
  auto loop = scf::ForOp::create(b, b.index(0), b.index(type.getDimSize(1)), b.index(1));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto rotation = [&] { return loadRotation(b, cosines, sines, row); };
    for (auto [first, piece] : chain.emit(b, x, rotation, row, loop.getInductionVar()))
      b.store(piece, y, {row, loop.getInductionVar(), b.index(first)}, {2});
  }
  std::string name = "rope" + std::to_string(chain.getRope().getRotaryDim()) + "_" + getShapeName(type.getShape());
  tile::LaunchOp launch = b.finish(name + "_" + getTypeName(type.getElementType()), dispatch);
  replaceDispatch(dispatch, launch.getResults());
  return success();
}

} // namespace mmc
