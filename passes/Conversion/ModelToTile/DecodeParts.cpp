// Decode attention in parts: a work point is a part of one sequence's positions and one KV head; it leaves the largest
// score, the sum of weights and the weighted values of its part, and a second kernel combines the parts of a head:
//
//   m = max m_p;   l = sum l_p exp(m_p - m);   O = (sum O_p exp(m_p - m)) / l
//
// So a single long sequence fills a device. Parts depend on the sequence's length alone: its answer does not change
// with the other sequences of a step.
#include "passes/Conversion/ModelToTile/AttentionKernels.h"

#include <limits>

using namespace mlir;

namespace mmc {

/// Parts that the combining kernel takes at once.
static constexpr int64_t kPartsTogether = 32;

namespace {

/// The tensors between the two kernels: per sequence, part and head the largest score and the sum, and the values.
struct PartTensors {
  RankedTensorType largest, sum, values;

  explicit PartTensors(Attention &attention) {
    Type f32 = Float32Type::get(attention.dispatch.getContext());
    auto over = [&](ArrayRef<int64_t> channels) {
      return model::getRowType(model::RowSpace::sequences, channels, f32);
    };
    largest = sum = over({attention.parts.most, attention.heads});
    values = over({attention.parts.most, attention.heads, attention.valueChannels});
  }
};

/// The online softmax over parts, `kPartsTogether` at a time.
struct Combination {
  KernelBuilder &b;
  Value largest, sum, values; // views
  Value sequence, head, count;
  int64_t channels;

  Value emit();

private:
  SmallVector<Value> emitStep(Value first, ValueRange carried);
};

SmallVector<Value> Combination::emitStep(Value first, ValueRange carried) {
  Value limit = b.minimum(b.index(kPartsTogether), arith::SubIOp::create(b, count, first));
  SmallVector<int64_t> row = {1, kPartsTogether};
  auto load = [&](Value view) {
    Value column = b.load(view, {sequence, first, head}, {1}, {kPartsTogether}, limit);
    return tile::ReshapeOp::create(b, b.tileType(row, b.getF32Type()), column);
  };
  RankedTensorType integers = b.tileType(row, b.getI32Type());
  Value present = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, tile::IotaOp::create(b, integers, 1),
                                        b.broadcast(b.toInteger(limit), {}, row));
  Value scores = load(largest);
  scores = arith::SelectOp::create(b, present, scores,
                                   b.constant(-std::numeric_limits<double>::infinity(), scores.getType()));
  Value now = arith::MaximumFOp::create(b, carried[0], tile::ReduceOp::create(b, tile::ReduceKind::max, scores, 1));
  b.named(now, "largest_now");
  Value weights = math::ExpOp::create(b, arith::SubFOp::create(b, scores, b.broadcast(now, {0}, row)));
  b.named(weights, "weights");
  Value correction = math::ExpOp::create(b, arith::SubFOp::create(b, carried[0], now));
  b.named(correction, "correction");
  Value total = tile::ReduceOp::create(b, tile::ReduceKind::add, arith::MulFOp::create(b, weights, load(sum)), 1);
  total = arith::AddFOp::create(b, arith::MulFOp::create(b, carried[1], correction), total);
  Value V = b.load(values, {sequence, first, head, b.index(0)}, {1, 3}, {kPartsTogether, channels}, limit);
  Value O = arith::MulFOp::create(b, carried[2], b.broadcast(correction, {0}, {1, channels}));
  return {now, total, tile::DotOp::create(b, weights, V, O)};
}

Value Combination::emit() {
  auto loop = scf::ForOp::create(b, b.index(0), count, b.index(kPartsTogether), emitSoftmaxStart(b, 1, channels));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    nameCarried(b, loop);
    b.named(loop.getInductionVar(), "part");
    scf::YieldOp::create(b, emitStep(loop.getInductionVar(), loop.getRegionIterArgs()));
  }
  return arith::DivFOp::create(b, loop.getResult(2), b.broadcast(loop.getResult(1), {0}, {1, channels}));
}

