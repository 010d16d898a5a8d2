// Types of the tile dialect: a view's syntax (`!tile.view<?x64x128xf32, LAYOUT>`), its constraints, and its strides.
#include "dialects/Tile/IR/Tile.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mmc::tile;

#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/IR/TileTypes.cpp.inc"

void TileDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Tile/IR/TileTypes.cpp.inc"
      >();
}

Type ViewType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  Attribute layout;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/true) || parser.parseType(element))
    return {};
  if (succeeded(parser.parseOptionalComma()) && parser.parseAttribute(layout)) return {};
  if (parser.parseGreater()) return {};
  return parser.getChecked<ViewType>(loc, parser.getContext(), shape, element, layout);
}

void ViewType::print(AsmPrinter &printer) const {
  printer << '<';
  for (int64_t size : getShape()) (ShapedType::isDynamic(size) ? printer << '?' : printer << size) << 'x';
  printer << getElementType();
  if (getLayout()) printer << ", " << getLayout();
  printer << '>';
}

using EmitError = function_ref<InFlightDiagnostic()>;

static LogicalResult verifyStrided(EmitError emitError, ArrayRef<int64_t> shape, StridedAttr layout) {
  if (layout.getStrides().size() != shape.size())
    return emitError() << "view expected one stride per dimension, got " << layout.getStrides().size()
                       << " strides for rank " << shape.size();
  for (int64_t stride : layout.getStrides())
    if (stride < 0) return emitError() << "view expected strides of at least 0, got " << stride;
  if (layout.getOffset() < 0) return emitError() << "view expected an offset of at least 0, got " << layout.getOffset();
  return success();
}

static LogicalResult verifyPanels(EmitError emitError, ArrayRef<int64_t> shape, PanelsAttr layout) {
  if (layout.getN() < 1 || layout.getK() < 1)
    return emitError() << "view expected panels of positive n and k, got n = " << layout.getN()
                       << ", k = " << layout.getK();
  if (shape.size() < 2) return emitError() << "view in panels expected rank 2 or more, got " << shape.size();
  if (ShapedType::isDynamicShape(shape.take_back(2)))
    return emitError() << "view in panels expected its last two dimensions to be static";
  return success();
}

static LogicalResult verifyPaged(EmitError emitError, ArrayRef<int64_t> shape, PagedAttr layout) {
  if (shape.size() != 4)
    return emitError() << "paged view expected rank 4 (slot, position, head, channel), got " << shape.size();
  if (layout.getPage() < 1 || layout.getTable() < 1)
    return emitError() << "paged view expected positive page and table, got page = " << layout.getPage()
                       << ", table = " << layout.getTable();
  ArrayRef<int64_t> strides = layout.getStrides();
  if (strides.size() != 3)
    return emitError() << "paged view expected 3 strides (position, head, channel), got " << strides.size();
  for (int64_t stride : strides)
    if (stride < 0) return emitError() << "paged view expected strides of at least 0, got " << stride;
  int64_t size = layout.getPage() * shape[2] * shape[3];
  int64_t last = (layout.getPage() - 1) * strides[0] + (shape[2] - 1) * strides[1] + (shape[3] - 1) * strides[2];
  if (last >= size)
    return emitError() << "paged view expected elements below " << size << " within a page, got one at " << last;
  return success();
}

LogicalResult ViewType::verify(EmitError emitError, ArrayRef<int64_t> shape, Type elementType, Attribute layout) {
  // view_c1
  size_t dynamicDims = isa_and_nonnull<PagedAttr>(layout) ? 2 : 1;
  for (auto [i, size] : llvm::enumerate(shape)) {
    if (ShapedType::isDynamic(size) && i >= dynamicDims)
      return emitError() << "view expected dimension " << i << " to be static";
    if (!ShapedType::isDynamic(size) && size < 1)
      return emitError() << "view expected positive dimensions, got " << size << " for dimension " << i;
  }
  // view_c2
  if (!elementType.isIntOrFloat() || elementType.getIntOrFloatBitWidth() % 8 != 0)
    return emitError() << "view expected elements of integer or float type of whole bytes, got " << elementType;
  if (!layout) return success();
  // view_c4, view_c5, view_c6
  if (auto strided = dyn_cast<StridedAttr>(layout)) return verifyStrided(emitError, shape, strided);
  if (auto panels = dyn_cast<PanelsAttr>(layout)) return verifyPanels(emitError, shape, panels);
  if (auto paged = dyn_cast<PagedAttr>(layout)) return verifyPaged(emitError, shape, paged);
  // view_c3
  return emitError() << "view expected a layout of #tile.strided, #tile.panels or #tile.paged, got " << layout;
}

SmallVector<int64_t> ViewType::getStrides() const {
  if (auto strided = dyn_cast_or_null<StridedAttr>(getLayout())) return SmallVector<int64_t>(strided.getStrides());
  if (getLayout()) return {};
  SmallVector<int64_t> strides(getShape().size(), 1);
  for (size_t i = strides.size(); i > 1; --i) strides[i - 2] = strides[i - 1] * getShape()[i - 1];
  return strides;
}

int64_t ViewType::getOffset() const {
  auto strided = dyn_cast_or_null<StridedAttr>(getLayout());
  return strided ? strided.getOffset() : 0;
}
