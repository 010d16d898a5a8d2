// The stages of the CPU target between a lowered module and a shared object.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace mlir {
class MLIRContext;
class ModuleOp;
class OpPassManager;
} // namespace mlir
namespace llvm {
class Module;
}

namespace mmc::cpu {

struct CpuTarget;

/// Adds the passes from tile kernels to the LLVM dialect, for one variant.
void buildCpuPipeline(mlir::OpPassManager &manager, const CpuTarget &target);

/// Dialects, interfaces and translations that the pipeline and emitObject need. Call before any thread runs them.
void prepareContext(mlir::MLIRContext &context);

/// A read-only constant of an object; without a name there is none.
struct Constant {
  std::string name, text;
};

/// Translates a module of the LLVM dialect, optimises it and returns the bytes of an ELF object with
/// position-independent code and the constant. On failure returns false and sets `error`. Modules of one context may be
/// emitted at the same time. `text`, if given, receives the optimised LLVM IR.
bool emitObject(mlir::ModuleOp module, const Constant &constant, llvm::SmallVectorImpl<char> &object,
                std::string &error, std::string *text = nullptr);

/// Links objects into a shared object without undefined symbols. Deterministic. On failure returns false and sets
/// `error`.
bool linkSharedObject(llvm::ArrayRef<llvm::SmallVector<char, 0>> objects, std::string &elf, std::string &error);

} // namespace mmc::cpu
