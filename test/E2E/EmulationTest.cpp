// Plans for the emulated device against the golden logits: the very CUDA sources that a GPU gets, run with all checks
// of the emulation, through the runtime's CUDA path. The bar is that of bfloat16 on the CPU, for whole prompts and for
// each chunking by itself.
#include "test/E2E/Bfloat16.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

constexpr size_t kMostTokens = 600;

std::vector<uint8_t> compileEmulated(const Golden &golden, const std::string &family) {
  PlanOptions options;
  options.dtype = "bfloat16";
  options.target = {"cuda-emu", {family}};
  options.maxNumBatchedTokens = 1024;
  return compilePlan(golden.folder, options);
}

using Parameters = std::tuple<std::string, std::string, size_t>; // fixture, family, chunk (0: whole prompts)

class Emulation : public testing::TestWithParam<Parameters> {};

TEST_P(Emulation, MedianError) {
  const auto &[name, family, chunk] = GetParam();
  const Golden golden = loadGolden(name);
  const TestModel model(compileEmulated(golden, family), golden.folder);
  ASSERT_TRUE(model.ok());
  const double error = pooledError(model, golden, chunk, chunk == 7 ? 64 : kMostTokens);
  RecordProperty("median_rel_l2", std::to_string(error));
  EXPECT_LE(error, 1.25 * (chunk == 7 ? golden.bf16MedianRelativeL2 : golden.bf16MedianRelativeL2Short));
}

std::string nameOf(const testing::TestParamInfo<Parameters> &info) {
  const auto &[fixture, family, chunk] = info.param;
  std::string name = fixture + "_" + family + "_" + (chunk ? std::to_string(chunk) : "whole");
  for (char &c : name)
    if (c == '-') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Emulation,
                         testing::Combine(testing::ValuesIn(fixtureNames()), testing::Values("portable", "sm_90a"),
                                          testing::Values(0, 64, 256, 7)),
                         nameOf);

class EmulationGreedy : public testing::TestWithParam<std::string> {};

TEST_P(EmulationGreedy, Demo) {
  const Golden golden = loadGolden("demo");
  const TestModel model(compileEmulated(golden, GetParam()), golden.folder);
  ASSERT_TRUE(model.ok());
  const auto reference = makeReference(golden);
  ASSERT_TRUE(reference);
  expectGreedy(model, golden, *reference, 8);
}

INSTANTIATE_TEST_SUITE_P(Families, EmulationGreedy, testing::Values("portable", "sm_90a"));

} // namespace
} // namespace mmc::test
