// Fragments on demand: loads, elementwise expressions as maps, exchanges through shared memory.
#include "passes/Conversion/TileToHopper/Lowering.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mmc::hopper;

namespace mmc::cuda {

/// A map under construction: its operands so far and the block that computes one element.
struct Lowering::MapBody {
  FragmentType form;
  Block *source; // of the tile kernel: where the value that is computed was defined
  Block *block;
  SmallVector<Value> inputs;
  OpBuilder builder;
};

SmallVector<Value> Lowering::scalarsOf(ValueRange values) {
  return llvm::map_to_vector(values, [&](Value value) { return scalar(value); });
}

Value Lowering::constant(int64_t value) { return arith::ConstantIndexOp::create(builder, source.getLoc(), value); }

size_t Lowering::scopeOf(Value value) const {
  Block *block = value.getParentBlock();
  for (size_t i = scopes.size(); i > 0; --i)
    if (scopes[i - 1].block == block) return i - 1;
  return 0;
}

Value Lowering::make(Value value, FragmentType type) {
  size_t scope = scopeOf(value);
  for (size_t i = scope; i < scopes.size(); ++i)
    if (auto found = scopes[i].made.find(value); found != scopes[i].made.end())
      for (Value fragment : found->second)
        if (fragment.getType() == type) return fragment;

  // What was defined outside of a loop is computed in front of it, once.
  OpBuilder::InsertionGuard guard(builder);
  std::optional<SharedTiles::Touched> inside;
  if (scope + 1 < scopes.size()) {
    builder.setInsertionPoint(scopes[scope + 1].loop);
    inside = tiles.enterFront();
  }
  Value fragment;
  if (auto found = scopes[scope].made.find(value); found != scopes[scope].made.end()) {
    fragment = convert(value, found->second.front(), type);
  } else {
    fragment = compute(value, type);
  }
  if (inside) tiles.leaveFront(std::move(*inside));
  if (fragment) scopes[scope].made[value].push_back(fragment);
  return fragment;
}

Value Lowering::compute(Value value, FragmentType type) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<tile::LoadOp, tile::GatherOp>(op)) return load(op, type);
  if (auto reshape = dyn_cast_or_null<tile::ReshapeOp>(op)) {
    auto from = cast<RankedTensorType>(reshape.getValue().getType());
    auto spread = dyn_cast<SpreadAttr>(type.getLayout());
    if (spread && from.getShape().back() % spread.getVector() == 0) {
      Value whole = make(reshape.getValue(), layouts.typeOf(reshape.getValue(), spread));
      return whole ? ReshapeOp::create(builder, value.getLoc(), type, whole) : Value();
    }
    Value whole = makeNatural(reshape.getValue());
    return whole ? convert(reshape.getValue(), whole, type) : Value();
  }
  if (op && (isElementwise(op) || isa<tile::BroadcastOp, tile::IotaOp, arith::ConstantOp>(op))) return map(value, type);
  emitError(value.getLoc(), "a tile value is needed that the conversion to hopper cannot make on demand");
  return {};
}

Value Lowering::load(Operation *op, FragmentType type) {
  auto logical = cast<RankedTensorType>(op->getResult(0).getType());
  DenseI64ArrayAttr extents;
  if (type.getShape() != logical.getShape()) extents = builder.getDenseI64ArrayAttr(logical.getShape());
  const StagedTile *here = held(op);
  if (here && cast<SharedType>(here->tile.getType()).getShape() == type.getShape())
    return GetOp::create(builder, op->getLoc(), type, here->tile, here->stage);
  if (auto plain = dyn_cast<tile::LoadOp>(op)) {
    Value view = scalar(plain.getView());
    tiles.beforeRead(view);
    tiles.afterRead(view);
    return LoadOp::create(builder, op->getLoc(), type, view, scalarsOf(plain.getIndices()), plain.getAlong(),
                          plain.getLimit() ? scalar(plain.getLimit()) : Value(), Value(), extents);
  }
  auto gather = cast<tile::GatherOp>(op);
  Value rows = make(gather.getRows(), layouts.typeOf(gather.getRows(), SpreadAttr::get(builder.getContext(), 1)));
  if (!rows) return {};
  Value tile = tiles.get(tiles.typeFor(cast<FragmentType>(rows.getType())));
  tiles.beforeWrite(tile);
  PutOp::create(builder, op->getLoc(), rows, tile);
  tiles.afterWrite(tile);
  tiles.beforeRead(tile);
  Value view = scalar(gather.getView());
  tiles.beforeRead(view);
  tiles.afterRead(view);
  Value result = LoadOp::create(builder, op->getLoc(), type, view, scalarsOf(gather.getIndices()), gather.getAlong(),
                                gather.getLimit() ? scalar(gather.getLimit()) : Value(), tile, extents);
  tiles.afterRead(tile);
  return result;
}

