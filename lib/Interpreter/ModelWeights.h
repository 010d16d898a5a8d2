// Where the model interpreter's weights come from: a checkpoint folder, or reproducible random numbers.
#pragma once

#include "runtime/src/Status.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mmc::interpreter {

/// Reads checkpoint tensors by their full names. Implementations are immutable and may be used from several threads.
class WeightSource {
public:
  virtual ~WeightSource() = default;
  /// The elements of tensor `name` in row-major order, exactly as stored. An error where there is none, or of another
  /// shape.
  virtual runtime::Expected<std::vector<double>> read(const std::string &name,
                                                      std::span<const int64_t> shape) const = 0;
};

/// The tensors of a Hugging Face folder or of one .safetensors file.
runtime::Expected<std::unique_ptr<WeightSource>> openCheckpointWeights(const std::string &path);

/// Random weights that depend on seed, name and index only (runtime/src/RandomWeights.h).
std::unique_ptr<WeightSource> makeRandomWeights(uint64_t seed);

/// `random`, `random:SEED`, or a path.
runtime::Expected<std::unique_ptr<WeightSource>> openWeights(const std::string &text);

} // namespace mmc::interpreter
