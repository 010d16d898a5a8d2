// Places: where tiles of views lie, scratch memory, constants.
#include "passes/Conversion/TileToVector/Lowering.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

static int64_t roundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/// A known divisor of an index value of the kernel: constants, and products with constants.
static int64_t divisorOf(Value index) {
  if (auto constant = getConstantIntValue(index)) return *constant == 0 ? 0 : std::abs(*constant);
  auto product = index.getDefiningOp<arith::MulIOp>();
  if (!product) return 1;
  int64_t a = divisorOf(product.getLhs()), b = divisorOf(product.getRhs());
  return a && b ? a * b : 0;
}

/// Whether a tile of `size` entries from `index` lies within `extent`, given that its first entry does.
static bool isInside(Value index, int64_t size, int64_t extent) {
  if (auto constant = getConstantIntValue(index)) return *constant >= 0 && *constant + size <= extent;
  return size == 1 || (extent % size == 0 && divisorOf(index) % size == 0);
}

Value Lowering::pageStart(tile::ViewType view, Value argument, ValueRange indices) {
  auto layout = cast<tile::PagedAttr>(view.getLayout());
  auto [pool, table] = arguments.lookup(argument);
  Type i32 = builder.getI32Type();
  Value entry =
      emit.add(emit.mul(scalar(indices[0]), layout.getTable()), emit.div(scalar(indices[1]), layout.getPage()));
  Value page = emit.toIndex(emit.load(i32, emit.pointerAt(table, i32, entry)));
  int64_t size = layout.getPage() * view.getShape()[2] * view.getShape()[3];
  return emit.pointerAt(pool, Emitter::carried(view.getElementType()), emit.mul(page, size));
}

Place Lowering::panelPlace(Operation *op, tile::ViewType view, Value base, ValueRange indices,
                           ArrayRef<int64_t> along) {
  auto layout = cast<tile::PanelsAttr>(view.getLayout());
  Place place;
  place.element = view.getElementType();
  int64_t rank = view.getShape().size(), rows = view.getShape()[rank - 2], columns = view.getShape()[rank - 1];
  int64_t k = layout.getK(), n = layout.getN();
  bool f32 = place.element.isF32() && k == 1, bf16 = place.element.isBF16() && k == 2 && columns % 2 == 0;
  if (n % 16 != 0 || layout.getRowMultiple() % 64 != 0 || (!f32 && !bf16) || along.size() != 2 ||
      along[0] != rank - 2 || divisorOf(indices[rank - 2]) % 64 != 0 ||
      getConstantIntValue(indices[rank - 1]) != std::optional<int64_t>(0)) {
    fail(op, "expected panels of a multiple of 16 rows, padded to a multiple of 64, k = 1 for f32 and k = 2 (with an "
             "even number of columns) for bf16, read from a row that is a "
             "multiple of 64 and from column 0, got " +
                 Twine(n) + " rows and k = " + Twine(k));
    return place;
  }
  auto panels = std::make_shared<Place::Panels>();
  panels->n = n;
  panels->k = k;
  panels->size = n * roundUp(columns, k);
  int64_t bytes = Emitter::storedBytes(place.element),
          matrix = roundUp(roundUp(rows, layout.getRowMultiple()) * roundUp(columns, k) * bytes, 64) / bytes;
  Value start = emit.index(0);
  for (int64_t d = 0, stride = matrix; d < rank - 2; ++d) {
    // Leading dimensions are row-major over whole matrices; at most one in practice (experts).
    int64_t inner = stride;
    for (int64_t e = d + 1; e < rank - 2; ++e) inner *= view.getShape()[e];
    start = emit.add(start, emit.mul(scalar(indices[d]), inner));
  }
  Value panel = emit.div(scalar(indices[rank - 2]), n);
  start = emit.add(start, emit.mul(panel, panels->size));
  place.base = emit.pointerAt(base, Emitter::carried(place.element), start);
  place.panels = panels;
  place.strides.assign(2, 0);
  place.bounds.assign(2, Value());
  return place;
}

