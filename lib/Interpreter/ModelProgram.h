// The execution of one function body: an op in a few lines. Private to the model interpreter.
#pragma once

#include "dialects/Model/IR/Model.h"
#include "lib/Interpreter/ModelValues.h"
#include "lib/Interpreter/ModelWeights.h"

#include "llvm/ADT/DenseMap.h"

#include <map>
#include <string>

namespace mmc::interpreter {

/// The weights of a program, read once and converted to what the program says it reads.
template <typename T> class WeightCache {
public:
  explicit WeightCache(std::shared_ptr<const WeightSource> source) : source(std::move(source)) {}
  runtime::Expected<std::shared_ptr<const Tensor<T>>> get(model::WeightOp op, int64_t layer);

private:
  std::shared_ptr<const WeightSource> source;
  std::map<std::string, std::shared_ptr<const Tensor<T>>> known;
};

/// Executes functions of a program on one batch.
template <typename T> class ModelExecutor {
public:
  using Value = RuntimeValue<T>;

  ModelExecutor(model::ProgramOp program, WeightCache<T> &weights, const BatchInfo &batch)
      : program(program), weights(weights), batch(batch) {}

  /// Per row of the batch: see ModelInterpreter::routerGaps.
  std::vector<double> routerGaps;

  /// The values that `function` returns.
  runtime::Expected<std::vector<Value>> call(model::FuncOp function, std::vector<Value> arguments);

private:
  using Environment = llvm::DenseMap<mlir::Value, Value>;
  using TensorPtr = std::shared_ptr<const Tensor<T>>;

  runtime::Status runBlock(mlir::Block &block, Environment &environment, std::vector<Value> &terminatorOperands);
  runtime::Status runOp(mlir::Operation *op, Environment &environment);
  bool runElementwise(mlir::Operation *op, Environment &environment);
  bool runRows(mlir::Operation *op, Environment &environment);
  bool runRoutes(mlir::Operation *op, Environment &environment);
  void runAttention(model::AttentionOp op, Environment &environment);
  void runLinearAttention(model::LinearAttentionOp op, Environment &environment);
  runtime::Status runRow(model::RowOp op, Environment &environment);
  void runSnapshot(model::SnapshotOp op, Environment &environment);
  void noteGap(int64_t row, const T *logits, int64_t experts, const int32_t *chosen, int64_t k);
  void runExperts(model::ExpertsOp op, Environment &environment);
  runtime::Status runStack(model::StackOp op, Environment &environment);

  /// Whether every index is below `limit`; else the run fails. A program may use any i32 rows as indices.
  bool within(const std::vector<int32_t> &indices, int64_t limit, const char *what);

  model::ProgramOp program;
  WeightCache<T> &weights;
  const BatchInfo &batch;
  runtime::Status failure; // of an op that returns none itself
};

} // namespace mmc::interpreter
