// Writes the rounding points of a program. The rule is in Passes.td; here is how types travel.
//
// The pass first rewrites types that are given (weights, layer inputs, caches), then walks each function in order:
// reshapes and gathers take the type of their operand, every other op yields f32, and a value with a structured
// consumer gets its one cast. The invariant after the pass: elementwise ops read f32, structured ops read bf16 (or i32,
// or what must stay f32).
#include "dialects/Model/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace mmc::model {

#define GEN_PASS_DEF_ASSIGNPRECISION
#include "dialects/Model/Transforms/Passes.h.inc"

namespace {

bool isElementwise(Operation *op) {
  return isa<SiluOp, SigmoidOp, ResidualOp, arith::MulFOp, arith::AddFOp, arith::SubFOp>(op);
}

/// Ops that move or reshape rows and keep their element type.
bool keepsElements(Operation *op) { return isa<SplitHeadsOp, MergeHeadsOp, GatherRoutesOp, SelectRowsOp>(op); }

RankedTensorType withElement(RankedTensorType type, Type element) {
  return RankedTensorType::get(type.getShape(), element, type.getEncoding());
}

bool isF32Rows(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32() && getRowSpace(type);
}

bool feedsRouterGate(WeightOp weight) {
  return llvm::any_of(weight.getResult().getUses(), [](OpOperand &use) {
    auto route = dyn_cast<RouteOp>(use.getOwner());
    return route && use.get() == route.getGate();
  });
}

class Assigner {
public:
  Assigner(ProgramOp program, bool bfloat16)
      : program(program), bfloat16(bfloat16), f32(Float32Type::get(program.getContext())),
        bf16(BFloat16Type::get(program.getContext())) {}

  void run() {
    program.walk([&](WeightOp weight) { assignWeight(weight); });
    if (!bfloat16) return;
    for (FuncOp function : program.getOps<FuncOp>()) assignFunction(function);
  }

private:
  void assignWeight(WeightOp weight) {
    auto type = cast<RankedTensorType>(weight.getType());
    Type element = f32;
    if (bfloat16 && type.getRank() == 1)
      element = type.getElementType();
    else if (bfloat16 && !feedsRouterGate(weight))
      element = bf16;
    weight.getResult().setType(withElement(type, element));
  }

  /// The type in which a value crosses a function boundary: rows of a layer and caches in bf16, states in f32.
  Type boundary(Type type, bool isMain) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.getElementType().isF32()) return type;
    bool cache = isa_and_nonnull<KVAttr>(tensor.getEncoding()), rows = getRowSpace(tensor) && !isMain;
    return cache || rows ? withElement(tensor, bf16) : type;
  }

  void assignFunction(FuncOp function) {
    bool isMain = function.getSymName() == "main";
    Block &block = function.getBody().front();
    SmallVector<Type> inputs, results;
    for (BlockArgument argument : block.getArguments()) {
      argument.setType(boundary(argument.getType(), isMain));
      inputs.push_back(argument.getType());
    }
    for (Type type : function.getResultTypes()) results.push_back(boundary(type, isMain));
    function.setFunctionType(FunctionType::get(function.getContext(), inputs, results));

    for (BlockArgument argument : block.getArguments()) widenElementwiseUses(argument);
    for (Operation &op : llvm::make_early_inc_range(block)) {
      retype(&op);
      for (OpResult result : op.getResults()) {
        bool rounded = isF32Rows(result) && !isa<RouteOp, StackOp>(op) && hasStructuredUse(result, isMain);
        widenElementwiseUses(rounded ? round(result) : result);
      }
    }
  }

  /// Results follow the operands where the op keeps elements; caches and the stack's rows follow their inputs.
  void retype(Operation *op) {
    if (keepsElements(op)) {
      Type element = cast<RankedTensorType>(op->getOperand(0).getType()).getElementType();
      for (OpResult result : op->getResults())
        result.setType(withElement(cast<RankedTensorType>(result.getType()), element));
    } else if (auto attention = dyn_cast<AttentionOp>(op)) {
      attention.getNewKCache().setType(attention.getKCache().getType());
      attention.getNewVCache().setType(attention.getVCache().getType());
    } else if (auto stack = dyn_cast<StackOp>(op)) {
      stack.getY().setType(stack.getX().getType());
      for (auto [result, state] : llvm::zip(stack.getNewStates(), stack.getStates())) result.setType(state.getType());
    }
  }

  /// Is the value read where rounded rows are taken? A reshape or gather asks its own users. Logits of main are not
  /// rounded, nor are decay rates, write gates and router scores, which structured ops read as they are. A norm reads a
  /// sum as it was formed: both end up in one kernel, and a rounding between them turns near-ties of the router behind.
  bool hasStructuredUse(Value value, bool isMain) {
    return llvm::any_of(value.getUses(), [&](OpOperand &use) {
      Operation *user = use.getOwner();
      if (isa<ReturnOp>(user)) return !isMain;
      if (auto attention = dyn_cast<LinearAttentionOp>(user); attention && isGate(attention, value)) return false;
      if (auto combine = dyn_cast<CombineOp>(user); combine && combine.getWeights() == value) return false;
      if (auto experts = dyn_cast<ExpertsOp>(user); experts && experts.getWeights() == value) return false;
      if (keepsElements(user))
        return llvm::any_of(user->getResults(), [&](Value result) { return hasStructuredUse(result, isMain); });
      if (isa<RmsNormOp>(user)) return !value.getDefiningOp() || !isElementwise(value.getDefiningOp());
      return !isElementwise(user);
    });
  }

  /// Whether `value` is only a decay rate or a write gate of `attention`.
  static bool isGate(LinearAttentionOp attention, Value value) {
    return (value == attention.getRate() || value == attention.getBeta()) &&
           !llvm::is_contained({Value(attention.getQ()), Value(attention.getK()), Value(attention.getV())}, value);
  }

  /// Every use of `value` reads its bf16 rounding from here on, which is returned.
  Value round(Value value) {
    OpBuilder builder(program.getContext());
    builder.setInsertionPointAfterValue(value);
    auto cast = arith::TruncFOp::create(builder, value.getLoc(),
                                        withElement(mlir::cast<RankedTensorType>(value.getType()), bf16), value);
    value.replaceAllUsesExcept(cast, cast);
    return cast;
  }

  /// Elementwise users of a bf16 value read it through one extension.
  void widenElementwiseUses(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !type.getElementType().isBF16() || !getRowSpace(type)) return;
    Value wide;
    for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
      if (!isElementwise(use.getOwner())) continue;
      if (!wide) {
        OpBuilder builder(program.getContext());
        builder.setInsertionPointAfterValue(value);
        wide = arith::ExtFOp::create(builder, value.getLoc(), withElement(type, f32), value);
      }
      use.set(wide);
    }
  }

  ProgramOp program;
  bool bfloat16;
  Type f32, bf16;
};

struct AssignPrecision : impl::AssignPrecisionBase<AssignPrecision> {
  using AssignPrecisionBase::AssignPrecisionBase;

  void runOnOperation() override {
    if (dtype != "float32" && dtype != "bfloat16") {
      getOperation().emitError("expected dtype float32 or bfloat16, got ") << dtype;
      return signalPassFailure();
    }
    Assigner(getOperation(), dtype == "bfloat16").run();
  }
};

} // namespace
} // namespace mmc::model