/// The kernel of one part. Returns its launch, whose results are the three tensors, then the caches.
FailureOr<tile::LaunchOp> emitPart(Attention &attention, const PartTensors &tensors) {
  KernelBuilder b(attention.dispatch->getParentOfType<model::ProgramOp>(), attention.op.getLoc());
  Value queryView = b.read(attention.q, "q");
  if (!queryView) return failure();
  Value largest = b.addResult(tensors.largest, "largest"), sum = b.addResult(tensors.sum, "sum");
  Value values = b.addResult(tensors.values, "values");
  const CacheLayout &layout = attention.layout;
  auto cache = [&](Value tensor, bool keys, StringRef name) {
    return b.addTied(tensor, layout.getView(cast<RankedTensorType>(tensor.getType()), keys), "read", name);
  };
  Value keyCache = cache(attention.keys, true, "k_cache"), valueCache = cache(attention.values, false, "v_cache");
  Value list = b.addWork(tile::WorkFilter::decode, 0);
  Value record = b.addWorkPoint(list, "sequence");
  Value head = b.addPoint(tile::ExtentKind::fixed, attention.kvHeads, "kv_head");
  Value part = b.addPoint(tile::ExtentKind::fixed, attention.parts.most, "part");

  int64_t group = attention.group(), channels = attention.valueChannels;
  auto point = tile::PointOp::create(b, list, record);
  Value end = arith::AddIOp::create(b, point.getPosition(), b.index(1));
  PartShape shape(b, attention.parts, attention.columns(), end);
  Value begin = b.named(arith::MulIOp::create(b, part, shape.span), "begin");
  Value stop = b.named(b.minimum(end, arith::AddIOp::create(b, begin, shape.span)), "stop");
  // A part that is empty stores nothing: a loop of one trip, or of none.
  auto present = scf::ForOp::create(b, begin, stop, shape.span);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(present.getBody());
  Value firstHead = arith::MulIOp::create(b, head, b.index(group));
  SmallVector<Value> place = {point.getRow(), firstHead, b.index(0)};
  Value Q = attention.loadQueries(b, queryView, place, 1, {});
  Value rowPositions = b.broadcast(b.toInteger(point.getPosition()), {}, {group});
  AttentionBlock block{b,
                       group,
                       attention.columns(),
                       attention.channels,
                       channels,
                       0,
                       keyCache,
                       valueCache,
                       point.getSlot(),
                       head,
                       Q,
                       rowPositions,
                       stop};
  SmallVector<Value> sums = block.emitLoop(begin);
  b.store(sums[0], largest, {record, part, firstHead}, {2});
  b.store(sums[1], sum, {record, part, firstHead}, {2});
  b.store(sums[2], values, {record, part, firstHead, b.index(0)}, {2, 3});
  b.setInsertionPointAfter(present);
  std::string name = "attention_decode_p" + std::to_string(attention.parts.most) + "_" +
                     getShapeName({attention.heads, attention.kvHeads, attention.channels});
  return b.finish(name + "_" + getTypeName(getElementTypeOrSelf(attention.op.getQ().getType())), attention.dispatch);
}

/// The kernel that combines the parts of a sequence and head into `output`.
Value emitCombination(Attention &attention, tile::LaunchOp parts, Value output) {
  KernelBuilder b(attention.dispatch->getParentOfType<model::ProgramOp>(), attention.op.getLoc());
  auto read = [&](unsigned result, StringRef name) {
    Value tensor = parts.getResult(result);
    return b.addOperand(tensor, getRowMajorView(tensor.getType()), "read", name);
  };
  Value largest = read(0, "largest"), sum = read(1, "sum"), values = read(2, "values");
  Value outputView = b.addTied(output, getRowMajorView(attention.outputType), "readwrite", "o");
  Value list = b.addWork(tile::WorkFilter::decode, 0);
  Value record = b.addWorkPoint(list, "sequence");
  Value head = b.addPoint(tile::ExtentKind::fixed, attention.heads, "head");
  auto point = tile::PointOp::create(b, list, record);
  Value end = arith::AddIOp::create(b, point.getPosition(), b.index(1));
  PartShape shape(b, attention.parts, attention.columns(), end);
  Combination combination{b, largest, sum, values, record, head, shape.count, attention.valueChannels};
  b.store(combination.emit(), outputView, {point.getRow(), head, b.index(0)}, {0, 2});
  std::string name = "attention_combine_p" + std::to_string(attention.parts.most) + "_" +
                     getShapeName({attention.heads, attention.valueChannels});
  std::string type = getTypeName(attention.outputType.getElementType());
  return b.finish(name + "_" + type, attention.dispatch).getResult(0);
}

} // namespace

FailureOr<Value> Attention::attendInParts(Value output) {
  FailureOr<tile::LaunchOp> launch = emitPart(*this, PartTensors(*this));
  if (failed(launch)) return failure();
  keys = launch->getResult(3);
  values = launch->getResult(4);
  return emitCombination(*this, *launch, output);
}

} // namespace mmc
