// Properties of compilation that only whole plans show: byte-identical plans, and optional passes that change answers
// by rounding only.
#include "passes/Pipelines/Pipelines.h"
#include "test/E2E/Golden.h"
#include "test/E2E/Plans.h"

#include <cstring>
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

/// The list marks a pass bitwise where switching it off changes no bit of a float32 answer.
bool isBitwise(const std::string &name) {
  for (const PassInfo &pass : getPassList())
    if (name == pass.name) return pass.bitwise;
  ADD_FAILURE() << name << " is not in the list";
  return false;
}

/// Equal bits: NaN equals itself, and 0 is not -0.
bool sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return !a.empty() && a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

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

// The comparison sees rounding: another block of the recurrence adds up in another order.
TEST(Compile, AnotherOrderOfSumsChangesBits) {
  const Golden golden = loadGolden("text01-tiny");
  PlanOptions options;
  options.recurrenceBlock = 32;
  const TestModel model(compilePlan(golden.folder), golden.folder),
      other(compilePlan(golden.folder, options), golden.folder);
  ASSERT_TRUE(model.ok() && other.ok());
  const std::vector<int32_t> ids = someTokens(100, golden.tokensBelow, 1);
  EXPECT_TRUE(sameBits(logitsOf(model, ids), logitsOf(model, ids)));
  EXPECT_FALSE(sameBits(logitsOf(model, ids), logitsOf(other, ids)));
}

// All rows of whole prompts and of tokens fed one by one, which other kernels compute, on each variant of the machine.
TEST_P(DisabledPass, BitsStayWhereTheListSaysSo) {
  if (!isBitwise(GetParam())) GTEST_SKIP() << "answers may change by rounding";
  PlanOptions options;
  options.disabledPasses = {GetParam()};
  for (const std::string &name : fixtureNames()) {
    const Golden golden = loadGolden(name);
    const std::vector<uint8_t> plan = compilePlan(golden.folder), without = compilePlan(golden.folder, options);
    EXPECT_FALSE(plan == without) << name << ": the pass did nothing";
    for (const std::string &variant : hostVariants()) {
      const TestModel fused(plan, golden.folder, variant), unfused(without, golden.folder, variant);
      ASSERT_TRUE(fused.ok() && unfused.ok());
      for (const GoldenCase &item : golden.cases) {
        if (item.ids.size() > 300) continue;
        SCOPED_TRACE(name + " case " + std::to_string(item.index) + ", " + variant);
        EXPECT_TRUE(sameBits(logitsOf(fused, item.ids), logitsOf(unfused, item.ids)));
        if (item.ids.size() <= 64) EXPECT_TRUE(sameBits(logitsOf(fused, item.ids, 1), logitsOf(unfused, item.ids, 1)));
      }
    }
  }
}

std::vector<std::string> optionalPasses() {
  std::vector<std::string> names;
  for (const PassInfo &pass : getPassList())
    if (pass.optional && !pass.onlyCuda) names.push_back(pass.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Optional, DisabledPass, testing::ValuesIn(optionalPasses()),
                         [](const auto &info) { return info.param; });

} // namespace
} // namespace mmc::test
