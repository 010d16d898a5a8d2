// Constraints of the ops that a hopper kernel's body is made of.
#include "dialects/Hopper/IR/Hopper.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mmc::hopper;
using mmc::tile::ViewType;

#define GET_OP_CLASSES
#include "dialects/Hopper/IR/HopperOps.cpp.inc"

// ------------------------------------------------------------------------------------------------ global memory

/// What load, store and copy have in common: constraints (C1) to (C4). `shape` and `element` are those of the tile.
static LogicalResult verifyAccess(Operation *op, ViewType view, size_t indices, ArrayRef<int64_t> along,
                                  ArrayRef<int64_t> shape, Type element, std::optional<ArrayRef<int64_t>> extents) {
  size_t rank = shape.size();
  // load_c1, store_c1, copy_c1, tensor_copy_c1
  size_t viewRank = view.getShape().size();
  if (indices != viewRank)
    return op->emitOpError() << "expected one index per view dimension, got " << indices << " for rank " << viewRank;
  // load_c2, store_c2, copy_c2, tensor_copy_c2
  for (auto [i, dim] : llvm::enumerate(along))
    if (dim < 0 || dim >= int64_t(viewRank) || (i && dim <= along[i - 1]))
      return op->emitOpError() << "expected along to name dimensions of a view of rank " << viewRank
                               << " in increasing order, got " << along;
  if (along.size() != rank)
    return op->emitOpError() << "expected one entry of along per dimension of the tile, got " << along.size()
                             << " for rank " << rank;
  // load_c3, store_c3, copy_c3, tensor_copy_c3
  if (element != view.getElementType())
    return op->emitOpError() << "expected the view's element type " << view.getElementType() << ", got " << element;
  // load_c4, store_c4, copy_c4
  if (!extents) return success();
  bool fits = extents->size() == rank;
  for (auto [extent, size] : llvm::zip(*extents, shape)) fits &= extent >= 1 && extent <= size;
  if (!fits) return op->emitOpError() << "expected extents within " << shape << ", got " << *extents;
  return success();
}

/// The rows of a gather: (C5) of load and copy, for a fragment or tile of this shape.
static LogicalResult verifyRows(Operation *op, Value rows, ArrayRef<int64_t> shape,
                                std::optional<ArrayRef<int64_t>> extents) {
  if (!rows) return success();
  // load_c5, copy_c5
  auto type = cast<SharedType>(rows.getType());
  int64_t wanted = extents ? extents->front() : shape.front();
  if (type.getShape().size() == 1 && type.getElementType().isInteger(32) && type.getStages() == 1 &&
      type.getShape()[0] >= wanted)
    return success();
  return op->emitOpError() << "expected rows to be a vector of " << wanted << " i32 or more in one stage, got " << type;
}

static std::pair<ArrayRef<int64_t>, Type> shapeAndElement(Type type) {
  if (auto fragment = dyn_cast<FragmentType>(type)) return {fragment.getShape(), fragment.getElementType()};
  return {{}, type};
}

LogicalResult LoadOp::verify() {
  auto [shape, element] = shapeAndElement(getResult().getType());
  // load_c3
  if (shape.empty() && (getLimit() || getRows() || getExtents()))
    return emitOpError() << "expected neither limit nor rows nor extents for a scalar";
  if (failed(verifyAccess(*this, getView().getType(), getIndices().size(), getAlong(), shape, element, getExtents())))
    return failure();
  return verifyRows(*this, getRows(), shape, getExtents());
}

LogicalResult StoreOp::verify() {
  auto [shape, element] = shapeAndElement(getValue().getType());
  // store_c3
  if (shape.empty() && (getLimit() || getExtents()))
    return emitOpError() << "expected neither limit nor extents for a scalar";
  return verifyAccess(*this, getView().getType(), getIndices().size(), getAlong(), shape, element, getExtents());
}

static bool isOnlyRead(Value view) {
  auto argument = dyn_cast<BlockArgument>(view);
  auto kernel = argument ? dyn_cast<KernelOp>(argument.getOwner()->getParentOp()) : KernelOp();
  auto access =
      kernel ? kernel.getArgAttrOfType<StringAttr>(argument.getArgNumber(), mmc::tile::kAccessAttr) : StringAttr();
  return access && access.getValue() == "read";
}

