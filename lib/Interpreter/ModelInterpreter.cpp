// Sequences and steps: packing the batch, holding the states, running @main.
#include "lib/Interpreter/ModelInterpreter.h"
#include "lib/Interpreter/ModelErrors.h"
#include "lib/Interpreter/ModelProgram.h"

#include <cmath>
#include <map>
#include <set>

using namespace mlir;
using namespace mmc::interpreter;
using namespace mmc::model;
using mmc::runtime::Expected;
using mmc::runtime::Status;

namespace {

template <typename T> class Interpreter : public ModelInterpreter {
public:
  Interpreter(ProgramOp program, FuncOp main, std::shared_ptr<const WeightSource> source)
      : program(program), main(main), weights(std::move(source)) {
    vocabulary = cast<RankedTensorType>(main.getResultTypes().front()).getDimSize(1);
    // Ids index the embedding table, which need not be as large as the vocabulary of the logits.
    ids = INT32_MAX;
    main.walk([&](EmbeddingOp embedding) { ids = std::min(ids, embedding.getTable().getType().getDimSize(0)); });
  }

  uint64_t addSequence() override {
    Sequence &sequence = sequences[nextSequence];
    for (Type type : main.getArgumentTypes().drop_front(2))
      sequence.states.push_back(zeroCells(cast<RankedTensorType>(type)));
    return nextSequence++;
  }
  void removeSequence(uint64_t sequence) override { sequences.erase(sequence); }
  int64_t position(uint64_t sequence) const override { return sequences.at(sequence).position; }

  std::span<const double> routerGaps() const override { return gaps; }

  std::vector<double> readState(uint64_t sequence, size_t argument, size_t layer) const override {
    const std::vector<T> &cell = sequences.at(sequence).states.at(argument).at(layer);
    return {cell.begin(), cell.end()};
  }
  void writeState(uint64_t sequence, size_t argument, size_t layer, std::span<const double> values) override {
    std::vector<T> &cell = sequences.at(sequence).states.at(argument).at(layer);
    std::copy_n(values.begin(), std::min(values.size(), cell.size()), cell.begin());
  }

  Expected<StepLogits> step(std::span<const SequenceInput> inputs) override {
    MMC_RETURN_IF_ERROR(check(inputs));
    BatchInfo batch;
    auto idTensor = std::make_shared<Tensor<T>>();
    for (const SequenceInput &input : inputs) {
      int64_t begin = int64_t(idTensor->ints.size());
      idTensor->ints.insert(idTensor->ints.end(), input.ids.begin(), input.ids.end());
      batch.sequences.push_back({begin, int64_t(idTensor->ints.size()), sequences.at(input.sequence).position});
      for (int64_t row : input.outputs) batch.outputs.push_back(begin + row);
    }
    idTensor->shape = {int64_t(idTensor->ints.size())};

    std::vector<RuntimeValue<T>> arguments{{idTensor, nullptr, 0, 0}, {}};
    for (size_t s = 0; s + 2 < main.getNumArguments(); ++s) arguments.push_back({nullptr, viewOf(inputs, s), 0, 0});
    ModelExecutor<T> executor(program, weights, batch);
    Expected<std::vector<RuntimeValue<T>>> results = executor.call(main, arguments);
    if (!results.ok()) return results.status();
    gaps = std::move(executor.routerGaps);
    gaps.resize(idTensor->ints.size(), INFINITY);
    for (const SequenceInput &input : inputs) sequences.at(input.sequence).position += int64_t(input.ids.size());

    const Tensor<T> &logits = *results->front().tensor;
    StepLogits out{logits.rows(), vocabulary, {}};
    out.values.assign(logits.data.begin(), logits.data.end());
    return out;
  }

private:
  struct Sequence {
    int64_t position = 0;
    std::vector<StateCells<T>> states; // per argument of @main after the batch
  };

  ProgramOp program;
  FuncOp main;
  WeightCache<T> weights;
  std::map<uint64_t, Sequence> sequences;
  uint64_t nextSequence = 0;
  std::vector<double> gaps;
  int64_t vocabulary, ids;

  /// A stacked state has one dimension more than a layer's [H, K, V] or [positions, H, D].
  static bool isStacked(RankedTensorType type) { return type.getRank() >= 4; }

  static StateCells<T> zeroCells(RankedTensorType type) {
    size_t layers = isStacked(type) ? size_t(type.getDimSize(0)) : 1;
    size_t elements = isCache(type) ? 0 : size_t(type.getNumElements()) / layers;
    return StateCells<T>(layers, std::vector<T>(elements, T(0)));
  }

  std::shared_ptr<StateView<T>> viewOf(std::span<const SequenceInput> inputs, size_t argument) {
    auto view = std::make_shared<StateView<T>>();
    bool stacked = isStacked(cast<RankedTensorType>(main.getArgumentTypes()[argument + 2]));
    for (const SequenceInput &input : inputs) {
      StateCells<T> &cells = sequences.at(input.sequence).states[argument];
      if (stacked)
        view->stacked.push_back(&cells);
      else
        view->single.push_back(&cells.front());
    }
    return view;
  }

  Status check(std::span<const SequenceInput> inputs) const {
    if (inputs.empty()) return Status(kBadBatch, "the batch has no sequence");
    std::set<uint64_t> seen;
    for (const SequenceInput &input : inputs) {
      if (!sequences.count(input.sequence)) return Status(kBadBatch, "no sequence " + std::to_string(input.sequence));
      if (!seen.insert(input.sequence).second)
        return Status(kBadBatch, "sequence " + std::to_string(input.sequence) + " appears twice");
      if (input.ids.empty()) return Status(kBadBatch, "sequence " + std::to_string(input.sequence) + " has no tokens");
      for (int32_t id : input.ids)
        if (id < 0 || id >= ids)
          return Status(kBadToken, "token id " + std::to_string(id) + ", expected 0 to " + std::to_string(ids - 1));
      for (size_t i = 0; i < input.outputs.size(); ++i)
        if (input.outputs[i] < (i ? input.outputs[i - 1] + 1 : 0) || input.outputs[i] >= int64_t(input.ids.size()))
          return Status(kBadBatch, "output row " + std::to_string(input.outputs[i]) + " is not one of the " +
                                       std::to_string(input.ids.size()) + " tokens, in ascending order");
    }
    return Status();
  }
};

} // namespace

Expected<std::unique_ptr<ModelInterpreter>>
ModelInterpreter::create(ProgramOp program, std::shared_ptr<const WeightSource> weights, ModelPrecision precision) {
  auto main = program.lookupSymbol<FuncOp>("main");
  if (!main || main.getBody().empty()) return Status(kNoEntry, "the program has no function @main");
  std::unique_ptr<ModelInterpreter> out;
  if (precision == ModelPrecision::float64)
    out = std::make_unique<Interpreter<double>>(program, main, std::move(weights));
  else
    out = std::make_unique<Interpreter<float>>(program, main, std::move(weights));
  return out;
}
