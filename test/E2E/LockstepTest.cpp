// Lockstep: every launch of one prefill step and of one decode step after it, on the inputs that it really had, against
// the tile interpreter in float64 with rounding only where the tile program says so.
#include "test/E2E/Golden.h"
#include "test/E2E/LaunchReplay.h"
#include "test/E2E/Plans.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

using Parameters = std::tuple<std::string, std::string, std::string>; // fixture, dtype, target

class Lockstep : public testing::TestWithParam<Parameters> {};

/// The longest case of at most 64 tokens.
const GoldenCase &prompt(const Golden &golden) {
  const GoldenCase *chosen = &golden.cases.front();
  for (const GoldenCase &item : golden.cases)
    if (item.ids.size() <= 64 && item.ids.size() > chosen->ids.size()) chosen = &item;
  return *chosen;
}

TEST_P(Lockstep, PrefillAndDecode) {
  const auto &[name, dtype, target] = GetParam();
  const Golden golden = loadGolden(name);
  PlanOptions options;
  options.dtype = dtype;
  if (target != "cpu") options.target = {"cuda-emu", {target}};
  options.maxModelLen = 256;
  options.maxNumBatchedTokens = 64;
  const std::vector<uint8_t> plan = compilePlan(golden.folder, options);
  for (const std::string &variant : target == "cpu" ? hostVariants() : std::vector<std::string>{""}) {
    SCOPED_TRACE(variant);
    const TestModel model(plan, golden.folder, variant);
    ASSERT_TRUE(model.ok());
    TestSession session(model, 1, 2);
    session.add();
    const size_t sequence = session.add(); // not the first slot
    LaunchReplay replay(session.handle(), plan, 2);
    const std::vector<int32_t> &ids = prompt(golden).ids;
    session.feed(sequence, ids, ids.size());
    const int32_t next = 7;
    session.feed(sequence, {&next, 1}, 1);
    expectLockstep(replay);
    EXPECT_EQ(replay.unused(), std::vector<std::string>()) << "kernels that neither step ran";
  }
}

std::string caseName(const testing::TestParamInfo<Parameters> &info) {
  std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param) + "_" + std::get<2>(info.param);
  for (char &c : name)
    if (c == '-') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Lockstep,
                         testing::Combine(testing::ValuesIn(fixtureNames()), testing::Values("float32", "bfloat16"),
                                          testing::Values("cpu")),
                         caseName);
#ifdef MMC_HAS_EMULATION
INSTANTIATE_TEST_SUITE_P(Emulation, Lockstep,
                         testing::Combine(testing::ValuesIn(fixtureNames()), testing::Values("bfloat16"),
                                          testing::Values("portable", "sm_90a")),
                         caseName);

class LongLockstep : public testing::TestWithParam<std::string> {};

// A prompt of two segments beside one of a few tokens, and a decode step whose positions are three parts beside one.
TEST_P(LongLockstep, SegmentsAndParts) {
  const Golden golden = loadGolden("text01-tiny");
  PlanOptions options;
  options.dtype = "bfloat16";
  options.target = {"cuda-emu", {GetParam()}};
  options.maxModelLen = 2048;
  options.maxNumBatchedTokens = 2048;
  const std::vector<uint8_t> plan = compilePlan(golden.folder, options);
  const TestModel model(plan, golden.folder, "");
  ASSERT_TRUE(model.ok());
  TestSession session(model, 1, 2);
  const size_t shorter = session.add(), longer = session.add();
  LaunchReplay replay(session.handle(), plan, 2);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 1100; ++i) ids.push_back(i * 37 % 320);
  session.feed(longer, ids, ids.size());
  session.feed(shorter, {ids.data(), 5}, 5);
  for (size_t sequence : {longer, shorter}) session.feed(sequence, {ids.data(), 1}, 1);
  expectLockstep(replay);
  size_t seen = 0;
  for (const auto &[kernel, difference] : replay.differences())
    for (const char *wanted : {"lightning_segments2_", "lightning_prefill_s2_", "attention_decode_p4_",
                               "attention_combine_p4_"})
      seen += kernel.starts_with(wanted);
  EXPECT_EQ(seen, 4u) << "the kernels that this is about";
}

INSTANTIATE_TEST_SUITE_P(Emulation, LongLockstep, testing::Values("portable", "sm_90a"),
                         [](const auto &info) { return info.param; });
#endif

} // namespace
} // namespace mmc::test
