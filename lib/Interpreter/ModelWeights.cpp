// Conversion of stored elements to float64, which is exact for float32, bfloat16 and float16.
#include "lib/Interpreter/ModelWeights.h"
#include "lib/Support/RandomDistribution.h"
#include "runtime/src/Errors.h"
#include "runtime/src/RandomWeights.h"
#include "runtime/src/Safetensors.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

using namespace mmc::interpreter;
using namespace mmc::runtime;

namespace {

double halfToDouble(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double magnitude = exponent == 0    ? std::ldexp(mantissa, -24)
                     : exponent == 31 ? (mantissa ? std::nan("") : INFINITY)
                                      : std::ldexp(1024 + mantissa, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

template <typename Word, typename Convert>
std::vector<double> convert(const std::vector<uint8_t> &bytes, Convert toDouble) {
  std::vector<double> out(bytes.size() / sizeof(Word));
  for (size_t i = 0; i < out.size(); ++i) {
    Word word;
    std::memcpy(&word, bytes.data() + i * sizeof(Word), sizeof(Word));
    out[i] = toDouble(word);
  }
  return out;
}

class CheckpointWeights : public WeightSource {
public:
  explicit CheckpointWeights(Checkpoint checkpoint) : checkpoint(std::move(checkpoint)) {}

  Expected<std::vector<double>> read(const std::string &name, std::span<const int64_t> shape) const override {
    const TensorInfo *tensor = checkpoint.find(name);
    if (!tensor) return Status(kWeightMissing, "the checkpoint has no tensor '" + name + "'");
    auto same = [](uint64_t found, int64_t expected) { return found == uint64_t(expected); };
    if (!std::equal(tensor->shape.begin(), tensor->shape.end(), shape.begin(), shape.end(), same))
      return Status(kWeightShape,
                    "tensor '" + name + "' has shape " + tensor->shapeText() + ", which is not the model's");
    Expected<std::vector<uint8_t>> bytes = checkpoint.readAll(*tensor);
    if (!bytes.ok()) return bytes.status();
    switch (tensor->type) {
    case TensorType::f32:
      return convert<uint32_t>(*bytes, [](uint32_t w) { return double(std::bit_cast<float>(w)); });
    case TensorType::bf16:
      return convert<uint16_t>(*bytes, [](uint16_t w) { return double(std::bit_cast<float>(uint32_t(w) << 16)); });
    case TensorType::f16:
      return convert<uint16_t>(*bytes, halfToDouble);
    case TensorType::f64:
      return convert<uint64_t>(*bytes, [](uint64_t w) { return std::bit_cast<double>(w); });
    default:
      return Status(kWeightDType, "tensor '" + name + "' has type " + tensorTypeName(tensor->type));
    }
  }

private:
  Checkpoint checkpoint;
};

class RandomWeights : public WeightSource {
public:
  explicit RandomWeights(uint64_t seed) : seed(seed) {}

  Expected<std::vector<double>> read(const std::string &name, std::span<const int64_t> shape) const override {
    uint64_t count = 1, key = randomWeightKey(seed, name);
    for (int64_t size : shape) count *= uint64_t(size);
    mmc::RandomDistribution distribution = mmc::randomDistribution(shape.size(), shape.back());
    std::vector<double> out(count);
    for (uint64_t i = 0; i < count; ++i) out[i] = randomWeight(key, i, distribution.mean, distribution.scale);
    return out;
  }

private:
  uint64_t seed;
};

} // namespace

Expected<std::unique_ptr<WeightSource>> mmc::interpreter::openCheckpointWeights(const std::string &path) {
  Expected<Checkpoint> checkpoint = Checkpoint::open(path);
  if (!checkpoint.ok()) return checkpoint.status();
  MMC_RETURN_IF_ERROR(checkpoint->checkTails());
  return std::unique_ptr<WeightSource>(std::make_unique<CheckpointWeights>(std::move(*checkpoint)));
}

std::unique_ptr<WeightSource> mmc::interpreter::makeRandomWeights(uint64_t seed) {
  return std::make_unique<RandomWeights>(seed);
}

Expected<std::unique_ptr<WeightSource>> mmc::interpreter::openWeights(const std::string &text) {
  if (text != "random" && text.rfind("random:", 0) != 0) return openCheckpointWeights(text);
  uint64_t seed = 0;
  std::string_view digits = std::string_view(text).substr(text.size() == 6 ? 6 : 7);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
  if (text.size() != 6 && (error != std::errc() || end != digits.data() + digits.size()))
    return Status(kBadArgument, "expected random or random:SEED, got '" + text + "'", "give a seed such as random:7");
  return makeRandomWeights(seed);
}
