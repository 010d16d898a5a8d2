// Warps that fill rings, and warps that compute.
#include "lib/Target/CUDA/Expressions.h"
#include "lib/Target/CUDA/KernelPrinter.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mmc::hopper;
using llvm::formatv;

namespace mmc::cuda {

/// A fill of each ring that there is.
static llvm::MapVector<Value, FillOp> fillsOf(RolesOp roles) {
  llvm::MapVector<Value, FillOp> fills;
  roles.getFill().walk([&](FillOp fill) { fills.insert({fill.getRing(), fill}); });
  return fills;
}

void KernelPrinter::printRoles(RolesOp roles) {
  needsWarpgroups = true;
  auto rings = kernel.getOps<RingOp>();
  auto fills = fillsOf(roles);
  filledByOne = !fills.empty() && llvm::none_of(fills, [](auto &entry) { return entry.second.isByThreads(); });
  line("if (threadIndex() == 0) {");
  for (auto ring : rings) {
    // One arrival of each thread that copies, one of the thread that expects the bytes of tensor copies.
    int64_t arrivals = roles.getFillers();
    if (FillOp fill = fills.lookup(ring))
      arrivals = (fill.isByThreads() ? arrivals : 0) + (fill.getTensorBytes() ? 1 : 0);
    line(formatv("  shared.{0}.initialise({1}, {2});", names[ring], arrivals, threads / 32));
  }
  line("}");
  line("syncThreads();");
  auto side = [&](Block &block, const char *who, const std::string &registers) {
    const llvm::StringMap<unsigned> before = used;
    ++indent;
    line(registers);
    for (auto ring : rings) line(formatv("{0}<{1}> {2}(shared.{2});", who, ring.getType().getStages(), names[ring]));
    if (filling && filledByOne) {
      line(formatv("if (threadIndex() == {0}) {{", threads));
      ++indent;
      for (auto &[copy, map] : mapNames) line(formatv("prefetchTensorMap({0});", map));
    }
    printBlock(block);
    if (filling && filledByOne) {
      --indent;
      line("}");
    }
    --indent;
    used = before; // a side's names are its own
  };
  line(formatv("if (warpgroupIndex() >= {0}) {{", threads / 128));
  filling = roles;
  side(roles.getFill().front(), "Filler", formatv("lowerRegisters<{0}>();", roles.getFillRegisters()));
  filling = {};
  line("} else {");
  side(roles.getCompute().front(), "Reader", formatv("raiseRegisters<{0}>();", roles.getComputeRegisters()));
  line("}");
}

/// A stage is begun by all filling threads where all of them arrive; otherwise by the one alone that starts tensor
/// copies, since others that waited as well could fall behind by more than the ring's stages.
void KernelPrinter::printFill(FillOp fill) {
  const std::string ring = names[fill.getRing()], one = formatv("if (threadIndex() == {0}) {{", threads);
  const bool byThreads = fill.isByThreads(), elects = fill.getTensorBytes() && !filledByOne;
  const std::string &stage = define(fill.getBody().getArgument(0), "stage");
  line(elects && !byThreads ? one : "{");
  ++indent;
  line(formatv("const u32 {0} = {1}.begin();", stage, ring));
  for (Operation &op : fill.getBody().front().without_terminator())
    if (!isa<CopyOp, TensorCopyOp>(op)) printOp(op);
  if (elects && byThreads) {
    line(one);
    ++indent;
  }
  printTensorCopies(fill);
  if (elects && byThreads) {
    --indent;
    line("}");
  }
  for (auto copy : fill.getBody().getOps<CopyOp>()) printCopy(copy);
  if (byThreads) line(ring + ".end();");
  if (filledByOne) line(ring + ".advance();");
  --indent;
  line("}");
  if (elects && !byThreads) line(ring + ".advance();");
}

void KernelPrinter::printTensorCopies(FillOp fill) {
  const int64_t bytes = fill.getTensorBytes();
  if (!bytes) return;
  const std::string full = fresh("full");
  line(formatv("Mbarrier &{0} = {1}.expect({2});", full, names[fill.getRing()], bytes));
  for (auto copy : fill.getBody().getOps<TensorCopyOp>()) {
    std::string coordinates;
    for (Value index : llvm::reverse(copy.getIndices())) // fastest first
      coordinates += formatv(", s32({0})", withoutParentheses(text(index))).str();
    line(formatv("tensorLoadTile({0}, {1}, {2}{3});", sharedText(copy.getShared(), copy.getStage()), mapOf(copy), full,
                 coordinates));
  }
}

bool KernelPrinter::printRingUse(Operation &op) {
  if (auto fill = dyn_cast<FillOp>(op)) return printFill(fill), true;
  if (auto acquire = dyn_cast<AcquireOp>(op)) {
    const std::string &stage = define(acquire.getStage(), "stage");
    return line(formatv("const u32 {0} = {1}.wait();", stage, names[acquire.getRing()])), true;
  }
  if (auto release = dyn_cast<ReleaseOp>(op)) return line(names[release.getRing()] + ".release();"), true;
  return isa<RingOp>(op);
}

} // namespace mmc::cuda
