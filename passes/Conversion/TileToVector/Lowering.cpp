// The walk over a kernel's body in program order: arguments, work points, scalars, loops.
#include "passes/Conversion/TileToVector/Lowering.h"
#include "passes/Conversion/TileToVector/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;
using namespace mmc;
using namespace mmc::cpu;

Lowering::Lowering(tile::KernelOp kernel, const CpuTarget &target, OpBuilder &builder)
    : kernel(kernel), target(target), builder(builder), loc(kernel.getLoc()), emit(builder, loc), uses(kernel) {}

void Lowering::fail(Operation *op, const Twine &message) {
  failed = true;
  op->emitOpError() << message;
}

FailureOr<func::FuncOp> Lowering::run() {
  OpBuilder::InsertionGuard guard(builder);
  MLIRContext *context = builder.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context), i64 = builder.getI64Type();
  for (auto [i, extent] : llvm::enumerate(kernel.getDomain().getAsRange<tile::ExtentAttr>()))
    if (i > 0 && extent.getKind() != tile::ExtentKind::fixed) {
      fail(kernel, "expected only work dimension 0 to have a run-time extent, dimension " + Twine(i) + " has one");
      return failure();
    }
  function = func::FuncOp::create(builder, loc, kernelSymbol(kernel.getSymName(), target.variant),
                                  builder.getFunctionType({pointer, i64, i64, pointer}, {}));
  auto strings = [&](StringRef key, StringRef value) { return builder.getStrArrayAttr({key, value}); };
  SmallVector<Attribute> passthrough{strings("target-cpu", target.cpu()), builder.getStringAttr("nounwind")};
  if (*target.features()) passthrough.push_back(strings("target-features", target.features()));
  if (target.lanes == 16 && !target.emulated) passthrough.push_back(strings("prefer-vector-width", "512"));
  function->setAttr("passthrough", builder.getArrayAttr(passthrough));

  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  scratch = entry->getArgument(3);
  bindArguments(kernel.getBody().front());
  Value begin = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), entry->getArgument(1));
  Value end = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), entry->getArgument(2));
  auto loop = scf::ForOp::create(builder, loc, begin, end, emit.index(1));
  func::ReturnOp::create(builder, loc);
  builder.setInsertionPointToStart(loop.getBody());
  bindPoints(loop.getInductionVar());
  lowerBlock(kernel.getBody().front());
  function->setAttr(kScratchBytesAttr, builder.getI64IntegerAttr(scratchPeak));
  if (failed) return failure();
  return function;
}

void Lowering::bindArguments(Block &entry) {
  Value args = function.getArgument(0);
  Type pointer = args.getType(), i64 = builder.getI64Type();
  int64_t word = 0;
  auto next = [&](Type type) { return emit.load(type, emit.pointerAt(args, i64, word++)); };
  for (unsigned i = 0; i < kernel.getNumKernelArguments(); ++i) {
    BlockArgument argument = entry.getArgument(i);
    if (argument.getType().isIndex()) {
      scalars.map(argument, emit.toIndex(next(i64)));
      continue;
    }
    auto view = dyn_cast<tile::ViewType>(argument.getType());
    bool paged = view && isa_and_nonnull<tile::PagedAttr>(view.getLayout());
    Value first = next(pointer);
    arguments[argument] = {first, paged ? next(pointer) : Value()};
  }
}

void Lowering::bindPoints(Value point) {
  // Row-major numbers: the last dimension is fastest.
  auto domain = kernel.getDomain();
  auto points = kernel.getPoints();
  for (size_t i = points.size(); i > 0; --i) {
    if (i == 1) {
      scalars.map(points[0], point);
      break;
    }
    int64_t size = cast<tile::ExtentAttr>(domain[i - 1]).getValue();
    scalars.map(points[i - 1], emit.rem(point, size));
    point = emit.div(point, size);
  }
}

Value Lowering::scalar(Value value) { return scalars.lookup(value); }

void Lowering::lowerBlock(Block &block) {
  for (Operation &op : block) {
    if (failed) return;
    if (!op.hasTrait<OpTrait::IsTerminator>()) lowerOp(&op);
  }
}

void Lowering::lowerOp(Operation *op) {
  emit.loc = loc = op->getLoc();
  if (auto loop = dyn_cast<scf::ForOp>(op)) return lowerFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op)) return lowerIf(branch);
  if (auto point = dyn_cast<tile::PointOp>(op)) return lowerPoint(point);
  if (auto store = dyn_cast<tile::StoreOp>(op)) return lowerStore(store);
  if (auto reduce = dyn_cast<tile::ReduceOp>(op))
    lowerReduce(reduce);
  else if (auto topK = dyn_cast<tile::TopKOp>(op))
    lowerTopK(topK);
  else if (auto reshape = dyn_cast<tile::ReshapeOp>(op))
    lowerReshape(reshape);
  else if (op->getNumResults() == 1 && isTile(op->getResult(0).getType()))
    lowerTileResult(op);
  else
    return lowerScalarOp(op);
  for (Value result : op->getResults())
    if (isTile(result.getType())) prepareOperands(result);
}

