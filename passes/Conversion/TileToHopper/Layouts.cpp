#include "passes/Conversion/TileToHopper/Layouts.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

bool isElementwise(Operation *op) {
  return isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op->getDialect()) && !isa<arith::ConstantOp>(op) &&
         op->getNumResults() == 1 && isa<RankedTensorType>(op->getResult(0).getType());
}

SpreadAttr Layouts::spread(RankedTensorType type) const {
  // 16 bytes per thread at a time, or less where threads would be left without. Rows in float32 lie as they do in
  // bfloat16, 16 bytes twice: a norm reads the one and writes the other.
  int64_t bits = std::max(8u, type.getElementType().getIntOrFloatBitWidth());
  if (type.getRank() == 1 && bits == 32) bits = 16;
  int64_t vector = std::max<int64_t>(1, 128 / bits), last = type.getShape().back();
  if (bits == 8) vector = 1;
  while (vector > 1 && (last % vector != 0 || type.getNumElements() / vector < threads)) vector /= 2;
  return SpreadAttr::get(type.getContext(), vector);
}

AccumulatorAttr Layouts::accumulator(MLIRContext *context, int64_t rows, int64_t columns) const {
  int64_t best = 0, bestRows = 1, bestColumns = 1, warps = threads / 32;
  int64_t m = llvm::divideCeil(rows, 16), n = llvm::divideCeil(columns, 16);
  // As many warps as the product has room for; among equals whole rows per warp, so that row sums stay in a warp.
  for (int64_t r = warps; r >= 1; --r)
    for (int64_t c = 1; r * c <= warps; ++c)
      if (m % r == 0 && n % c == 0 && r * c > best) best = r * c, bestRows = r, bestColumns = c;
  return AccumulatorAttr::get(context, bestRows, bestColumns);
}

FragmentType Layouts::typeOf(Value value, Attribute layout) const {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  if (auto accumulator = dyn_cast<AccumulatorAttr>(layout)) {
    shape[0] = llvm::alignTo(shape[0], 16 * accumulator.getRows());
    shape[1] = llvm::alignTo(shape[1], 16 * accumulator.getColumns());
  }
  if (auto slice = dyn_cast<SliceAttr>(layout))
    if (auto accumulator = dyn_cast<AccumulatorAttr>(slice.getParent()))
      shape[0] =
          llvm::alignTo(shape[0], slice.getDim() == 1 ? 16 * accumulator.getRows() : 16 * accumulator.getColumns());
  return FragmentType::get(type.getContext(), shape, type.getElementType(), layout);
}

FragmentType Layouts::naturalType(Value value) {
  Attribute layout = natural(value);
  return typeOf(value, layout ? layout : spread(cast<RankedTensorType>(value.getType())));
}

Attribute Layouts::natural(Value value) {
  if (!isa<RankedTensorType>(value.getType())) return {};
  if (auto found = known.find(value); found != known.end()) return found->second;
  known[value] = {}; // what a loop's value depends on itself for
  Attribute layout = value.getDefiningOp() ? naturalOf(value.getDefiningOp(), value) : Attribute();
  return known[value] = layout;
}

Attribute Layouts::naturalOf(Operation *op, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (isa<tile::DotOp>(op)) return accumulator(op->getContext(), type.getDimSize(0), type.getDimSize(1));
  if (auto reduce = dyn_cast<tile::ReduceOp>(op))
    return naturalType(reduce.getValue()).getSlice(reduce.getDim(), type.getElementType()).getLayout();
  if (isa<tile::TopKOp>(op)) return SpreadAttr::get(op->getContext(), 1);
  if (auto reshape = dyn_cast<tile::ReshapeOp>(op)) {
    // A thread's neighbours are of one row under either shape, so that nothing moves.
    int64_t vector = spread(type).getVector(),
            last = cast<RankedTensorType>(reshape.getValue().getType()).getShape().back();
    if (last % vector == 0) return {};
    while (last % vector != 0) vector /= 2;
    return SpreadAttr::get(op->getContext(), vector);
  }
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    // Beside a fragment of accumulators lie others with the same rows.
    auto slice = dyn_cast_or_null<SliceAttr>(natural(broadcast.getValue()));
    if (!slice || type.getRank() != 2 || broadcast.getDims()[0] != 1 - slice.getDim()) return {};
    if (slice.getSize() && slice.getSize() != type.getDimSize(slice.getDim())) return {};
    return slice.getParent();
  }
  if (!isElementwise(op)) return {};
  for (Value operand : op->getOperands())
    if (Attribute layout = natural(operand)) return layout;
  return {};
}

/// What a loop that goes on from `value` carries it in.
Attribute Layouts::wantedByLoop(Value value) {
  for (OpOperand &use : value.getUses()) {
    auto loop = dyn_cast<scf::ForOp>(use.getOwner());
    BlockArgument argument = loop ? loop.getTiedLoopRegionIterArg(&use) : BlockArgument();
    if (!argument) continue;
    decide(loop);
    return known.lookup(argument);
  }
  return {};
}

void Layouts::decide(scf::ForOp loop) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  // Twice: the first round finds what is made of products, the second what depends on a loop value found in the first.
  for (int round = 0; round < 2; ++round) {
    for (auto [argument, yielded] : llvm::zip(loop.getRegionIterArgs(), yield.getOperands())) {
      if (!isa<RankedTensorType>(argument.getType()) || known.lookup(argument)) continue;
      if (Attribute layout = natural(yielded)) known[argument] = layout;
    }
    if (round == 0)
      loop.getBody()->walk([&](Operation *op) {
        for (Value result : op->getResults())
          if (!known.lookup(result)) known.erase(result);
      });
  }
  for (auto [argument, result, init] : llvm::zip(loop.getRegionIterArgs(), loop.getResults(), loop.getInitArgs())) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type) continue;
    if (!known.lookup(argument)) {
      Attribute wanted = wantedByLoop(result);
      known[argument] = wanted ? wanted : Attribute(spread(type));
    }
    known[result] = known[argument];
  }
}

} // namespace mmc::cuda
