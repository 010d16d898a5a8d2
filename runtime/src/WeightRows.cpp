// The two sources of weights: a checkpoint, and the reproducible random generator.
#include "runtime/src/Errors.h"
#include "runtime/src/RandomWeights.h"
#include "runtime/src/WeightLoader.h"

#include <algorithm>
#include <optional>

namespace mmc::runtime {

namespace {

uint64_t rowElements(const WeightSource &source) {
  uint64_t elements = 1;
  for (size_t i = 1; i < source.shape.size(); ++i) elements *= source.shape[i];
  return elements;
}

std::optional<DType> convertibleType(TensorType type) {
  switch (type) {
  case TensorType::f32:
    return DType::f32;
  case TensorType::bf16:
    return DType::bf16;
  case TensorType::f16:
    return DType::f16;
  default:
    return std::nullopt;
  }
}

class CheckpointRows : public RowSource {
public:
  explicit CheckpointRows(const Checkpoint &checkpoint) : checkpoint(checkpoint) {}

  Status check(const WeightSource &source, const std::string &name) override {
    const TensorInfo *tensor = checkpoint.find(name);
    if (!tensor) return Status(kWeightMissing, "the checkpoint has no tensor '" + name + "', which the plan needs");
    const TensorInfo expected{name, source.shape, tensor->type, 0, 0, 0};
    if (!std::equal(tensor->shape.begin(), tensor->shape.end(), source.shape.begin(), source.shape.end()))
      return Status(kWeightShape,
                    "tensor '" + name + "' has shape " + tensor->shapeText() + ", expected " + expected.shapeText());
    if (!convertibleType(tensor->type))
      return Status(kWeightDType,
                    "tensor '" + name + "' has dtype " + tensorTypeName(tensor->type) + ", expected F32, BF16 or F16");
    return {};
  }

  Status checkOthers(const std::function<bool(std::string_view)> &used) override {
    MMC_RETURN_IF_ERROR(checkpoint.checkTails());
    std::string_view first;
    size_t count = 0;
    for (const TensorInfo &tensor : checkpoint.tensors())
      if (!used(tensor.name) && !count++) first = tensor.name;
    if (!count) return {};
    return Status(kWeightExtra, "the checkpoint has tensor '" + std::string(first.substr(0, 240)) + "'" +
                                    (count > 1 ? " (and " + std::to_string(count - 1) + " more)" : "") +
                                    ", which the plan does not use");
  }

  Status read(const Weight &, const WeightSource &source, const std::string &name, uint64_t first, uint64_t count,
              std::vector<uint8_t> &rows, DType &type) override {
    const TensorInfo *tensor = checkpoint.find(name);
    type = *convertibleType(tensor->type);
    const uint64_t rowBytes = rowElements(source) * dtypeBytes(type);
    rows.resize(count * rowBytes);
    return checkpoint.read(*tensor, first * rowBytes, rows);
  }

private:
  const Checkpoint &checkpoint;
};

class RandomRows : public RowSource {
public:
  explicit RandomRows(uint64_t seed) : seed(seed) {}
  Status check(const WeightSource &, const std::string &) override { return {}; }
  Status checkOthers(const std::function<bool(std::string_view)> &) override { return {}; }

  Status read(const Weight &weight, const WeightSource &source, const std::string &name, uint64_t first, uint64_t count,
              std::vector<uint8_t> &rows, DType &type) override {
    type = DType::f32;
    const uint64_t width = rowElements(source), key = randomWeightKey(seed, name);
    rows.resize(count * width * sizeof(float));
    for (uint64_t i = 0; i < count * width; ++i) {
      const float value = randomWeight(key, first * width + i, weight.randomMean, weight.randomScale);
      std::memcpy(rows.data() + i * sizeof value, &value, sizeof value);
    }
    return {};
  }

private:
  uint64_t seed;
};

} // namespace

std::unique_ptr<RowSource> checkpointRows(const Checkpoint &checkpoint) {
  return std::make_unique<CheckpointRows>(checkpoint);
}
std::unique_ptr<RowSource> randomRows(uint64_t seed) { return std::make_unique<RandomRows>(seed); }

} // namespace mmc::runtime
