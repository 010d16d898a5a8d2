// The hopper dialect's registration and its attributes. Types are in HopperTypes.cpp, the kernel in
// HopperKernelOps.cpp, the ops of its body in HopperOps.cpp.
#include "dialects/Hopper/IR/Hopper.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Matchers.h"
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

bool isMultipleOf(Value value, int64_t factor) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant))) return constant.getSExtValue() % factor == 0;
  if (auto product = value.getDefiningOp<arith::MulIOp>())
    return isMultipleOf(product.getLhs(), factor) || isMultipleOf(product.getRhs(), factor);
  if (auto sum = value.getDefiningOp<arith::AddIOp>())
    return isMultipleOf(sum.getLhs(), factor) && isMultipleOf(sum.getRhs(), factor);
  if (auto argument = dyn_cast<BlockArgument>(value))
    if (auto loop = dyn_cast_or_null<scf::ForOp>(argument.getOwner()->getParentOp());
        loop && loop.getInductionVar() == value)
      return isMultipleOf(loop.getLowerBound(), factor) && isMultipleOf(loop.getStep(), factor);
  return false;
}

} // namespace mmc::hopper
