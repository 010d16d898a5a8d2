// The ops of a tile kernel in order: scalars are cloned, loops entered, stores and reductions ask for what they need.
#include "passes/Conversion/TileToHopper/Lowering.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

Lowering::Lowering(tile::KernelOp source, KernelOp target, bool roles)
    : source(source), target(target), byWarpgroups(target->getAttrOfType<StringAttr>(kFamilyAttr) ==
                                                   StringAttr::get(target.getContext(), kWgmmaFamily)),
      roles(roles), builder(target.getContext()), layouts(target.getThreads()), tiles(target, builder, byWarpgroups) {}

LogicalResult Lowering::run() {
  Block &from = source.getBody().front(), &to = target.getBody().front();
  for (auto [old, argument] : llvm::zip(from.getArguments(), to.getArguments())) {
    scalars.map(old, argument);
    // NOTE: one store in a loop is taken to write other elements in each trip, as canDistribute takes it.
    auto loads = llvm::count_if(old.getUsers(), llvm::IsaPred<tile::LoadOp, tile::GatherOp>);
    auto stores = llvm::count_if(old.getUsers(), llvm::IsaPred<tile::StoreOp>);
    if (stores > 0 && loads + stores > 1 && !target.getSerial()) tiles.mind(argument);
  }
  builder.setInsertionPointToEnd(&to);
  scopes.emplace_back(&from, nullptr);
  if (failed(emitBlock(from))) return failure();
  ReturnOp::create(builder, source.getLoc());
  return success();
}

LogicalResult Lowering::emitBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(emitOp(op))) return failure();
  return success();
}

/// Whether the op's tile is made where it is used first.
static bool isOnDemand(Operation *op) {
  return isElementwise(op) ||
         isa<tile::LoadOp, tile::GatherOp, tile::BroadcastOp, tile::IotaOp, tile::ReshapeOp, arith::ConstantOp>(op);
}

static bool hasTiles(Operation &op) {
  auto isTile = llvm::IsaPred<RankedTensorType>;
  return llvm::any_of(op.getOperandTypes(), isTile) || llvm::any_of(op.getResultTypes(), isTile);
}

LogicalResult Lowering::emitOp(Operation &op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) return canDistribute(loop) ? emitDistributed(loop) : emitLoop(loop);
  if (auto point = dyn_cast<tile::PointOp>(op)) {
    auto made = PointOp::create(builder, op.getLoc(), scalar(point.getList()), scalar(point.getRecord()));
    for (auto [old, result] : llvm::zip(op.getResults(), made.getResults())) scalars.map(old, result);
    return success();
  }
  if (auto store = dyn_cast<tile::StoreOp>(op)) return emitStore(store);
  if (auto reduce = dyn_cast<tile::ReduceOp>(op)) return emitReduce(reduce);
  if (auto topK = dyn_cast<tile::TopKOp>(op)) return emitTopK(topK);
  if (auto dot = dyn_cast<tile::DotOp>(op)) return emitDot(dot);
  if (auto load = dyn_cast<tile::LoadOp>(op); load && !hasTiles(op)) {
    Value view = scalar(load.getView());
    tiles.beforeRead(view);
    tiles.afterRead(view);
    Value made = LoadOp::create(builder, op.getLoc(), load.getType(), view, scalarsOf(load.getIndices()),
                                load.getAlong(), Value(), Value(), DenseI64ArrayAttr());
    scalars.map(load.getResult(), made);
    return success();
  }
  if (!hasTiles(op) && isa<arith::ArithDialect, math::MathDialect>(op.getDialect())) {
    builder.clone(op, scalars);
    return success();
  }
  if (isOnDemand(&op)) return success();
  return op.emitOpError() << "is not converted to hopper";
}

// ------------------------------------------------------------------------------------------------ loops

