// mmc-translate: prints programs of our dialects in other languages. For compiler engineers and for the lit tests.
// Usage: mmc-translate --hopper-to-cuda FILE.mlir
#include "dialects/Hopper/IR/Hopper.h"
#include "lib/Target/CUDA/PrintCuda.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

int main(int argc, char **argv) {
  if (argc != 3 || std::strcmp(argv[1], "--hopper-to-cuda") != 0) {
    llvm::errs() << "usage: mmc-translate --hopper-to-cuda FILE.mlir\n";
    return 2;
  }
  mlir::DialectRegistry registry;
  mmc::hopper::registerHopperDialect(registry);
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(argv[2], &context);
  if (!module) return 1;
  if (module->getOps<mmc::hopper::KernelOp>().empty()) {
    llvm::errs() << "mmc-translate: " << argv[2] << " has no hopper.kernel, expected one or more\n"
                 << "fix: convert tile kernels first, by mmc-opt --mmc-convert-tile-to-hopper\n";
    return 1;
  }
  for (auto kernel : module->getOps<mmc::hopper::KernelOp>()) {
    auto printed = mmc::cuda::printCuda(kernel);
    if (!printed) return 1;
    llvm::outs() << "// " << kernel.getSymName() << "\n" << printed->text << "\n";
  }
  return 0;
}
