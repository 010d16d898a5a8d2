// TileRows: dispatches that work on one row at a time: norms, residuals, elementwise ops, embedding, combine, gather,
// select. A work point is one row (of one head, where the tensors have heads); a value is a tile with the row's
// channels.
//
// Floor: each row read and written once. A row's answer depends on nothing else in the step.
#include "passes/Conversion/ModelToTile/Passes.h"
#include "passes/Conversion/ModelToTile/RopeKernels.h"
#include "passes/Conversion/ModelToTile/TileEmitter.h"
#include "passes/Fusion/Dispatches.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_TILEROWS
#include "passes/Conversion/ModelToTile/Passes.h.inc"

namespace {

/// The kernel of one dispatch while it is written.
class RowKernel {
public:
  explicit RowKernel(model::DispatchOp dispatch)
      : dispatch(dispatch), builder(dispatch->getParentOfType<model::ProgramOp>(), dispatch.getLoc()),
        emitter(builder, [this](Value value) { return loadInput(value); }) {}

  LogicalResult emit();

private:
  LogicalResult emitDomain(RankedTensorType type);
  LogicalResult emitOp(Operation &op);
  LogicalResult emitNorm(model::RmsNormOp norm);
  LogicalResult emitCombine(model::CombineOp combine);
  Value loadRow(Value tensor, Value at);
  Value loadInput(Value value) { return loadRow(value, row); }
  SmallVector<Value> placeOf(Value at);
  std::string getName(RankedTensorType type);

  model::DispatchOp dispatch;
  KernelBuilder builder;
  TileEmitter emitter;
  Value row, head, token, choice;
};

/// One point per row of the results' row space, and per head where they have heads.
LogicalResult RowKernel::emitDomain(RankedTensorType type) {
  switch (*model::getRowSpace(type)) {
  case model::RowSpace::tokens:
    row = builder.addPoint(tile::ExtentKind::tokens, 0, "row");
    break;
  case model::RowSpace::outputs:
    row = builder.addPoint(tile::ExtentKind::outputs, 0, "row");
    break;
  case model::RowSpace::routes: {
    auto topK = dispatch->getAttrOfType<IntegerAttr>("top_k");
    if (!topK) return dispatch.emitOpError("expected attribute top_k, since it works on rows of routes");
    token = builder.addPoint(tile::ExtentKind::tokens, 0, "token");
    choice = builder.addPoint(tile::ExtentKind::fixed, topK.getInt(), "choice");
    row = arith::AddIOp::create(builder, arith::MulIOp::create(builder, token, builder.index(topK.getInt())), choice);
    break;
  }
  case model::RowSpace::sequences:
    return dispatch.emitOpError("expected rows of tokens, outputs or routes, got ") << type;
  }
  if (type.getRank() == 3) head = builder.addPoint(tile::ExtentKind::fixed, type.getDimSize(1), "head");
  int64_t channels = type.getShape().back();
  builder.setGrain(std::max<int64_t>(1, 1024 / channels));
  return success();
}

/// Indices of row `at`, at the kernel's head, from channel 0.
SmallVector<Value> RowKernel::placeOf(Value at) {
  SmallVector<Value> indices = {at};
  if (head) indices.push_back(head);
  indices.push_back(builder.index(0));
  return indices;
}

Value RowKernel::loadRow(Value tensor, Value at) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getRank() != (head ? 3 : 2)) {
    dispatch.emitOpError() << "expected operands with as many dimensions as the results, got " << type;
    return {};
  }
  Value view = builder.read(tensor, "x");
  return view ? builder.load(view, placeOf(at), {type.getRank() - 1}, {type.getShape().back()}) : Value();
}

LogicalResult RowKernel::emitNorm(model::RmsNormOp norm) {
  Value x = emitter.getF32(norm.getX());
  if (!x) return failure();
  emitter.set(norm.getResult(), emitRmsNorm(builder, norm, x));
  return success();
}

/// The sum over a token's choices, in order.
LogicalResult RowKernel::emitCombine(model::CombineOp combine) {
  auto type = cast<RankedTensorType>(combine.getX().getType());
  int64_t topK = cast<RankedTensorType>(combine.getPosition().getType()).getDimSize(1);
  Value positions = builder.read(combine.getPosition(), "position"),
        weights = builder.read(combine.getWeights(), "weights");
  if (!positions || !weights) return failure();
  Value sum;
  for (int64_t j = 0; j < topK; ++j) {
    Value at = builder.toIndex(builder.loadScalar(positions, {row, builder.index(j)}));
    Value weight = builder.widen(builder.loadScalar(weights, {row, builder.index(j)}));
    Value x = loadRow(combine.getX(), at);
    if (!x) return failure();
    Value term = arith::MulFOp::create(builder, builder.broadcast(weight, {}, {type.getDimSize(1)}), builder.widen(x));
    sum = sum ? arith::AddFOp::create(builder, sum, term).getResult() : term;
  }
  emitter.set(combine.getResult(), sum);
  return success();
}

