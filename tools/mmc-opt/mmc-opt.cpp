// mmc-opt: parses, transforms and prints programs of any of our dialects. For compiler engineers and for the lit tests.
#include "dialects/Model/IR/Model.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mmc::model::registerModelDialect(registry);
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "mmc optimizer driver\n", registry));
}
