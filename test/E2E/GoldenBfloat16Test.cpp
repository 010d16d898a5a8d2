// CPU plans in bfloat16 against the golden logits: the median relative L2 error over a fixture's golden positions stays
// within 1.25 of what an eager bfloat16 run of the same model shows. The demo's greedy tokens are the golden ones, or
// part from them where two tokens are as good as tied.
#include "test/E2E/Bfloat16.h"

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
    const double error = pooledError(model, golden);
    EXPECT_LE(error, 1.25 * golden.bf16MedianRelativeL2) << golden.name << ", " << variant;
    RecordProperty("median_rel_l2_" + variant, std::to_string(error));
  }
}

std::string caseName(const testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  for (char &c : name)
    if (c == '-') c = '_';
  return name;
}

// Each variant rounds in its own places, so each may part elsewhere.
TEST(GoldenBfloat16Greedy, Demo) {
  const Golden golden = loadGolden("demo");
  PlanOptions options;
  options.dtype = "bfloat16";
  const std::vector<uint8_t> plan = compilePlan(golden.folder, options);
  const auto reference = makeReference(golden);
  ASSERT_TRUE(reference);
  const std::vector<std::string> variants = hostVariants();
  ASSERT_FALSE(variants.empty());
  for (const std::string &variant : variants) {
    SCOPED_TRACE(variant);
    const TestModel model(plan, golden.folder, variant);
    ASSERT_TRUE(model.ok());
    expectGreedy(model, golden, *reference);
    RecordProperty(variant, "checked");
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenBfloat16, testing::ValuesIn(fixtureNames()), caseName);

} // namespace
} // namespace mmc::test
