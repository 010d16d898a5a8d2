// Warps that fill rings, and warps that compute.
#include "lib/Target/CUDA/Expressions.h"
#include "lib/Target/CUDA/KernelPrinter.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mmc::hopper;
using llvm::formatv;

namespace mmc::cuda {

void KernelPrinter::printRoles(RolesOp roles) {
  needsWarpgroups = true;
  auto rings = kernel.getOps<RingOp>();
  line("if (threadIndex() == 0) {");
  for (auto ring : rings)
    line(formatv("  shared.{0}.initialise({1}, {2});", names[ring], roles.getFillers(), threads / 32));
  line("}");
  line("syncThreads();");
  auto side = [&](Block &block, const char *who, const std::string &registers) {
    const llvm::StringMap<unsigned> before = used;
    ++indent;
    line(registers);
    for (auto ring : rings) line(formatv("{0}<{1}> {2}(shared.{2});", who, ring.getType().getStages(), names[ring]));
    printBlock(block);
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

void KernelPrinter::printFill(FillOp fill) {
  const std::string ring = names[fill.getRing()];
  const std::string &stage = define(fill.getBody().getArgument(0), "stage");
  line("{");
  ++indent;
  line(formatv("const u32 {0} = {1}.begin();", stage, ring));
  printBlock(fill.getBody().front());
  line(ring + ".end();");
  --indent;
  line("}");
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
