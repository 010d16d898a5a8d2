#include "passes/Conversion/TileToPlan/PlanItems.h"

#include "dialects/Model/IR/Model.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace mlir;

namespace mmc {

static std::string text(llvm::function_ref<void(llvm::raw_ostream &)> print) {
  std::string out;
  llvm::raw_string_ostream stream(out);
  print(stream);
  return out;
}

PlanItems::PlanItems(planir::ModuleOp plan, int64_t routesPerToken) : plan(plan), routesPerToken(routesPerToken) {}

OpBuilder PlanItems::atEnd() { return OpBuilder::atBlockEnd(&plan.getBody().front()); }

std::string PlanItems::unique(StringRef wanted) {
  std::string name;
  for (char c : wanted) name += llvm::isAlnum(c) ? c : '_';
  if (name.empty()) name = "item";
  int &count = used[name];
  return count++ == 0 ? name : unique(name + "_" + std::to_string(count - 1));
}

FlatSymbolRefAttr PlanItems::weight(Location loc, ArrayRef<StringRef> sources, ArrayRef<int64_t> heights,
                                    RankedTensorType stored, tile::ViewType view, ArrayRef<int64_t> layers,
                                    StringAttr nextElse) {
  StringRef source = sources.front();
  auto type = RankedTensorType::get(stored.getShape(), view.getElementType());
  auto panels = dyn_cast_or_null<tile::PanelsAttr>(view.getLayout());
  std::string key = text([&](llvm::raw_ostream &os) {
    llvm::interleaveComma(sources, os);
    os << ' ' << type << ' ' << view.getLayout();
    if (nextElse) os << ' ' << nextElse;
  });
  bool byLayer = source.contains("{layer}");
  auto [entry, fresh] = weights.try_emplace(key);
  OpBuilder builder = atEnd();
  if (!fresh) {
    planir::WeightOp op = entry->second;
    if (byLayer) {
      SmallVector<int64_t> all(*op.getLayers());
      all.append(layers.begin(), layers.end());
      llvm::sort(all);
      all.erase(std::unique(all.begin(), all.end()), all.end());
      op.setLayers(ArrayRef<int64_t>(all));
    }
    return FlatSymbolRefAttr::get(op.getSymNameAttr());
  }
  std::string name = unique((nextElse ? "next_" : "") + source.rsplit(".weight").first.str());
  DenseI64ArrayAttr panelsAttr =
      panels ? builder.getDenseI64ArrayAttr({panels.getN(), panels.getK(), panels.getPad()}) : nullptr;
  DenseI64ArrayAttr layersAttr = byLayer ? builder.getDenseI64ArrayAttr(layers) : nullptr;
  bool several = sources.size() > 1;
  ArrayAttr above = several ? builder.getStrArrayAttr(sources.drop_front()) : nullptr;
  DenseI64ArrayAttr rows = several ? builder.getDenseI64ArrayAttr(heights) : nullptr;
  entry->second = planir::WeightOp::create(builder, loc, name, source, type, panelsAttr, layersAttr, above, rows,
                                         nextElse);
  return FlatSymbolRefAttr::get(entry->second.getSymNameAttr());
}

FlatSymbolRefAttr PlanItems::constant(Location loc, StringRef table, Attribute value, RankedTensorType type,
                                      tile::ViewType view) {
  auto stored = RankedTensorType::get(type.getShape(), view.getElementType());
  std::string key = text([&](llvm::raw_ostream &os) { os << table << ' ' << stored; });
  auto [entry, fresh] = constants.try_emplace(key);
  if (!fresh) return entry->second;
  OpBuilder builder = atEnd();
  auto op = planir::ConstantOp::create(builder, loc, unique(table), value, stored, /*by_layer=*/true);
  return entry->second = FlatSymbolRefAttr::get(op.getSymNameAttr());
}

FlatSymbolRefAttr PlanItems::pool(Location loc, StringRef name, planir::PoolKind kind, RankedTensorType unit,
                                  int64_t layers) {
  OpBuilder builder = atEnd();
  return FlatSymbolRefAttr::get(
      planir::PoolOp::create(builder, loc, unique(name), kind, unit, layers).getSymNameAttr());
}

FailureOr<FlatSymbolRefAttr> PlanItems::buffer(Location loc, StringRef name, RankedTensorType type, Lifetime lifetime) {
  OpBuilder builder = atEnd();
  StringAttr rows;
  int64_t rowsPer = 1;
  if (type.getRank() > 0 && type.isDynamicDim(0)) {
    auto encoding = dyn_cast_or_null<model::RowsAttr>(type.getEncoding());
    if (!encoding)
      return emitError(loc, "cannot size a tensor of dynamic rows without a row space: ") << type, failure();
    rows = builder.getStringAttr(encoding.getSpace() == model::RowSpace::outputs     ? "outputs"
                                 : encoding.getSpace() == model::RowSpace::sequences ? "sequences"
                                                                                     : "tokens");
    if (encoding.getSpace() == model::RowSpace::routes) rowsPer = routesPerToken;
    if (rowsPer < 1)
      return emitError(loc, "cannot size a tensor of routes: the program has no 'routes_per_token'"), failure();
  }
  auto stored = RankedTensorType::get(type.getShape(), type.getElementType());
  auto op = planir::BufferOp::create(builder, loc, unique(name), stored, rows, rowsPer);
  buffers.push_back({op, lifetime});
  return FlatSymbolRefAttr::get(op.getSymNameAttr());
}

FlatSymbolRefAttr PlanItems::workList(Location loc, tile::WorkAttr work) {
  std::string key = text([&](llvm::raw_ostream &os) { os << work; });
  auto [entry, fresh] = workLists.try_emplace(key);
  if (!fresh) return entry->second;
  OpBuilder builder = atEnd();
  std::string name = tile::stringifyWorkFilter(work.getFilter()).str();
  if (work.getTileRows()) name += "_by_" + std::to_string(work.getTileRows());
  auto filter = static_cast<planir::WorkFilter>(work.getFilter());
  auto op = planir::WorkListOp::create(builder, loc, unique(name), filter, work.getTileRows());
  return entry->second = FlatSymbolRefAttr::get(op.getSymNameAttr());
}

Lifetime &PlanItems::lifetime(FlatSymbolRefAttr buffer) {
  for (auto &[op, lifetime] : buffers)
    if (op.getSymNameAttr() == buffer.getAttr()) return lifetime;
  llvm::report_fatal_error("lifetime of a buffer that was never made"); // internal: symbols come from buffer()
}

} // namespace mmc
