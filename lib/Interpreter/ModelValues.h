// What the model interpreter's SSA values hold at run time: tensors, the packing of the step, states by sequence.
// Private to the interpreter.
#pragma once

#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

namespace mmc::interpreter {

/// A tensor; row tensors have their true number of rows in shape[0]. Either `data` or `ints` is used.
template <typename T> struct Tensor {
  std::vector<int64_t> shape;
  std::vector<T> data;
  std::vector<int32_t> ints;

  int64_t rows() const { return shape[0]; }
  /// Elements of one row.
  int64_t width() const { return std::accumulate(shape.begin() + 1, shape.end(), int64_t(1), std::multiplies<>()); }
};

/// The new tokens of one sequence in the packed rows.
struct BatchSequence {
  int64_t begin, end; // rows
  int64_t position;   // of row `begin`
};

struct BatchInfo {
  std::vector<BatchSequence> sequences;
  std::vector<int64_t> outputs; // rows whose logits are wanted
};

/// One state argument of @main for one sequence: an array per layer of the kind. A cache grows with the sequence.
template <typename T> using StateCells = std::vector<std::vector<T>>;

/// A state as a value: for each sequence of the batch its cells, of all layers of a kind (stacked) or of one. It is
/// updated in place, which is legal because a state has one consumer.
template <typename T> struct StateView {
  std::vector<StateCells<T> *> stacked;
  std::vector<std::vector<T> *> single;
  std::vector<std::shared_ptr<std::vector<T>>> owned; // by a snapshot
  std::vector<std::shared_ptr<StateCells<T>>> ownedStacked;
};

template <typename T> struct RuntimeValue {
  std::shared_ptr<const Tensor<T>> tensor;
  std::shared_ptr<const StateView<T>> state;
  T scalar = 0;
  int64_t index = 0;
};

} // namespace mmc::interpreter