LogicalResult CopyOp::verify() {
  SharedType shared = getShared().getType();
  ViewType view = getView().getType();
  if (failed(verifyAccess(*this, view, getIndices().size(), getAlong(), shared.getShape(), shared.getElementType(),
                          getExtents())) ||
      failed(verifyRows(*this, getRows(), shared.getShape(), getExtents())))
    return failure();
  if (shared.getShape().size() != 2) // copy_c3
    return emitOpError() << "expected a shared tile of rank 2, got " << shared;
  // copy_c6
  if (bool(getStage()) != (shared.getStages() > 1))
    return emitOpError() << "expected a stage exactly where the tile has several, got " << (getStage() ? "one" : "none")
                         << " for " << shared.getStages() << " stages";
  // copy_c8
  if (getList()) {
    ViewType list = getList().getType();
    if (getRows() || !isOnlyRead(getList()) || list.getShape().size() != 1 || !list.getElementType().isInteger(32) ||
        list.getStrides() != SmallVector<int64_t>{1})
      return emitOpError() << "expected either rows or a list that is a vector of i32 that the kernel only reads, got "
                           << list;
  }
  // copy_c7
  size_t last = getAlong().back();
  SmallVector<int64_t> strides = view.getStrides();
  int64_t offset = strides.empty() ? 0 : view.getOffset();
  if (auto paged = dyn_cast_or_null<tile::PagedAttr>(view.getLayout())) {
    strides = {paged.getPage() * view.getShape()[2] * view.getShape()[3]};
    strides.append(paged.getStrides().begin(), paged.getStrides().end());
  }
  bool fits = last + 1 == strides.size() && strides.back() == 1;
  int64_t piece = 16 * 8 / shared.getElementType().getIntOrFloatBitWidth();
  for (int64_t stride : ArrayRef(strides).drop_back(fits)) fits &= stride % piece == 0;
  if (fits && offset % piece == 0) return success();
  return emitOpError() << "expected contiguous rows that begin at multiples of 16 bytes, got " << view;
}

/// tensor_copy_c5: whether a tensor map can describe the view, and what is wrong where it cannot.
static const char *whyNoMap(ViewType view, ArrayRef<int64_t> along) {
  int64_t rank = static_cast<int64_t>(view.getShape().size());
  if (rank < 2 || rank > 5) return "a rank of 2 to 5";
  SmallVector<int64_t> strides = view.getStrides();
  if (strides.empty()) return "strides";
  if (along.back() != rank - 1 || strides.back() != 1) return "contiguous rows along the tile's last dimension";
  int64_t piece = 16 * 8 / view.getElementTypeBitWidth();
  bool aligned = view.getOffset() % piece == 0;
  for (int64_t stride : ArrayRef(strides).drop_back()) aligned &= stride > 0 && stride % piece == 0;
  return aligned ? nullptr : "rows and an offset that are multiples of 16 bytes";
}

bool mmc::hopper::fitsTensorMap(ViewType view, ArrayRef<int64_t> along, SharedType shared) {
  return along.size() == 2 && !whyNoMap(view, along) && shared.getShape().size() == 2 && shared.getSwizzle() != 0 &&
         shared.getShape()[0] <= kBoxLimit;
}

SmallVector<int64_t> TensorCopyOp::getBox() {
  SharedType shared = getShared().getType();
  SmallVector<int64_t> box(getView().getType().getShape().size(), 1);
  box[static_cast<size_t>(getAlong()[0])] = shared.getShape()[0];
  box.back() = shared.getSwizzle() * 8 / shared.getElementType().getIntOrFloatBitWidth();
  return box;
}

LogicalResult TensorCopyOp::verify() {
  SharedType shared = getShared().getType();
  ViewType view = getView().getType();
  if (failed(verifyAccess(*this, view, getIndices().size(), getAlong(), shared.getShape(), shared.getElementType(),
                          std::nullopt)))
    return failure();
  if (shared.getShape().size() != 2) // tensor_copy_c3
    return emitOpError() << "expected a shared tile of rank 2, got " << shared;
  // tensor_copy_c4
  if (!isa_and_nonnull<FillOp>((*this)->getParentOp())) return emitOpError() << "expected to stand in a hopper.fill";
  // tensor_copy_c5
  if (!isOnlyRead(getView())) return emitOpError() << "expected a view that is an argument of the kernel and only read";
  if (const char *expected = whyNoMap(view, getAlong()))
    return emitOpError() << "expected a view with " << expected << ", got " << view;
  // tensor_copy_c6
  if (shared.getSwizzle() == 0 || shared.getShape()[0] > kBoxLimit)
    return emitOpError() << "expected a tile with a swizzle and at most " << kBoxLimit << " rows, got " << shared;
  // tensor_copy_c7
  if (bool(getStage()) != (shared.getStages() > 1))
    return emitOpError() << "expected a stage exactly where the tile has several, got " << (getStage() ? "one" : "none")
                         << " for " << shared.getStages() << " stages";
  return success();
}

