// The hopper dialect's registration and its attributes. Types are in HopperTypes.cpp, the kernel in
// HopperKernelOps.cpp, the ops of its body in HopperOps.cpp.
#include "dialects/Hopper/IR/Hopper.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/Hopper/IR/HopperDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Hopper/IR/HopperAttrs.cpp.inc"

namespace mmc::hopper {

void HopperDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Hopper/IR/HopperAttrs.cpp.inc"
      >();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "dialects/Hopper/IR/HopperOps.cpp.inc"
      >();
}

void registerHopperDialect(DialectRegistry &registry) { registry.insert<HopperDialect>(); }

} // namespace mmc::hopper
