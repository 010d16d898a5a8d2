// Loads, stores and copies: the address of an element as a function of its coordinates, and the bounds of what exists.
#include "lib/Target/CUDA/Expressions.h"
#include "lib/Target/CUDA/KernelPrinter.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mmc::hopper;
using llvm::formatv;

namespace mmc::cuda {

static bool isConstant(Value value, int64_t &number) {
  APInt constant;
  if (!matchPattern(value, m_ConstantInt(&constant))) return false;
  number = constant.getSExtValue();
  return true;
}

/// "a + b * 2 + 3" of terms value * factor, without what is zero.
static void addTerm(std::string &sum, const std::string &value, int64_t factor) {
  if (value == "0" || factor == 0) return;
  sum += (sum.empty() ? "" : " + ") + value + (factor == 1 ? "" : " * " + std::to_string(factor));
}

static constexpr const char *kCoordinates[] = {"i", "j", "k"};

static std::string coordinateList(size_t rank) {
  std::string list;
  for (size_t d = 0; d < rank; ++d) list += std::string(d ? ", u32 " : "u32 ") + kCoordinates[d];
  return list;
}

/// A lambda from a tile's coordinates to the address of the element. `row`: what its row of the view is, where that is
/// not the first coordinate.
std::string KernelPrinter::address(Value view, ValueRange indices, ArrayRef<int64_t> along, StringRef row) {
  auto type = cast<tile::ViewType>(view.getType());
  std::string open = formatv("[&]({0}) {{ return ", coordinateList(along.size())).str();
  auto coordinateOf = [&](int64_t dim) -> std::string {
    for (auto [d, viewDim] : llvm::enumerate(along))
      if (viewDim == dim) return d == 0 && !row.empty() ? row.str() : kCoordinates[d];
    return "0";
  };
  if (auto paged = dyn_cast_or_null<tile::PagedAttr>(type.getLayout())) {
    int64_t elements = paged.getPage() * type.getShape()[2] * type.getShape()[3];
    std::string position = "";
    addTerm(position, text(indices[1]), 1);
    addTerm(position, coordinateOf(1), 1);
    std::string out = formatv("{0}pagedRow<{1}, {2}, {3}, {4}>({5}, {6}, {7}, {8})", open, paged.getPage(),
                              paged.getTable(), elements, paged.getStrides()[0], text(view), pageTables[view],
                              text(indices[0]), position.empty() ? "0" : position)
                          .str();
    for (int64_t dim : {2, 3}) {
      std::string offset;
      addTerm(offset, text(indices[dim]), paged.getStrides()[dim - 1]);
      addTerm(offset, coordinateOf(dim), paged.getStrides()[dim - 1]);
      if (!offset.empty()) out += " + " + offset;
    }
    return out + "; }";
  }
  SmallVector<int64_t> strides = type.getStrides();
  std::string offset;
  for (auto [dim, index] : llvm::enumerate(indices)) {
    addTerm(offset, text(index), strides[dim]);
    addTerm(offset, coordinateOf(dim), strides[dim]);
  }
  if (type.getOffset()) addTerm(offset, std::to_string(type.getOffset()), 1);
  if (StringRef(offset).contains(' ')) offset = "(" + offset + ")";
  return open + text(view) + (offset.empty() ? "" : " + " + offset) + "; }";
}

/// The address in a tile of cached positions that lie in one page. The page is looked up in front of the copy, once and
/// not for each piece. Empty where the tile is none of that kind.
std::string KernelPrinter::addressInPage(CopyOp copy) {
  auto type = cast<tile::ViewType>(copy.getView().getType());
  auto paged = dyn_cast_or_null<tile::PagedAttr>(type.getLayout());
  const int64_t positions = copy.getShared().getType().getShape()[0];
  ValueRange indices = copy.getIndices();
  if (!paged || copy.getRows() || copy.getAlong() != ArrayRef<int64_t>{1, 3} || paged.getStrides()[2] != 1 ||
      paged.getPage() % positions != 0 || !isMultipleOf(indices[1], positions))
    return {};
  std::string offset;
  for (int64_t dim : {2, 3}) addTerm(offset, text(indices[dim]), paged.getStrides()[dim - 1]);
  const std::string name = fresh(names.lookup(copy.getView()) + "_rows");
  line(formatv("const {0} *{1} = pagedRow<{2}, {3}, {4}, {5}>({6}, {7}, {8}, {9}){10};",
               typeText(type.getElementType()), name, paged.getPage(), paged.getTable(),
               paged.getPage() * type.getShape()[2] * type.getShape()[3], paged.getStrides()[0], text(copy.getView()),
               pageTables[copy.getView()], text(indices[0]), text(indices[1]),
               offset.empty() ? "" : " + (" + offset + ")"));
  return formatv("[&](u32 i, u32 j) {{ return {0} + (i * {1} + j); }", name, paged.getStrides()[0]);
}

std::string KernelPrinter::bounds(tile::ViewType view, ValueRange indices, ArrayRef<int64_t> along,
                                  ArrayRef<int64_t> sizes, Value limit) {
  SmallVector<std::string> list;
  for (auto [d, dim] : llvm::enumerate(along)) {
    std::string bound = std::to_string(sizes[d]);
    int64_t extent = view.getShape()[dim], first = 0;
    if (!ShapedType::isDynamic(extent) && !(isConstant(indices[dim], first) && first + sizes[d] <= extent))
      bound = formatv("within({0}, {1}, {2})", text(indices[dim]), sizes[d], extent).str();
    if (d == 0 && limit)
      bound = formatv("atMost({0}, {1})", withoutParentheses(text(limit)), withoutParentheses(bound)).str();
    list.push_back(bound);
  }
  return "bounds(" + llvm::join(list, ", ") + ")";
}

/// How many neighbours along the last dimension are contiguous and aligned together, wherever the tile begins.
int64_t KernelPrinter::chunk(tile::ViewType view, ValueRange indices, ArrayRef<int64_t> along) const {
  int64_t rank = view.getShape().size(), count = 8;
  if (along.empty() || along.back() != rank - 1) return 1;
  SmallVector<int64_t> strides = view.getStrides();
  int64_t offset = view.getOffset();
  if (auto paged = dyn_cast_or_null<tile::PagedAttr>(view.getLayout())) {
    // A page is a multiple of every power of two that its rows are.
    strides = {paged.getPage() * view.getShape()[2] * view.getShape()[3], paged.getStrides()[0], paged.getStrides()[1],
               paged.getStrides()[2]};
    offset = 0;
  }
  if (strides.empty() || strides.back() != 1) return 1;
  auto fits = [&](int64_t n) {
    if (offset % n != 0 || !isMultipleOf(indices.back(), n)) return false;
    for (int64_t dim = 0; dim + 1 < rank; ++dim)
      if (strides[dim] % n != 0) return false;
    return true;
  };
  while (count > 1 && !fits(count)) count /= 2;
  return count;
}

void KernelPrinter::printLoad(LoadOp load) {
  auto view = cast<tile::ViewType>(load.getView().getType());
  auto type = dyn_cast<FragmentType>(load.getResult().getType());
  std::string base = names.lookup(load.getView());
  if (!type) {
    std::string lambda = address(load.getView(), load.getIndices(), {}, {});
    StringRef expression = StringRef(lambda).drop_front(StringRef("[&]() { return ").size()).drop_back(3);
    const std::string &name = define(load.getResult(), base + "_value");
    return line(formatv("const {0} {1} = *({2});", typeText(load.getResult().getType()), name, expression));
  }
  auto sizes = load.getExtents() ? llvm::to_vector(*load.getExtents()) : llvm::to_vector(type.getShape());
  std::string where = address(load.getView(), load.getIndices(), load.getAlong(), gatheredRow(load.getRows()));
  std::string limits = bounds(view, load.getIndices(), load.getAlong(), sizes, load.getLimit());
  std::string name = declareFragment(load.getResult(), base + "_part");
  line(formatv("load<{0}>({1}, {2}, {3});", chunk(view, load.getIndices(), load.getAlong()), name, limits, where));
}

void KernelPrinter::printStore(StoreOp store) {
  auto view = cast<tile::ViewType>(store.getView().getType());
  auto type = dyn_cast<FragmentType>(store.getValue().getType());
  if (!type) {
    std::string lambda = address(store.getView(), store.getIndices(), {}, {});
    StringRef expression = StringRef(lambda).drop_front(StringRef("[&]() { return ").size()).drop_back(3);
    return line(formatv("{0}*({1}) = {2};", kernel.getSerial() ? "" : "if (threadIndex() == 0) ", expression,
                        text(store.getValue())));
  }
  auto sizes = store.getExtents() ? llvm::to_vector(*store.getExtents()) : llvm::to_vector(type.getShape());
  line(formatv("store<{0}>({1}, {2}, {3});", chunk(view, store.getIndices(), store.getAlong()), text(store.getValue()),
               bounds(view, store.getIndices(), store.getAlong(), sizes, store.getLimit()),
               address(store.getView(), store.getIndices(), store.getAlong(), {})));
}

/// The row of the view for the first coordinate, by a shared tile of them.
std::string KernelPrinter::gatheredRow(Value rows) { return rows ? sharedText(rows, {}) + "[i]" : std::string(); }

void KernelPrinter::printCopy(CopyOp copy) {
  auto view = cast<tile::ViewType>(copy.getView().getType());
  auto sizes =
      copy.getExtents() ? llvm::to_vector(*copy.getExtents()) : llvm::to_vector(copy.getShared().getType().getShape());
  std::string row = gatheredRow(copy.getRows());
  if (copy.getList()) {
    std::string place;
    addTerm(place, text(copy.getFirst()), 1);
    row = formatv("s64({0}[{1}i])", text(copy.getList()), place.empty() ? "" : place + " + ");
  }
  std::string where = addressInPage(copy);
  if (where.empty()) where = address(copy.getView(), copy.getIndices(), copy.getAlong(), row);
  std::string by = std::to_string(threads);
  if (filling) by = formatv("{0}, {1}", filling.getFillers(), threads);
  line(formatv("copyTile<{0}>({1}, {2}, {3});", by, sharedText(copy.getShared(), copy.getStage()),
               bounds(view, copy.getIndices(), copy.getAlong(), sizes, copy.getLimit()), where));
}

} // namespace mmc::cuda