/// Whether an index is computed from the work point, but not from what is loaded there.
static bool dependsOnPoint(Value index) {
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    auto kernel = dyn_cast<tile::KernelOp>(argument.getOwner()->getParentOp());
    return kernel && argument.getArgNumber() >= kernel.getNumKernelArguments();
  }
  Operation *op = index.getDefiningOp();
  return isa<arith::ArithDialect>(op->getDialect()) && llvm::any_of(op->getOperands(), dependsOnPoint);
}

bool Lowering::canDistribute(scf::ForOp loop) {
  if (loop->getBlock() != &source.getBody().front() || loop.getNumRegionIterArgs() != 0 || target.getSerial())
    return false;
  // What begins at a work point's own place is its own work, or a loop of one trip or none.
  if (dependsOnPoint(loop.getLowerBound())) return false;
  // Iterations are independent if nothing that is stored is loaded by this kernel.
  auto isLoaded = [](Value view) { return llvm::any_of(view.getUsers(), llvm::IsaPred<tile::LoadOp, tile::GatherOp>); };
  // What stands beside the loop is done by every block that shares it, so all stores are in the loop.
  bool independent = true;
  source.walk([&](tile::StoreOp store) { independent &= loop->isAncestor(store) && !isLoaded(store.getView()); });
  return independent;
}

LogicalResult Lowering::emitDistributed(scf::ForOp loop) {
  auto made = DistributeOp::create(builder, loop.getLoc(), scalar(loop.getLowerBound()), scalar(loop.getUpperBound()),
                                   scalar(loop.getStep()));
  Block *body = builder.createBlock(&made.getBody(), {}, builder.getIndexType(), loop.getInductionVar().getLoc());
  scalars.map(loop.getInductionVar(), body->getArgument(0));
  scopes.emplace_back(loop.getBody(), made.getOperation());
  tiles.enterLoop();
  if (failed(emitBlock(*loop.getBody()))) return failure();
  releaseHeld();
  YieldOp::create(builder, loop.getLoc());
  scopes.pop_back();
  tiles.leaveLoop();
  builder.setInsertionPointAfter(made);
  return success();
}

LogicalResult Lowering::emitLoop(scf::ForOp loop) {
  layouts.decide(loop);
  LogicalResult loaded = success();
  loop.walk([&](tile::StoreOp store) {
    if (succeeded(loaded)) loaded = makeLoadsBefore(loop, store.getView());
  });
  if (failed(loaded)) return failure();
  SmallVector<Value> inits;
  for (auto [init, argument] : llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs())) {
    bool isTile = isa<RankedTensorType>(init.getType());
    Value made = isTile ? make(init, layouts.typeOf(init, layouts.naturalType(argument).getLayout())) : scalar(init);
    if (!made) return failure();
    inits.push_back(made);
  }
  auto made = scf::ForOp::create(builder, loop.getLoc(), scalar(loop.getLowerBound()), scalar(loop.getUpperBound()),
                                 scalar(loop.getStep()), inits);
  Block *body = made.getBody();
  if (!body->empty()) body->clear();
  scalars.map(loop.getInductionVar(), made.getInductionVar());
  for (auto [old, argument] : llvm::zip(loop.getBody()->getArguments(), body->getArguments()))
    argument.setLoc(old.getLoc());
  scopes.emplace_back(loop.getBody(), made.getOperation());
  for (auto [old, argument] : llvm::zip(loop.getRegionIterArgs(), made.getRegionIterArgs()))
    isa<RankedTensorType>(old.getType()) ? keep(old, argument) : scalars.map(old, argument);
  builder.setInsertionPointToEnd(body);
  tiles.enterLoop();
  if (failed(emitBlock(*loop.getBody()))) return failure();
  SmallVector<Value> yielded;
  for (auto [value, argument] : llvm::zip(loop.getBody()->getTerminator()->getOperands(), made.getRegionIterArgs())) {
    auto type = dyn_cast<FragmentType>(argument.getType());
    Value result = type ? make(value, type) : scalar(value);
    if (!result) return failure();
    yielded.push_back(result);
  }
  releaseHeld();
  scf::YieldOp::create(builder, loop.getLoc(), yielded);
  scopes.pop_back();
  tiles.leaveLoop();
  builder.setInsertionPointAfter(made);
  for (auto [old, result] : llvm::zip(loop.getResults(), made.getResults()))
    isa<RankedTensorType>(old.getType()) ? keep(old, result) : scalars.map(old, result);
  return success();
}

