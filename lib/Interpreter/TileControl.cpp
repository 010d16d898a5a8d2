// Control flow: scf.for, scf.if, scf.while. Loop values live in the slots of the results and are copied to the block
// arguments before each trip, so a loop that permutes its values needs no special care.
#include "lib/Interpreter/TileProgram.h"

using namespace mlir;
using namespace mmc::interpreter;

static void copySlots(Frame &frame, const std::vector<unsigned> &from, const std::vector<unsigned> &to) {
  for (size_t v = 0; v < from.size(); ++v) frame.slots[to[v]] = frame.slots[from[v]];
}

LogicalResult TileCompiler::compileFor(scf::ForOp op, Actions &actions) {
  if (!op.getInductionVar().getType().isIndex())
    return op.emitOpError() << "expected an induction variable of type index in the tile interpreter";
  Actions body;
  if (failed(compileBlock(*op.getBody(), body))) return failure();
  actions.push_back([op, body = std::move(body), lower = slot(op.getLowerBound()), upper = slot(op.getUpperBound()),
                     step = slot(op.getStep()), variable = slot(op.getInductionVar()), inits = slots(op.getInitArgs()),
                     args = slots(op.getRegionIterArgs()), yields = slots(op.getBody()->getTerminator()->getOperands()),
                     results = slots(op.getResults())](Frame &frame) mutable {
    int64_t first = frame.slots[lower].i[0], end = frame.slots[upper].i[0], by = frame.slots[step].i[0];
    if (by <= 0) {
      op.emitOpError() << "expected a positive step, got " << by;
      return false;
    }
    copySlots(frame, inits, results);
    for (int64_t at = first; at < end; at += by) {
      frame.slots[variable].i[0] = at;
      copySlots(frame, results, args);
      if (!runAll(body, frame)) return false;
      copySlots(frame, yields, results);
    }
    return true;
  });
  return success();
}

LogicalResult TileCompiler::compileIf(scf::IfOp op, Actions &actions) {
  Actions thenBody, elseBody;
  std::vector<unsigned> elseYields;
  if (failed(compileBlock(*op.thenBlock(), thenBody))) return failure();
  if (op.elseBlock()) {
    if (failed(compileBlock(*op.elseBlock(), elseBody))) return failure();
    elseYields = slots(op.elseYield().getOperands());
  }
  actions.push_back([thenBody = std::move(thenBody), elseBody = std::move(elseBody),
                     condition = slot(op.getCondition()), thenYields = slots(op.thenYield().getOperands()), elseYields,
                     results = slots(op.getResults())](Frame &frame) {
    bool taken = frame.slots[condition].i[0] != 0;
    if (!runAll(taken ? thenBody : elseBody, frame)) return false;
    copySlots(frame, taken ? thenYields : elseYields, results);
    return true;
  });
  return success();
}

LogicalResult TileCompiler::compileWhile(scf::WhileOp op, Actions &actions) {
  Actions before, after;
  if (failed(compileBlock(*op.getBeforeBody(), before)) || failed(compileBlock(*op.getAfterBody(), after)))
    return failure();
  scf::ConditionOp condition = op.getConditionOp();
  // Staging slots keep the values that the body yields apart from the arguments that they replace.
  std::vector<unsigned> staged;
  for (Value init : op.getInits()) {
    Slot copy = program.initial[slot(init)];
    staged.push_back(program.initial.size());
    program.initial.push_back(std::move(copy));
  }
  actions.push_back([before = std::move(before), after = std::move(after), staged, inits = slots(op.getInits()),
                     beforeArgs = slots(op.getBeforeArguments()), flag = slot(condition.getCondition()),
                     passed = slots(condition.getArgs()), afterArgs = slots(op.getAfterArguments()),
                     yields = slots(op.getYieldOp().getOperands()), results = slots(op.getResults())](Frame &frame) {
    copySlots(frame, inits, staged);
    while (true) {
      copySlots(frame, staged, beforeArgs);
      if (!runAll(before, frame)) return false;
      copySlots(frame, passed, results);
      if (frame.slots[flag].i[0] == 0) return true;
      copySlots(frame, results, afterArgs);
      if (!runAll(after, frame)) return false;
      copySlots(frame, yields, staged);
    }
  });
  return success();
}
