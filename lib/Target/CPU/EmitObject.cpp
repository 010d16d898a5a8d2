// From the LLVM dialect to an object file, in process.
//
// Vectorisation and unrolling are switched off: the loops are what the tile lowering decided. Library functions are
// switched off too, so that no loop becomes a call to memcpy or memset.
#include "lib/Target/CPU/Stages.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

#include <mutex>

using namespace llvm;

static const char *const kTriple = "x86_64-unknown-linux-gnu";

static std::unique_ptr<TargetMachine> makeMachine(std::string &error) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  Triple triple(kTriple);
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target) return nullptr;
  // Functions name their own processor and features.
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(triple, "x86-64", "", TargetOptions(), Reloc::PIC_,
                                                                    CodeModel::Small, CodeGenOptLevel::Default));
}

static TargetLibraryInfoImpl noLibrary() {
  TargetLibraryInfoImpl library{Triple(kTriple)};
  library.disableAllFunctions();
  return library;
}

static void optimise(Module &module, TargetMachine &machine) {
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = tuning.LoopUnrolling = false;
  PassBuilder builder(&machine, tuning);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  TargetLibraryInfoImpl library = noLibrary();
  functions.registerPass([&] { return TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(module, modules);
}

static void addConstant(Module &module, const mmc::cpu::Constant &constant) {
  llvm::Constant *text = ConstantDataArray::getString(module.getContext(), constant.text, /*AddNull=*/false);
  auto *global = new GlobalVariable(module, text->getType(), /*isConstant=*/true, GlobalValue::ExternalLinkage, text,
                                    constant.name);
  global->setAlignment(Align(1));
}

bool mmc::cpu::emitObject(mlir::ModuleOp source, const Constant &constant, SmallVectorImpl<char> &object,
                          std::string &error, std::string *text) {
  std::unique_ptr<TargetMachine> machine = makeMachine(error);
  if (!machine) return false;
  LLVMContext context;
  std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(source, context, "kernel");
  if (!module) {
    error = "translation to LLVM IR failed";
    return false;
  }
  if (!constant.name.empty()) addConstant(*module, constant);
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  raw_string_ostream problems(error);
  if (verifyModule(*module, &problems)) return false;
  optimise(*module, *machine);
  if (text) {
    raw_string_ostream os(*text);
    module->print(os, nullptr);
  }
  raw_svector_ostream stream(object);
  legacy::PassManager codegen;
  TargetLibraryInfoImpl library = noLibrary();
  codegen.add(new TargetLibraryInfoWrapperPass(library));
  if (machine->addPassesToEmitFile(codegen, stream, nullptr, CodeGenFileType::ObjectFile)) {
    error = "the x86-64 target of LLVM cannot emit object files";
    return false;
  }
  codegen.run(*module);
  return true;
}
