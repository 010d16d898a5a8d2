// Memory: tile.load, tile.gather, tile.store, tile.point. One function maps a view's coordinates to an element's place,
// by the layout algebra of runtime/src/Layout.h; one walks the elements that a tile covers. Accesses are checked
// against the memory of their argument.
#include "lib/Interpreter/TileProgram.h"

#include <cstring>

using namespace mlir;
using namespace mmc;
using namespace mmc::interpreter;

namespace {

/// What is known of a view before a run.
struct View {
  unsigned argument;
  Type element;
  int64_t elementBytes;
  SmallVector<int64_t, 4> shape = {};
  SmallVector<int64_t, 4> strides = {};
  int64_t offset = 0;
  std::optional<runtime::Layout> panels = std::nullopt;
  /// Elements of one [N, K] of a view in panels, padding included.
  int64_t panelsElements = 0;
  int64_t page = 0, table = 0, pageElements = 0;
};

} // namespace

static runtime::DType dtypeOf(Type element) {
  return element.isBF16()       ? runtime::DType::bf16
         : element.isF64()      ? runtime::DType::f64
         : element.isInteger(8) ? runtime::DType::i8
                                : runtime::DType::f32;
}

/// Describes the view that `value`, an argument of the kernel, is; nothing if its layout or elements are unknown here.
static std::optional<View> describe(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto type = cast<tile::ViewType>(value.getType());
  Type element = type.getElementType();
  bool known = element.isF32() || element.isBF16() || element.isF64() || element.isInteger(8) ||
               element.isInteger(32) || element.isInteger(64);
  if (!argument || !isa<tile::KernelOp>(argument.getOwner()->getParentOp()) || !known) return std::nullopt;
  View view{
      .argument = argument.getArgNumber(), .element = element, .elementBytes = element.getIntOrFloatBitWidth() / 8};
  view.shape.assign(type.getShape().begin(), type.getShape().end());
  view.strides = type.getStrides();
  view.offset = type.getOffset();
  if (auto layout = dyn_cast_or_null<tile::PanelsAttr>(type.getLayout())) {
    view.panels = runtime::Layout{dtypeOf(element), runtime::LayoutKind::panels, uint32_t(layout.getN()),
                                  uint32_t(layout.getK()), uint32_t(layout.getPad())};
    uint64_t matrix[] = {uint64_t(view.shape[view.shape.size() - 2]), uint64_t(view.shape.back())};
    view.panelsElements =
        runtime::roundUp(runtime::storedElements(*view.panels, matrix) * view.elementBytes, runtime::kAlignment) /
        view.elementBytes;
  } else if (auto layout = dyn_cast_or_null<tile::PagedAttr>(type.getLayout())) {
    view.page = layout.getPage();
    view.table = layout.getTable();
    view.pageElements = layout.getPage() * view.shape[2] * view.shape[3];
    view.strides.assign(layout.getStrides().begin(), layout.getStrides().end());
  }
  return view;
}

static bool reportOutside(Operation *op, const View &view, ArrayRef<int64_t> at) {
  InFlightDiagnostic diagnostic = op->emitOpError()
                                  << "reaches outside the memory of argument " << view.argument << " at index [";
  llvm::interleaveComma(at, diagnostic);
  diagnostic << "]";
  return false;
}

static bool inBounds(const Pointer &pointer, int64_t offset, int64_t bytes) {
  return pointer.base && offset >= pointer.low && offset <= pointer.high - bytes;
}

