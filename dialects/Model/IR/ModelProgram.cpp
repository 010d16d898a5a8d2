// model.program: the entry point's signature, the attributes that it must agree with, and that every state has one
// consumer, which is what makes updating in place legal.
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
      cast<RankedTensorType>(results[0]).isDynamicDim(1) || results.drop_front() != arguments.drop_front(2))
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

/// An attribute of the program as a number of at least 1; null where it is absent.
static FailureOr<std::optional<int64_t>> positive(ProgramOp program, StringRef name) {
  Attribute attribute = program->getAttr(name);
  if (!attribute) return std::optional<int64_t>();
  auto number = dyn_cast<IntegerAttr>(attribute);
  if (!number || !number.getType().isSignlessInteger(64) || number.getInt() < 1)
    return program.emitOpError("expected ") << name << " to be an i64 of at least 1, got " << attribute;
  return std::optional(number.getInt());
}

/// The attributes against @main, which may be absent.
static LogicalResult verifyAttributes(ProgramOp program, FuncOp main) {
  // program_c4
  FailureOr<std::optional<int64_t>> stated = positive(program, "vocabulary");
  if (failed(stated)) return failure();
  std::optional<int64_t> vocabulary = *stated;
  if (main) {
    int64_t columns = cast<RankedTensorType>(main.getResultTypes()[0]).getDimSize(1);
    if (vocabulary && *vocabulary != columns)
      return program.emitOpError("expected vocabulary to be the ")
             << columns << " columns of the logits, got " << *vocabulary;
    vocabulary = columns;
  }
  // program_c5
  WalkResult embeddings = program.walk([&](EmbeddingOp embedding) -> WalkResult {
    int64_t rows = cast<RankedTensorType>(embedding.getTable().getType()).getDimSize(0);
    if (!vocabulary || rows == *vocabulary || (!*stated && rows > *vocabulary)) return WalkResult::advance();
    return embedding.emitOpError("expected a table with a row for each of the ") << *vocabulary << " ids, got " << rows;
  });
  if (embeddings.wasInterrupted()) return failure();
  // program_c6
  if (failed(positive(program, "max_position"))) return failure();
  // program_c7
  Attribute stops = program->getAttr("stop_tokens");
  if (stops && !isa<DenseI32ArrayAttr>(stops))
    return program.emitOpError("expected stop_tokens to be an array of i32, got ") << stops;
  if (stops)
    for (int32_t id : cast<DenseI32ArrayAttr>(stops).asArrayRef())
      if (id < 0 || (vocabulary && id >= *vocabulary))
        return program.emitOpError("expected stop_tokens to be ids of the vocabulary, got ") << id;
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  auto main = lookupSymbol<FuncOp>("main");
  // program_c1
  if (main && failed(verifyMain(main))) return failure();
  if (failed(verifyAttributes(*this, main))) return failure();
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
