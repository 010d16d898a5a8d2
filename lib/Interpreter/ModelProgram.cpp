// Control: functions, stacks, weights, tables. The mathematics is in ModelOpsRun.cpp.
#include "lib/Interpreter/ModelProgram.h"
#include "dialects/Model/IR/ModelTables.h"
#include "lib/Interpreter/ModelErrors.h"
#include "lib/Interpreter/ModelMath.h"
#include "runtime/src/TensorNames.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mmc::interpreter;
using namespace mmc::model;
using mmc::runtime::Expected;
using mmc::runtime::Status;
using mmc::runtime::withNumber;

template <typename T> Expected<std::shared_ptr<const Tensor<T>>> WeightCache<T>::get(WeightOp op, int64_t layer) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  std::string element;
  llvm::raw_string_ostream(element) << type.getElementType();
  std::string name = op.getTensorName(layer), key = name + ":" + element;
  if (auto it = known.find(key); it != known.end()) return it->second;

  auto tensor = std::make_shared<Tensor<T>>();
  tensor->shape = type.getShape().vec();
  bool perExpert = name.find("{expert}") != std::string::npos;
  std::vector<int64_t> shape(type.getShape().begin() + (perExpert ? 1 : 0), type.getShape().end());
  for (int64_t expert = 0; expert < (perExpert ? type.getDimSize(0) : 1); ++expert) {
    Expected<std::vector<double>> values =
        source->read(withNumber(name, mmc::runtime::kExpertPlaceholder, expert), shape);
    if (!values.ok()) return values.status();
    for (double value : *values) {
      if (type.getElementType().isBF16()) value = formula::roundToBFloat16(value);
      if (type.getElementType().isF16()) value = formula::roundToFloat16(value);
      if (type.getElementType().isF32()) value = double(float(value));
      tensor->data.push_back(T(value));
    }
  }
  return known[key] = tensor;
}

template <typename T>
Expected<std::vector<RuntimeValue<T>>> ModelExecutor<T>::call(FuncOp function, std::vector<Value> arguments) {
  Environment environment;
  for (auto [argument, value] : llvm::zip(function.getArguments(), arguments)) environment[argument] = std::move(value);
  std::vector<Value> results;
  Status status = runBlock(function.getBody().front(), environment, results);
  if (!status.ok()) return status;
  return results;
}

template <typename T>
Status ModelExecutor<T>::runBlock(Block &block, Environment &environment, std::vector<Value> &terminatorOperands) {
  for (Operation &op : block.without_terminator()) MMC_RETURN_IF_ERROR(runOp(&op, environment));
  for (mlir::Value operand : block.getTerminator()->getOperands()) terminatorOperands.push_back(environment[operand]);
  return Status();
}

template <typename T> Status ModelExecutor<T>::runOp(Operation *op, Environment &environment) {
  if (runElementwise(op, environment) || runRows(op, environment) || runRoutes(op, environment)) return failure;
  return TypeSwitch<Operation *, Status>(op)
      .template Case<WeightOp>([&](WeightOp weight) {
        Expected<TensorPtr> tensor = weights.get(weight, weight.getLayer() ? environment[weight.getLayer()].index : 0);
        if (!tensor.ok()) return tensor.status();
        environment[weight.getResult()] = {*tensor, nullptr, 0, 0};
        return Status();
      })
      .template Case<RowOp>([&](RowOp row) { return runRow(row, environment); })
      .template Case<SnapshotOp>([&](SnapshotOp snapshot) { return runSnapshot(snapshot, environment), Status(); })
      .template Case<AttentionOp>([&](AttentionOp attention) { return runAttention(attention, environment), Status(); })
      .template Case<LinearAttentionOp>(
          [&](LinearAttentionOp attention) { return runLinearAttention(attention, environment), Status(); })
      .template Case<ExpertsOp>([&](ExpertsOp experts) { return runExperts(experts, environment), failure; })
      .template Case<StackOp>([&](StackOp stack) { return runStack(stack, environment); })
      .template Case<DispatchOp>([&](DispatchOp dispatch) {
        std::vector<Value> yielded;
        MMC_RETURN_IF_ERROR(runBlock(dispatch.getBody().front(), environment, yielded));
        for (auto [result, value] : llvm::zip(dispatch.getResults(), yielded)) environment[result] = value;
        return Status();
      })
      .Default([](Operation *unknown) {
        return Status(kUnknownOp,
                      "the model interpreter does not know '" + unknown->getName().getStringRef().str() + "'");
      });
}

