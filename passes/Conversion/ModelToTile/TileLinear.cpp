// TileLinear: dense and grouped products as panel kernels. A work point is one panel of 64 output columns (of one
// expert); it walks the rows in blocks, multiplies the whole depth and applies the epilogue to the block before it is
// stored.
//
//   for r in rows step 48:  X = x[r .. r+48]; Y = X . panel^T; Y = epilogue(Y); y[r .. r+48, panel] = Y
//
// Floor: 2 rows N K FLOP; N K weights read once per step. Each element is reduced over K in ascending order whatever
// the number of rows.
#include "passes/Conversion/ModelToTile/Passes.h"
#include "passes/Conversion/ModelToTile/TileEmitter.h"
#include "passes/Fusion/Dispatches.h"

using namespace mlir;

namespace mmc {
#define GEN_PASS_DEF_TILELINEAR
#include "passes/Conversion/ModelToTile/Passes.h.inc"

namespace {

constexpr int64_t kPanel = kProductPanel; // output columns of a work point: a whole number of weight panels

/// The kernel of one dispatch while it is written.
class PanelKernel {
public:
  PanelKernel(model::DispatchOp dispatch, int64_t rowBlock, WeightLayout layout)
      : dispatch(dispatch), rowBlock(rowBlock), layout(layout),
        builder(dispatch->getParentOfType<model::ProgramOp>(), dispatch.getLoc()),
        emitter(builder, [this](Value value) { return loadInput(value); }) {}

  LogicalResult emit();

private:
  LogicalResult emitDomain();
  LogicalResult emitBlock();
  LogicalResult emitProduct(Operation *op, Value x, Value weight);
  LogicalResult emitConcat(model::ConcatOp concat);
  Value loadRows(Value x);
  Value loadInput(Value value);
  std::string getName();

