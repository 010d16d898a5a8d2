// Constraints and builders of the ops that a kernel's body is made of: memory accesses and products, reductions, maps
// of tiles.
#include "dialects/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mmc::tile;

#define GET_OP_CLASSES
#include "dialects/Tile/IR/TileOps.cpp.inc"

// ------------------------------------------------------------------------------------------------ memory

/// What load, gather and store have in common: constraints (C1) to (C4).
static LogicalResult verifyAccess(Operation *op, ViewType view, size_t indices, ArrayRef<int64_t> along, Type tile,
                                  bool hasLimit, StringRef tileName) {
  // load_c1, gather_c1, store_c1
  int64_t viewRank = view.getShape().size();
  if (static_cast<int64_t>(indices) != viewRank)
    return op->emitOpError() << "expected one index per view dimension, got " << indices << " for rank " << viewRank;
  // load_c2, gather_c2, store_c2
  for (auto [i, dim] : llvm::enumerate(along)) {
    if (dim < 0 || dim >= viewRank)
      return op->emitOpError() << "expected along to name dimensions of a view of rank " << viewRank << ", got " << dim;
    if (i && dim <= along[i - 1])
      return op->emitOpError() << "expected along to be strictly increasing, got " << along[i - 1] << " before " << dim;
  }
  auto tensor = dyn_cast<RankedTensorType>(tile);
  size_t tileRank = tensor ? tensor.getRank() : 0;
  if (along.size() != tileRank)
    return op->emitOpError() << "expected one entry of along per dimension of " << tileName << ", got " << along.size()
                             << " for rank " << tileRank;
  // load_c3, gather_c3, store_c3
  if (tensor && !tensor.hasStaticShape())
    return op->emitOpError() << "expected " << tileName << " to have a static shape, got " << tensor;
  if (getElementTypeOrSelf(tile) != view.getElementType())
    return op->emitOpError() << "expected " << tileName << " to have the view's element type " << view.getElementType()
                             << ", got " << getElementTypeOrSelf(tile);
  // load_c4, gather_c4, store_c4
  if (hasLimit && tileRank == 0) return op->emitOpError() << "expected no limit, since " << tileName << " is a scalar";
  return success();
}

LogicalResult LoadOp::verify() {
  return verifyAccess(*this, getView().getType(), getIndices().size(), getAlong(), getResult().getType(),
                      bool(getLimit()), "result");
}

LogicalResult StoreOp::verify() {
  return verifyAccess(*this, getView().getType(), getIndices().size(), getAlong(), getValue().getType(),
                      bool(getLimit()), "value");
}