template <typename T> Status ModelExecutor<T>::runRow(RowOp op, Environment &environment) {
  auto table = program.lookupSymbol<TableOp>(op.getTable());
  auto type = cast<RankedTensorType>(table.getType());
  std::vector<double> values = evaluateTable(table.getValue(), type);
  int64_t width = type.getNumElements() / type.getDimSize(0), layer = environment[op.getLayer()].index;
  if (layer < 0 || layer >= type.getDimSize(0))
    return Status(kBadProgram, "table @" + op.getTable().str() + " has no row " + std::to_string(layer));
  auto tensor = std::make_shared<Tensor<T>>();
  tensor->shape = type.getShape().drop_front().vec();
  for (int64_t i = 0; i < width; ++i) tensor->data.push_back(T(values[size_t(layer * width + i)]));
  environment[op.getResult()] = {tensor, nullptr, tensor->data[0], 0};
  return Status();
}

template <typename T>
bool ModelExecutor<T>::within(const std::vector<int32_t> &indices, int64_t limit, const char *what) {
  for (int32_t index : indices)
    if (index < 0 || index >= limit) {
      failure = Status(kBadProgram, std::string(what) + " " + std::to_string(index) + " of " + std::to_string(limit));
      return false;
    }
  return true;
}

template <typename T> void ModelExecutor<T>::runSnapshot(SnapshotOp op, Environment &environment) {
  auto copy = std::make_shared<StateView<T>>();
  const StateView<T> &state = *environment[op.getState()].state;
  for (const std::vector<T> *cell : state.single) {
    copy->owned.push_back(std::make_shared<std::vector<T>>(*cell));
    copy->single.push_back(copy->owned.back().get());
  }
  for (const StateCells<T> *cells : state.stacked) {
    copy->ownedStacked.push_back(std::make_shared<StateCells<T>>(*cells));
    copy->stacked.push_back(copy->ownedStacked.back().get());
  }
  environment[op.getCopy()] = {nullptr, copy, 0, 0};
}

template <typename T> Status ModelExecutor<T>::runStack(StackOp op, Environment &environment) {
  // The states of a kind are those operands that its function takes; layer ordinal i of the kind uses their cells i.
  struct Kind {
    FuncOp function;
    std::vector<mlir::Value> states;
    size_t ordinal = 0;
  };
  llvm::DenseMap<Attribute, Kind> kinds;
  size_t next = 0;
  for (FlatSymbolRefAttr name : op.getKinds()) {
    Kind &kind = kinds[name];
    kind.function = program.lookupSymbol<FuncOp>(name.getAttr());
    for (size_t i = 3; i < kind.function.getNumArguments(); ++i) kind.states.push_back(op.getStates()[next++]);
  }
  for (mlir::Value stacked : op.getStates())
    if (environment[stacked].state->stacked.size() != batch.sequences.size())
      return Status(kBadProgram, "a stack takes states of rank 4 and above from @main");
  Value x = environment[op.getX()];
  for (auto [index, name] : llvm::enumerate(op.expandPattern())) {
    Kind &kind = kinds[name];
    std::vector<Value> arguments{x, {}, {nullptr, nullptr, 0, int64_t(index)}};
    for (mlir::Value stacked : kind.states) {
      auto view = std::make_shared<StateView<T>>();
      for (StateCells<T> *cells : environment[stacked].state->stacked) view->single.push_back(&(*cells)[kind.ordinal]);
      arguments.push_back({nullptr, view, 0, 0});
    }
    ++kind.ordinal;
    Expected<std::vector<Value>> results = call(kind.function, std::move(arguments));
    if (!results.ok()) return results.status();
    x = (*results)[0];
    // Normally a layer returns the states that it was given, in place. Where it returns others (a snapshot), their
    // contents are stored back.
    std::vector<std::pair<std::vector<T> *, std::vector<T>>> moved;
    for (size_t s = 0; s < kind.states.size(); ++s)
      for (size_t b = 0; b < batch.sequences.size(); ++b) {
        std::vector<T> *home = &(*environment[kind.states[s]].state->stacked[b])[kind.ordinal - 1];
        const std::vector<T> *returned = (*results)[s + 1].state->single[b];
        if (returned != home) moved.emplace_back(home, *returned);
      }
    for (auto &[home, contents] : moved) *home = std::move(contents);
  }
  environment[op.getY()] = x;
  for (auto [result, state] : llvm::zip(op.getNewStates(), op.getStates())) environment[result] = environment[state];
  return Status();
}

template class mmc::interpreter::WeightCache<float>;
template class mmc::interpreter::WeightCache<double>;
template class mmc::interpreter::ModelExecutor<float>;
template class mmc::interpreter::ModelExecutor<double>;