// ------------------------------------------------------------------------------------------------ shared memory

LogicalResult AllocOp::verify() {
  // alloc_c1
  if (!isa_and_nonnull<KernelOp>((*this)->getParentOp()))
    return emitOpError() << "expected to stand in the kernel's body";
  return success();
}

LogicalResult WaitOp::verify() {
  // wait_c1
  int64_t pending = getPending();
  return pending >= 0 ? success() : emitOpError() << "expected at least 0 pending groups, got " << pending;
}

LogicalResult PutOp::verify() {
  // put_c1
  FragmentType fragment = getValue().getType();
  SharedType shared = getShared().getType();
  bool isVector = shared.getShape().size() == 1, fits = fragment.getShape().size() == 2;
  for (auto [size, room] : llvm::zip(fragment.getShape(), shared.getShape())) fits &= size <= room;
  if (isVector) fits = fragment.getNumElements() <= shared.getShape()[0];
  if (!fits || shared.getStages() != 1 || fragment.getElementType() != shared.getElementType())
    return emitOpError() << "expected a fragment that fits into a tile of one stage, got " << fragment << " for "
                         << shared;
  return success();
}

LogicalResult ClearOp::verify() {
  // clear_c1
  SharedType shared = getShared().getType();
  if (shared.getStages() == 1 && shared.getShape().size() == 2) return success();
  return emitOpError() << "expected a tile of rank 2 and one stage, got " << shared;
}

LogicalResult GetOp::verify() {
  FragmentType fragment = getResult().getType();
  SharedType shared = getShared().getType();
  // get_c1
  bool isVector = shared.getShape().size() == 1;
  bool fits = isVector ? shared.getStages() == 1 && fragment.getNumElements() <= shared.getShape()[0]
                       : fragment.getShape() == shared.getShape();
  if (!fits || fragment.getElementType() != shared.getElementType())
    return emitOpError() << "expected a fragment of elements of a vector of one stage, or of a tile of its shape, got "
                         << fragment << " from " << shared;
  // get_c2
  if (bool(getStage()) != (shared.getStages() > 1))
    return emitOpError() << "expected a stage exactly where the tile has several, got " << (getStage() ? "one" : "none")
                         << " for " << shared.getStages() << " stages";
  return success();
}

// ------------------------------------------------------------------------------------------------ products

/// What both kinds of products have in common: constraints (C1) to (C4).
template <class ProductOp> static LogicalResult verifyProduct(ProductOp op) {
  FragmentType result = op.getResult().getType();
  SharedType b = op.getB().getType();
  // multiply_c1, wgmma_c1
  if (!result.getElementType().isF32() || !isa<AccumulatorAttr>(result.getLayout()))
    return op.emitOpError() << "expected an f32 fragment with an accumulator layout, got " << result;
  ArrayRef<int64_t> shapeA, shapeB = b.getShape();
  Type elementA;
  int64_t stagesA = 1;
  if (auto shared = dyn_cast<SharedType>(op.getA().getType())) {
    shapeA = shared.getShape(), elementA = shared.getElementType(), stagesA = shared.getStages();
  } else if (auto fragment = dyn_cast<FragmentType>(op.getA().getType())) {
    shapeA = fragment.getShape(), elementA = fragment.getElementType();
    // multiply_c3, wgmma_c3
    auto layout = dyn_cast<AccumulatorAttr>(fragment.getLayout());
    if (!layout || layout != result.getLayout() || layout.getColumns() != 1 || op.getTransposeA())
      return op.emitOpError() << "expected a register operand in the result's layout, with one column of warps and no "
                                 "transpose, got "
                              << fragment;
  } else {
    return op.emitOpError() << "expected a to be a fragment or a shared tile, got " << op.getA().getType();
  }
  if (shapeA.size() != 2 || shapeB.size() != 2) return op.emitOpError() << "expected operands of rank 2";
  int64_t m = shapeA[op.getTransposeA()], depthA = shapeA[!op.getTransposeA()], depthB = shapeB[op.getTransposeB()],
          n = shapeB[!op.getTransposeB()];
  if (m != result.getShape()[0] || n != result.getShape()[1] || depthA != depthB)
    return op.emitOpError() << "expected operands of " << result.getShape()[0] << " x K and K x "
                            << result.getShape()[1] << ", got " << m << " x " << depthA << " and " << depthB << " x "
                            << n;
  // multiply_c2, wgmma_c2
  if (!elementA.isBF16() || !b.getElementType().isBF16() || depthA % 16 != 0)
    return op.emitOpError() << "expected bf16 operands with K a multiple of 16, got " << elementA << ", "
                            << b.getElementType() << " and K = " << depthA;
  // multiply_c4, wgmma_c4
  if (bool(op.getStage()) != (stagesA > 1 || b.getStages() > 1))
    return op.emitOpError() << "expected a stage exactly where an operand has several";
  return success();
}

