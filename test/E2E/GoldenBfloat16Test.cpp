// CPU plans in bfloat16 against the golden logits: the median relative L2 error over a fixture's golden positions stays within 1.25 of what an eager
// bfloat16 run of the same model shows.
#include "test/E2E/Golden.h"
#include "test/E2E/Plans.h"

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

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenBfloat16, testing::ValuesIn(fixtureNames()), caseName);

} // namespace
} // namespace mmc::test
