// Copies of operands with rows and columns exchanged: what a product reads as [k, column] from a tile [column, k].
//
// Where the tile's columns are adjacent in memory already (pages of keys) vectors run along them. Else blocks of lanes
// x lanes elements are turned in registers: log2(lanes) rounds, in each of which every vector is shuffled with one
// partner.
#include "passes/Conversion/TileToVector/Lowering.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

/// Element (r, c) of the block becomes element (c, r).
static void turn(OpBuilder &builder, Location loc, MutableArrayRef<Value> rows) {
  int64_t lanes = rows.size();
  for (int64_t step = 1; step < lanes; step *= 2) {
    SmallVector<int64_t> first(lanes), second(lanes);
    for (int64_t i = 0; i < lanes; ++i) {
      first[i] = i & step ? lanes + i - step : i;
      second[i] = i & step ? lanes + i : i + step;
    }
    for (int64_t r = 0; r < lanes; ++r) {
      if (r & step) continue;
      Value a = rows[r], b = rows[r + step];
      rows[r] = vector::ShuffleOp::create(builder, loc, a, b, first);
      rows[r + step] = vector::ShuffleOp::create(builder, loc, a, b, second);
    }
  }
}

/// The place at the end of a chain of elementwise ops on one tile; null base: none.
Place Lowering::sourceOf(Value value) {
  while (value) {
    if (auto place = places.find(value); place != places.end()) return place->second;
    Operation *op = value.getDefiningOp();
    value = op && isElementwise(op) && isTile(op->getOperand(0).getType()) ? op->getOperand(0) : Value();
  }
  return Place();
}

void Lowering::copyTransposed(Value value, const Place &place) {
  auto shape = cast<ShapedType>(value.getType()).getShape();
  bool widen = cast<ShapedType>(value.getType()).getElementType().isBF16();
  auto vectorOf = [&](const At &at) {
    Memo memo;
    Value vector = evaluate(value, at, memo);
    return widen ? widenBf16(vector) : vector;
  };
  int64_t lanes = target.lanes, rows = shape[0], columns = shape[1];
  Place source = sourceOf(value);
  if (source.base && source.strides[0] == 1 && source.strides[1] != 1) {
    // Vectors along dimension 0, which is where the copy's columns are.
    emit.loop(columns, [&](Value k) {
      for (int64_t n = 0; n < rows; n += lanes) {
        At at;
        at.coords = {emit.index(n), k};
        at.fromLast = 1;
        at.lanes = int(lanes);
        at.active = int(std::min(lanes, rows - n));
        emit.store(vectorOf(at), addressOf(place, {k, emit.index(n)}));
      }
    });
    return;
  }
  // Rows of the last block that do not exist stay zero; the copy's rows are padded.
  auto block = [&](Value n, int64_t height, Value k, int64_t width) {
    SmallVector<Value> vectors(lanes, emit.zero(emit.lanesOf(builder.getF32Type(), int(lanes))));
    for (int64_t r = 0; r < height; ++r) {
      At at;
      at.coords = {emit.add(n, r), k};
      at.lanes = int(lanes);
      at.active = int(width);
      vectors[r] = vectorOf(at);
    }
    turn(builder, loc, vectors);
    for (int64_t c = 0; c < width; ++c) emit.store(vectors[c], addressOf(place, {emit.add(k, c), n}));
  };
  auto strip = [&](Value n, int64_t height) {
    emit.loop(columns / lanes, [&](Value k) { block(n, height, emit.mul(k, lanes), lanes); });
    if (columns % lanes) block(n, height, emit.index(columns / lanes * lanes), columns % lanes);
  };
  emit.loop(rows / lanes, [&](Value n) { strip(emit.mul(n, lanes), lanes); });
  if (rows % lanes) strip(emit.index(rows / lanes * lanes), rows % lanes);
}
