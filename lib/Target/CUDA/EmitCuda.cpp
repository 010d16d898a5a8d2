#include "lib/Target/CUDA/EmitCuda.h"

#include "dialects/Hopper/IR/Hopper.h"
#include "lib/Analysis/KernelFloor.h"
#include "lib/Target/CUDA/PrintCuda.h"
#include "passes/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace mmc::cuda {

/// Whether the number of output rows takes part in an index.
static bool countsOutputs(hopper::KernelOp kernel, Value value) {
  llvm::SetVector<Value> values;
  values.insert(value);
  for (size_t i = 0; i < values.size(); ++i) {
    if (Operation *op = values[i].getDefiningOp()) {
      values.insert(op->operand_begin(), op->operand_end());
      continue;
    }
    auto argument = cast<BlockArgument>(values[i]);
    if (argument.getOwner() != &kernel.getBody().front() || argument.getArgNumber() >= kernel.getNumKernelArguments())
      continue;
    auto step = kernel.getArgAttrOfType<tile::StepAttr>(argument.getArgNumber(), "tile.step");
    if (step && step.getField() == tile::StepField::output_count) return true;
  }
  return false;
}

/// What a loop that blocks share goes over: tokens, or rows of logits; a loop over the routes of one expert goes over
/// about as many rows as there are tokens.
static void describeDealtLoop(hopper::KernelOp kernel, runtime::DeviceFunction &function) {
  kernel.walk([&](hopper::DistributeOp loop) {
    APInt step;
    function.dealtRows = countsOutputs(kernel, loop.getUpper()) ? runtime::Rows::outputs : runtime::Rows::tokens;
    function.dealtStep = matchPattern(loop.getStep(), m_ConstantInt(&step)) ? uint32_t(step.getZExtValue()) : 1;
  });
}

static bool hasWgmma(hopper::KernelOp kernel) {
  return kernel.walk([](hopper::WgmmaOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// What the kernel must do at least, as the head of its source.
static std::string headOf(tile::KernelOp kernel) {
  std::string why;
  const FailureOr<analysis::KernelFloor> floor = analysis::floorOf(kernel, &why);
  return (succeeded(floor) ? analysis::floorComment(*floor) : "// Floor: not known, " + why + ".\n") + "\n";
}

FailureOr<std::vector<CudaKernel>> emitCuda(ModuleOp module, const std::string &variant,
                                            const std::vector<std::string> &portable) {
  OwningOpRef<ModuleOp> copy = module.clone();
  PassManager manager(module.getContext());
  buildTileToHopperPipeline(manager, {variant, portable});
  if (failed(manager.run(*copy))) return failure();
  llvm::StringMap<std::string> heads;
  for (auto kernel : module.getOps<tile::KernelOp>()) heads[kernel.getSymName()] = headOf(kernel);
  std::vector<CudaKernel> kernels;
  for (auto kernel : copy->getOps<hopper::KernelOp>()) {
    std::string name = kernel.getSymName().str(), symbol = runtime::kernelSymbol(name, variant);
    kernel.setSymName(symbol);
    std::optional<PrintedKernel> printed = printCuda(kernel);
    if (!printed) return failure();
    runtime::DeviceFunction function;
    function.threads = static_cast<uint32_t>(kernel.getAllThreads());
    function.sharedBytes = printed->sharedBytes;
    function.maps = printed->maps;
    describeDealtLoop(kernel, function);
    if (hasWgmma(kernel)) function.family = hopper::kWgmmaFamily.str();
    kernels.push_back({name, symbol, heads[name] + printed->text, function});
  }
  return kernels;
}

} // namespace mmc::cuda