LogicalResult MultiplyOp::verify() { return verifyProduct(*this); }

/// wgmma_c5
static bool hasWgmmaLayout(FragmentType result) {
  auto layout = cast<AccumulatorAttr>(result.getLayout());
  return layout.getRows() % 4 == 0 && result.getShape()[0] == 16 * layout.getRows() &&
         llvm::is_contained({16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256},
                            result.getShape()[1] / layout.getColumns());
}

/// wgmma_c6: of an operand that is read transposed, each warpgroup has `part` columns.
static bool isReadByWgmma(Type operand, bool rowsAreK, int64_t part) {
  auto shared = dyn_cast<SharedType>(operand);
  return !shared || (shared.getSwizzle() != 0 && (!rowsAreK || part % (shared.getSwizzle() / 2) == 0));
}

bool mmc::hopper::fitsWgmma(FragmentType result, Type a, SharedType b, bool transposeA, bool transposeB) {
  return hasWgmmaLayout(result) && isReadByWgmma(a, transposeA, 64) &&
         isReadByWgmma(b, !transposeB, result.getShape()[1] / cast<AccumulatorAttr>(result.getLayout()).getColumns());
}

LogicalResult WgmmaOp::verify() {
  if (failed(verifyProduct(*this))) return failure();
  FragmentType result = getResult().getType();
  if (!hasWgmmaLayout(result))
    return emitOpError() << "expected 16 rows in each of a multiple of 4 warps, and as many columns as wgmma has, got "
                         << result;
  if (!fitsWgmma(result, getA().getType(), getB().getType(), getTransposeA(), getTransposeB()))
    return emitOpError() << "expected operands with a swizzle of which each warpgroup reads whole spans, got "
                         << getA().getType() << " and " << getB().getType();
  return success();
}

LogicalResult WgmmaFenceOp::verify() {
  // wgmma_fence_c1
  size_t count = getAccumulators().size();
  return count >= 2 ? success() : emitOpError() << "expected two accumulators or more, got " << count;
}

LogicalResult WgmmaWaitOp::verify() {
  // wgmma_wait_c1
  int64_t pending = getPending();
  if (pending < 0 || (pending > 0 && !getValues().empty()))
    return emitOpError() << "expected at least 0 pending products, and 0 for values, got " << pending;
  return success();
}

// ------------------------------------------------------------------------------------------------ maps and reductions

ParseResult MapOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<Type> inputs;
  if (parser.parseOperandList(operands, OpAsmParser::Delimiter::Paren) || parser.parseColon() || parser.parseLParen())
    return failure();
  if (failed(parser.parseOptionalRParen()))
    if (parser.parseTypeList(inputs) || parser.parseRParen()) return failure();
  if (parser.parseArrowTypeList(result.types) || parser.resolveOperands(operands, inputs, loc, result.operands) ||
      parser.parseRegion(*result.addRegion()) || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  return success();
}

void MapOp::print(OpAsmPrinter &printer) {
  printer << '(' << getInputs() << ") : (";
  llvm::interleaveComma(getInputs().getTypes(), printer);
  printer << ") -> ";
  if (getNumResults() != 1) printer << '(';
  llvm::interleaveComma(getResultTypes(), printer);
  if (getNumResults() != 1) printer << ')';
  printer << ' ';
  printer.printRegion(getBody());
  printer.printOptionalAttrDict((*this)->getAttrs());
}

