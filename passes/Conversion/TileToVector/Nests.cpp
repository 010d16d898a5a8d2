// Loops over the vectors of a tile: materialising a value, storing it to a view, copying.
#include "passes/Conversion/TileToVector/Lowering.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

/// Rows of up to this many vectors are written out instead of looped over.
static constexpr int64_t kUnrolledVectors = 2;

Value Lowering::clampedRows(Value limit, int64_t rows) {
  if (!limit) return emit.index(rows);
  return emit.max(emit.min(limit, emit.index(rows)), emit.index(0));
}

void Lowering::forEachVector(ArrayRef<int64_t> shape, Value rowLimit, const std::function<void(const At &)> &body) {
  At at;
  at.lanes = at.active = target.lanes;
  auto columns = [&] {
    int64_t full = shape.back() / target.lanes, tail = shape.back() % target.lanes;
    auto vectorAt = [&](Value column, int active) {
      At here = at;
      here.coords.push_back(column);
      here.active = active;
      body(here);
    };
    if (full <= kUnrolledVectors) {
      for (int64_t v = 0; v < full; ++v) vectorAt(emit.index(v * target.lanes), target.lanes);
    } else {
      emit.loop(full, [&](Value v) { vectorAt(emit.mul(v, target.lanes), target.lanes); });
    }
    if (tail) vectorAt(emit.index(full * target.lanes), int(tail));
  };
  std::function<void(size_t)> nest = [&](size_t d) {
    if (d + 1 == shape.size()) return columns();
    Value count = d == 0 ? clampedRows(rowLimit, shape[0]) : emit.index(shape[d]);
    emit.loop(count, [&](Value i) {
      at.coords.push_back(i);
      nest(d + 1);
      at.coords.pop_back();
    });
  };
  if (shape.size() > 1) at.rowLimit = rowLimit;
  nest(0);
}

void Lowering::copyTile(Value value, const Place &place, Value rowLimit) {
  forEachVector(cast<ShapedType>(value.getType()).getShape(), rowLimit, [&](const At &at) {
    Memo memo;
    storeVector(place, at, evaluate(value, at, memo));
  });
}

/// Writes `value` to `place`; `sink` is the op into which a product may have been fused, or the product itself.
void Lowering::materialise(Value value, const Place &place, Value rowLimit, Operation *sink) {
  tile::DotOp dot = dyn_cast<tile::DotOp>(sink);
  if (!dot) dot = uses.fusedDotOf(sink);
  auto shape = cast<ShapedType>(value.getType()).getShape();
  if (dot) return emitDot(dot, [&](const At &at, Memo &memo) { storeVector(place, at, evaluate(value, at, memo)); });
  // A load that must not be overtaken by a store: its own place is where it is read from.
  if (auto load = places.find(value); load != places.end()) {
    Place source = load->second;
    if (source.panels) return fail(sink, "in panels may only be an operand of a product");
    return forEachVector(shape, rowLimit, [&](const At &at) { storeVector(place, at, loadVector(source, at)); });
  }
  forEachVector(shape, rowLimit, [&](const At &at) {
    Memo memo;
    storeVector(place, at, evaluateOp(value.getDefiningOp(), at, memo));
  });
}

void Lowering::lowerStore(tile::StoreOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getValue().getType());
  if (auto view = dyn_cast<tile::ViewType>(op.getView().getType()); isa_and_nonnull<tile::PanelsAttr>(view.getLayout()))
    return fail(op, "expected a view that is not in panels");
  Place place = placeOf(op, op.getView(), op.getIndices(), op.getAlong(), type ? type.getShape() : ArrayRef<int64_t>(),
                        op.getLimit());
  if (failed) return;
  if (!type) return storeVector(place, At{}, scalar(op.getValue()));
  Value limit = op.getLimit() ? scalar(op.getLimit()) : Value();
  if (tile::DotOp dot = uses.fusedDotOf(op)) {
    Value value = op.getValue();
    return emitDot(dot, [&](const At &at, Memo &memo) { storeVector(place, at, evaluate(value, at, memo)); });
  }
  copyTile(op.getValue(), place, limit);
}
