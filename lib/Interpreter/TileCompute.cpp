// Products, reductions and maps of tiles, written as the loops that define them.
#include "lib/Interpreter/TileProgram.h"

#include <cmath>

using namespace mlir;
using namespace mmc;
using namespace mmc::interpreter;

static ArrayRef<int64_t> shapeOf(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor ? tensor.getShape() : ArrayRef<int64_t>();
}

/// r[m, n] = acc[m, n] + sum over k, ascending, of a[m, k] * b[k, n]. With n innermost every element still has one
/// accumulator.
static Action makeDot(tile::DotOp op, unsigned a, unsigned b, std::optional<unsigned> acc, unsigned r, bool roundEach) {
  int64_t rows = shapeOf(op.getResult())[0], columns = shapeOf(op.getResult())[1];
  bool transposeA = op.getTransposeA(), transposeB = op.getTransposeB();
  int64_t depth = shapeOf(op.getA())[transposeA ? 0 : 1];
  return [=](Frame &frame) {
    const std::vector<double> &x = frame.slots[a].f, &y = frame.slots[b].f;
    std::vector<double> &z = frame.slots[r].f;
    std::vector<double> byDepth;
    if (transposeB) {
      byDepth.resize(y.size());
      for (int64_t n = 0; n < columns; ++n)
        for (int64_t k = 0; k < depth; ++k) byDepth[k * columns + n] = y[n * depth + k];
    }
    const double *bk = transposeB ? byDepth.data() : y.data();
    if (acc)
      z = frame.slots[*acc].f;
    else
      std::fill(z.begin(), z.end(), 0.0);
    for (int64_t m = 0; m < rows; ++m)
      for (int64_t k = 0; k < depth; ++k) {
        double factor = transposeA ? x[k * rows + m] : x[m * depth + k];
        for (int64_t n = 0; n < columns; ++n) z[m * columns + n] += factor * bk[k * columns + n];
        for (int64_t n = 0; roundEach && n < columns; ++n) z[m * columns + n] = static_cast<float>(z[m * columns + n]);
      }
    return true;
  };
}

/// Combines along `dim`, in ascending order: the value is [outer, size, inner].
template <typename T>
static void reduce(const std::vector<T> &x, std::vector<T> &z, int64_t size, int64_t inner, tile::ReduceKind kind,
                   bool roundEach) {
  for (size_t e = 0; e < z.size(); ++e) {
    const T *first = &x[e / inner * inner * size + e % inner];
    T sum = first[0];
    for (int64_t s = 1; s < size; ++s) {
      T next = first[s * inner];
      if (kind == tile::ReduceKind::add)
        sum = roundEach ? static_cast<T>(static_cast<float>(sum + next)) : sum + next;
      else if (next > sum || next != next) // A NaN wins, and stays: no comparison with it holds.
        sum = next;
    }
    z[e] = sum;
  }
}

static Action makeReduce(tile::ReduceOp op, unsigned a, unsigned r, bool roundEach) {
  ArrayRef<int64_t> shape = shapeOf(op.getValue());
  int64_t inner = 1;
  for (int64_t size : shape.drop_front(op.getDim() + 1)) inner *= size;
  return [=, size = shape[op.getDim()], kind = op.getKind()](Frame &frame) {
    const Slot &x = frame.slots[a];
    Slot &z = frame.slots[r];
    if (!z.f.empty())
      reduce(x.f, z.f, size, inner, kind, roundEach);
    else
      reduce(x.i, z.i, size, inner, kind, false);
    return true;
  };
}

/// For each element of a tile of `shape`, where it comes from: the dot product of its coordinates with `strides`.
static std::vector<int64_t> sourceIndices(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  std::vector<int64_t> source(1, 0);
  for (auto [size, stride] : llvm::zip(shape, strides)) {
    std::vector<int64_t> next;
    for (int64_t base : source)
      for (int64_t i = 0; i < size; ++i) next.push_back(base + i * stride);
    source = std::move(next);
  }
  return source;
}