LogicalResult RowKernel::emitOp(Operation &op) {
  if (isElementwise(&op)) return emitter.emit(&op);
  if (auto norm = dyn_cast<model::RmsNormOp>(op)) return emitNorm(norm);
  if (auto combine = dyn_cast<model::CombineOp>(op)) return emitCombine(combine);
  Value result;
  if (auto embedding = dyn_cast<model::EmbeddingOp>(op)) {
    Value ids = builder.read(embedding.getIds(), "ids");
    Value id = builder.toIndex(builder.loadScalar(ids, {row}));
    Value table = builder.read(embedding.getTable(), "table");
    int64_t channels = cast<RankedTensorType>(embedding.getTable().getType()).getDimSize(1);
    result = builder.load(table, {id, builder.index(0)}, {1}, {channels});
  } else if (auto select = dyn_cast<model::SelectRowsOp>(op)) {
    result = loadRow(select.getX(),
                     builder.toIndex(builder.loadScalar(builder.addStep(tile::StepField::output_rows), {row})));
  } else if (auto gather = dyn_cast<model::GatherRoutesOp>(op)) {
    Value source = builder.read(gather.getSource(), "source");
    result = source ? loadRow(gather.getX(), builder.toIndex(builder.loadScalar(source, {row}))) : Value();
  } else {
    return op.emitOpError("has no row kernel");
  }
  if (!result) return failure();
  emitter.set(op.getResult(0), builder.convert(result, getElementTypeOrSelf(op.getResult(0).getType())));
  return success();
}

/// combine_residual_64_f32: ops, channels, element type.
std::string RowKernel::getName(RankedTensorType type) {
  std::string name;
  for (Operation &op : dispatch.getBody().front().without_terminator()) {
    StringRef part = isElementwise(&op) ? getEpilogueName(&op) : op.getName().stripDialect();
    if (!part.empty()) name += part.str() + "_";
  }
  if (name.empty()) name = "convert_";
  return name + getShapeName(type.getShape()) + "_" + getTypeName(type.getElementType());
}

LogicalResult RowKernel::emit() {
  auto type = dyn_cast<RankedTensorType>(dispatch.getResult(0).getType());
  if (!type || !model::getRowSpace(type) || type.getRank() < 2 || type.getRank() > 3)
    return dispatch.emitOpError() << "expected row tensors of rank 2 or 3 as results, got "
                                  << dispatch.getResult(0).getType();
  if (failed(emitDomain(type))) return failure();
  SmallVector<Value> results;
  for (Type result : dispatch.getResultTypes()) {
    if (model::getRowSpace(result) != model::getRowSpace(type) ||
        cast<RankedTensorType>(result).getRank() != type.getRank())
      return dispatch.emitOpError() << "expected results of one row space and rank, got " << type << " and " << result;
    results.push_back(builder.addResult(cast<RankedTensorType>(result), "y"));
  }
  for (Operation &op : dispatch.getBody().front().without_terminator())
    if (failed(emitOp(op))) return failure();
  for (auto [view, value] : llvm::zip_equal(results, dispatch.getBody().front().getTerminator()->getOperands())) {
    Value tile = emitter.get(value);
    if (!tile) return failure();
    builder.store(tile, view, placeOf(row), {type.getRank() - 1});
  }
  tile::LaunchOp launch = builder.finish(getName(type), dispatch);
  replaceDispatch(dispatch, launch.getResults());
  return success();
}

struct TileRows : impl::TileRowsBase<TileRows> {
  void runOnOperation() override {
    SmallVector<model::DispatchOp> dispatches;
    getOperation().walk([&](model::DispatchOp dispatch) { dispatches.push_back(dispatch); });
    for (model::DispatchOp dispatch : dispatches) {
      DispatchKind kind = getDispatchKind(dispatch);
      if ((kind == DispatchKind::rope && failed(convertRope(dispatch))) ||
          (kind == DispatchKind::rows && failed(RowKernel(dispatch).emit())))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace mmc