void Lowering::lowerTileResult(Operation *op) {
  Value result = op->getResult(0);
  auto type = cast<RankedTensorType>(result.getType());
  if (type.getRank() < 1 || type.getRank() > 3)
    return fail(op, "expected a tile of rank 1 to 3, got " + Twine(type.getRank()));
  if (auto load = dyn_cast<tile::LoadOp>(op))
    places[result] = placeOf(op, load.getView(), load.getIndices(), load.getAlong(), type.getShape(), load.getLimit());
  else if (auto gather = dyn_cast<tile::GatherOp>(op))
    places[result] = placeOf(op, gather.getView(), gather.getIndices(), gather.getAlong(), type.getShape(),
                             gather.getLimit(), gather.getRows());
  else if (auto transpose = dyn_cast<tile::TransposeOp>(op)) {
    Value source = transpose.getValue();
    Place place = places.lookup(source);
    if (!place.base) {
      place = allocate(cast<ShapedType>(source.getType()).getShape(), type.getElementType());
      copyTile(source, place, Value());
    }
    if (place.panels || place.rows) return fail(op, "expected a transposed tile not to lie in panels or be gathered");
    std::swap(place.strides[0], place.strides[1]);
    std::swap(place.bounds[0], place.bounds[1]);
    place.padded = false;
    places[result] = place;
    return;
  } else if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto values = cast<DenseElementsAttr>(constant.getValue());
    if (values.isSplat()) return;
    Place place;
    place.base = globalConstant(values);
    place.element = type.getElementType();
    for (int64_t d = 0, stride = type.getNumElements(); d < type.getRank(); ++d) {
      stride /= type.getDimSize(d);
      place.strides.push_back(stride);
    }
    place.bounds.resize(type.getRank());
    places[result] = place;
    return;
  }

  // bf16 in memory that is only widened stays where it is.
  if (auto extend = dyn_cast<arith::ExtFOp>(op); extend && type.getElementType().isF32()) {
    auto source = places.find(extend.getIn());
    if (source != places.end() && source->second.element.isBF16() && !source->second.panels) {
      Place place = source->second;
      place.element = type.getElementType();
      place.widened = true;
      places[result] = place;
    }
  }

  bool isDot = isa<tile::DotOp>(op);
  if (isDot ? uses.fusedInto(op) != nullptr : !uses.isMaterialised(result)) return;
  Place place;
  auto carrier = uses.carriedBy(result);
  auto next = carrier ? nextPlaces.find(*carrier) : nextPlaces.end();
  if (next != nextPlaces.end()) {
    place = next->second;
    nextPlaces.erase(next); // One value is built there; others are copied at the yield.
  } else {
    place = allocate(type.getShape(), type.getElementType());
  }
  Value limit = uses.rowsRead(result);
  limit = limit ? scalars.lookupOrNull(limit) : Value();
  materialise(result, place, limit, op);
  places[result] = place;
}

void Lowering::lowerScalarOp(Operation *op) {
  if (auto load = dyn_cast<tile::LoadOp>(op)) {
    Place place = placeOf(op, load.getView(), load.getIndices(), {}, {}, Value());
    scalars.map(load.getResult(), failed ? Value() : loadVector(place, At{}));
    return;
  }
  if (op->getNumRegions() || op->getNumResults() > 1) return fail(op, "is not supported by the CPU target");
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) operands.push_back(scalar(operand));
  if (op->getNumResults() == 1)
    scalars.map(op->getResult(0), emitElementwise(op, operands, 1));
  else
    builder.clone(*op, scalars);
}

void Lowering::lowerPoint(tile::PointOp op) {
  Type i32 = builder.getI32Type();
  Value record = emit.pointerAt(arguments.lookup(op.getList()).first, i32, emit.mul(scalar(op.getRecord()), 4));
  for (auto [i, result] : llvm::enumerate(op->getResults()))
    scalars.map(result, emit.toIndex(emit.load(i32, emit.pointerAt(record, i32, int64_t(i)))));
}

