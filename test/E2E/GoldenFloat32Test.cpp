// CPU plans in float32 against the golden logits of independent implementations: every fixture, case and variant, whole
// and in chunks.
#include "test/E2E/Golden.h"
#include "test/E2E/Plans.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

constexpr double kBar = 3e-5; // of the largest logit

class GoldenFloat32 : public testing::TestWithParam<std::string> {};

/// Padding rows of the vocabulary are found in the weights, not in golden.json.
void checkPadding(const TestModel &model, const Golden &golden) {
  std::vector<float> row(golden.vocabulary, 0.0f);
  for (size_t id = size_t(golden.tokensBelow); id < row.size(); ++id) row[id] = 1.0f;
  EXPECT_EQ(model.argmax(row), 0);
}

void checkCase(const TestModel &model, const GoldenCase &item, uint32_t vocabulary) {
  std::vector<size_t> chunks = {0, 64, 256};
  if (item.ids.size() <= 64) chunks = {0, 1, 7, 64};
  for (size_t chunk : chunks) {
    SCOPED_TRACE("chunk " + std::to_string(chunk));
    const std::vector<float> rows = selectRows(logitsOf(model, item.ids, chunk), item.positions, vocabulary);
    EXPECT_LE(largestRelative(rows, item.logits), kBar);
  }
  EXPECT_EQ(greedyTokens(model, item.ids, item.greedy.size()), item.greedy);
}

TEST_P(GoldenFloat32, LogitsAndGreedyTokens) {
  const Golden golden = loadGolden(GetParam());
  const std::vector<uint8_t> plan = compilePlan(golden.folder);
  for (const std::string &variant : hostVariants()) {
    const TestModel model(plan, golden.folder, variant);
    ASSERT_TRUE(model.ok());
    ASSERT_EQ(model.info().vocabulary, golden.vocabulary);
    checkPadding(model, golden);
    for (const GoldenCase &item : golden.cases) {
      SCOPED_TRACE(golden.name + " case " + std::to_string(item.index) + ", " + std::to_string(item.ids.size()) +
                   " tokens, " + variant);
      checkCase(model, item, golden.vocabulary);
    }
  }
}

std::string caseName(const testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  for (char &c : name)
    if (c == '-') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenFloat32, testing::ValuesIn(fixtureNames()), caseName);

} // namespace
} // namespace mmc::test
