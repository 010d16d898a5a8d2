// Kernels in the released model's widths, with K cut to 512 and few heads, on the emulated device: every launch of
// ragged steps against the tile interpreter in float64. Heads of 64 and 128 are those that products of warpgroups are
// made for.
#include "test/E2E/ReleasedWidths.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

using Parameters = std::tuple<int64_t, std::string, uint32_t>; // channels of a head, family, recurrence block

class ReleasedWidths : public testing::TestWithParam<Parameters> {};

TEST_P(ReleasedWidths, RaggedSteps) {
  const auto &[headDim, family, block] = GetParam();
  Folder folder;
  const std::vector<uint8_t> plan = compileForEmulation(folder, releasedWidths(headDim), family, 512, block);
  const TestModel model(plan, "");
  ASSERT_TRUE(model.ok());
  const std::vector<size_t> lengths = {65, 1, 150, 64, 63};
  TestSession session(model, 1, uint32_t(lengths.size()));
  LaunchReplay replay(session.handle(), plan, uint32_t(lengths.size()));
  std::vector<std::vector<int32_t>> tokens;
  for (size_t i = 0; i < lengths.size(); ++i) {
    session.add();
    tokens.push_back(someTokens(lengths[i], 512, i));
  }
  // Prompts, then single tokens beside what is left of one prompt, which has a history then.
  std::vector<TestSession::Entry> prompts, rest;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const std::span<const int32_t> all = tokens[i];
    prompts.push_back({i, i == 2 ? all.first(100) : all});
    rest.push_back({i, i == 2 ? all.subspan(100) : all.first(1)});
  }
  session.step(prompts);
  session.step(rest);
  expectLockstep(replay, 1e-2); // the router rounds what it normalises
  EXPECT_EQ(replay.unused(), std::vector<std::string>()) << "kernels that neither step ran";
}

std::string nameOf(const testing::TestParamInfo<Parameters> &info) {
  const auto &[headDim, family, block] = info.param;
  return std::to_string(headDim) + "_" + family + "_" + std::to_string(block);
}

INSTANTIATE_TEST_SUITE_P(Heads, ReleasedWidths,
                         testing::Combine(testing::Values(64, 128), testing::Values("portable", "sm_90a"),
                                          testing::Values(64)),
                         nameOf);
// Blocks of other sizes mix products of warps and of warpgroups, or have no room for roles.
INSTANTIATE_TEST_SUITE_P(Blocks, ReleasedWidths,
                         testing::Combine(testing::Values(64), testing::Values("sm_90a"), testing::Values(32, 128)),
                         nameOf);

} // namespace
} // namespace mmc::test
