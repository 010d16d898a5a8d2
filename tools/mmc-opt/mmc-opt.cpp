// mmc-opt: parses, transforms and prints programs of any of our dialects. For compiler engineers and for the lit tests.
#include "dialects/Model/IR/Model.h"
#include "dialects/Plan/IR/Plan.h"
#include "dialects/Hopper/IR/Hopper.h"
#include "dialects/Tile/IR/Tile.h"
#include "passes/Conversion/TileToHopper/Passes.h"
#include "passes/Conversion/TileToPlan/TileToPlan.h"
#include "passes/Conversion/TileToVector/Passes.h"
#include "passes/Pipelines/Pipelines.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

#include <algorithm>
#include <string_view>
#include <vector>

int main(int argc, char **argv) {
  std::vector<std::string_view> arguments(argv + 1, argv + argc);
  auto has = [&](std::string_view flag) { return std::find(arguments.begin(), arguments.end(), flag) != arguments.end(); };
  if (has("--list-passes")) {
    mmc::printPassList(llvm::outs(), has("--json"));
    return 0;
  }
  mlir::DialectRegistry registry;
  mmc::model::registerModelDialect(registry);
  mmc::tile::registerTileDialect(registry);
  mmc::hopper::registerHopperDialect(registry);
  mmc::planir::registerPlanDialect(registry);
  registry.insert<mlir::func::FuncDialect, mlir::LLVM::LLVMDialect, mlir::vector::VectorDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  mmc::registerAllPasses();
  mmc::registerTileToPlanPass();
  mmc::registerBranchLaunchesPass();
  mmc::cpu::registerMmcTileToVectorPasses();
  mmc::cuda::registerMmcTileToHopperPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "mmc optimizer driver\n", registry));
}
