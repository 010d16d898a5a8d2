// Describes kernels for PlanWriter and for the records of the host object.
#include "lib/Target/Plan/KernelInterface.h"

#include "dialects/Plan/IR/Plan.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Analysis/OwnRows.h"

#include <algorithm>

using namespace mlir;

namespace mmc {

namespace {

using runtime::ArgumentKind;
using runtime::Parameter;
using runtime::Rows;

runtime::DType elementType(Type type) {
  if (type.isF32()) return runtime::DType::f32;
  if (type.isBF16()) return runtime::DType::bf16;
  if (type.isF64()) return runtime::DType::f64;
  if (type.isF16()) return runtime::DType::f16;
  if (type.isInteger(64)) return runtime::DType::i64;
  if (type.isInteger(8)) return runtime::DType::i8;
  return runtime::DType::i32;
}

uint64_t unsignedOf(int64_t value) { return static_cast<uint64_t>(value); }

/// Bytes that a view reaches: of a row where its rows are dynamic, of a page where it is paged, otherwise in all.
uint64_t reach(tile::ViewType view, Parameter &parameter) {
  uint64_t elements = 1, element = runtime::dtypeBytes(parameter.dtype);
  ArrayRef<int64_t> shape = view.getShape();
  if (auto paged = dyn_cast_or_null<tile::PagedAttr>(view.getLayout())) {
    parameter.pageTokens = static_cast<uint32_t>(paged.getPage());
    parameter.pagesPerSequence = static_cast<uint32_t>(paged.getTable());
    for (int64_t size : shape.drop_front(2)) elements *= unsignedOf(size);
    return elements * unsignedOf(paged.getPage()) * element;
  }
  bool rows = !shape.empty() && ShapedType::isDynamic(shape.front());
  if (auto strided = dyn_cast_or_null<tile::StridedAttr>(view.getLayout())) {
    if (rows) return unsignedOf(strided.getStrides().front()) * element;
    elements += unsignedOf(strided.getOffset());
    for (auto [size, stride] : llvm::zip(shape, strided.getStrides())) elements += unsignedOf((size - 1) * stride);
    return elements * element;
  }
  for (int64_t size : shape.drop_front(rows)) elements *= unsignedOf(size);
  return elements * element;
}

Parameter memoryParameter(tile::ViewType view, StringAttr access) {
  Parameter parameter;
  parameter.dtype = elementType(view.getElementType());
  parameter.read = access && access.getValue() != "write";
  parameter.written = access && access.getValue() != "read";
  parameter.bytes = reach(view, parameter);
  return parameter;
}

/// A weight's shape and layout are fixed; its bytes follow, experts padded each.
void addWeight(Parameter &parameter, tile::ViewType view, bool experts) {
  parameter.shape.assign(view.getShape().begin(), view.getShape().end());
  runtime::Layout layout{parameter.dtype};
  if (auto panels = dyn_cast_or_null<tile::PanelsAttr>(view.getLayout())) {
    layout.kind = runtime::LayoutKind::panels;
    parameter.panelN = layout.panelN = static_cast<uint32_t>(panels.getN());
    parameter.panelK = layout.panelK = static_cast<uint32_t>(panels.getK());
    parameter.padN = layout.padN = static_cast<uint32_t>(panels.getRowMultiple());
  }
  std::span<const uint64_t> shape(parameter.shape);
  if (experts)
    parameter.bytes = shape.front() * runtime::storedBytes(layout, shape.subspan(1));
  else
    parameter.bytes = runtime::storedBytes(layout, shape);
}

struct Word {
  Parameter parameter;
  tile::ViewType view;
  bool sized = false; // by a buffer with rows
  Touched touched = Touched::anything;
};

/// Rows of a buffer: one with several rows per token holds so many of the view's. Where launches differ, the least that
/// all of them have is described, and nothing where their rows are not counted alike.
void addRows(planir::BufferOp buffer, Word &word) {
  Parameter &parameter = word.parameter;
  Rows rows = *buffer.getRows() == "outputs"     ? Rows::outputs
              : *buffer.getRows() == "sequences" ? Rows::sequences
                                                 : Rows::tokens;
  uint64_t bytes = memoryParameter(word.view, nullptr).bytes * unsignedOf(buffer.getRowsPer());
  if (word.sized && parameter.rows != rows) {
    parameter.rows = Rows::none;
    bytes = 0;
  } else {
    parameter.rows = rows;
  }
  parameter.bytes = word.sized ? std::min(parameter.bytes, bytes) : bytes;
  word.sized = true;
}

/// Adds what one launch binds to a word.
void addBinding(planir::ModuleOp plan, planir::BindingAttr binding, Word &word) {
  Parameter &parameter = word.parameter;
  auto kind = static_cast<ArgumentKind>(binding.getKind());
  auto at = std::lower_bound(parameter.kinds.begin(), parameter.kinds.end(), kind);
  if (at == parameter.kinds.end() || *at != kind) parameter.kinds.insert(at, kind);
  if (kind == ArgumentKind::logits || kind == ArgumentKind::outputRows) parameter.rows = Rows::outputs;
  if (kind == ArgumentKind::tokenIds || kind == ArgumentKind::rowPositions || kind == ArgumentKind::rowSlots)
    parameter.rows = Rows::tokens;
  Operation *item = binding.getSymbol() ? plan.lookupSymbol(binding.getSymbol().getAttr()) : nullptr;
  if (auto weight = dyn_cast_or_null<planir::WeightOp>(item))
    addWeight(parameter, word.view, weight.getSource().contains("{expert}"));
  auto buffer = dyn_cast_or_null<planir::BufferOp>(item);
  if (buffer && buffer.getRows()) addRows(buffer, word);
}

/// The words of a kernel's argument record, without what launches add. A paged view has two.
std::vector<Word> kernelWords(tile::KernelOp op, runtime::Kernel &kernel, std::vector<uint64_t> &wordOf) {
  std::vector<Word> words;
  for (unsigned i = 0; i < op.getNumKernelArguments(); ++i) {
    BlockArgument argument = op.getBody().front().getArgument(i);
    std::string name = "argument" + std::to_string(i);
    if (auto loc = dyn_cast<NameLoc>(argument.getLoc())) name = loc.getName().str();
    wordOf.push_back(words.size());
    kernel.parameters.push_back(name);
    Word word;
    word.view = dyn_cast<tile::ViewType>(argument.getType());
    if (word.view) {
      word.parameter = memoryParameter(word.view, op.getArgAttrOfType<StringAttr>(i, "tile.access"));
      word.touched = touchedThrough(op, i);
    }
    if (auto work = op.getArgAttrOfType<tile::WorkAttr>(i, "tile.work")) {
      word.parameter.filters = static_cast<uint8_t>(1u << static_cast<unsigned>(work.getFilter()));
      word.parameter.tileRows = static_cast<uint32_t>(work.getTileRows());
    }
    words.push_back(word);
    if (!word.parameter.pageTokens) continue;
    kernel.parameters.push_back(name + ".pages");
    Word pages;
    pages.parameter.pageTokens = word.parameter.pageTokens;
    pages.parameter.pagesPerSequence = word.parameter.pagesPerSequence;
    words.push_back(pages);
  }
  return words;
}

runtime::Kernel describe(planir::ModuleOp plan, tile::KernelOp op, ArrayRef<planir::LaunchOp> launches) {
  runtime::Kernel kernel;
  kernel.name = op.getSymName().str();
  kernel.described = true;
  std::vector<uint64_t> wordOf;
  std::vector<Word> words = kernelWords(op, kernel, wordOf);
  for (planir::LaunchOp launch : launches)
    for (auto [word, binding] : llvm::zip(words, launch.getBindings().getAsRange<planir::BindingAttr>()))
      addBinding(plan, binding, word);
  for (Word &word : words) {
    // Rows are a buffer's, units a pool's: what is bound otherwise touches anything.
    const ArgumentKind wanted = word.touched == Touched::ownSlot ? ArgumentKind::pool : ArgumentKind::buffer;
    word.parameter.own = word.touched != Touched::anything && word.parameter.kinds == std::vector<ArgumentKind>{wanted};
    kernel.interface.push_back(std::move(word.parameter));
  }
  for (auto extent : op.getDomain().getAsRange<tile::ExtentAttr>()) {
    auto kind = static_cast<runtime::ExtentKind>(extent.getKind());
    uint64_t value = unsignedOf(extent.getValue());
    kernel.domain.push_back({kind, kind == runtime::ExtentKind::work ? wordOf[value] : value});
  }
  kernel.domainRank = static_cast<uint32_t>(kernel.domain.size());
  return kernel;
}

} // namespace

KernelInterfaces describeKernels(planir::ModuleOp plan) {
  std::map<std::string, SmallVector<planir::LaunchOp>> launches;
  plan.walk([&](planir::LaunchOp op) { launches[op.getKernel().getLeafReference().str()].push_back(op); });
  KernelInterfaces interfaces;
  plan.walk([&](tile::KernelOp op) {
    std::string name = op.getSymName().str();
    interfaces.emplace(name, describe(plan, op, launches[name]));
  });
  return interfaces;
}

} // namespace mmc
