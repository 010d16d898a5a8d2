// Prefill of the linear recurrence in segments, where heads alone are too few work points: a segment is a run of a
// prompt's rows. A first kernel leaves what each segment but the last adds to the state, L[s], starting from nothing
// (the first one from the sequence's state); the prefill kernel of segment s then starts from
//
//   S = sum over j < s of L[j] exp(-g span (s - 1 - j))
//
// and works on as without segments. The sequence's state is written by the last segment while the first may still read
// it, so the first kernel copies it: it lies behind the segments' own.
//
// Floor per token and head: K and V are read twice, so 1.5 times the bytes of one pass.
#include "passes/Conversion/ModelToTile/LinearRecurrence.h"

using namespace mlir;

namespace mmc {

namespace {

/// One of the two kernels.
struct SegmentKernel {
  Recurrence r;
  KernelBuilder &b;
  int64_t most;
  Value record, segment;
  tile::PointOp point;
  Value span, count, begin, end; // of this segment; beyond the last one there are no rows

  SegmentKernel(RecurrenceLaunch &launch, int64_t block, const Parts &segments)
      : r(launch.op, block), b(r.b), most(segments.most) {}

  /// The work domain, after all arguments.
  void emitDomain(Value list, Value rates, int64_t heads, const Parts &segments);
  Value subtract(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value multiply(Value x, Value y) { return arith::MulIOp::create(b, x, y); }
  /// A loop from `first` to `end` that carries a state.
  Value carry(Value first, Value end, Value state, llvm::function_ref<Value(Value, Value)> body);
  void when(Value first, Value end, llvm::function_ref<void()> body);
};

void SegmentKernel::emitDomain(Value list, Value rates, int64_t heads, const Parts &segments) {
  record = b.addWorkPoint(list, "sequence");
  r.head = b.addPoint(tile::ExtentKind::fixed, heads, "head");
  segment = b.addPoint(tile::ExtentKind::fixed, most, "segment");
  point = tile::PointOp::create(b, list, record);
  if (rates) r.rate = b.loadScalar(rates, {r.head});
  PartShape shape(b, segments, r.block, point.getRows());
  span = shape.span;
  count = shape.count;
  begin = b.named(multiply(segment, span), "begin");
  end = b.named(b.minimum(point.getRows(), add(begin, span)), "end");
}

Value SegmentKernel::carry(Value first, Value last, Value state, llvm::function_ref<Value(Value, Value)> body) {
  auto loop = scf::ForOp::create(b, first, last, b.index(1), ValueRange{state});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, body(loop.getInductionVar(), loop.getRegionIterArg(0)));
  return loop.getResult(0);
}

/// A loop of one trip, or of none.
void SegmentKernel::when(Value first, Value last, llvm::function_ref<void()> body) {
  auto loop = scf::ForOp::create(b, first, last, b.index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body();
}

std::string nameOf(const char *what, RecurrenceLaunch &launch, int64_t block, int64_t most) {
  auto state = cast<RankedTensorType>(launch.state.getType());
  std::string name = std::string("lightning_") + what + std::to_string(most) + "_c" + std::to_string(block) +
                     (launch.op.getRate() ? "" : "_nodecay");
  return name + "_" + getShapeName(state.getShape()) + "_" +
         getTypeName(getElementTypeOrSelf(launch.op.getQ().getType()));
}

/// What each segment but the last adds to the state, f32 [sequences, segments, heads, K, V].
FailureOr<Value> emitStates(RecurrenceLaunch &launch, int64_t block, const Parts &segments) {
  SegmentKernel kernel(launch, block, segments);
  KernelBuilder &b = kernel.b;
  Recurrence &r = kernel.r;
  r.k = b.read(launch.op.getK(), "k");
  r.v = b.read(launch.op.getV(), "v");
  if (!r.k || !r.v) return failure();
  Value rates = launch.op.getRate() ? b.read(launch.op.getRate(), "rate") : Value();
  auto stateType = cast<RankedTensorType>(launch.state.getType());
  int64_t heads = stateType.getDimSize(0);
  Value local = b.addResult(model::getRowType(model::RowSpace::sequences, {segments.most, heads, r.keys, r.values},
                                              Float32Type::get(launch.op.getContext())),
                            "local");
  Value state = b.addTied(launch.state, r.stateView(stateType), "read", "state");
  kernel.emitDomain(b.addWork(tile::WorkFilter::prefill, 0), rates, heads, segments);

  Value zero = b.index(0), one = b.index(1), segment = kernel.segment;
  Value others = kernel.subtract(kernel.count, one); // segments that another one follows
  kernel.when(segment, b.minimum(others, kernel.add(segment, one)), [&] {
    auto place = [&](Value at) { return SmallVector<Value>{kernel.record, at, r.head, zero, zero}; };
    Value start = b.constant(0.0, r.stateType());
    start = kernel.carry(segment, one, start, [&](Value, Value) {
      return r.loadState(state, {kernel.point.getSlot(), r.head, zero, zero});
    });
    kernel.when(segment, one, [&] { b.store(start, local, place(b.index(segments.most - 1)), {3, 4}); });
    Value last = r.emitBlocks(kernel.point.getRow(), kernel.begin, kernel.end, start, /*outputs=*/false);
    b.store(last, local, place(segment), {3, 4});
  });
  tile::LaunchOp made = b.finish(nameOf("segments", launch, block, segments.most), launch.dispatch);
  launch.state = made.getResult(1);
  return Value(made.getResult(0));
}

/// The state that the kernel's segment starts from.
Value emitStart(SegmentKernel &kernel, Value state, Value local) {
  KernelBuilder &b = kernel.b;
  Recurrence &r = kernel.r;
  Value zero = b.index(0), one = b.index(1), segment = kernel.segment, copied = b.index(kernel.most - 1);
  // The only segment of a sequence reads its state, the first of several the copy of it, another one what is before it.
  Value alone = kernel.add(kernel.subtract(kernel.count, one), segment);
  Value start = kernel.carry(alone, one, b.constant(0.0, r.stateType()), [&](Value, Value) {
    return r.loadState(state, {kernel.point.getSlot(), r.head, zero, zero});
  });
  Value several = b.minimum(kernel.subtract(kernel.count, one), one);
  Value isFirst = kernel.subtract(one, b.minimum(segment, one));
  Value left = arith::MaxSIOp::create(b, kernel.subtract(kernel.count, segment), zero);
  Value before = kernel.multiply(segment, b.minimum(left, one)); // none beyond the last segment
  Value first = kernel.multiply(isFirst, copied);
  Value last = kernel.add(kernel.add(first, kernel.multiply(isFirst, several)), before);
  return kernel.carry(first, last, start, [&](Value at, Value sum) {
    if (r.rate) {
      Value decay = r.decay(b.toFloat(b.toInteger(kernel.span)));
      sum = arith::MulFOp::create(b, sum, b.broadcast(decay, {}, {r.keys, r.values}));
    }
    return Value(arith::AddFOp::create(b, sum, r.loadState(local, {kernel.record, at, r.head, zero, zero})));
  });
}

} // namespace

LogicalResult emitSegmentedPrefill(RecurrenceLaunch &launch, int64_t block, const Parts &segments) {
  FailureOr<Value> states = emitStates(launch, block, segments);
  if (failed(states)) return failure();
  SegmentKernel kernel(launch, block, segments);
  KernelBuilder &b = kernel.b;
  Recurrence &r = kernel.r;
  r.q = b.read(launch.op.getQ(), "q");
  r.k = b.read(launch.op.getK(), "k");
  r.v = b.read(launch.op.getV(), "v");
  if (!r.q || !r.k || !r.v) return failure();
  Value rates = launch.op.getRate() ? b.read(launch.op.getRate(), "rate") : Value();
  Value local = b.addOperand(*states, getRowMajorView(states->getType()), "read", "local");
  auto stateType = cast<RankedTensorType>(launch.state.getType());
  r.o = b.addResult(launch.outputType, "o");
  Value state = b.addTied(launch.state, r.stateView(stateType), "readwrite", "state");
  kernel.emitDomain(b.addWork(tile::WorkFilter::prefill, 0), rates, stateType.getDimSize(0), segments);
  Value start = emitStart(kernel, state, local);
  r.emitConstants();
  Value last = r.emitBlocks(kernel.point.getRow(), kernel.begin, kernel.end, start, /*outputs=*/true);
  // Only the last segment has the state that the sequence is left with.
  Value one = b.index(1), final = kernel.subtract(kernel.count, one);
  Value from = arith::MaxSIOp::create(b, kernel.segment, final);
  kernel.when(from, b.minimum(kernel.add(kernel.segment, one), kernel.count),
              [&] { b.store(last, state, {kernel.point.getSlot(), r.head, b.index(0), b.index(0)}, {2, 3}); });
  tile::LaunchOp made = b.finish(nameOf("prefill_s", launch, block, segments.most), launch.dispatch);
  launch.output = made.getResult(0);
  launch.state = made.getResult(1);
  return success();
}

} // namespace mmc