LogicalResult MapOp::verify() {
  // map_c1
  if (getNumResults() == 0) return emitOpError() << "expected at least one result";
  auto form = cast<FragmentType>(getResultTypes()[0]);
  for (Type type : getResultTypes())
    if (cast<FragmentType>(type).withElement(form.getElementType()) != form)
      return emitOpError() << "expected results of one shape and layout, got " << type << " beside " << form;
  for (Value input : getInputs()) {
    auto type = cast<FragmentType>(input.getType());
    if (type.withElement(form.getElementType()) != form && !type.isSliceOf(form, 0) && !type.isSliceOf(form, 1))
      return emitOpError() << "expected operands of the results' shape and layout, or slices of it, got " << type
                           << " beside " << form;
  }
  // map_c2
  Block &body = getBody().front();
  if (body.getNumArguments() != getInputs().size())
    return emitOpError() << "expected one body argument per operand, got " << body.getNumArguments() << " for "
                         << getInputs().size();
  for (auto [argument, input] : llvm::zip(body.getArguments(), getInputs()))
    if (argument.getType() != cast<FragmentType>(input.getType()).getElementType())
      return emitOpError() << "expected a body argument of type "
                           << cast<FragmentType>(input.getType()).getElementType() << ", got " << argument.getType();
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getValues().size() != getNumResults())
    return emitOpError() << "expected the body to yield " << getNumResults() << " values";
  for (auto [value, type] : llvm::zip(yield.getValues(), getResultTypes()))
    if (value.getType() != cast<FragmentType>(type).getElementType())
      return emitOpError() << "expected to yield " << cast<FragmentType>(type).getElementType() << ", got "
                           << value.getType();
  // map_c3
  for (Operation &op : body)
    if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op.getDialect()) &&
        !isa<CoordinateOp, LookupOp, YieldOp>(op))
      return op.emitOpError() << "is not allowed in a map, whose body has scalar ops of arith and math";
  return success();
}

LogicalResult CoordinateOp::verify() {
  // coordinate_c1
  auto form = cast<FragmentType>((*this)->getParentOfType<MapOp>().getResultTypes()[0]);
  if (getDim() < form.getShape().size()) return success();
  return emitOpError() << "expected a dimension of " << form << ", got " << int64_t(getDim());
}

LogicalResult LookupOp::verify() {
  // lookup_c1
  auto form = cast<FragmentType>((*this)->getParentOfType<MapOp>().getResultTypes()[0]);
  auto values = cast<ShapedType>(getValues().getType());
  if (getDim() >= form.getShape().size() || values.getRank() != 1 || values.getDimSize(0) < form.getShape()[getDim()])
    return emitOpError() << "expected a vector with an entry for each index along dimension " << int64_t(getDim())
                         << " of " << form << ", got " << values;
  // lookup_c2
  if (getResult().getType() == values.getElementType()) return success();
  return emitOpError() << "expected a result of type " << values.getElementType() << ", got " << getResult().getType();
}

LogicalResult ReshapeOp::verify() {
  // reshape_c1
  FragmentType value = getValue().getType(), result = getResult().getType();
  if (!isa<SpreadAttr>(value.getLayout()) || value.getLayout() != result.getLayout() ||
      value.getElementType() != result.getElementType() || value.getNumElements() != result.getNumElements())
    return emitOpError() << "expected the same elements spread by the same vector, got " << value << " and " << result;
  return success();
}

LogicalResult ReduceOp::verify() {
  FragmentType value = getValue().getType();
  // reduce_c1
  if (getDim() >= value.getShape().size())
    return emitOpError() << "expected a dimension of " << value << ", got " << int64_t(getDim());
  // reduce_c2
  if (value.getShape().size() == 1) {
    if (getResult().getType() == value.getElementType()) return success();
    return emitOpError() << "expected a result of type " << value.getElementType() << ", got " << getResult().getType();
  }
  auto result = dyn_cast<FragmentType>(getResult().getType());
  if (!result || !result.isSliceOf(value, getDim()) || result.getElementType() != value.getElementType())
    return emitOpError() << "expected the slice of " << value << " without dimension " << int64_t(getDim()) << ", got "
                         << getResult().getType();
  return success();
}

LogicalResult TopKOp::verify() {
  // top_k_c1
  FragmentType value = getValue().getType(), values = getValues().getType(), columns = getColumns().getType();
  auto byOne = SpreadAttr::get(getContext(), 1);
  if (value.getShape().size() != 2 || values.getShape().size() != 2 || !value.getElementType().isF32() ||
      !isa<SpreadAttr>(value.getLayout()) || values.getLayout() != byOne ||
      values.getElementType() != value.getElementType() ||
      columns != values.withElement(IntegerType::get(getContext(), 32)) ||
      values.getShape()[0] != value.getShape()[0] || values.getShape()[1] > value.getShape()[1])
    return emitOpError() << "expected [R, C] of f32 to values [R, k] and columns [R, k] of i32 spread by 1, got "
                         << value << ", " << values << " and " << columns;
  return success();
}