/// result[e] = value[source[e]].
static Action makePick(unsigned a, unsigned r, std::vector<int64_t> source) {
  return [=](Frame &frame) {
    const Slot &x = frame.slots[a];
    Slot &z = frame.slots[r];
    for (size_t e = 0; e < z.f.size(); ++e) z.f[e] = x.f[source[e]];
    for (size_t e = 0; e < z.i.size(); ++e) z.i[e] = x.i[source[e]];
    return true;
  };
}

static std::vector<int64_t> broadcastSource(tile::BroadcastOp op) {
  ArrayRef<int64_t> from = shapeOf(op.getValue());
  SmallVector<int64_t> strides(shapeOf(op.getResult()).size(), 0);
  int64_t stride = 1;
  for (size_t d = from.size(); d-- > 0; stride *= from[d]) strides[op.getDims()[d]] = stride;
  return sourceIndices(shapeOf(op.getResult()), strides);
}

static Action makeTopK(tile::TopKOp op, unsigned a, unsigned values, unsigned columns) {
  int64_t rows = shapeOf(op.getValue())[0], width = shapeOf(op.getValue())[1], k = shapeOf(op.getValues())[1];
  return [=](Frame &frame) {
    std::vector<int64_t> order(width);
    for (int64_t row = 0; row < rows; ++row) {
      const double *x = &frame.slots[a].f[row * width];
      auto key = [&](int64_t column) {
        return std::tuple(!std::isnan(x[column]), std::isnan(x[column]) ? 0.0 : x[column], -column);
      };
      for (int64_t column = 0; column < width; ++column) order[column] = column;
      std::sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return key(i) > key(j); });
      for (int64_t j = 0; j < k; ++j) {
        frame.slots[values].f[row * k + j] = x[order[j]];
        frame.slots[columns].i[row * k + j] = order[j];
      }
    }
    return true;
  };
}

bool TileCompiler::compileCompute(Operation *op, Actions &actions) {
  bool roundEach = precision == TilePrecision::float32;
  if (auto dot = dyn_cast<tile::DotOp>(op)) {
    std::optional<unsigned> acc;
    if (dot.getAcc()) acc = slot(dot.getAcc());
    actions.push_back(makeDot(dot, slot(dot.getA()), slot(dot.getB()), acc, slot(dot.getResult()), roundEach));
  } else if (auto reduction = dyn_cast<tile::ReduceOp>(op)) {
    bool isF32 = getElementTypeOrSelf(reduction.getResult().getType()).isF32();
    actions.push_back(
        makeReduce(reduction, slot(reduction.getValue()), slot(reduction.getResult()), roundEach && isF32));
  } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    actions.push_back(makePick(slot(broadcast.getValue()), slot(broadcast.getResult()), broadcastSource(broadcast)));
  } else if (auto transpose = dyn_cast<tile::TransposeOp>(op)) {
    ArrayRef<int64_t> shape = shapeOf(transpose.getResult());
    actions.push_back(
        makePick(slot(transpose.getValue()), slot(transpose.getResult()), sourceIndices(shape, {1, shape[0]})));
  } else if (auto reshape = dyn_cast<tile::ReshapeOp>(op)) {
    int64_t elements = cast<RankedTensorType>(reshape.getResult().getType()).getNumElements();
    actions.push_back(makePick(slot(reshape.getValue()), slot(reshape.getResult()), sourceIndices({elements}, {1})));
  } else if (auto iota = dyn_cast<tile::IotaOp>(op)) {
    ArrayRef<int64_t> shape = shapeOf(iota.getResult());
    SmallVector<int64_t> strides(shape.size(), 0);
    strides[iota.getDim()] = 1;
    program.initial[slot(iota.getResult())].i = sourceIndices(shape, strides);
  } else if (auto topK = dyn_cast<tile::TopKOp>(op)) {
    actions.push_back(makeTopK(topK, slot(topK.getValue()), slot(topK.getValues()), slot(topK.getColumns())));
  } else {
    return false;
  }
  return true;
}
