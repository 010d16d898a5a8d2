// Properties of compilation that only whole plans show: byte-identical plans, and optional passes that change answers
// by rounding only.
#include "passes/Pipelines/Pipelines.h"
#include "test/E2E/Golden.h"
#include "test/E2E/Plans.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

TEST(Compile, SameInputSamePlan) {
  const std::string folder = std::string(MMC_SOURCE_DIR) + "/test/Inputs/text01-prenorm";
  for (const char *dtype : {"float32", "bfloat16"}) {
    PlanOptions options;
    options.dtype = dtype;
    const std::vector<uint8_t> first = compilePlan(folder, options), second = compilePlan(folder, options);
    EXPECT_FALSE(first.empty());
    EXPECT_TRUE(first == second) << dtype;
  }
  PlanOptions other;
  other.maxModelLen = 2048;
  EXPECT_FALSE(compilePlan(folder) == compilePlan(folder, other));
}

class DisabledPass : public testing::TestWithParam<std::string> {};

// Every fixture has kernels that others lack; the shorter cases see all of them.
TEST_P(DisabledPass, AnswersStay) {
  PlanOptions options;
  options.disabledPasses = {GetParam()};
  for (const std::string &name : fixtureNames()) {
    const Golden golden = loadGolden(name);
    const TestModel model(compilePlan(golden.folder, options), golden.folder);
    ASSERT_TRUE(model.ok());
    for (const GoldenCase &item : golden.cases) {
      if (item.ids.size() > 300) continue;
      SCOPED_TRACE(name + " case " + std::to_string(item.index));
      const std::vector<float> rows = selectRows(logitsOf(model, item.ids), item.positions, golden.vocabulary);
      EXPECT_LE(largestRelative(rows, item.logits), 3e-5);
      EXPECT_EQ(greedyTokens(model, item.ids, item.greedy.size()), item.greedy);
    }
  }
}

std::vector<std::string> optionalPasses() {
  std::vector<std::string> names;
  for (const PassInfo &pass : getPassList())
    if (pass.optional) names.push_back(pass.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Optional, DisabledPass, testing::ValuesIn(optionalPasses()),
                         [](const auto &info) { return info.param; });

// Passes marked bitwise change no bit.
TEST(Compile, BitwisePassesChangeNothing) {
  const Golden golden = loadGolden("text01-tiny");
  const TestModel model(compilePlan(golden.folder), golden.folder);
  for (const PassInfo &pass : getPassList()) {
    if (!pass.optional || !pass.bitwise) continue;
    PlanOptions options;
    options.disabledPasses = {pass.name};
    const TestModel without(compilePlan(golden.folder, options), golden.folder);
    EXPECT_TRUE(logitsOf(without, golden.cases[3].ids) == logitsOf(model, golden.cases[3].ids)) << pass.name;
  }
}

} // namespace
} // namespace mmc::test
