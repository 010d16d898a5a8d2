#include "test/E2E/Bfloat16.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace mmc::test {

double pooledError(const TestModel &model, const Golden &golden, size_t chunk, size_t mostTokens) {
  std::vector<double> errors;
  for (const GoldenCase &item : golden.cases) {
    if (item.ids.size() > mostTokens) continue;
    const std::vector<float> rows = selectRows(logitsOf(model, item.ids, chunk), item.positions, golden.vocabulary);
    const std::vector<double> rowErrors = relativeL2(rows, item.best(), golden.vocabulary);
    errors.insert(errors.end(), rowErrors.begin(), rowErrors.end());
  }
  return median(errors);
}

std::unique_ptr<driver::Engine> makeReference(const Golden &golden) {
  driver::WeightsChoice weights;
  weights.folder = golden.folder;
  auto reference = driver::makeReferenceEngine({golden.folder, weights, "float64", 0});
  EXPECT_TRUE(reference.ok()) << reference.status().text();
  return reference.ok() ? std::move(*reference) : nullptr;
}

/// The float64 model interpreter's row after the prompt and `tokens`.
static std::vector<float> referenceRow(driver::Engine &reference, const std::vector<int32_t> &prompt,
                                       std::span<const int32_t> tokens) {
  std::vector<int32_t> ids = prompt;
  ids.insert(ids.end(), tokens.begin(), tokens.end());
  EXPECT_TRUE(reference.restart().ok());
  auto row = reference.step(ids, driver::Engine::Rows::last);
  EXPECT_TRUE(row.ok()) << row.status().text();
  return row.ok() ? std::vector<float>(row->begin(), row->end()) : std::vector<float>();
}

/// The two ids are the two highest of the row, and nearer than 2 % of its largest absolute value.
static void expectNearTie(const std::vector<float> &row, int32_t golden, int32_t found) {
  ASSERT_FALSE(row.empty());
  const float low = std::min(row[size_t(golden)], row[size_t(found)]),
              high = std::max(row[size_t(golden)], row[size_t(found)]);
  EXPECT_LE(std::count_if(row.begin(), row.end(), [low](float value) { return value > low; }), 1);
  float largest = 0;
  for (float value : row) largest = std::max(largest, std::abs(value));
  EXPECT_LE(high - low, 0.02f * largest);
}

void expectGreedy(const TestModel &model, const Golden &golden, driver::Engine &reference, size_t most) {
  for (const GoldenCase &item : golden.cases) {
    SCOPED_TRACE("case " + std::to_string(item.index));
    const size_t count = std::min(most, item.greedy.size());
    const std::vector<int32_t> tokens = greedyTokens(model, item.ids, count);
    ASSERT_EQ(tokens.size(), count);
    const auto difference = std::mismatch(tokens.begin(), tokens.end(), item.greedy.begin());
    if (difference.first == tokens.end()) continue;
    const size_t place = size_t(difference.first - tokens.begin());
    SCOPED_TRACE("token " + std::to_string(place));
    expectNearTie(referenceRow(reference, item.ids, std::span(item.greedy).first(place)), *difference.second,
                  *difference.first);
  }
}

} // namespace mmc::test
