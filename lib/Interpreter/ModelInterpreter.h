// The reference interpreter of the model dialect: executes a model.program directly, slowly and obviously, as the
// oracle of every lower level.
//
// It runs a program before AssignPrecision (float64 or float32 throughout) and after it (casts are executed as written,
// to nearest even). The recurrence is the exact one, token by token; attention is a plain loop over the whole cache;
// RoPE angles are formed in float64.
#pragma once

#include "lib/Interpreter/ModelWeights.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mmc::model {
class ProgramOp;
}

namespace mmc::interpreter {

/// How values of type f32 are held and accumulated. Values of narrower types are rounded where the program says so.
enum class ModelPrecision { float32, float64 };

/// The new tokens of one sequence in a step.
struct SequenceInput {
  uint64_t sequence;            ///< from `addSequence`; at most once in a step
  std::vector<int32_t> ids;     ///< at least one
  std::vector<int64_t> outputs; ///< indices into `ids` whose logits are wanted, ascending
};

/// Row-major [rows, vocabulary]: the wanted rows of the step's sequences, in their order.
struct StepLogits {
  int64_t rows = 0, vocabulary = 0;
  std::vector<double> values;
};

/// Executes one program on any number of sequences, whose states it holds between steps. It refers to the program's
/// ops, which must outlive it and not change. Not thread-safe. Weights are read on first use and kept.
class ModelInterpreter {
public:
  virtual ~ModelInterpreter() = default;

  /// `program` has passed the verifier and has @main.
  static runtime::Expected<std::unique_ptr<ModelInterpreter>>
  create(model::ProgramOp program, std::shared_ptr<const WeightSource> weights, ModelPrecision precision);

  /// A new sequence at position 0 with zero states.
  virtual uint64_t addSequence() = 0;
  virtual void removeSequence(uint64_t sequence) = 0;
  /// Tokens so far.
  virtual int64_t position(uint64_t sequence) const = 0;

  /// Runs @main on a ragged batch, which may mix prompts and single tokens. Fails before anything changed where an id
  /// is not in the vocabulary or the batch is malformed, and otherwise where a weight is missing or an op has no
  /// meaning here.
  virtual runtime::Expected<StepLogits> step(std::span<const SequenceInput> batch) = 0;

  /// For each row of the last step, in packed order: the smallest gap, over its routers, between the logit of the last
  /// expert that was chosen and that of the best one that was not; infinite where there was no choice. Answers after a
  /// tiny gap legitimately differ between executions.
  virtual std::span<const double> routerGaps() const = 0;

  /// State argument `argument` of @main (0 is the one after the batch) of layer ordinal `layer`: its elements,
  /// row-major; a cache has position() rows.
  virtual std::vector<double> readState(uint64_t sequence, size_t argument, size_t layer) const = 0;
  /// Replaces it; of the same size.
  virtual void writeState(uint64_t sequence, size_t argument, size_t layer, std::span<const double> values) = 0;
};

} // namespace mmc::interpreter
