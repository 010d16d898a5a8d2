// What a configuration of the MiniMax-01 family says, typed and validated, without MLIR: the source of the model
// dialect program, of the expected checkpoint tensors and of the parameter counts. Specification sections 1.1, 1.2
// and 3.1.
#pragma once

#include "lib/Import/Errors.h"
#include "lib/Import/Json.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mmc::import {

/// The factors of a residual sum: alpha * residual + beta * branch.
struct ResidualScale {
  double alpha = 1.0, beta = 1.0;
  bool operator==(const ResidualScale &) const = default;
};

/// Element types that checkpoint tensors may have.
enum class WeightType : uint8_t { f32, bf16, f16 };

/// One model. A value of this type that `parseConfig` returned satisfies every range and divisibility rule of the
/// family.
struct ModelConfig {
  enum class Layer : uint8_t { lightning, softmax };

  std::string modelType; ///< as the file spells it
  bool native = false;   ///< Hugging Face's own class: its slope and layer formulas, always post-norm
  int64_t vocabulary = 0, hidden = 0, intermediate = 0;
  int64_t heads = 0, kvHeads = 0, headDim = 0, rotaryDim = 0;
  int64_t experts = 0, topK = 0;
  int64_t maxPosition = 0;
  std::vector<Layer> layers;
  double normEps = 0, lightningNormEps = 1e-6, ropeTheta = 0;
  bool postnorm = false;
  ResidualScale softmaxScale, lightningScale, mlpScale;
  std::vector<int64_t> stopTokens;           ///< eos ids, in the order of the file
  WeightType elementType = WeightType::bf16; ///< of the checkpoint where no headers say it
  int64_t blockSize = 256;                   ///< only the shape of the decay buffers that native exports carry
  std::vector<std::string> warnings;         ///< what was read otherwise than a reader of the file may expect

  int64_t parameters() const;       ///< of all tensors
  int64_t activeParameters() const; ///< top-k experts and all else per token, without embedding table and lm_head
};

/// One tensor of the checkpoint.
struct ExpectedTensor {
  std::string name;    ///< layer and expert numbers filled in
  std::string pattern; ///< with {layer} and {expert}
  std::vector<int64_t> shape;
};

/// Makes the configuration one rank's slice under tensor parallelism of `ranks`, in shapes: RankSlice.cpp says which.
/// Its decay rates are those of a model of that many heads. Refuses what does not divide.
Status sliceForRank(ModelConfig &config, int64_t ranks);

/// Calls `visit` with every tensor that the model reads, in model order.
void forEachTensor(const ModelConfig &config, const std::function<void(const ExpectedTensor &)> &visit);

/// Reads the fields of any of the three dialects. `origin` (a path) is named in messages. Fields that ask for what is
/// not supported are refused by name, and so is every field that is not known; `auto_map` is accepted and never acted
/// upon.
Expected<ModelConfig> parseConfig(const JsonValue &document, const std::string &origin);

/// Reads `path` (a config.json, or a folder with one) and generation_config.json beside it where there is one.
Expected<ModelConfig> readConfig(const std::string &path);

} // namespace mmc::import
