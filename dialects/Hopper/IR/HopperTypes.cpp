// Types of the hopper dialect: syntax and constraints of fragments and shared tiles.
#include "dialects/Hopper/IR/Hopper.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mmc::hopper;

#define GET_TYPEDEF_CLASSES
#include "dialects/Hopper/IR/HopperTypes.cpp.inc"

void HopperDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Hopper/IR/HopperTypes.cpp.inc"
      >();
}

using EmitError = function_ref<InFlightDiagnostic()>;

static int64_t product(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

// ------------------------------------------------------------------------------------------------ fragment

Type FragmentType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  Attribute layout;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseType(element) ||
      parser.parseComma() || parser.parseAttribute(layout) || parser.parseGreater())
    return {};
  return parser.getChecked<FragmentType>(loc, parser.getContext(), shape, element, layout);
}

void FragmentType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t size : getShape()) printer << size << 'x';
  printer << getElementType() << ", " << getLayout() << '>';
}

int64_t FragmentType::getNumElements() const { return product(getShape()); }

FragmentType FragmentType::getSlice(int64_t dim, Type element) const {
  int64_t size = isa<SpreadAttr>(getLayout()) ? getShape()[dim] : 0;
  return FragmentType::get(getContext(), {getShape()[1 - dim]}, element,
                           SliceAttr::get(getContext(), dim, getLayout(), size));
}

bool FragmentType::isSliceOf(FragmentType whole, int64_t dim) const {
  return whole.getShape().size() == 2 && !isa<SliceAttr>(whole.getLayout()) &&
         *this == whole.getSlice(dim, getElementType());
}

static LogicalResult verifyLayout(EmitError emitError, ArrayRef<int64_t> shape, Attribute layout) {
  // fragment_c3
  if (auto spread = dyn_cast<SpreadAttr>(layout)) {
    if (shape.empty()) return emitError() << "spread fragment expected rank 1 or more, got 0";
    int64_t vector = spread.getVector();
    if (!llvm::is_contained({1, 2, 4, 8}, vector) || shape.back() % vector != 0)
      return emitError() << "spread fragment expected a vector of 1, 2, 4 or 8 that divides " << shape.back()
                         << ", got " << vector;
    return success();
  }
  // fragment_c4
  if (auto accumulator = dyn_cast<AccumulatorAttr>(layout)) {
    if (shape.size() != 2) return emitError() << "accumulator fragment expected rank 2, got " << shape.size();
    int64_t rows = accumulator.getRows(), columns = accumulator.getColumns();
    if (rows < 1 || columns < 1 || shape[0] % (16 * rows) != 0 || shape[1] % (16 * columns) != 0)
      return emitError() << "accumulator fragment expected multiples of 16 rows and 16 columns for each of " << rows
                         << " x " << columns << " warps, got " << shape[0] << " x " << shape[1];
    return success();
  }
  // fragment_c2
  return emitError() << "fragment expected a layout of #hopper.spread, #hopper.accumulator or #hopper.slice, got "
                     << layout;
}

LogicalResult FragmentType::verify(EmitError emitError, ArrayRef<int64_t> shape, Type elementType, Attribute layout) {
  // fragment_c1
  for (int64_t size : shape)
    if (size < 1) return emitError() << "fragment expected positive dimensions, got " << size;
  if (!elementType.isF32() && !elementType.isF64() && !elementType.isBF16() && !elementType.isInteger(32) &&
      !elementType.isInteger(1))
    return emitError() << "fragment expected elements of f32, f64, bf16, i32 or i1, got " << elementType;
  // fragment_c5
  if (auto slice = dyn_cast<SliceAttr>(layout)) {
    if (shape.size() != 1) return emitError() << "slice expected rank 1, got " << shape.size();
    auto accumulator = dyn_cast<AccumulatorAttr>(slice.getParent());
    bool spread = isa<SpreadAttr>(slice.getParent());
    if (slice.getDim() < 0 || slice.getDim() > 1 || !(accumulator || spread) || (slice.getSize() > 0) != spread)
      return emitError() << "slice expected dimension 0 or 1, and a parent that is spread, with a size, or an "
                            "accumulator, without one, got "
                         << layout;
    int64_t size = spread ? slice.getSize() : 16 * accumulator.getRows() * accumulator.getColumns();
    SmallVector<int64_t> whole = {slice.getDim() == 0 ? size : shape[0], slice.getDim() == 0 ? shape[0] : size};
    return verifyLayout(emitError, whole, slice.getParent());
  }
  return verifyLayout(emitError, shape, layout);
}

LogicalResult RingType::verify(EmitError emitError, int64_t stages) {
  // ring_c1
  if (stages < 2) return emitError() << "ring expected 2 stages or more, got " << stages;
  return success();
}

// ------------------------------------------------------------------------------------------------ shared

Type SharedType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  int64_t swizzle = 0, stages = 1;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseType(element))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    bool isSwizzle = succeeded(parser.parseOptionalKeyword("swizzle"));
    if ((!isSwizzle && parser.parseKeyword("stages")) || parser.parseEqual() ||
        parser.parseInteger(isSwizzle ? swizzle : stages))
      return {};
  }
  if (parser.parseGreater()) return {};
  return parser.getChecked<SharedType>(loc, parser.getContext(), shape, element, swizzle, stages);
}

void SharedType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t size : getShape()) printer << size << 'x';
  printer << getElementType();
  if (getSwizzle()) printer << ", swizzle = " << getSwizzle();
  if (getStages() != 1) printer << ", stages = " << getStages();
  printer << '>';
}

int64_t SharedType::getBytes() const {
  return product(getShape()) * getElementType().getIntOrFloatBitWidth() / 8 * getStages();
}

LogicalResult SharedType::verify(EmitError emitError, ArrayRef<int64_t> shape, Type elementType, int64_t swizzle,
                                 int64_t stages) {
  // shared_c1
  if (shape.empty() || shape.size() > 2) return emitError() << "shared tile expected rank 1 or 2, got " << shape.size();
  for (int64_t size : shape)
    if (size < 1) return emitError() << "shared tile expected positive dimensions, got " << size;
  if (!elementType.isF32() && !elementType.isBF16() && !elementType.isInteger(32))
    return emitError() << "shared tile expected elements of f32, bf16 or i32, got " << elementType;
  // shared_c2
  int64_t row = shape.back() * elementType.getIntOrFloatBitWidth() / 8;
  if (!llvm::is_contained({0, 32, 64, 128}, swizzle) || (swizzle && row % swizzle != 0))
    return emitError() << "shared tile expected a swizzle of 0, 32, 64 or 128 bytes that divides a row of " << row
                       << " bytes, got " << swizzle;
  if (swizzle && shape.size() == 1) return emitError() << "shared vector expected no swizzle, got " << swizzle;
  // shared_c3
  if (stages < 1) return emitError() << "shared tile expected at least 1 stage, got " << stages;
  // shared_c4
  if (shape.size() == 2 && (row % 16 != 0 || shape[0] % 8 != 0))
    return emitError() << "shared tile expected rows of a multiple of 16 bytes, and a multiple of 8 of them, got "
                       << shape[0] << " rows of " << row << " bytes";
  return success();
}
