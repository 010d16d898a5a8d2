// The pass pipeline from tile kernels to the LLVM dialect.
//
// scf goes to control flow before vectors go to LLVM (the other order leaves ops of both dialects behind); no pass here
// makes a call.
#include "lib/Target/CPU/Stages.h"
#include "passes/Conversion/TileToVector/CpuTarget.h"
#include "passes/Conversion/TileToVector/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mmc::cpu::buildCpuPipeline(OpPassManager &manager, const CpuTarget &target) {
  manager.addPass(createLowerTileToVector({variantName(target.variant), target.emulated}));
  manager.addNestedPass<func::FuncOp>(createCSEPass());
  manager.addNestedPass<func::FuncOp>(createExpandVectorMath());
  manager.addNestedPass<func::FuncOp>(createCSEPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createConvertFuncToLLVMPass());
  manager.addPass(createUBToLLVMConversionPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void mmc::cpu::prepareContext(MLIRContext &context) {
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  PassManager manager(&context, ModuleOp::getOperationName());
  buildCpuPipeline(manager, CpuTarget());
  manager.getDependentDialects(registry);
  context.appendDialectRegistry(registry);
  // Threads must find everything loaded.
  for (StringRef name : registry.getDialectNames()) context.getOrLoadDialect(name);
}
