// Reads the golden outputs beside a fixture: golden.json and golden.safetensors, made by independent implementations.
//
// Errors of a read are test failures with the file's name; what is returned then is empty.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mmc::test {

struct GoldenCase {
  size_t index = 0;
  std::vector<int32_t> ids;       // [T]
  std::vector<int32_t> positions; // [P], rows of the prompt that the logits are of
  std::vector<int32_t> greedy;    // empty where the case has none
  std::vector<float> logits;      // [P, V], float32 implementation
  std::vector<float> logits64;    // [P, V], float64 implementation; empty where the fixture has none
  /// The reference of tolerances for reduced precision: logits64, or logits.
  const std::vector<float> &best() const { return logits64.empty() ? logits : logits64; }
};

struct Golden {
  std::string name, folder;
  uint32_t vocabulary = 0;
  int32_t tokensBelow = 0;              // ids from here on are padding rows
  double bf16MedianRelativeL2 = 0;      // eager_bf16_pooled.median_rel_l2
  double bf16MedianRelativeL2Short = 0; // the same without cases of more than 600 tokens
  std::vector<GoldenCase> cases;
};

/// `name` is a folder of test/Inputs, or "demo" for examples/demo.
Golden loadGolden(const std::string &name);

/// Of the tests over all fixtures.
const std::vector<std::string> &fixtureNames();

/// The largest absolute difference over the rows, divided by the largest absolute reference value. Infinite where a
/// value is not finite.
double largestRelative(const std::vector<float> &actual, const std::vector<float> &reference);

/// Per row of `width` values: L2 norm of the difference over the L2 norm of the reference row.
std::vector<double> relativeL2(const std::vector<float> &actual, const std::vector<float> &reference, size_t width);

double median(std::vector<double> values);

} // namespace mmc::test