// ------------------------------------------------------------------------------------------------ stores, reductions

/// Whether a value is needed behind `op`: itself, or by what is made on demand from it.
static bool isNeededAfter(Operation *op, Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    Operation *here = op->getBlock()->findAncestorOpInBlock(*user);
    if (here && op->isBeforeInBlock(here)) return true;
    return isOnDemand(user) && isNeededAfter(op, user->getResult(0));
  });
}

LogicalResult Lowering::makeLoadsBefore(Operation *writer, Value view) {
  for (Operation *user : llvm::make_early_inc_range(view.getUsers())) {
    if (!isa<tile::LoadOp, tile::GatherOp>(user) || user->getBlock() != writer->getBlock() ||
        !isa<RankedTensorType>(user->getResult(0).getType()) || !user->isBeforeInBlock(writer) ||
        !isNeededAfter(writer, user->getResult(0)))
      continue;
    if (!makeNatural(user->getResult(0))) return failure();
  }
  return success();
}

LogicalResult Lowering::emitStore(tile::StoreOp store) {
  if (failed(makeLoadsBefore(store, store.getView()))) return failure();
  Value value;
  DenseI64ArrayAttr extents;
  if (auto logical = dyn_cast<RankedTensorType>(store.getValue().getType())) {
    value = makeNatural(store.getValue());
    if (!value) return failure();
    if (cast<FragmentType>(value.getType()).getShape() != logical.getShape())
      extents = builder.getDenseI64ArrayAttr(logical.getShape());
  } else {
    value = scalar(store.getValue());
  }
  Value view = scalar(store.getView());
  tiles.beforeWrite(view);
  StoreOp::create(builder, store.getLoc(), value, view, scalarsOf(store.getIndices()), store.getAlong(),
                  store.getLimit() ? scalar(store.getLimit()) : Value(), extents);
  tiles.afterWrite(view);
  return success();
}

LogicalResult Lowering::emitReduce(tile::ReduceOp reduce) {
  Value value = makeNatural(reduce.getValue());
  if (!value) return failure();
  auto type = cast<FragmentType>(value.getType());
  auto logical = cast<RankedTensorType>(reduce.getValue().getType());
  if (type.getShape()[reduce.getDim()] != logical.getDimSize(reduce.getDim()))
    return reduce.emitOpError("runs along a dimension that is padded for products");
  Type result =
      type.getShape().size() == 1 ? type.getElementType() : Type(type.getSlice(reduce.getDim(), type.getElementType()));
  Value made = ReduceOp::create(builder, reduce.getLoc(), result, reduce.getKind(), value, reduce.getDim());
  isa<FragmentType>(result) ? keep(reduce.getResult(), made) : scalars.map(reduce.getResult(), made);
  return success();
}

LogicalResult Lowering::emitTopK(tile::TopKOp topK) {
  auto byOne = SpreadAttr::get(builder.getContext(), 1);
  Value value = make(topK.getValue(), layouts.typeOf(topK.getValue(), byOne));
  if (!value) return failure();
  auto made = TopKOp::create(builder, topK.getLoc(), layouts.typeOf(topK.getValues(), byOne),
                             layouts.typeOf(topK.getColumns(), byOne), value);
  keep(topK.getValues(), made.getValues());
  keep(topK.getColumns(), made.getColumns());
  return success();
}

} // namespace mmc::cuda
