// Launches that the plan puts on branches: forked and joined where a step has work for both, the same answers, and a
// fork or a join that is left out is found.
#include "test/Cuda/WrappedDriver.h"

namespace mmc::test {

namespace {

constexpr uint64_t kForks = 3; // layers with a state
const SessionOptions kEager = {.cudaGraphs = false};

/// A step in which one sequence goes on by a token and another begins with five.
struct MixedStep {
  std::unique_ptr<Session> session;
  Sequence *going = nullptr;
  const std::vector<int32_t> first = tokensOf(1, 4), second = tokensOf(2, 5);

  MixedStep(std::shared_ptr<const Model> model, const SessionOptions &options)
      : session(tinySession(std::move(model), options)), going(*session->createSequence()) {
    runStep(*session, going, {first.begin(), first.end() - 1});
  }
  Status run() {
    const StepEntry entries[] = {{going, &first.back(), 1, Logits::all},
                                 {*session->createSequence(), second.data(), second.size(), Logits::all}};
    return session->step(entries);
  }
  void expectAnswers() {
    EXPECT_EQ(rowsOf(*session, 0), std::vector(1, reference(1, first).back()));
    EXPECT_EQ(rowsOf(*session, 1), reference(1, second));
  }
};

uint64_t counted(const std::string &symbol, const std::function<void()> &body) {
  WrappedDriver::calls.clear();
  WrappedDriver::counting = true;
  body();
  WrappedDriver::counting = false;
  return WrappedDriver::calls[symbol];
}

TEST(DeviceBranches, AStepOfBothKindsForksAndJoins) {
  for (const SessionOptions &options : {kEager, SessionOptions{}}) {
    MixedStep step(WrappedDriver::load(), options);
    EXPECT_EQ(counted("cuStreamWaitEvent", [&] { EXPECT_TRUE(step.run().ok()); }), 2 * kForks);
    step.expectAnswers();
  }
}

TEST(DeviceBranches, TheSecondBranchHasAStreamOfItsOwn) {
  MixedStep step(WrappedDriver::load(), kEager);
  std::vector<cuda::Stream> streams;
  WrappedDriver::onLaunch = [&](const cuda::LaunchConfig &config) { streams.push_back(config.stream); };
  EXPECT_TRUE(step.run().ok());
  WrappedDriver::onLaunch = {};
  // Embedding, recurrence twice, append, attention, and so on.
  EXPECT_EQ(streams[1], streams[0]);
  EXPECT_NE(streams[2], streams[0]);
  EXPECT_EQ(uint64_t(std::count(streams.begin(), streams.end(), streams[2])), kForks);
}

TEST(DeviceBranches, AStepOfOneKindHasNoFork) {
  for (const SessionOptions &options : {kEager, SessionOptions{}}) {
    auto session = tinySession(WrappedDriver::load(), options);
    Sequence *sequence = *session->createSequence();
    for (const size_t tokens : {5, 1, 1})
      EXPECT_EQ(counted("cuStreamWaitEvent", [&] { runStep(*session, sequence, tokensOf(1, tokens)); }), 0u);
  }
}

// All steps here are of one class, of up to 8 tokens and 2 sequences; the session's first one only prefills.
TEST(DeviceBranches, AGraphIsOfTheKindsThatAStepHas) {
  MixedStep step(WrappedDriver::load(), {});
  const auto launches = [](const std::function<void()> &body) { return counted("cuLaunchKernelEx", body); };
  // Embedding, two recurrences of three layers, two launches of the others; then two runs of the head after the first.
  EXPECT_EQ(launches([&] { EXPECT_TRUE(step.run().ok()); }), 1u + 3 * 2 + 2 * 2 + 2);
  Sequence *other = *step.session->createSequence();
  EXPECT_EQ(launches([&] { runStep(*step.session, other, tokensOf(3, 4), Logits::last); }), 0u);
  const int32_t token = 1;
  const StepEntry entries[] = {{step.going, &token, 1, Logits::none}, {other, &token, 1, Logits::none}};
  EXPECT_EQ(launches([&] { EXPECT_TRUE(step.session->step(entries).ok()); }), 1u + 3 + 2 * 2);
  EXPECT_EQ(launches([&] { EXPECT_TRUE(step.session->step(entries).ok()); }), 0u);
}

TEST(DeviceBranches, WatchedLaunchesRunInOrder) {
  MixedStep step(WrappedDriver::load(), {.cudaSync = true});
  EXPECT_EQ(counted("cuStreamWaitEvent", [&] { EXPECT_TRUE(step.run().ok()); }), 0u);
  step.expectAnswers();
}

TEST(DeviceBranches, WhateverTheOrder) {
  for (int seed = 0; seed < 8; ++seed)
    inEmulation({{"MMC_EMU_SEED", std::to_string(seed)}}, [] {
      for (const SessionOptions &options : {kEager, SessionOptions{}}) {
        MixedStep step(deviceModel(), options);
        EXPECT_TRUE(step.run().ok());
        step.expectAnswers();
      }
    });
}

// Waits in order: a fork and a join for each layer with a state. Each of them matters, whatever order the device
// happens to take; the session says that the step failed, and the emulation why.
TEST(DeviceBranches, AForkOrAJoinThatIsLeftOutIsFound) {
  for (uint64_t left = 0; left < 2 * kForks; ++left) {
    SCOPED_TRACE("wait " + std::to_string(left));
    inEmulation(
        {},
        [left] {
          MixedStep step(WrappedDriver::load(), kEager);
          WrappedDriver::dropsWait = [left, count = uint64_t(0)]() mutable { return count++ == left; };
          const Status status = step.run();
          WrappedDriver::dropsWait = {};
          // What comes behind the last join is the answer: the session finds the race when it waits for both streams.
          if (left + 1 < 2 * kForks) expectFailure(status, StatusCode::failed, {"step 2", "CUDA_ERROR_LAUNCH_FAILED"});
        },
        "race");
  }
}

TEST(DeviceBranches, AForkOrAJoinThatIsLeftOutOfACaptureIsFound) {
  for (uint64_t left = 0; left < 2 * kForks; ++left) {
    SCOPED_TRACE("wait " + std::to_string(left));
    MixedStep step(WrappedDriver::load(), {});
    WrappedDriver::dropsWait = [left, count = uint64_t(0)]() mutable { return count++ == left; };
    EXPECT_FALSE(step.run().ok());
    WrappedDriver::dropsWait = {};
  }
}

} // namespace

} // namespace mmc::test
