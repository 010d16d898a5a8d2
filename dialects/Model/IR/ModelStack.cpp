// model.stack: expansion of its pattern and the match between the layer kinds' signatures and the stacked states.
#include "dialects/Model/IR/Model.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mmc::model;

static constexpr int64_t kMaxLayers = 65536;

/// Appends the layers of `entries` to `out`; fails where an entry is malformed or more than kMaxLayers layers are
/// named.
static LogicalResult expandEntries(ArrayRef<Attribute> entries, SmallVectorImpl<FlatSymbolRefAttr> &out,
                                   function_ref<InFlightDiagnostic()> emitError) {
  for (Attribute entry : entries) {
    if (auto symbol = dyn_cast<FlatSymbolRefAttr>(entry)) {
      out.push_back(symbol);
    } else {
      auto group = dyn_cast<ArrayAttr>(entry);
      auto count = group && group.size() >= 2 ? dyn_cast<IntegerAttr>(group[0]) : IntegerAttr();
      if (!count || count.getValue().getSignificantBits() > 64 || count.getValue().getSExtValue() < 1)
        return emitError() << "expected a symbol or [count, entries...] with count >= 1 in the pattern, got " << entry;
      SmallVector<FlatSymbolRefAttr> once;
      if (failed(expandEntries(group.getValue().drop_front(), once, emitError))) return failure();
      int64_t repeats = count.getValue().getSExtValue();
      if (once.empty() || repeats > kMaxLayers / int64_t(once.size()))
        return emitError() << "expected at most " << kMaxLayers << " layers, got " << repeats << " times "
                           << once.size();
      for (int64_t i = 0; i < repeats; ++i) out.append(once);
    }
    if (int64_t(out.size()) > kMaxLayers)
      return emitError() << "expected at most " << kMaxLayers << " layers, got more";
  }
  return success();
}

SmallVector<FlatSymbolRefAttr> StackOp::expandPattern() {
  SmallVector<FlatSymbolRefAttr> layers;
  (void)expandEntries(getPattern().getValue(), layers, [&] { return emitOpError(); });
  return layers;
}

SmallVector<FlatSymbolRefAttr> StackOp::getKinds() {
  llvm::SetVector<Attribute> kinds;
  for (FlatSymbolRefAttr layer : expandPattern()) kinds.insert(layer);
  return llvm::map_to_vector(kinds, [](Attribute kind) { return cast<FlatSymbolRefAttr>(kind); });
}

LogicalResult StackOp::verify() {
  // stack_c1
  SmallVector<FlatSymbolRefAttr> layers;
  if (failed(expandEntries(getPattern().getValue(), layers, [&] { return emitOpError(); }))) return failure();
  if (layers.empty()) return emitOpError("expected a pattern that names at least one layer");
  // stack_c5
  if (getY().getType() != getX().getType())
    return emitOpError("expected the first result to have the type of x, ")
           << getX().getType() << ", got " << getY().getType();
  if (getStates().getTypes() != getNewStates().getTypes())
    return emitOpError("expected the new states to have the types of the states");
  return success();
}

/// Checks the signature of one kind; on success `states` are the types of its states.
static LogicalResult verifyKind(StackOp stack, FuncOp function, SmallVectorImpl<Type> &states) {
  auto fail = [&](const Twine &what) -> LogicalResult {
    InFlightDiagnostic diagnostic = stack.emitOpError("expected layer function @")
                                    << function.getSymName() << " to " << what;
    diagnostic.attachNote(function.getLoc()) << "it has type " << function.getFunctionType();
    return diagnostic;
  };
  ArrayRef<Type> arguments = function.getArgumentTypes(), results = function.getResultTypes();
  if (arguments.size() < 3 || arguments[0] != stack.getX().getType() || !isa<BatchType>(arguments[1]) ||
      !arguments[2].isIndex())
    return fail("take (x, batch, index, states...) with the type of x");
  for (Type type : arguments.drop_front(3))
    if (!isAnyState(type)) return fail("take states after the layer index");
  states.assign(arguments.begin() + 3, arguments.end());
  if (results.empty() || results[0] != arguments[0] || results.drop_front() != ArrayRef<Type>(states))
    return fail("return (x, states...) with the types of its arguments");
  return success();
}

/// Every table that `function` reads by its layer index has `layers` rows.
static LogicalResult verifyTables(StackOp stack, FuncOp function, int64_t layers, SymbolTableCollection &symbols) {
  WalkResult result = function.walk([&](RowOp row) -> WalkResult {
    auto table = symbols.lookupNearestSymbolFrom<TableOp>(row, row.getTableAttr());
    if (!table || row.getLayer() != function.getArgument(2)) return WalkResult::advance();
    int64_t rows = cast<RankedTensorType>(table.getType()).getDimSize(0);
    if (rows >= layers) return WalkResult::advance();
    InFlightDiagnostic diagnostic = stack.emitOpError("expected table @")
                                    << table.getSymName() << " to have a row for each of the " << layers
                                    << " layers, got " << rows;
    diagnostic.attachNote(row.getLoc()) << "read here";
    return diagnostic;
  });
  return failure(result.wasInterrupted());
}

LogicalResult StackOp::verifySymbolUses(SymbolTableCollection &symbols) {
  llvm::MapVector<Attribute, int64_t> counts;
  int64_t layers = 0;
  for (FlatSymbolRefAttr layer : expandPattern()) ++counts[layer], ++layers;
  SmallVector<Type> expected;
  for (auto [kind, count] : counts) {
    // stack_c2
    auto function = symbols.lookupNearestSymbolFrom<FuncOp>(*this, cast<FlatSymbolRefAttr>(kind));
    if (!function) return emitOpError("expected ") << kind << " to name a model.func";
    // stack_c3
    SmallVector<Type> states;
    if (failed(verifyKind(*this, function, states))) return failure();
    // stack_c6
    if (failed(verifyTables(*this, function, layers, symbols))) return failure();
    for (Type state : states) {
      auto tensor = cast<RankedTensorType>(state);
      SmallVector<int64_t> shape{count};
      llvm::append_range(shape, tensor.getShape());
      expected.push_back(RankedTensorType::get(shape, tensor.getElementType(), tensor.getEncoding()));
    }
  }
  // stack_c4
  if (expected.size() != getStates().size())
    return emitOpError("expected ") << expected.size() << " states, got " << getStates().size();
  for (auto [index, type] : llvm::enumerate(expected))
    if (getStates()[index].getType() != type)
      return emitOpError("expected state #")
             << index << " to have type " << type << ", got " << getStates()[index].getType();
  return success();
}
