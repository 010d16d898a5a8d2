// Verifiers of the plan dialect. Each check stands under the label of its constraint.
#include "dialects/Plan/IR/Plan.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mmc::planir;

#define GET_OP_CLASSES
#include "dialects/Plan/IR/PlanOps.cpp.inc"

LogicalResult mmc::planir::ModuleOp::verifyRegions() {
  // module_c1
  for (StringRef name : {"body", "head"})
    if (!isa_and_nonnull<ProgramOp>(lookupSymbol(name))) return emitOpError("expected a program @") << name;
  // module_c2
  int64_t buffers = 0;
  for (BufferOp buffer : getOps<BufferOp>()) (void)buffer, ++buffers;
  for (EntryOp entry : getOps<EntryOp>())
    if (static_cast<int64_t>(entry.getOffsets().size()) != buffers)
      return entry.emitOpError("expected one offset per buffer, got ")
             << entry.getOffsets().size() << " for " << buffers << " buffers";
  return success();
}

LogicalResult WeightOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  bool byExpert = getSource().contains("{expert}"), byLayer = getSource().contains("{layer}");
  // weight_c1
  if (byLayer != getLayers().has_value()) return emitOpError("expected 'layers' exactly where the name has {layer}");
  SmallVector<StringRef> others;
  if (getAbove()) llvm::append_range(others, getAbove()->getAsValueRange<StringAttr>());
  for (StringRef other : others)
    if (other.contains("{layer}") != byLayer)
      return emitOpError("expected {layer} in all names or in none, got ") << getSource() << " and " << other;
  // weight_c2
  if (getPanels() && getPanels()->size() != 3)
    return emitOpError("expected 'panels' to be [n, k, pad], got ") << getPanels()->size() << " numbers";
  // weight_c3
  if (type.getRank() < 1 + byExpert)
    return emitOpError("expected a rank of at least ") << 1 + byExpert << ", got " << type.getRank();
  // weight_c5
  if (std::optional<StringRef> other = getNextElse())
    if (!byLayer || byExpert || getAbove() || other->contains("{layer}") || other->contains("{expert}"))
      return emitOpError("expected 'next_else' beside one name with {layer}, neither of them of experts, got ")
             << getSource() << " and " << *other;
  // weight_c4
  if (getAbove().has_value() != getHeights().has_value())
    return emitOpError("expected 'above' exactly where 'heights' is given");
  if (!getHeights()) return success();
  ArrayRef<int64_t> heights = *getHeights();
  if (heights.size() != others.size() + 1 || others.empty())
    return emitOpError("expected a height for each of ") << others.size() + 1 << " tensors, got " << heights.size();
  int64_t rows = 0;
  for (int64_t height : heights) {
    if (height < 1) return emitOpError("expected positive heights, got ") << height;
    rows += height;
  }
  if (rows != type.getDimSize(0))
    return emitOpError("expected heights that sum up to ") << type.getDimSize(0) << " rows, got " << rows;
  others.push_back(getSource());
  if (llvm::any_of(others, [](StringRef name) { return name.contains("{expert}"); }))
    return emitOpError("expected tensors of one layer below each other, not of experts");
  return success();
}

LogicalResult BufferOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  // buffer_c1
  if (getRows() && *getRows() != "tokens" && *getRows() != "outputs" && *getRows() != "sequences")
    return emitOpError("expected 'rows' to be tokens, outputs or sequences, got ") << *getRows();
  // buffer_c2
  if (getRows().has_value() != (type.getRank() > 0 && type.isDynamicDim(0)))
    return emitOpError("expected a dynamic dimension 0 exactly where 'rows' is given, got ") << type;
  return success();
}

LogicalResult LaunchOp::verify() {
  auto module = (*this)->getParentOfType<mmc::planir::ModuleOp>();
  auto resolves = [&](FlatSymbolRefAttr symbol) {
    return symbol && SymbolTable::lookupSymbolIn(module, symbol) != nullptr;
  };
  for (auto [i, attribute] : llvm::enumerate(getBindings())) {
    auto binding = dyn_cast<BindingAttr>(attribute);
    // launch_c1
    if (!binding) return emitOpError("expected bindings of #plan.bind, got ") << attribute;
    bool named = binding.getKind() == BindingKind::buffer || binding.getKind() == BindingKind::weight ||
                 binding.getKind() == BindingKind::constant || binding.getKind() == BindingKind::pool ||
                 binding.getKind() == BindingKind::work_list || binding.getKind() == BindingKind::work_count;
    // launch_c2
    if (named && !resolves(binding.getSymbol()))
      return emitOpError("binding ") << i << " names no item of the plan: " << binding;
  }
  for (Attribute attribute : getDomain()) {
    auto extent = dyn_cast<ExtentAttr>(attribute);
    // launch_c3
    if (!extent) return emitOpError("expected a domain of #plan.extent, got ") << attribute;
    if (extent.getKind() == ExtentKind::work && !resolves(extent.getList()))
      return emitOpError("domain names no work list of the plan: ") << extent;
  }
  // launch_c4
  if (getGrain() < 1) return emitOpError("expected a grain of at least 1, got ") << getGrain();
  // launch_c5
  if (getBranch() < 0 || getBranch() > 2) return emitOpError("expected branch 0, 1 or 2, got ") << getBranch();
  return success();
}

LogicalResult StackOp::verify() {
  auto module = (*this)->getParentOfType<mmc::planir::ModuleOp>();
  for (Attribute program : getPrograms()) {
    auto symbol = dyn_cast<FlatSymbolRefAttr>(program);
    // stack_c1
    if (!symbol || !isa_and_nonnull<ProgramOp>(SymbolTable::lookupSymbolIn(module, symbol)))
      return emitOpError("expected programs of the plan, got ") << program;
  }
  for (int64_t kind : getPattern())
    // stack_c2
    if (kind < 0 || kind >= static_cast<int64_t>(getPrograms().size()))
      return emitOpError("expected pattern entries below ") << getPrograms().size() << ", got " << kind;
  return success();
}

LogicalResult EntryOp::verify() {
  // entry_c1
  for (int64_t offset : getOffsets())
    if (offset < 0 || offset % 64) return emitOpError("expected offsets to be multiples of 64, got ") << offset;
  return success();
}