/// The address of the element at `at`, null after an error was emitted.
static std::byte *address(Operation *op, const View &view, const Binding &binding, ArrayRef<int64_t> at) {
  int64_t element = view.offset;
  if (view.panels) {
    int64_t matrix = 0;
    for (size_t d = 0; d + 2 < at.size(); ++d) matrix = d == 0 ? at[0] : matrix * view.shape[d] + at[d];
    element = matrix * view.panelsElements +
              runtime::panelIndex(*view.panels, view.shape.back(), at[at.size() - 2], at.back());
  } else if (view.page) {
    int64_t entry = at[0] * view.table + at[1] / view.page;
    if (at[1] / view.page >= view.table || !inBounds(binding.table, entry * 4, 4))
      return reportOutside(op, view, at), nullptr;
    int32_t page;
    std::memcpy(&page, binding.table.base + entry * 4, 4);
    if (page < 0) return reportOutside(op, view, at), nullptr;
    element = page * view.pageElements + at[1] % view.page * view.strides[0] + at[2] * view.strides[1] +
              at[3] * view.strides[2];
  } else {
    for (size_t d = 0; d < at.size(); ++d) element += at[d] * view.strides[d];
  }
  int64_t byte = element * view.elementBytes;
  if (!inBounds(binding.memory, byte, view.elementBytes)) return reportOutside(op, view, at), nullptr;
  return binding.memory.base + byte;
}

// ------------------------------------------------------------------------------------------------ elements

