#include "test/E2E/Golden.h"

#include "runtime/src/Safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace mmc::test {

template <typename T>
static std::vector<T> readTensor(const runtime::SafetensorsFile &file, const std::string &name, bool optional = false) {
  const runtime::TensorInfo *tensor = file.find(name);
  if (!tensor) {
    EXPECT_TRUE(optional) << file.path() << ": no tensor " << name;
    return {};
  }
  std::vector<T> values(tensor->bytes / sizeof(T));
  runtime::Status status =
      file.read(*tensor, 0, {reinterpret_cast<uint8_t *>(values.data()), values.size() * sizeof(T)});
  EXPECT_TRUE(status.ok()) << status.text();
  return values;
}

Golden loadGolden(const std::string &name) {
  Golden golden;
  golden.name = name;
  golden.folder = std::string(MMC_SOURCE_DIR) + (name == "demo" ? "/examples/demo" : "/test/Inputs/" + name);
  std::ifstream stream(golden.folder + "/golden.json");
  const nlohmann::json json = nlohmann::json::parse(stream, nullptr, false);
  auto file = runtime::SafetensorsFile::open(golden.folder + "/golden.safetensors");
  if (!json.is_object() || !file.ok()) {
    ADD_FAILURE() << golden.folder << ": golden.json or golden.safetensors cannot be read " << file.status().text();
    return golden;
  }
  golden.tokensBelow = json["tokens_below"];
  golden.bf16MedianRelativeL2 = json["eager_bf16_pooled"]["median_rel_l2"];
  golden.bf16MedianRelativeL2Short = golden.bf16MedianRelativeL2;
  if (json.contains("eager_bf16_pooled_600"))
    golden.bf16MedianRelativeL2Short = json["eager_bf16_pooled_600"]["median_rel_l2"];
  for (const nlohmann::json &entry : json["cases"]) {
    GoldenCase item;
    item.index = entry["case"];
    item.greedy = entry["greedy"].get<std::vector<int32_t>>();
    const std::string prefix = "case" + std::to_string(item.index) + ".";
    item.ids = readTensor<int32_t>(*file, prefix + "input_ids");
    item.positions = readTensor<int32_t>(*file, prefix + "positions");
    item.logits = readTensor<float>(*file, prefix + "logits");
    item.logits64 = readTensor<float>(*file, prefix + "logits_f64", true);
    if (item.positions.empty()) ADD_FAILURE() << golden.folder << ": " << prefix << "positions is empty";
    golden.vocabulary = uint32_t(item.logits.size() / std::max<size_t>(1, item.positions.size()));
    golden.cases.push_back(std::move(item));
  }
  EXPECT_FALSE(golden.cases.empty());
  return golden;
}

const std::vector<std::string> &fixtureNames() {
  static const std::vector<std::string> names = {"text01-tiny",   "text01-heads12", "text01-prenorm",
                                                 "text01-ranks8", "native-tiny",    "demo"};
  return names;
}

double largestRelative(const std::vector<float> &actual, const std::vector<float> &reference) {
  EXPECT_EQ(actual.size(), reference.size());
  double difference = 0, largest = 0;
  for (size_t i = 0; i < std::min(actual.size(), reference.size()); ++i) {
    if (!std::isfinite(actual[i])) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, std::abs(double(actual[i]) - double(reference[i])));
    largest = std::max(largest, std::abs(double(reference[i])));
  }
  return largest > 0 ? difference / largest : difference;
}

std::vector<double> relativeL2(const std::vector<float> &actual, const std::vector<float> &reference, size_t width) {
  EXPECT_EQ(actual.size(), reference.size());
  std::vector<double> errors;
  for (size_t row = 0; row + width <= std::min(actual.size(), reference.size()); row += width) {
    double difference = 0, norm = 0;
    for (size_t i = row; i < row + width; ++i) {
      difference += std::pow(double(actual[i]) - double(reference[i]), 2);
      norm += std::pow(double(reference[i]), 2);
    }
    errors.push_back(std::isfinite(difference) ? std::sqrt(difference / norm)
                                               : std::numeric_limits<double>::infinity());
  }
  return errors;
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::infinity();
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

} // namespace mmc::test