void Lowering::lowerFor(scf::ForOp op) {
  int64_t outerTop = scratchTop;
  // A tile as loop value is two buffers, the trip's value and the next one's, whose pointers are exchanged at the end
  // of a trip.
  SmallVector<Value> inits;
  SmallVector<int> firstOperand;
  SmallVector<Place> nexts(op.getNumRegionIterArgs());
  for (auto [i, init] : llvm::enumerate(op.getInitArgs())) {
    firstOperand.push_back(inits.size());
    auto type = dyn_cast<RankedTensorType>(init.getType());
    if (!type) {
      inits.push_back(scalar(init));
      continue;
    }
    Place current = allocate(type.getShape(), type.getElementType());
    nexts[i] = allocate(type.getShape(), type.getElementType());
    copyTile(init, current, Value());
    inits.push_back(current.base);
    inits.push_back(nexts[i].base);
  }
  int64_t valuesTop = scratchTop;
  auto loop = scf::ForOp::create(builder, loc, scalar(op.getLowerBound()), scalar(op.getUpperBound()),
                                 scalar(op.getStep()), inits, [](OpBuilder &, Location, Value, ValueRange) {});
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    scalars.map(op.getInductionVar(), loop.getInductionVar());
    for (auto [i, argument] : llvm::enumerate(op.getRegionIterArgs())) {
      if (!isTile(argument.getType())) {
        scalars.map(argument, loop.getRegionIterArg(firstOperand[i]));
        continue;
      }
      Place current = nexts[i];
      current.base = loop.getRegionIterArg(firstOperand[i]);
      nexts[i].base = loop.getRegionIterArg(firstOperand[i] + 1);
      places[argument] = current;
      nextPlaces[{op, unsigned(i)}] = nexts[i];
      prepareOperands(argument);
    }
    lowerBlock(*op.getBody());
    SmallVector<Value> yields;
    for (auto [i, value] : llvm::enumerate(op.getYieldedValues())) {
      if (!isTile(value.getType())) {
        yields.push_back(scalar(value));
        continue;
      }
      if (nextPlaces.erase({op, unsigned(i)}) && !failed) copyTile(value, nexts[i], Value());
      yields.push_back(nexts[i].base);
      yields.push_back(loop.getRegionIterArg(firstOperand[i]));
    }
    if (failed) return;
    scf::YieldOp::create(builder, loc, yields);
  }
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    if (!isTile(result.getType())) {
      scalars.map(result, loop.getResult(firstOperand[i]));
      continue;
    }
    Place place = nexts[i];
    place.base = loop.getResult(firstOperand[i]);
    places[result] = place;
    prepareOperands(result);
  }
  // Loop values outlive the loop; what its body used does not.
  scratchTop = op.getNumResults() ? valuesTop : outerTop;
}

void Lowering::lowerIf(scf::IfOp op) {
  SmallVector<Type> types;
  SmallVector<Place> results(op.getNumResults());
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    if (auto type = dyn_cast<RankedTensorType>(result.getType()))
      results[i] = allocate(type.getShape(), type.getElementType());
    else
      types.push_back(Emitter::carried(result.getType()));
  }
  int64_t top = scratchTop;
  auto branch = scf::IfOp::create(builder, loc, TypeRange(types), scalar(op.getCondition()), /*addThenBlock=*/true,
                                  /*addElseBlock=*/bool(op.elseBlock()));
  for (auto [from, to] : {std::pair{op.thenBlock(), branch.thenBlock()}, {op.elseBlock(), branch.elseBlock()}}) {
    if (!from || failed) continue;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(to);
    lowerBlock(*from);
    if (failed) return;
    SmallVector<Value> yields;
    for (auto [i, value] : llvm::enumerate(from->getTerminator()->getOperands())) {
      if (isTile(value.getType()))
        copyTile(value, results[i], Value());
      else
        yields.push_back(scalar(value));
    }
    if (to->empty() || !to->back().hasTrait<OpTrait::IsTerminator>()) scf::YieldOp::create(builder, loc, yields);
    scratchTop = top;
  }
  unsigned next = 0;
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    if (isTile(result.getType())) {
      places[result] = results[i];
      prepareOperands(result);
    } else {
      scalars.map(result, branch.getResult(next++));
    }
  }
}

void Lowering::lowerReshape(tile::ReshapeOp op) {
  Value source = op.getValue();
  auto from = cast<RankedTensorType>(source.getType()), to = cast<RankedTensorType>(op.getResult().getType());
  Place place = places.lookup(source);
  if (!place.padded) {
    place = allocate(from.getShape(), from.getElementType());
    copyTile(source, place, Value());
  }
  int64_t columns = from.getShape().back(), row = from.getRank() > 1 ? place.strides[from.getRank() - 2] : columns;
  if (to.getShape().back() != columns) {
    // The rows' padding is in the way: one element after another into memory without padding.
    Place compact = allocate(to.getShape(), to.getElementType(), /*compact=*/true);
    Place linear = compact;
    linear.strides.assign(from.getRank(), 1);
    for (int64_t d = from.getRank() - 1; d > 0; --d) linear.strides[d - 1] = linear.strides[d] * from.getDimSize(d);
    linear.bounds.assign(from.getRank(), Value());
    linear.padded = false;
    copyTile(source, linear, Value());
    places[op.getResult()] = compact;
    return;
  }
  place.strides.assign(to.getRank(), 1);
  for (int64_t d = to.getRank() - 1, stride = row; d > 0; --d) {
    place.strides[d - 1] = stride;
    stride *= to.getDimSize(d - 1);
  }
  place.bounds.assign(to.getRank(), Value());
  places[op.getResult()] = place;
}
