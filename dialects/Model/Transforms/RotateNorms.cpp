// RotateNorms: the norm at the start of a layer moves to the end of the layer before it. Invariant: every norm runs
// once, on the same rows with the same gain as before; only the function in which it stands changes. The first layer's
// norm goes behind the embedding, and the last layer ends with the norm that followed the selection of output rows,
// which commutes with it: both work row by row.
#include "dialects/Model/Transforms/Passes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace mmc::model {

#define GEN_PASS_DEF_ROTATENORMS
#include "dialects/Model/Transforms/Passes.h.inc"

namespace {

/// The only user of `value` if it is an OpTy.
template <typename OpTy> OpTy getOnlyUser(Value value) {
  return value.hasOneUse() ? dyn_cast<OpTy>(*value.user_begin()) : OpTy();
}

/// The norms that move: of each kind of layer its first, and the one after the stack.
struct Norms {
  StackOp stack;
  SmallVector<RmsNormOp> first;
  SelectRowsOp selection;
  RmsNormOp last;

  static WeightOp getGain(RmsNormOp norm) { return norm.getGain().getDefiningOp<WeightOp>(); }
  bool find(ProgramOp program);
  bool agree();
};

/// False where the program has another shape: a layer that uses its input for more than the norm keeps its norm.
bool Norms::find(ProgramOp program) {
  auto main = program.lookupSymbol<FuncOp>("main");
  if (!main) return false;
  auto stacks = llvm::to_vector(main.getOps<StackOp>());
  if (stacks.size() != 1) return false;
  stack = stacks.front();
  for (FlatSymbolRefAttr kind : stack.getKinds()) {
    auto function = program.lookupSymbol<FuncOp>(kind.getAttr());
    auto norm = getOnlyUser<RmsNormOp>(function.getArgument(0));
    if (!norm) return false;
    first.push_back(norm);
  }
  selection = getOnlyUser<SelectRowsOp>(stack.getY());
  if (selection) last = getOnlyUser<RmsNormOp>(selection.getResult());
  return stack.getX().hasOneUse() && last && agree();
}

/// Whether one norm, with a gain by layer, can stand for all of them.
bool Norms::agree() {
  WeightOp final = getGain(last);
  if (!final || final.getLayer()) return false;
  for (RmsNormOp norm : first) {
    WeightOp gain = getGain(norm);
    if (!gain || !gain.getLayer() || gain.getNextElse() || gain.getName().contains("{expert}")) return false;
    if (gain.getName() != getGain(first.front()).getName() || gain.getType() != final.getType()) return false;
    if (norm.getEps() != last.getEps()) return false;
  }
  return true;
}

/// The layer takes normalised rows and returns them normalised for the layer after it.
void rotateLayer(RmsNormOp norm, StringAttr nextElse) {
  WeightOp gain = Norms::getGain(norm);
  auto function = norm->getParentOfType<FuncOp>();
  norm.getResult().replaceAllUsesWith(function.getArgument(0));
  Operation *end = function.getBody().front().getTerminator();
  gain->moveBefore(end);
  gain.setNextElseAttr(nextElse);
  norm->moveBefore(end);
  norm.getXMutable().assign(end->getOperand(0));
  end->setOperand(0, norm.getResult());
}

struct RotateNorms : impl::RotateNormsBase<RotateNorms> {
  void runOnOperation() override {
    Norms norms;
    if (!norms.find(getOperation())) return;
    WeightOp gain = Norms::getGain(norms.first.front()), final = Norms::getGain(norms.last);
    OpBuilder builder(norms.stack);
    std::string name = gain.getTensorName(0);
    auto firstGain = WeightOp::create(builder, gain.getLoc(), gain.getType(), name, Value());
    RmsNormOp norm = norms.first.front();
    auto first = RmsNormOp::create(builder, norm.getLoc(), norms.stack.getX(), firstGain, norm.getEpsAttr());
    norms.stack.getXMutable().assign(first.getResult());
    StringAttr nextElse = final.getNameAttr();
    for (RmsNormOp inner : norms.first) rotateLayer(inner, nextElse);
    norms.last.getResult().replaceAllUsesWith(norms.selection.getResult());
    norms.last.erase();
    if (final->use_empty()) final.erase();
  }
};

} // namespace
} // namespace mmc::model