Place Lowering::placeOf(Operation *op, Value viewValue, ValueRange indices, ArrayRef<int64_t> along,
                        ArrayRef<int64_t> shape, Value limit, Value rows) {
  auto view = cast<tile::ViewType>(viewValue.getType());
  Place place;
  place.element = view.getElementType();
  Value base = arguments.lookup(viewValue).first;
  if (isa_and_nonnull<tile::PanelsAttr>(view.getLayout())) {
    if (rows || limit) fail(op, "expected no limit and no row numbers on a view in panels");
    return failed ? place : panelPlace(op, view, base, indices, along);
  }
  SmallVector<int64_t> strides = view.getStrides();
  SmallVector<Value> starts;
  for (Value index : indices) starts.push_back(scalar(index));
  Value offset = emit.index(view.getOffset());
  auto paged = dyn_cast_or_null<tile::PagedAttr>(view.getLayout());
  place.readable = bool(paged);
  if (paged) {
    base = pageStart(view, viewValue, indices);
    strides = {0, paged.getStrides()[0], paged.getStrides()[1], paged.getStrides()[2]};
    starts[1] = emit.rem(starts[1], paged.getPage());
  }
  if (rows) {
    // The gathered dimension's start is added to each row number; a base address absorbs it.
    place.rows = std::make_shared<Place>(places.lookup(rows));
    if (!place.rows->base) {
      fail(op, "expected the row numbers to be loaded or stored in memory");
      return place;
    }
  }
  for (auto [stride, start] : llvm::zip(strides, starts)) offset = emit.add(offset, emit.mul(start, stride));
  place.base = emit.pointerAt(base, Emitter::carried(place.element), offset);
  for (auto [d, dim] : llvm::enumerate(along)) {
    place.strides.push_back(strides[dim]);
    int64_t extent = view.getShape()[dim];
    Value bound;
    bool gathered = rows && d == 0;
    if (!ShapedType::isDynamic(extent) && !gathered && !isInside(indices[dim], shape[d], extent))
      bound = emit.sub(emit.index(extent), starts[dim]);
    if (d == 0 && limit) bound = bound ? emit.min(bound, scalar(limit)) : scalar(limit);
    place.bounds.push_back(bound);
  }
  return place;
}

Place Lowering::allocate(ArrayRef<int64_t> shape, Type element, bool compact) {
  Place place;
  place.element = element;
  place.padded = !compact;
  int64_t bytes = Emitter::storedBytes(element), row = compact ? shape.back() : roundUp(shape.back(), 16);
  // Rows whose distance is a multiple of 1 KiB share cache sets.
  if (!compact && shape.size() > 1 && row * bytes % 1024 == 0) row += 16;
  place.strides.assign(shape.size(), 1);
  int64_t size = row;
  for (size_t d = shape.size() - 1; d > 0; --d) {
    place.strides[d - 1] = size;
    size *= shape[d - 1];
  }
  place.bounds.assign(shape.size(), Value());
  place.base = emit.pointerAt(scratch, builder.getI8Type(), scratchTop);
  if (scratchTop >= (int64_t(1) << 31))
    place.base = emit.pointerAt(scratch, builder.getI8Type(), emit.index(scratchTop));
  scratchTop += roundUp(size * bytes, 64);
  scratchPeak = std::max(scratchPeak, scratchTop);
  return place;
}

Value Lowering::globalConstant(DenseElementsAttr values) {
  Type element = Emitter::carried(values.getElementType());
  if (values.getElementType().isBF16()) values = cast<DenseElementsAttr>(values.bitcast(element));
  auto flat = values.reshape(RankedTensorType::get({values.getNumElements()}, element));
  std::string name = (function.getSymName() + "__constant" + Twine(globals++)).str();
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(function);
    LLVM::GlobalOp::create(builder, loc, LLVM::LLVMArrayType::get(element, values.getNumElements()),
                           /*isConstant=*/true, LLVM::Linkage::Internal, name, flat, /*alignment=*/64);
  }
  return LLVM::AddressOfOp::create(builder, loc, scratch.getType(), name);
}
