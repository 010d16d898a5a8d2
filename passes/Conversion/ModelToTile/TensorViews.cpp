#include "passes/Conversion/ModelToTile/TensorViews.h"

using namespace mlir;

namespace mmc {

static SmallVector<int64_t> getRowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i > 1; --i) strides[i - 2] = strides[i - 1] * shape[i - 1];
  return strides;
}

tile::ViewType TensorView::getType() const {
  Type element = getElementTypeOrSelf(root.getType());
  MLIRContext *context = root.getContext();
  Attribute layout;
  if (offset != 0 || ArrayRef<int64_t>(strides) != ArrayRef<int64_t>(getRowMajorStrides(shape)))
    layout = tile::StridedAttr::get(context, strides, offset);
  return tile::ViewType::get(context, shape, element, layout);
}

FailureOr<TensorView> resolveView(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (auto split = value.getDefiningOp<model::SplitHeadsOp>()) {
    FailureOr<TensorView> view = resolveView(split.getX());
    if (failed(view)) return failure();
    int64_t parts = split.getNumResults(), part = cast<OpResult>(value).getResultNumber();
    int64_t heads = type.getDimSize(1), channels = type.getDimSize(2);
    int64_t unit = view->strides[1];
    view->shape = {view->shape[0], heads, channels};
    view->strides = {view->strides[0], parts * channels * unit, unit};
    view->offset += part * channels * unit;
    return view;
  }
  if (auto merge = value.getDefiningOp<model::MergeHeadsOp>()) {
    FailureOr<TensorView> view = resolveView(merge.getX());
    if (failed(view)) return failure();
    if (view->shape[1] != 1 && view->strides[1] != view->shape[2] * view->strides[2])
      return merge.emitOpError() << "expected the heads of x to lie next to each other, got one every "
                                 << view->strides[1] << " elements for " << view->shape[2]
                                 << " channels; they are parts of an interleaved split",
             failure();
    view->shape = {view->shape[0], view->shape[1] * view->shape[2]};
    view->strides = {view->strides[0], view->strides[2]};
    return view;
  }
  if (auto slice = value.getDefiningOp<model::SliceOp>()) {
    FailureOr<TensorView> view = resolveView(slice.getX());
    if (failed(view)) return failure();
    view->shape = {view->shape[0], type.getDimSize(1)};
    view->offset += static_cast<int64_t>(slice.getFirst()) * view->strides[1];
    return view;
  }
  TensorView view;
  view.root = value;
  view.shape.assign(type.getShape().begin(), type.getShape().end());
  view.strides = getRowMajorStrides(view.shape);
  return view;
}

tile::ViewType getRowMajorView(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tile::ViewType::get(type.getContext(), tensor ? tensor.getShape() : ArrayRef<int64_t>(),
                             getElementTypeOrSelf(type), Attribute());
}

std::optional<WeightLayout> parseWeightLayout(StringRef name) {
  if (name == "panels") return WeightLayout::panels;
  if (name == "rows") return WeightLayout::rows;
  return std::nullopt;
}

/// Experts begin at multiples of the loader's alignment, 64 bytes (runtime/src/Layout.h).
static tile::ViewType getRowsView(RankedTensorType weight) {
  SmallVector<int64_t> strides = getRowMajorStrides(weight.getShape());
  Attribute layout;
  if (weight.getRank() == 3) {
    int64_t aligned = 64 * 8 / weight.getElementTypeBitWidth(), expert = llvm::alignTo(strides[0], aligned);
    if (expert != strides[0]) {
      strides[0] = expert;
      layout = tile::StridedAttr::get(weight.getContext(), strides, /*offset=*/0);
    }
  }
  return tile::ViewType::get(weight.getContext(), weight.getShape(), weight.getElementType(), layout);
}

tile::ViewType getWeightView(RankedTensorType weight, WeightLayout order) {
  if (order == WeightLayout::rows) return getRowsView(weight);
  MLIRContext *context = weight.getContext();
  int64_t together = weight.getElementType().isBF16() ? 2 : 1;
  return tile::ViewType::get(context, weight.getShape(), weight.getElementType(),
                             tile::PanelsAttr::get(context, 16, together, 64));
}

} // namespace mmc
