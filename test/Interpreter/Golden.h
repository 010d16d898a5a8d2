// The golden files of the fixtures: cases of input ids and the logits of independent implementations. Shared by tests.
#pragma once

#include "lib/Import/Json.h"
#include "runtime/src/Safetensors.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

namespace mmc::test {

struct GoldenCase {
  std::vector<int32_t> ids;
  std::vector<int64_t> positions;
  std::vector<float> logits, logits64; // [positions, vocabulary]; logits64 may be empty
};

struct Golden {
  std::vector<GoldenCase> cases;
  double medianBf16 = 0;     // eager_bf16_pooled.median_rel_l2
  double medianBf16_600 = 0; // the same without cases over 600 tokens
};

template <typename To, typename From>
std::vector<To> readTensor(const runtime::SafetensorsFile &file, const std::string &name) {
  std::vector<To> out;
  const runtime::TensorInfo *tensor = file.find(name);
  if (!tensor) return out;
  std::vector<From> raw(tensor->bytes / sizeof(From));
  if (!file.read(*tensor, 0, {reinterpret_cast<uint8_t *>(raw.data()), tensor->bytes}).ok()) return out;
  return {raw.begin(), raw.end()};
}

/// Reads golden.json and golden.safetensors of `folder`; no cases where that fails.
inline Golden readGolden(const std::string &folder) {
  Golden golden;
  auto file = runtime::SafetensorsFile::open(folder + "/golden.safetensors");
  auto json = import::readJsonFile(folder + "/golden.json");
  if (!file.ok() || !json.ok()) return golden;
  golden.medianBf16 = json->find("eager_bf16_pooled")->find("median_rel_l2")->real;
  const import::JsonValue *shorter = json->find("eager_bf16_pooled_600");
  golden.medianBf16_600 = shorter ? shorter->find("median_rel_l2")->real : golden.medianBf16;
  for (size_t i = 0; i < json->find("cases")->items.size(); ++i) {
    std::string prefix = "case" + std::to_string(i) + ".";
    golden.cases.push_back({readTensor<int32_t, int32_t>(*file, prefix + "input_ids"),
                            readTensor<int64_t, int32_t>(*file, prefix + "positions"),
                            readTensor<float, float>(*file, prefix + "logits"),
                            readTensor<float, float>(*file, prefix + "logits_f64")});
  }
  return golden;
}

/// The largest absolute difference over the largest absolute reference value. Infinite where a value is not finite, and
/// where there is nothing to compare.
inline double largestError(const std::vector<double> &found, const std::vector<float> &expected) {
  if (found.size() != expected.size() || expected.empty()) return INFINITY;
  double difference = 0, largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(found[i]) || !std::isfinite(expected[i])) return INFINITY; // NaN is below every bar
    difference = std::max(difference, std::abs(found[i] - double(expected[i])));
    largest = std::max(largest, std::abs(double(expected[i])));
  }
  return difference / largest;
}

} // namespace mmc::test