Value Lowering::convert(Value value, Value fragment, FragmentType type) {
  auto from = cast<FragmentType>(fragment.getType());
  if (from == type) return fragment;
  // In row-major order the padding of dimension 0 lies behind the elements, and is left behind.
  auto logical = cast<RankedTensorType>(value.getType()).getShape();
  bool fits = from.getNumElements() == type.getNumElements() ||
              (from.getShape().drop_front() == logical.drop_front() && type.getNumElements() < from.getNumElements());
  if (!fits) {
    emitError(fragment.getLoc(), "a padded fragment is needed in another layout: ") << from << " as " << type;
    return {};
  }
  Value tile = tiles.get(tiles.typeFor(from));
  tiles.beforeWrite(tile);
  PutOp::create(builder, fragment.getLoc(), fragment, tile);
  tiles.afterWrite(tile);
  tiles.beforeRead(tile);
  Value result = GetOp::create(builder, fragment.getLoc(), type, tile, Value());
  tiles.afterRead(tile);
  return result;
}

// ------------------------------------------------------------------------------------------------ maps

Value Lowering::map(Value value, FragmentType type) {
  OpBuilder::InsertPoint place = builder.saveInsertionPoint();
  auto block = std::make_unique<Block>();
  MapBody body{type, value.getParentBlock(), block.get(), {}, OpBuilder(builder.getContext())};
  body.builder.setInsertionPointToEnd(block.get());
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, type.getShape().size()));
  Operation *op = value.getDefiningOp();
  // The root is inlined whatever its uses are: it is what this map computes.
  SmallVector<Value> operands;
  Value result;
  if (isElementwise(op)) {
    for (Value operand : op->getOperands()) {
      Value part = element(body, operand, dims);
      if (!part) return {};
      operands.push_back(part);
    }
    OperationState state(op->getLoc(), op->getName(), operands, {getElementTypeOrSelf(value.getType())},
                         op->getAttrs());
    result = body.builder.create(state)->getResult(0);
  } else {
    result = element(body, value, dims);
  }
  if (!result) return {};
  YieldOp::create(body.builder, value.getLoc(), result);
  builder.restoreInsertionPoint(place);
  auto map = MapOp::create(builder, value.getLoc(), TypeRange{type}, body.inputs);
  map.getBody().push_back(block.release());
  return map.getResult(0);
}

/// Integer expressions of indices cost nothing beside a register: they are computed again wherever they are used.
static bool isCheap(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op) return false;
  if (isa<tile::IotaOp, arith::ConstantOp>(op)) return true;
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return !isa<RankedTensorType>(broadcast.getValue().getType()) || isCheap(broadcast.getValue());
  if (!isElementwise(op) || !isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::MaxSIOp, arith::MinSIOp,
                                 arith::DivSIOp, arith::RemSIOp, arith::CmpIOp, arith::SIToFPOp>(op))
    return false;
  return llvm::all_of(op->getOperands(), [](Value operand) { return isCheap(operand); });
}

bool Lowering::isInlined(MapBody &body, Value value, size_t rank) {
  Operation *op = value.getDefiningOp();
  if (!op) return false;
  if (isCheap(value) || isa<tile::BroadcastOp>(op)) return true;
  // A value for each row is computed once for it, not for each element; so is what other expressions use too.
  return isElementwise(op) && rank == body.form.getShape().size() && value.hasOneUse() && op->getBlock() == body.source;
}

Value Lowering::element(MapBody &body, Value value, ArrayRef<int64_t> dims) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type) return scalar(value);
  Operation *op = value.getDefiningOp();
  if (isInlined(body, value, dims.size())) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto splat = dyn_cast<SplatElementsAttr>(constant.getValue());
      if (!splat && dims.size() == 1)
        return LookupOp::create(body.builder, op->getLoc(), type.getElementType(),
                                cast<ElementsAttr>(constant.getValue()), dims[0]);
      if (!splat) return op->emitError("expected a constant vector, or one value for all elements"), Value();
      return arith::ConstantOp::create(body.builder, op->getLoc(), splat.getSplatValue<TypedAttr>());
    }
    if (auto iota = dyn_cast<tile::IotaOp>(op))
      return CoordinateOp::create(body.builder, op->getLoc(), body.builder.getI32Type(), dims[iota.getDim()]);
    if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
      SmallVector<int64_t> inner = llvm::map_to_vector(broadcast.getDims(), [&](int64_t dim) { return dims[dim]; });
      return element(body, broadcast.getValue(), inner);
    }
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      Value part = element(body, operand, dims);
      if (!part) return {};
      operands.push_back(part);
    }
    OperationState state(op->getLoc(), op->getName(), operands, {type.getElementType()}, op->getAttrs());
    return body.builder.create(state)->getResult(0);
  }
  // A leaf: a fragment of the map's layout, or the slice beside it.
  FragmentType wanted = body.form.withElement(type.getElementType());
  if (dims.size() != body.form.getShape().size()) {
    if (dims.size() != 1 || body.form.getShape().size() != 2)
      return emitError(value.getLoc(), "expected a vector broadcast to a matrix"), Value();
    wanted = body.form.getSlice(1 - dims[0], type.getElementType());
  }
  Value fragment = make(value, wanted);
  if (!fragment) return {};
  if (auto found = llvm::find(body.inputs, fragment); found != body.inputs.end())
    return body.block->getArgument(found - body.inputs.begin());
  body.inputs.push_back(fragment);
  return body.block->addArgument(type.getElementType(), value.getLoc());
}

} // namespace mmc::cuda
