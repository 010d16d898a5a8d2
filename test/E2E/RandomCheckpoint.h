// A checkpoint in memory: the random weights of a model, to be changed by a test (a NaN here, a router there) and
// written as a user's folder.
#pragma once

#include "test/E2E/RandomModels.h"

#include <map>

namespace mmc::test {

class RandomCheckpoint {
public:
  struct Tensor {
    std::vector<int64_t> shape;
    std::vector<float> values; // row-major
    /// Row `row` of a matrix.
    std::span<float> row(int64_t row) { return std::span(values).subspan(size_t(row * shape[1]), size_t(shape[1])); }
  };

  /// Every tensor that config.json asks for, drawn from `seed`.
  RandomCheckpoint(const RandomModel &model, uint64_t seed);

  /// By its full name; a test failure and an empty tensor where there is none.
  Tensor &operator[](const std::string &name);
  /// "model.layers.{layer}." + name.
  Tensor &layer(size_t layer, const std::string &name);

  /// Makes channel 0 a positive constant of the token stream and lets all routers read it alone: `expert` always wins,
  /// the others follow in their order.
  void favour(const RandomModel &model, int64_t expert);

  /// Writes config.json and model.safetensors (float32); returns the folder's path.
  const std::string &write(const Folder &folder) const;

private:
  std::string config;
  std::map<std::string, Tensor> tensors;
};

} // namespace mmc::test
