// Small steps are captured once per shape class and replayed: the same bits as launch by launch, with the true counts
// of each step, and nothing is launched by itself any more.
#include "test/Cuda/WrappedDriver.h"

namespace mmc::test {

namespace {

using Calls = std::map<std::string, uint64_t>;

/// The driver's calls of one step of so many tokens of a sequence, whose logits are right.
Calls callsOf(Session &session, Sequence *sequence, uint32_t seed, size_t tokens, Logits logits) {
  const std::vector<int32_t> all = tokensOf(seed, kMaxModelLen);
  const size_t begin = sequence->position;
  WrappedDriver::calls.clear();
  WrappedDriver::counting = true;
  const auto rows =
      runStep(session, sequence, {all.begin() + ptrdiff_t(begin), all.begin() + ptrdiff_t(begin + tokens)}, logits);
  WrappedDriver::counting = false;
  const auto expected = reference(1, {all.begin(), all.begin() + ptrdiff_t(begin + tokens)});
  const size_t first = logits == Logits::all ? begin : begin + tokens - 1;
  EXPECT_EQ(rows, std::vector(expected.begin() + ptrdiff_t(first), expected.end()));
  return WrappedDriver::calls;
}

TEST(DeviceGraph, AClassIsCapturedOnceAndReplayed) {
  auto session = tinySession(WrappedDriver::load());
  Sequence *one = *session->createSequence(), *other = *session->createSequence();
  Calls calls = callsOf(*session, one, 1, 7, Logits::last); // the second class: up to 8 tokens
  EXPECT_EQ(calls["cuStreamBeginCapture_v2"], 2u);          // body and head
  EXPECT_EQ(calls["cuGraphLaunch"], 2u);
  EXPECT_GT(calls["cuLaunchKernelEx"], 5u);
  // Fewer tokens, another sequence, other pages: the same graphs.
  calls = callsOf(*session, other, 2, 3, Logits::last);
  EXPECT_EQ(calls["cuStreamBeginCapture_v2"], 0u);
  EXPECT_EQ(calls["cuLaunchKernelEx"], 0u);
  EXPECT_EQ(calls["cuGraphLaunch"], 2u);
  // Another class has its own.
  calls = callsOf(*session, one, 1, 1, Logits::last);
  EXPECT_EQ(calls["cuStreamBeginCapture_v2"], 2u);
  calls = callsOf(*session, one, 1, 1, Logits::last);
  EXPECT_EQ(calls["cuStreamBeginCapture_v2"], 0u);
}

TEST(DeviceGraph, OnlyTheFirstRunOfTheHeadIsCaptured) {
  auto session = tinySession(WrappedDriver::load());
  Sequence *sequence = *session->createSequence();
  callsOf(*session, sequence, 1, 4, Logits::all); // the head runs over two rows at a time
  const Calls calls = callsOf(*session, sequence, 1, 7, Logits::all);
  EXPECT_EQ(calls.at("cuGraphLaunch"), 2u);
  EXPECT_EQ(calls.at("cuLaunchKernelEx"), 3u); // of four runs, for seven rows
}

// A class of at most 8 tokens of 2 sequences. A layer with a state has a launch over the sequences that prefill, no more
// than 2, and none over those that decode, which the step has not; one with a cache has one over rows and one over tiles
// of 3 of them, no more than (8 + 2 * 2) / 3 = 4.
TEST(DeviceGraph, GridsAreTheLargestOfTheClass) {
  auto session = tinySession(WrappedDriver::load());
  std::vector<unsigned> blocks;
  WrappedDriver::onLaunch = [&](const cuda::LaunchConfig &config) { blocks.push_back(config.gridX); };
  callsOf(*session, *session->createSequence(), 1, 2, Logits::last);
  WrappedDriver::onLaunch = {};
  EXPECT_EQ(blocks, (std::vector<unsigned>{8, 2, 8, 4, 2, 8, 4, 2, 3}));
}

TEST(DeviceGraph, NothingIsCapturedWhereEachLaunchIsWanted) {
  auto model = WrappedDriver::load();
  for (const SessionOptions &options : {SessionOptions{.cudaGraphs = false}, SessionOptions{.cudaSync = true}}) {
    auto session = tinySession(model, options);
    const Calls calls = callsOf(*session, *session->createSequence(), 1, 3, Logits::all);
    EXPECT_EQ(calls.count("cuStreamBeginCapture_v2"), 0u);
    EXPECT_GT(calls.at("cuLaunchKernelEx"), 5u);
  }
}

TEST(DeviceGraph, StepsOfManyTokensAreNotCaptured) {
  PlanTables tables = deviceTables();
  tables.maxNumBatchedTokens = 512;
  tables.entryPoints.push_back({512, kMaxSeqs, kMaxModelLen, 3, 32768, {512}});
  auto session = tinySession(WrappedDriver::load(tables));
  const Calls calls = callsOf(*session, *session->createSequence(), 1, 40, Logits::last);
  EXPECT_EQ(calls.count("cuStreamBeginCapture_v2"), 0u);
}

} // namespace

} // namespace mmc::test
