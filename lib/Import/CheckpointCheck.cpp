// A checkpoint against its configuration: names, shapes, dtypes, and the decay buffers that native exports carry. Only
// headers are read, and the buffers. Invariant: a checkpoint that passes has exactly the tensors of `forEachTensor`,
// plus decay buffers that agree with the formula.
#include "dialects/Model/IR/ModelTables.h"
#include "lib/Import/Import.h"
#include "runtime/src/Errors.h"
#include "runtime/src/Safetensors.h"

#include <bit>
#include <cmath>
#include <filesystem>
#include <unordered_map>

using namespace mmc;
using namespace mmc::import;
using runtime::Checkpoint;
using runtime::TensorInfo;
using runtime::TensorType;

namespace {

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

bool hasShape(const TensorInfo &tensor, const std::vector<int64_t> &shape) {
  return std::equal(tensor.shape.begin(), tensor.shape.end(), shape.begin(), shape.end(),
                    [](uint64_t found, int64_t expected) { return found == uint64_t(expected); });
}

std::optional<WeightType> weightType(TensorType type) {
  if (type == TensorType::f32) return WeightType::f32;
  if (type == TensorType::bf16) return WeightType::bf16;
  if (type == TensorType::f16) return WeightType::f16;
  return std::nullopt;
}

/// The buffer of a lightning layer: what element i of the flattened tensor must be, given the rates of the layer's
/// heads.
struct DecayBuffer {
  const char *suffix;
  std::vector<int64_t> shape;
  double (*value)(const double *rates, int64_t block, int64_t index);
};

std::vector<DecayBuffer> decayBuffers(const ModelConfig &c) {
  const int64_t h = c.heads, n = c.blockSize;
  return {
      {"self_attn.slope_rate", {h, 1, 1}, [](const double *rates, int64_t, int64_t i) { return rates[i]; }},
      {"self_attn.query_decay",
       {h, n, 1},
       [](const double *rates, int64_t n, int64_t i) { return std::exp(-rates[i / n] * double(i % n + 1)); }},
      {"self_attn.key_decay",
       {h, n, 1},
       [](const double *rates, int64_t n, int64_t i) { return std::exp(-rates[i / n] * double(n - 1 - i % n)); }},
      {"self_attn.diagonal_decay",
       {1, h, n, n},
       [](const double *rates, int64_t n, int64_t i) {
         int64_t row = i / n % n, column = i % n;
         return row >= column ? std::exp(-rates[i / (n * n)] * double(row - column)) : 0.0;
       }},
  };
}

double elementAt(const std::vector<uint8_t> &bytes, TensorType type, size_t index) {
  if (type == TensorType::f32) {
    uint32_t word = 0;
    memcpy(&word, bytes.data() + 4 * index, 4);
    return std::bit_cast<float>(word);
  }
  uint16_t half = 0;
  memcpy(&half, bytes.data() + 2 * index, 2);
  return std::bit_cast<float>(uint32_t(half) << 16);
}

/// Compares one buffer with the formula: to 1e-4 in float32 (the exporting code's own rounding), to bf16's precision in
/// bf16.
Status compareBuffer(const Checkpoint &checkpoint, const TensorInfo &tensor, const DecayBuffer &buffer,
                     const ModelConfig &config, const double *rates) {
  const std::string name(tensor.name);
  if (tensor.type != TensorType::f32 && tensor.type != TensorType::bf16)
    return Status(kTensorType,
                  "tensor '" + name + "' has type " + tensorTypeName(tensor.type) + ", expected F32 or BF16");
  if (!hasShape(tensor, buffer.shape))
    return Status(kTensorShape,
                  "tensor '" + name + "' has shape " + tensor.shapeText() + ", expected " + shapeText(buffer.shape));
  Expected<std::vector<uint8_t>> bytes = checkpoint.readAll(tensor);
  if (!bytes.ok()) return bytes.status();
  const double tolerance = tensor.type == TensorType::f32 ? 1e-4 : 2e-2;
  const size_t count = bytes->size() / (tensor.type == TensorType::f32 ? 4 : 2);
  for (size_t i = 0; i < count; ++i) {
    double found = elementAt(*bytes, tensor.type, i), expected = buffer.value(rates, config.blockSize, int64_t(i));
    if (!(std::abs(found - expected) <= tolerance * std::max(std::abs(expected), 1e-3)))
      return Status(kDecayBuffer, "tensor '" + name + "' has " + std::to_string(found) + " at index " +
                                      std::to_string(i) + ", expected " + std::to_string(expected) +
                                      " from the configuration");
  }
  return Status();
}

/// Takes the decay buffers out of `left` (tensors that no weight accounts for) and compares them.
Status checkDecayBuffers(const Checkpoint &checkpoint, const ModelConfig &config,
                         std::unordered_map<std::string, const TensorInfo *> &left) {
  std::vector<double> rates = model::evaluateLightningRates(int64_t(config.layers.size()), config.heads, config.native);
  std::vector<DecayBuffer> buffers = decayBuffers(config);
  for (size_t layer = 0; layer < config.layers.size(); ++layer) {
    if (config.layers[layer] != ModelConfig::Layer::lightning) continue;
    for (const DecayBuffer &buffer : buffers) {
      auto it = left.find("model.layers." + std::to_string(layer) + "." + buffer.suffix);
      if (it == left.end()) continue;
      MMC_RETURN_IF_ERROR(
          compareBuffer(checkpoint, *it->second, buffer, config, rates.data() + layer * size_t(config.heads)));
      left.erase(it);
    }
  }
  return Status();
}

/// Matches the expected tensors and takes them out of `left`.
Status matchTensors(const ModelConfig &config, std::unordered_map<std::string, const TensorInfo *> &left,
                    WeightTypes &types) {
  std::string missing;
  size_t missingCount = 0;
  Status failure;
  forEachTensor(config, [&](const ExpectedTensor &expected) {
    auto it = left.find(expected.name);
    if (it == left.end()) {
      if (!missingCount++) missing = expected.name;
      return;
    }
    const TensorInfo &tensor = *it->second;
    std::optional<WeightType> type = weightType(tensor.type);
    if (!hasShape(tensor, expected.shape) && failure.ok())
      failure = Status(kTensorShape, "tensor '" + expected.name + "' has shape " + tensor.shapeText() + ", expected " +
                                         shapeText(expected.shape) + " from config.json");
    else if (!type && failure.ok())
      failure = Status(kTensorType, "tensor '" + expected.name + "' has type " + tensorTypeName(tensor.type) +
                                        ", expected F32, BF16 or F16");
    if (!failure.ok()) return;
    // Layers that differ are read as float32, which holds them all.
    auto [known, fresh] = types.emplace(expected.pattern, *type);
    if (!fresh && known->second != *type) known->second = WeightType::f32;
    left.erase(it);
  });
  MMC_RETURN_IF_ERROR(failure);
  if (!missingCount) return Status();
  for (const auto &[name, tensor] : left)
    if (name.ends_with(".mlp.experts.gate_up_proj") || name.ends_with(".mlp.experts.down_proj"))
      return Status(kStackedExperts, "tensor '" + name + "' stacks all experts, which is not supported");
  return Status(kTensorMissing,
                "the checkpoint has no tensor '" + missing + "'" +
                    (missingCount > 1 ? " (and lacks " + std::to_string(missingCount - 1) + " more)" : ""));
}

} // namespace

Expected<WeightTypes> mmc::import::checkCheckpoint(const std::string &folder, const ModelConfig &config) {
  namespace fs = std::filesystem;
  std::error_code error;
  bool present = fs::exists(fs::path(folder) / "model.safetensors", error) ||
                 fs::exists(fs::path(folder) / "model.safetensors.index.json", error);
  WeightTypes types;
  if (!present) return types;
  Expected<Checkpoint> checkpoint = Checkpoint::open(folder);
  if (!checkpoint.ok()) return checkpoint.status();
  std::unordered_map<std::string, const TensorInfo *> left;
  for (const TensorInfo &tensor : checkpoint->tensors()) left.emplace(std::string(tensor.name), &tensor);
  MMC_RETURN_IF_ERROR(matchTensors(config, left, types));
  MMC_RETURN_IF_ERROR(checkDecayBuffers(*checkpoint, config, left));
  if (left.empty()) return types;
  std::string first = left.begin()->first;
  for (const auto &[name, tensor] : left) first = std::min(first, name);
  return Status(kTensorExtra, "the checkpoint has tensor '" + first + "'" +
                                  (left.size() > 1 ? " (and " + std::to_string(left.size() - 1) + " more)" : "") +
                                  ", which the model does not use");
}