LogicalResult GatherOp::verify() {
  if (failed(verifyAccess(*this, getView().getType(), getIndices().size(), getAlong(), getResult().getType(),
                          bool(getLimit()), "result")))
    return failure();
  auto rows = cast<RankedTensorType>(getRows().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  if (result.getRank() == 0) return emitOpError() << "expected result of rank 1 or more, got " << result;
  // gather_c5
  if (rows.getRank() != 1 || !rows.getElementType().isInteger(32) || rows.getDimSize(0) != result.getDimSize(0))
    return emitOpError() << "expected rows to be tensor<" << result.getDimSize(0)
                         << "xi32>, one per entry of result dimension 0, got " << rows;
  return success();
}

// ------------------------------------------------------------------------------------------------ dot

/// Rows and columns of a rank-2 tile, swapped where it is used transposed.
static std::pair<int64_t, int64_t> sizesOf(RankedTensorType type, bool transposed) {
  return transposed ? std::pair(type.getDimSize(1), type.getDimSize(0))
                    : std::pair(type.getDimSize(0), type.getDimSize(1));
}

void DotOp::build(OpBuilder &builder, OperationState &state, Value a, Value b, Value acc, bool transposeA,
                  bool transposeB) {
  int64_t rows = sizesOf(cast<RankedTensorType>(a.getType()), transposeA).first,
          columns = sizesOf(cast<RankedTensorType>(b.getType()), transposeB).second;
  build(builder, state, RankedTensorType::get({rows, columns}, builder.getF32Type()), a, b, acc, transposeA,
        transposeB);
}

LogicalResult DotOp::verify() {
  auto a = cast<RankedTensorType>(getA().getType()), b = cast<RankedTensorType>(getB().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  // dot_c1
  for (RankedTensorType type : {a, b, result})
    if (type.getRank() != 2) return emitOpError() << "expected operands and result of rank 2, got " << type;
  // dot_c2
  auto [rows, depth] = sizesOf(a, getTransposeA());
  auto [depthOfB, columns] = sizesOf(b, getTransposeB());
  if (depth != depthOfB) return emitOpError() << "expected a and b to agree on k, got " << depth << " and " << depthOfB;
  if (result.getDimSize(0) != rows || result.getDimSize(1) != columns)
    return emitOpError() << "expected result of shape " << rows << "x" << columns << ", got " << result;
  // dot_c3
  Type element = a.getElementType();
  if (element != b.getElementType() || !(element.isF32() || element.isBF16()))
    return emitOpError() << "expected a and b to be both f32 or both bf16, got " << element << " and "
                         << b.getElementType();
  if (!result.getElementType().isF32())
    return emitOpError() << "expected result elements of f32, got " << result.getElementType();
  return success();
}

// ------------------------------------------------------------------------------------------------ reductions and maps

/// The value's shape without `dim`; the element type itself if nothing is left.
static Type reducedType(RankedTensorType value, int64_t dim) {
  SmallVector<int64_t> shape(value.getShape());
  shape.erase(shape.begin() + dim);
  return shape.empty() ? value.getElementType() : RankedTensorType::get(shape, value.getElementType());
}

void ReduceOp::build(OpBuilder &builder, OperationState &state, ReduceKind kind, Value value, int64_t dim) {
  build(builder, state, reducedType(cast<RankedTensorType>(value.getType()), dim), kind, value, dim);
}

LogicalResult ReduceOp::verify() {
  auto value = cast<RankedTensorType>(getValue().getType());
  int64_t dim = getDim();
  // reduce_c1
  if (dim < 0 || dim >= value.getRank())
    return emitOpError() << "expected dim to be a dimension of a value of rank " << value.getRank() << ", got " << dim;
  // reduce_c2
  Type expected = reducedType(value, dim);
  if (getResult().getType() != expected)
    return emitOpError() << "expected result of type " << expected << ", got " << getResult().getType();
  return success();
}

LogicalResult BroadcastOp::verify() {
  auto result = cast<RankedTensorType>(getResult().getType());
  auto value = dyn_cast<RankedTensorType>(getValue().getType());
  ArrayRef<int64_t> dims = getDims();
  // broadcast_c1
  size_t rank = value ? value.getRank() : 0;
  if (dims.size() != rank)
    return emitOpError() << "expected one entry of dims per dimension of value, got " << dims.size() << " for rank "
                         << rank;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (dim < 0 || dim >= result.getRank())
      return emitOpError() << "expected dims to name dimensions of a result of rank " << result.getRank() << ", got "
                           << dim;
    if (i && dim <= dims[i - 1])
      return emitOpError() << "expected dims to be strictly increasing, got " << dims[i - 1] << " before " << dim;
    // broadcast_c2
    if (value.getDimSize(i) != result.getDimSize(dim))
      return emitOpError() << "expected result dimension " << dim << " to have value's size " << value.getDimSize(i)
                           << ", got " << result.getDimSize(dim);
  }
  if (getElementTypeOrSelf(getValue().getType()) != result.getElementType())
    return emitOpError() << "expected result elements of value's type " << getElementTypeOrSelf(getValue().getType())
                         << ", got " << result.getElementType();
  return success();
}

LogicalResult TransposeOp::verify() {
  auto value = cast<RankedTensorType>(getValue().getType()), result = cast<RankedTensorType>(getResult().getType());
  // transpose_c1
  if (value.getRank() != 2) return emitOpError() << "expected value of rank 2, got " << value;
  auto expected = RankedTensorType::get({value.getDimSize(1), value.getDimSize(0)}, value.getElementType());
  return result == expected ? success() : emitOpError() << "expected result of type " << expected << ", got " << result;
}

LogicalResult ReshapeOp::verify() {
  auto value = cast<RankedTensorType>(getValue().getType()), result = cast<RankedTensorType>(getResult().getType());
  // reshape_c1
  if (value.getElementType() != result.getElementType() || value.getNumElements() != result.getNumElements())
    return emitOpError() << "expected value and result to have the same element type and number of elements, got "
                         << value << " and " << result;
  return success();
}

LogicalResult IotaOp::verify() {
  auto result = cast<RankedTensorType>(getResult().getType());
  int64_t dim = getDim();
  // iota_c1
  if (dim < 0 || dim >= result.getRank())
    return emitOpError() << "expected dim to be a dimension of a result of rank " << result.getRank() << ", got "
                         << dim;
  // iota_c2
  return result.getElementType().isInteger(32)
             ? success()
             : emitOpError() << "expected result elements of i32, got " << result.getElementType();
}

LogicalResult TopKOp::verify() {
  auto value = cast<RankedTensorType>(getValue().getType()), values = cast<RankedTensorType>(getValues().getType());
  auto columns = cast<RankedTensorType>(getColumns().getType());
  // top_k_c1
  if (value.getRank() != 2 || !isa<FloatType>(value.getElementType()))
    return emitOpError() << "expected value of rank 2 with float elements, got " << value;
  if (values.getRank() != 2 || values.getDimSize(0) != value.getDimSize(0) ||
      values.getElementType() != value.getElementType())
    return emitOpError() << "expected values to have value's rows and element type, got " << values << " for " << value;
  if (columns.getShape() != values.getShape() || !columns.getElementType().isInteger(32))
    return emitOpError() << "expected columns to have values' shape and elements of i32, got " << columns;
  // top_k_c2
  if (values.getDimSize(1) > value.getDimSize(1))
    return emitOpError() << "expected k to be at most the number of columns " << value.getDimSize(1) << ", got "
                         << values.getDimSize(1);
  return success();
}
