// Maps, products, reductions, exchanges through shared memory.
#include "lib/Target/CUDA/Expressions.h"
#include "lib/Target/CUDA/KernelPrinter.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mmc::hopper;
using llvm::formatv;

namespace mmc::cuda {

std::string KernelPrinter::sharedText(Value shared, Value stage) {
  auto type = cast<SharedType>(shared.getType());
  return "shared." + names[shared] + (type.getStages() > 1 ? "[" + withoutParentheses(text(stage)) + "]" : "");
}

void KernelPrinter::printMap(MapOp map) {
  if (map.getNumResults() != 1) {
    failed = true;
    map.emitOpError("expected one result, since one loop is printed for it");
    return;
  }
  auto type = cast<FragmentType>(map.getResult(0).getType());
  Block &block = map.getBody().front();
  auto yield = cast<YieldOp>(block.getTerminator());
  Operation *root = yield.getValues()[0].getDefiningOp();
  std::string name =
      declareFragment(map.getResult(0), root && root->getBlock() == &block ? resultName(root) : "filled");
  for (auto [argument, input] : llvm::zip(block.getArguments(), map.getInputs())) {
    auto from = cast<FragmentType>(input.getType());
    names[argument] = isa<SliceAttr>(from.getLayout()) && !isa<SliceAttr>(type.getLayout())
                          ? formatv("beside({0}, {1}, slot)", name, text(input)).str()
                          : formatv("{0}[slot]", text(input)).str();
  }
  line(formatv("assign({0}, [&](u32 slot) {{", name));
  ++indent;
  for (Operation &op : block.without_terminator()) {
    Value result = op.getResult(0);
    if (auto coordinate = dyn_cast<CoordinateOp>(op)) {
      names[result] = formatv("coordinate<{0}>({1}, slot)", coordinate.getDim(), name).str();
    } else if (auto lookup = dyn_cast<LookupOp>(op)) {
      std::string table = fresh("table"), entries;
      for (TypedAttr value : lookup.getValues().getValues<TypedAttr>())
        entries += (entries.empty() ? "" : ", ") + literalText(value);
      head +=
          wrapped(formatv("MMC_CONSTANT {0} {1}[] = {{{2}};", typeText(result.getType()), table, entries), 0) + "\n";
      names[result] = formatv("{0}[coordinate<{1}>({2}, slot)]", table, lookup.getDim(), name).str();
    } else if (!result.hasOneUse()) {
      std::string expression = text(result);
      line(formatv("const {0} {1} = {2};", typeText(result.getType()), define(result, resultName(&op)),
                   withoutParentheses(expression)));
    }
  }
  line("return " + withoutParentheses(text(yield.getValues()[0])) + ";");
  --indent;
  line("});");
}

/// The fragment that a product adds to: its accumulator in place, where nobody else reads that.
template <class ProductOp> std::string KernelPrinter::sumOf(ProductOp product) {
  Value acc = product.getAcc();
  if (acc.hasOneUse() && acc.getParentBlock() == product->getBlock()) return names[product.getResult()] = text(acc);
  std::string from = text(acc), name = declareFragment(product.getResult(), "product");
  line(formatv("copy({0}, {1});", name, from));
  return name;
}

template <class ProductOp> std::string KernelPrinter::operandText(ProductOp product, Value operand, bool columnsAreK) {
  return formatv("{0}({1})", columnsAreK ? "kMajor" : "mnMajor", sharedText(operand, product.getStage()));
}

void KernelPrinter::printMultiply(MultiplyOp multiply) {
  std::string name = sumOf(multiply), left = isa<SharedType>(multiply.getA().getType())
                                                 ? operandText(multiply, multiply.getA(), !multiply.getTransposeA())
                                                 : text(multiply.getA());
  line(formatv("multiply({0}, {1}, {2});", name, left,
               operandText(multiply, multiply.getB(), multiply.getTransposeB())));
}

void KernelPrinter::printWgmma(WgmmaOp wgmma) {
  needsWarpgroups = true;
  std::string name = sumOf(wgmma), left;
  if (isa<SharedType>(wgmma.getA().getType())) {
    left = operandText(wgmma, wgmma.getA(), !wgmma.getTransposeA());
  } else {
    // Its words are in use until the wait, so they have a name.
    std::string from = text(wgmma.getA());
    left = fresh(from + "_operand");
    line(formatv("WarpgroupOperand<{0}> {1};", layoutText(cast<FragmentType>(wgmma.getA().getType()), threads), left));
    line(formatv("pack({0}, {1});", left, from));
  }
  line(formatv("multiplyAsync({0}, {1}, {2});", name, left, operandText(wgmma, wgmma.getB(), wgmma.getTransposeB())));
}

void KernelPrinter::printWgmmaWait(WgmmaWaitOp wait) {
  SmallVector<std::string> complete;
  for (auto [value, result] : llvm::zip(wait.getValues(), wait.getResults()))
    complete.push_back(names[result] = text(value));
  line(formatv("multiplyWait<{0}>({1});", wait.getPending(), llvm::join(complete, ", ")));
}

void KernelPrinter::printReduce(ReduceOp reduce) {
  needsScratch = true;
  std::string kind = reduce.getKind() == tile::ReduceKind::add ? "Add" : "Max", value = text(reduce.getValue());
  if (!isa<FragmentType>(reduce.getResult().getType())) {
    const std::string &name = define(reduce.getResult(), kind == "Add" ? "total" : "largest");
    return line(formatv("const float {0} = reduceAll<{1}>({2}, shared.scratch);", name, kind, value));
  }
  std::string name = declareFragment(reduce.getResult(), kind == "Add" ? "total" : "largest");
  line(formatv("reduce<{0}, {1}>({2}, {3}, shared.scratch);", kind, reduce.getDim(), name, value));
}

void KernelPrinter::printTopK(TopKOp topK) {
  needsScratch = true;
  std::string from = text(topK.getValue());
  std::string values = declareFragment(topK.getValues(), "best"),
              columns = declareFragment(topK.getColumns(), "chosen");
  line(formatv("topK({0}, {1}, {2}, shared.scratch);", values, columns, from));
}

void KernelPrinter::printTransfer(Operation *op, Value shared) {
  if (auto put = dyn_cast<PutOp>(op))
    return line(formatv("put({0}, {1});", text(put.getValue()), sharedText(shared, {})));
  std::string name = declareFragment(op->getResult(0), "exchanged");
  line(formatv("get({0}, {1});", name, sharedText(shared, cast<GetOp>(op).getStage())));
}

} // namespace mmc::cuda