template <typename T> static T read(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <typename T> static void write(std::byte *to, T value) { std::memcpy(to, &value, sizeof(T)); }

static double readFloat(Type type, const std::byte *from) {
  if (type.isF64()) return read<double>(from);
  if (type.isF32()) return read<float>(from);
  return llvm::bit_cast<float>(uint32_t(read<uint16_t>(from)) << 16);
}

static void writeFloat(Type type, std::byte *to, double value) {
  if (type.isF64())
    write(to, value);
  else if (type.isF32())
    write(to, static_cast<float>(value));
  else // A NaN's payload may lie in the low half alone; the quiet bit keeps it a NaN.
    write(to, static_cast<uint16_t>((llvm::bit_cast<uint32_t>(static_cast<float>(roundToBF16(value))) >> 16) |
                                    (value != value ? 0x40 : 0)));
}

static int64_t readInt(int64_t bytes, const std::byte *from) {
  return bytes == 1 ? read<int8_t>(from) : bytes == 4 ? read<int32_t>(from) : read<int64_t>(from);
}

static void writeInt(int64_t bytes, std::byte *to, int64_t value) {
  bytes == 1   ? write(to, static_cast<int8_t>(value))
  : bytes == 4 ? write(to, static_cast<int32_t>(value))
               : write(to, value);
}

// ------------------------------------------------------------------------------------------------ tiles

namespace {

/// A tile of a view, as load, gather and store have it.
struct Access {
  Operation *op;
  View view;
  std::vector<unsigned> indices;
  SmallVector<int64_t, 4> along;
  SmallVector<int64_t, 4> shape;
  std::optional<unsigned> limit;
  /// Rows of a gather.
  std::optional<unsigned> rows;
};

} // namespace

/// Calls `fn(e, address)` for each element e of the tile in row-major order; the address is null where the element lies
/// beyond `limit` or beyond a static dimension. False after an error was emitted.
template <typename Fn> static bool forEachElement(const Access &access, Frame &frame, Fn fn) {
  const View &view = access.view;
  const Binding &binding = frame.bindings[view.argument];
  SmallVector<int64_t, 4> start, at, place(access.shape.size(), 0);
  for (unsigned index : access.indices) start.push_back(frame.slots[index].i[0]);
  int64_t limit = access.limit ? frame.slots[*access.limit].i[0] : INT64_MAX;
  int64_t elements = 1;
  for (int64_t size : access.shape) elements *= size;
  for (int64_t e = 0; e < elements; ++e) {
    at = start;
    for (size_t d = 0; d < place.size(); ++d) at[access.along[d]] += place[d];
    bool inside = place.empty() || place[0] < limit;
    if (inside && access.rows) at[access.along[0]] = start[access.along[0]] + frame.slots[*access.rows].i[place[0]];
    for (size_t d = 0; inside && d < at.size(); ++d) {
      if (at[d] < 0) return reportOutside(access.op, view, at);
      inside = ShapedType::isDynamic(view.shape[d]) || at[d] < view.shape[d];
    }
    std::byte *byte = inside ? address(access.op, view, binding, at) : nullptr;
    if (inside && !byte) return false;
    fn(e, byte);
    for (size_t d = place.size(); d-- > 0 && ++place[d] == access.shape[d];) place[d] = 0;
  }
  return true;
}

template <typename Op> static std::optional<Access> describeAccess(Op op, Type tile) {
  std::optional<View> view = describe(op.getView());
  if (!view) return std::nullopt;
  Access access{op, *view, {}, SmallVector<int64_t, 4>(op.getAlong()), {}, std::nullopt, std::nullopt};
  if (auto tensor = dyn_cast<RankedTensorType>(tile))
    access.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  return access;
}

static Action makeLoad(Access access, unsigned r) {
  return [access, r](Frame &frame) {
    const View &view = access.view;
    Slot &result = frame.slots[r];
    if (isa<FloatType>(view.element))
      return forEachElement(
          access, frame, [&](int64_t e, std::byte *from) { result.f[e] = from ? readFloat(view.element, from) : 0.0; });
    return forEachElement(
        access, frame, [&](int64_t e, std::byte *from) { result.i[e] = from ? readInt(view.elementBytes, from) : 0; });
  };
}

static Action makeStore(Access access, unsigned v) {
  return [access, v](Frame &frame) {
    const View &view = access.view;
    const Slot &value = frame.slots[v];
    bool floats = isa<FloatType>(view.element);
    return forEachElement(access, frame, [&](int64_t e, std::byte *to) {
      if (to) floats ? writeFloat(view.element, to, value.f[e]) : writeInt(view.elementBytes, to, value.i[e]);
    });
  };
}

static Action makePoint(tile::PointOp op, unsigned record, std::vector<unsigned> results) {
  unsigned list = cast<BlockArgument>(op.getList()).getArgNumber();
  return [=](Frame &frame) mutable {
    const Pointer &records = frame.bindings[list].memory;
    int64_t index = frame.slots[record].i[0];
    if (index < 0 || !inBounds(records, index * 16, 16)) {
      op.emitOpError() << "reaches outside the work list of argument " << list << " at record " << index;
      return false;
    }
    for (size_t field = 0; field < 4; ++field)
      frame.slots[results[field]].i[0] = read<int32_t>(records.base + index * 16 + field * 4);
    return true;
  };
}

bool TileCompiler::compileMemory(Operation *op, Actions &actions) {
  auto addOperands = [&](auto access, auto memoryOp) {
    access->indices = slots(memoryOp.getIndices());
    if (memoryOp.getLimit()) access->limit = slot(memoryOp.getLimit());
  };
  if (auto load = dyn_cast<tile::LoadOp>(op)) {
    std::optional<Access> access = describeAccess(load, load.getResult().getType());
    if (!access) return false;
    addOperands(&*access, load);
    actions.push_back(makeLoad(*access, slot(load.getResult())));
    return true;
  }
  if (auto gather = dyn_cast<tile::GatherOp>(op)) {
    std::optional<Access> access = describeAccess(gather, gather.getResult().getType());
    if (!access) return false;
    addOperands(&*access, gather);
    access->rows = slot(gather.getRows());
    actions.push_back(makeLoad(*access, slot(gather.getResult())));
    return true;
  }
  if (auto store = dyn_cast<tile::StoreOp>(op)) {
    std::optional<Access> access = describeAccess(store, store.getValue().getType());
    if (!access) return false;
    addOperands(&*access, store);
    actions.push_back(makeStore(*access, slot(store.getValue())));
    return true;
  }
  auto point = dyn_cast<tile::PointOp>(op);
  if (!point || !isa<BlockArgument>(point.getList())) return false;
  actions.push_back(makePoint(point, slot(point.getRecord()), slots(point.getResults())));
  return true;
}