  model::DispatchOp dispatch;
  int64_t rowBlock;
  WeightLayout layout;
  KernelBuilder builder;
  TileEmitter emitter;
  SmallVector<Value> results; // views of the dispatch's results
  Value expert, column, row, limit;
  Value begin, end;
  int64_t width = 0;
  llvm::DenseMap<Value, Value> rows; // tiles of the products' left operands
};

LogicalResult PanelKernel::emitDomain() {
  if (auto grouped = findOp<model::GroupedLinearOp>(dispatch)) {
    auto weight = cast<RankedTensorType>(grouped.getWeight().getType());
    expert = builder.addPoint(tile::ExtentKind::fixed, weight.getDimSize(0), "expert");
    width = weight.getDimSize(1);
    Value offsets = builder.read(grouped.getOffsets(), "offsets");
    begin = builder.toIndex(builder.loadScalar(offsets, {expert}));
    Value next = arith::AddIOp::create(builder, expert, builder.index(1));
    end = builder.toIndex(builder.loadScalar(offsets, {next}));
  } else {
    auto linear = findOp<model::LinearOp>(dispatch);
    width = cast<RankedTensorType>(linear.getWeight().getType()).getDimSize(0);
    model::RowSpace space = *model::getRowSpace(linear.getX().getType());
    if (space == model::RowSpace::routes)
      return linear.emitOpError("expected rows of tokens or outputs, got routes; products of routes are grouped");
    begin = builder.index(0);
    end = builder.addStep(space == model::RowSpace::outputs ? tile::StepField::output_count
                                                            : tile::StepField::token_count);
  }
  Value panel = builder.addPoint(tile::ExtentKind::fixed, llvm::divideCeil(width, kPanel), "panel");
  column = builder.named(arith::MulIOp::create(builder, panel, builder.index(kPanel)), "column");
  return success();
}

/// The block's rows of a product's left operand, gathered where the dispatch gathers them.
Value PanelKernel::loadRows(Value x) {
  Value &tile = rows[x];
  if (tile) return tile;
  SmallVector<int64_t> shape = {rowBlock, cast<RankedTensorType>(x.getType()).getDimSize(1)};
  auto gather = x.getDefiningOp<model::GatherRoutesOp>();
  if (gather && gather->getParentOp() == dispatch) {
    Value source = builder.read(gather.getSource(), "source"), view = builder.read(gather.getX(), "x");
    if (!source || !view) return {};
    Value indices = builder.load(source, {row}, {0}, {rowBlock}, limit);
    Type type = builder.tileType(shape, getElementTypeOrSelf(view.getType()));
    SmallVector<Value> start(2, builder.index(0));
    return tile = tile::GatherOp::create(builder, type, view, indices, start, ArrayRef<int64_t>{0, 1}, limit);
  }
  Value view = builder.read(x, "x");
  return tile = view ? builder.load(view, {row, builder.index(0)}, {0, 1}, shape, limit) : Value();
}

/// A row tensor from outside, at the block's rows and the panel's columns.
Value PanelKernel::loadInput(Value value) {
  Value view = builder.read(value, "input");
  return view ? builder.load(view, {row, column}, {0, 1}, {rowBlock, kPanel}, limit) : Value();
}

LogicalResult PanelKernel::emitProduct(Operation *op, Value x, Value weight) {
  Value a = loadRows(x);
  if (!a) return failure();
  Value panels = builder.readWeight(weight, layout, "weight");
  int64_t depth = cast<RankedTensorType>(a.getType()).getDimSize(1);
  Value b = expert ? builder.load(panels, {expert, column, builder.index(0)}, {1, 2}, {kPanel, depth})
                   : builder.load(panels, {column, builder.index(0)}, {0, 1}, {kPanel, depth});
  if (getElementTypeOrSelf(a.getType()) != getElementTypeOrSelf(b.getType()))
    a = builder.widen(a), b = builder.widen(b);
  Value y = tile::DotOp::create(builder, a, b, Value(), /*transposeA=*/false, /*transposeB=*/true);
  emitter.set(op->getResult(0), builder.named(y, "product"));
  return success();
}

/// Products side by side: the panel is of one of them, so its tile is that one's, and a slice of the product is the
/// tile itself.
LogicalResult PanelKernel::emitConcat(model::ConcatOp concat) {
  Value chosen;
  int64_t end = width;
  for (Value part : llvm::reverse(concat.getInputs())) {
    Value tile = emitter.get(part);
    if (!tile) return failure();
    int64_t channels = cast<RankedTensorType>(part.getType()).getDimSize(1);
    if (channels % kPanel != 0)
      return concat.emitOpError() << "expected parts of a multiple of " << kPanel << " channels, got "
                                  << part.getType();
    if (chosen) {
      Value before = arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, column, builder.index(end));
      tile = arith::SelectOp::create(builder, before, tile, chosen);
    }
    chosen = tile;
    end -= channels;
  }
  emitter.set(concat.getResult(), chosen);
  return success();
}

LogicalResult PanelKernel::emitBlock() {
  for (Operation &op : dispatch.getBody().front().without_terminator()) {
    LogicalResult emitted = success();
    if (auto linear = dyn_cast<model::LinearOp>(op))
      emitted = emitProduct(&op, linear.getX(), linear.getWeight());
    else if (auto grouped = dyn_cast<model::GroupedLinearOp>(op))
      emitted = emitProduct(&op, grouped.getX(), grouped.getWeight());
    else if (auto slice = dyn_cast<model::SliceOp>(op))
      emitter.set(slice.getResult(), emitter.get(slice.getX()));
    else if (auto concat = dyn_cast<model::ConcatOp>(op))
      emitted = emitConcat(concat);
    else if (isElementwise(&op))
      emitted = emitter.emit(&op);
    else if (!isa<model::GatherRoutesOp>(op))
      emitted = op.emitOpError("cannot be part of a product's dispatch");
    if (failed(emitted)) return failure();
  }
  for (auto [view, value] : llvm::zip_equal(results, dispatch.getBody().front().getTerminator()->getOperands())) {
    Value tile = emitter.get(value);
    if (!tile) return failure();
    builder.store(tile, view, {row, column}, {0, 1}, limit);
  }
  return success();
}

/// linear_silu_24576x6144_bf16: product, epilogue, output and input channels, element type of the rows.
std::string PanelKernel::getName() {
  Operation *product = findOp<model::LinearOp>(dispatch);
  if (!product) product = findOp<model::GroupedLinearOp>(dispatch);
  std::string name;
  for (Operation &op : dispatch.getBody().front().without_terminator()) {
    StringRef part = isa<model::LinearOp>(op)                                          ? "linear"
                     : isa<model::GroupedLinearOp>(op)                                 ? "experts"
                     : isa<model::GatherRoutesOp, model::SliceOp, model::ConcatOp>(op) ? ""
                                                                                       : getEpilogueName(&op);
    if (!part.empty()) name += (name.empty() ? "" : "_") + part.str();
  }
  for (auto [from, to] :
       {std::pair("linear_silu_linear_mul", "linear_swiglu"), std::pair("experts_silu_experts_mul", "experts_swiglu")})
    if (size_t at = name.find(from); at != std::string::npos) name.replace(at, StringRef(from).size(), to);
  auto weight = cast<RankedTensorType>(product->getOperands().back().getType());
  return name + "_" + getShapeName(weight.getShape().take_back(2)) + "_" +
         getTypeName(getElementTypeOrSelf(product->getOperand(0).getType()));
}

LogicalResult PanelKernel::emit() {
  if (failed(emitDomain())) return failure();
  for (Type type : dispatch.getResultTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    if (tensor.getRank() != 2 || tensor.getDimSize(1) != width)
      return dispatch.emitOpError() << "expected results of " << width << " channels, got " << type;
    results.push_back(builder.addResult(tensor, "y"));
  }
  auto loop = scf::ForOp::create(builder, begin, end, builder.index(rowBlock));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    row = builder.named(loop.getInductionVar(), "row");
    limit = builder.named(builder.minimum(builder.index(rowBlock), arith::SubIOp::create(builder, end, row)), "rows");
    if (failed(emitBlock())) return failure();
  }
  tile::LaunchOp launch = builder.finish(getName(), dispatch);
  replaceDispatch(dispatch, launch.getResults());
  return success();
}

struct TileLinear : impl::TileLinearBase<TileLinear> {
  using TileLinearBase::TileLinearBase;

  void runOnOperation() override {
    if (rowBlock < 1) {
      getOperation().emitError() << "mmc-tile-linear expected a positive row-block, got " << rowBlock.getValue();
      return signalPassFailure();
    }
    std::optional<WeightLayout> layout = parseWeightLayout(weightLayout);
    if (!layout) {
      getOperation().emitError() << "mmc-tile-linear expected weight-layout panels or rows, got "
                                 << weightLayout.getValue();
      return signalPassFailure();
    }
    SmallVector<model::DispatchOp> dispatches;
    getOperation().walk([&](model::DispatchOp dispatch) {
      if (getDispatchKind(dispatch) == DispatchKind::linear) dispatches.push_back(dispatch);
    });
    for (model::DispatchOp dispatch : dispatches)
      if (failed(PanelKernel(dispatch, rowBlock, *layout).emit())) return signalPassFailure();
  }
};

} // namespace
} // namespace mmc
