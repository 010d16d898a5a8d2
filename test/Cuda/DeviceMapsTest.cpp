// Kernels that get tensor maps: a session encodes them once, for the memory that each launch of each shape class binds;
// what cannot be encoded is a typed error that names the launch, and the next session works.
#include "test/Cuda/WrappedDriver.h"

namespace mmc::test {

namespace {

constexpr size_t kEmbed = 0, kAppend = 2;

/// The status of a session of a plan with these tables, which loads.
Status sessionOf(const PlanTables &tables) {
  auto model = deviceModel(devicePlan(tables));
  return model ? Session::create(model, {.maxSequences = 2}).status() : Status();
}

TEST(DeviceMaps, AnswersAreThoseOfPointers) {
  for (bool graphs : {true, false}) {
    SCOPED_TRACE(graphs);
    auto session = tinySession(deviceModel(devicePlan(mappedTables())), {.cudaGraphs = graphs});
    Sequence *sequence = *session->createSequence();
    const std::vector<int32_t> tokens = tokensOf(1, 26);
    std::vector<std::vector<float>> answers;
    // All three shape classes: each has its buffers elsewhere.
    for (auto [first, count] : {std::pair(0, 1), {1, 6}, {7, 18}, {25, 1}})
      for (auto &row : runStep(*session, sequence, {tokens.begin() + first, tokens.begin() + first + count}))
        answers.push_back(std::move(row));
    EXPECT_EQ(answers, reference(1, tokens));
  }
}

TEST(DeviceMaps, AreEncodedOnceForASession) {
  auto model = WrappedDriver::load(mappedTables());
  WrappedDriver::calls.clear();
  WrappedDriver::counting = true;
  auto session = tinySession(model);
  // In each of three classes one launch of the body and one in each of the two layers with a cache.
  EXPECT_EQ(WrappedDriver::calls["cuTensorMapEncodeTiled"], 9u);
  Sequence *sequence = *session->createSequence();
  for (size_t count : {1, 1, 9}) runStep(*session, sequence, tokensOf(2, count));
  WrappedDriver::counting = false;
  EXPECT_EQ(WrappedDriver::calls["cuTensorMapEncodeTiled"], 9u);
}

TEST(DeviceMaps, WhatTheEncoderRefusesNamesTheLaunch) {
  PlanTables t = mappedTables();
  // Room for a row from the middle of a piece of 16 bytes on, as far as the description goes.
  t.kernels[kAppend].interface[3].bytes = kWidth * 4 - 4;
  t.layerKinds[1].commands[0].launch.arguments[3].offset = 4;
  inEmulation(
      {},
      [&] {
        expectFailure(sessionOf(t), StatusCode::failed,
                      {"MMC-E0704",
                       "encoding the tensor map of 'hidden' for the launch of kernel 'mappedAppend' of program "
                       "'attention' in layer 1",
                       "cuTensorMapEncodeTiled failed: CUDA_ERROR_INVALID_VALUE"});
        EXPECT_TRUE(sessionOf(mappedTables()).ok());
      },
      "multiple of 16");
}

TEST(DeviceMaps, MemoryHoldsARow) {
  PlanTables t = mappedTables();
  t.kernels[kAppend].functions[0].maps[0].offset = 1 << 20;
  expectFailure(sessionOf(t), StatusCode::integrity,
                {"MMC-E0312", "the launch of kernel 'mappedAppend' of program 'attention' in layer 1",
                 "64 bytes holds no row, expected at least 1048608"});
  EXPECT_TRUE(sessionOf(mappedTables()).ok());
}

TEST(DeviceMaps, FunctionsHaveThePlansMaps) {
  PlanTables none = mappedTables(), more = mappedTables(), pointer = mappedTables();
  none.kernels[kEmbed].functions[0].maps.clear();
  expectFailure(loadDevice(devicePlan(none)), StatusCode::integrity,
                {"MMC-E0312", "'mappedEmbed__portable' has parameter 4 of 128 bytes at 128, expected 4 pointers"});
  more.kernels[kEmbed].functions[0].maps.resize(2, more.kernels[kEmbed].functions[0].maps[0]);
  expectFailure(loadDevice(devicePlan(more)), StatusCode::integrity,
                {"MMC-E0312", "'mappedEmbed__portable' has 5 parameters, expected 6"});
  pointer.kernels[1].functions[0].maps = {{1, DType::f32, 0, {kWidth}, {}, {kWidth}, 0}};
  expectFailure(loadDevice(devicePlan(pointer)), StatusCode::integrity,
                {"MMC-E0312", "'recur__portable' has 6 parameters, expected 7"});
}

} // namespace

} // namespace mmc::test
