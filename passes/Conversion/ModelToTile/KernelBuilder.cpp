#include "passes/Conversion/ModelToTile/KernelBuilder.h"

#include "mlir/IR/OperationSupport.h"

using namespace mlir;

namespace mmc {

/// A name is the dispatch's result's, not that of each value in its kernel.
static Location withoutName(Location loc) {
  auto name = dyn_cast<NameLoc>(loc);
  return name ? withoutName(name.getChildLoc()) : loc;
}

KernelBuilder::KernelBuilder(model::ProgramOp program, Location loc)
    : ImplicitLocOpBuilder(withoutName(loc), program.getContext()), program(program), place(loc) {
  clearInsertionPoint();
  kernel = tile::KernelOp::create(*this, "kernel", getFunctionType({}, {}), getArrayAttr({}), /*grain=*/1, ArrayAttr(),
                                  ArrayAttr());
  entry = createBlock(&kernel.getBody());
}

KernelBuilder::~KernelBuilder() {
  if (!finished) kernel.erase();
}

// ---------------------------------------------------------------------------------------------------- arguments

BlockArgument KernelBuilder::insert(unsigned index, Type type, StringRef name) {
  return entry->insertArgument(index, type, NameLoc::get(getStringAttr(name)));
}

Value KernelBuilder::addOperand(Value operand, tile::ViewType type, StringRef access, StringRef name) {
  for (auto [argument, known] : llvm::zip_equal(operands, launchOperands))
    if (known == operand && argument.value.getType() == type &&
        cast<StringAttr>(argument.attribute.getValue()) == access)
      return argument.value;
  BlockArgument value = insert(operands.size(), type, name);
  operands.push_back({value, getNamedAttr(tile::kAccessAttr, getStringAttr(access))});
  launchOperands.push_back(operand);
  return value;
}

Value KernelBuilder::read(Value tensor, StringRef name) {
  if (!model::getRowSpace(tensor.getType())) return addOperand(tensor, getRowMajorView(tensor.getType()), "read", name);
  FailureOr<TensorView> view = resolveView(tensor);
  return failed(view) ? Value() : addOperand(view->root, view->getType(), "read", name);
}

Value KernelBuilder::readWeight(Value weight, WeightLayout layout, StringRef name) {
  return addOperand(weight, getWeightView(cast<RankedTensorType>(weight.getType()), layout), "read", name);
}

Value KernelBuilder::addResult(RankedTensorType type, StringRef name) {
  BlockArgument value = insert(operands.size() + results.size(), getRowMajorView(type), name);
  results.push_back({value, getNamedAttr(tile::kAccessAttr, getStringAttr("write"))});
  resultTypes.push_back(type);
  tied.push_back(-1);
  return value;
}

Value KernelBuilder::addTied(Value operand, tile::ViewType type, StringRef access, StringRef name) {
  Value value = addOperand(operand, type, access, name);
  resultTypes.push_back(operand.getType());
  tied.push_back(cast<BlockArgument>(value).getArgNumber());
  return value;
}

Value KernelBuilder::addStep(tile::StepField field) {
  auto attribute = tile::StepAttr::get(getContext(), field);
  for (Argument &argument : steps)
    if (argument.attribute.getValue() == attribute) return argument.value;
  bool count = field == tile::StepField::token_count || field == tile::StepField::output_count ||
               field == tile::StepField::sequence_count;
  Type type = count ? Type(getIndexType())
                    : tile::ViewType::get(getContext(), {ShapedType::kDynamic}, getI32Type(), Attribute());
  BlockArgument value = insert(operands.size() + results.size() + steps.size(), type, tile::stringifyStepField(field));
  steps.push_back({value, getNamedAttr(tile::kStepAttr, attribute)});
  return value;
}

Value KernelBuilder::addWork(tile::WorkFilter filter, int64_t tileRows) {
  BlockArgument value =
      insert(operands.size() + results.size() + steps.size(), tile::RaggedType::get(getContext()), "sequences");
  steps.push_back({value, getNamedAttr(tile::kWorkAttr, tile::WorkAttr::get(getContext(), filter, tileRows))});
  return value;
}

// ---------------------------------------------------------------------------------------------------- work domain

Value KernelBuilder::addPoint(tile::ExtentKind kind, int64_t value, StringRef name) {
  extents.emplace_back(kind, value);
  extentLists.push_back({});
  return entry->addArgument(getIndexType(), NameLoc::get(getStringAttr(name)));
}

Value KernelBuilder::addWorkPoint(Value list, StringRef name) {
  Value point = addPoint(tile::ExtentKind::work, 0, name);
  extentLists.back() = list;
  return point;
}

// ---------------------------------------------------------------------------------------------------- small emitters

Value KernelBuilder::index(int64_t value) {
  Value &constant = indexConstants[value];
  if (!constant) {
    InsertionGuard guard(*this);
    setInsertionPointToStart(entry);
    constant = arith::ConstantIndexOp::create(*this, value);
  }
  return constant;
}

Value KernelBuilder::named(Value value, StringRef name) {
  value.setLoc(NameLoc::get(getStringAttr(name), getLoc()));
  return value;
}

Value KernelBuilder::integer(int64_t value) { return arith::ConstantIntOp::create(*this, value, 32); }

Value KernelBuilder::constant(double value, Type type) {
  Attribute scalar = getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return arith::ConstantOp::create(*this, DenseElementsAttr::get(tensor, scalar));
  return arith::ConstantOp::create(*this, cast<TypedAttr>(scalar));
}

Value KernelBuilder::splat(int64_t value, RankedTensorType type) {
  return arith::ConstantOp::create(
      *this, DenseElementsAttr::get(type, Attribute(getI32IntegerAttr(static_cast<int32_t>(value)))));
}

Value KernelBuilder::toIndex(Value integer) { return arith::IndexCastOp::create(*this, getIndexType(), integer); }

Value KernelBuilder::toInteger(Value index) { return arith::IndexCastOp::create(*this, getI32Type(), index); }

Value KernelBuilder::toFloat(Value integers) {
  Type type = getF32Type();
  if (auto tensor = dyn_cast<RankedTensorType>(integers.getType())) type = tileType(tensor.getShape(), type);
  return arith::SIToFPOp::create(*this, type, integers);
}

RankedTensorType KernelBuilder::tileType(ArrayRef<int64_t> shape, Type element) {
  return RankedTensorType::get(shape, element);
}

Value KernelBuilder::load(Value view, ValueRange indices, ArrayRef<int64_t> along, ArrayRef<int64_t> shape,
                          Value limit) {
  Type element = cast<tile::ViewType>(view.getType()).getElementType();
  return tile::LoadOp::create(*this, tileType(shape, element), view, indices, along, limit);
}

Value KernelBuilder::loadScalar(Value view, ValueRange indices) {
  return tile::LoadOp::create(*this, cast<tile::ViewType>(view.getType()).getElementType(), view, indices,
                              ArrayRef<int64_t>());
}

void KernelBuilder::store(Value value, Value view, ValueRange indices, ArrayRef<int64_t> along, Value limit) {
  value = convert(value, cast<tile::ViewType>(view.getType()).getElementType());
  tile::StoreOp::create(*this, value, view, indices, along, limit);
}

Value KernelBuilder::widen(Value value) { return convert(value, getF32Type()); }

Value KernelBuilder::convert(Value value, Type element) {
  auto from = dyn_cast<FloatType>(getElementTypeOrSelf(value.getType())), to = dyn_cast<FloatType>(element);
  if (!from || !to || from == to) return value;
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  Type type = tensor ? Type(tileType(tensor.getShape(), element)) : element;
  if (from.getWidth() < to.getWidth()) return arith::ExtFOp::create(*this, type, value);
  return arith::TruncFOp::create(*this, type, value);
}

Value KernelBuilder::broadcast(Value value, ArrayRef<int64_t> dims, ArrayRef<int64_t> shape) {
  return tile::BroadcastOp::create(*this, tileType(shape, getElementTypeOrSelf(value.getType())), value, dims);
}

Value KernelBuilder::minimum(Value a, Value b) { return arith::MinSIOp::create(*this, a, b); }

// ---------------------------------------------------------------------------------------------------- kernel and
// launch

/// The kernel of the program under `name` or `name_1`, ... that equals `kernel`, which is erased then; else `kernel`,
/// added to the program.
tile::KernelOp KernelBuilder::share(tile::KernelOp kernel, StringRef name) {
  for (unsigned suffix = 0;; ++suffix) {
    std::string candidate = suffix ? (name + "_" + Twine(suffix)).str() : name.str();
    kernel.setSymName(candidate);
    Operation *other = SymbolTable::lookupSymbolIn(program, candidate);
    if (!other) {
      Block &block = program.getBody().front();
      block.push_back(kernel);
      return kernel;
    }
    if (OperationEquivalence::isEquivalentTo(kernel, other, OperationEquivalence::IgnoreLocations)) {
      kernel.erase();
      return cast<tile::KernelOp>(other);
    }
  }
}

tile::LaunchOp KernelBuilder::finish(StringRef name, Operation *before) {
  setInsertionPointToEnd(entry);
  tile::ReturnOp::create(*this);
  SmallVector<Type> types;
  SmallVector<Attribute> attributes, domain;
  for (ArrayRef<Argument> arguments : {ArrayRef(operands), ArrayRef(results), ArrayRef(steps)})
    for (const Argument &argument : arguments) {
      types.push_back(argument.value.getType());
      attributes.push_back(getDictionaryAttr({argument.attribute}));
    }
  for (auto [extent, list] : llvm::zip_equal(extents, extentLists)) {
    int64_t value = list ? cast<BlockArgument>(list).getArgNumber() : extent.second;
    domain.push_back(tile::ExtentAttr::get(getContext(), extent.first, value));
  }
  kernel.setFunctionType(getFunctionType(types, {}));
  kernel.setArgAttrsAttr(getArrayAttr(attributes));
  kernel.setDomainAttr(getArrayAttr(domain));
  kernel.setGrain(grain);
  finished = true;
  tile::KernelOp shared = share(kernel, name);
  setInsertionPoint(before);
  setLoc(place);
  return tile::LaunchOp::create(*this, resultTypes, shared.getSymName(), launchOperands, tied);
}

void replaceDispatch(model::DispatchOp dispatch, ValueRange values) {
  dispatch->replaceAllUsesWith(values);
  dispatch.erase();
}

std::string getTypeName(Type element) {
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return text;
}

std::string getShapeName(ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t size : shape)
    if (!ShapedType::isDynamic(size)) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

} // namespace mmc
