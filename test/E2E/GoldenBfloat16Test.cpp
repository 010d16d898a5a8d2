// CPU plans in bfloat16 against the golden logits: the median relative L2 error over a fixture's golden positions stays
// within 1.25 of what an eager bfloat16 run of the same model shows. The demo's greedy tokens are the golden ones, or
// part from them where two tokens are as good as tied.
#include "lib/Driver/ReferenceEngine.h"
#include "test/E2E/Golden.h"
#include "test/E2E/Plans.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace mmc::test {
namespace {

class GoldenBfloat16 : public testing::TestWithParam<std::string> {};

TEST_P(GoldenBfloat16, MedianError) {
  const Golden golden = loadGolden(GetParam());
  PlanOptions options;
  options.dtype = "bfloat16";
  const std::vector<uint8_t> plan = compilePlan(golden.folder, options);
  for (const std::string &variant : hostVariants()) {
    const TestModel model(plan, golden.folder, variant);
    ASSERT_TRUE(model.ok());
    std::vector<double> errors;
    for (const GoldenCase &item : golden.cases) {
      const std::vector<float> rows = selectRows(logitsOf(model, item.ids), item.positions, golden.vocabulary);
      const std::vector<double> rowErrors = relativeL2(rows, item.best(), golden.vocabulary);
      errors.insert(errors.end(), rowErrors.begin(), rowErrors.end());
    }
    EXPECT_LE(median(errors), 1.25 * golden.bf16MedianRelativeL2) << golden.name << ", " << variant;
    RecordProperty("median_rel_l2_" + variant, std::to_string(median(errors)));
  }
}

std::string caseName(const testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  for (char &c : name)
    if (c == '-') c = '_';
  return name;
}

/// The float64 model interpreter's row after the prompt and `tokens`.
std::vector<float> referenceRow(driver::Engine &reference, const std::vector<int32_t> &prompt,
                                std::span<const int32_t> tokens) {
  std::vector<int32_t> ids = prompt;
  ids.insert(ids.end(), tokens.begin(), tokens.end());
  EXPECT_TRUE(reference.restart().ok());
  auto row = reference.step(ids, driver::Engine::Rows::last);
  EXPECT_TRUE(row.ok()) << row.status().text();
  return row.ok() ? std::vector<float>(row->begin(), row->end()) : std::vector<float>();
}

/// The two ids are the two highest of the row, and nearer than 2 % of its largest absolute value.
void expectNearTie(const std::vector<float> &row, int32_t golden, int32_t found) {
  ASSERT_FALSE(row.empty());
  const float low = std::min(row[size_t(golden)], row[size_t(found)]),
              high = std::max(row[size_t(golden)], row[size_t(found)]);
  EXPECT_LE(std::count_if(row.begin(), row.end(), [low](float value) { return value > low; }), 1);
  float largest = 0;
  for (float value : row) largest = std::max(largest, std::abs(value));
  EXPECT_LE(high - low, 0.02f * largest);
}

/// The model's greedy tokens are the golden ones, or part from them at a near tie.
void expectGreedy(const TestModel &model, const Golden &golden, driver::Engine &reference) {
  for (const GoldenCase &item : golden.cases) {
    SCOPED_TRACE("case " + std::to_string(item.index));
    const std::vector<int32_t> tokens = greedyTokens(model, item.ids, item.greedy.size());
    ASSERT_EQ(tokens.size(), item.greedy.size());
    const auto difference = std::mismatch(tokens.begin(), tokens.end(), item.greedy.begin());
    if (difference.first == tokens.end()) continue;
    const size_t place = size_t(difference.first - tokens.begin());
    SCOPED_TRACE("token " + std::to_string(place));
    expectNearTie(referenceRow(reference, item.ids, std::span(item.greedy).first(place)), *difference.second,
                  *difference.first);
  }
}

// Each variant rounds in its own places, so each may part elsewhere.
TEST(GoldenBfloat16Greedy, Demo) {
  const Golden golden = loadGolden("demo");
  PlanOptions options;
  options.dtype = "bfloat16";
  const std::vector<uint8_t> plan = compilePlan(golden.folder, options);
  driver::WeightsChoice weights;
  weights.folder = golden.folder;
  auto reference = driver::makeReferenceEngine({golden.folder, weights, "float64", 0});
  ASSERT_TRUE(reference.ok()) << reference.status().text();
  const std::vector<std::string> variants = hostVariants();
  ASSERT_FALSE(variants.empty());
  for (const std::string &variant : variants) {
    SCOPED_TRACE(variant);
    const TestModel model(plan, golden.folder, variant);
    ASSERT_TRUE(model.ok());
    expectGreedy(model, golden, **reference);
    RecordProperty(variant, "checked");
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenBfloat16, testing::ValuesIn(fixtureNames()), caseName);

} // namespace
} // namespace mmc::test
