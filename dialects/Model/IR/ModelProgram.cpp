// model.program: the entry point's signature, and that every state has one consumer, which is what makes updating in
// place legal.
#include "dialects/Model/IR/Model.h"

using namespace mlir;
using namespace mmc::model;

/// @main takes ids, the batch and states, and returns logits and the same states.
static LogicalResult verifyMain(FuncOp main) {
  ArrayRef<Type> arguments = main.getArgumentTypes(), results = main.getResultTypes();
  auto isRows = [](Type type, RowSpace space, bool isFloat, int64_t rank) {
    return getRowSpace(type) == space && (isFloat ? isFloatRows(type) : isIntRows(type)) &&
           cast<RankedTensorType>(type).getRank() == rank;
  };
  if (arguments.size() < 2 || !isRows(arguments[0], RowSpace::tokens, /*isFloat=*/false, 1) ||
      !isa<BatchType>(arguments[1]))
    return main.emitOpError(
               "expected @main to take (tensor<?xi32, #model.rows<tokens>>, !model.batch, states...), got ")
           << main.getFunctionType();
  if (!llvm::all_of(arguments.drop_front(2), isAnyState))
    return main.emitOpError("expected the arguments of @main after the batch to be states, got ")
           << main.getFunctionType();
  if (results.empty() || !isRows(results[0], RowSpace::outputs, /*isFloat=*/true, 2) ||
      results.drop_front() != arguments.drop_front(2))
    return main.emitOpError("expected @main to return (tensor<?xVxf32, #model.rows<outputs>>, states...) with the "
                            "states that it takes, got ")
           << main.getFunctionType();
  return success();
}

/// One consumer per state; snapshots read it earlier in the same block.
static LogicalResult verifyState(Value state, Location loc) {
  SmallVector<Operation *> consumers, snapshots;
  for (OpOperand &use : state.getUses())
    (isa<SnapshotOp>(use.getOwner()) ? snapshots : consumers).push_back(use.getOwner());
  // program_c2
  if (consumers.size() != 1) {
    InFlightDiagnostic diagnostic = emitError(loc) << "expected the state of type " << state.getType()
                                                   << " to have exactly one consumer, got " << consumers.size()
                                                   << "; use model.snapshot for a copy";
    for (Operation *consumer : consumers) diagnostic.attachNote(consumer->getLoc()) << "consumed here";
    return diagnostic;
  }
  // program_c3
  for (Operation *snapshot : snapshots)
    if (snapshot->getBlock() != consumers[0]->getBlock() || !snapshot->isBeforeInBlock(consumers[0])) {
      InFlightDiagnostic diagnostic =
          snapshot->emitOpError("expected to precede the consumer of the state, in the same block");
      diagnostic.attachNote(consumers[0]->getLoc()) << "consumed here";
      return diagnostic;
    }
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  // program_c1
  if (auto main = lookupSymbol<FuncOp>("main"))
    if (failed(verifyMain(main))) return failure();
  WalkResult result = walk([](Operation *op) -> WalkResult {
    for (Value value : op->getResults())
      if (isAnyState(value.getType()) && failed(verifyState(value, op->getLoc()))) return WalkResult::interrupt();
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        if (isAnyState(argument.getType()) && failed(verifyState(argument, argument.getLoc())))
          return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
