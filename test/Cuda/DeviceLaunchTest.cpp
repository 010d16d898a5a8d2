// What a step asks of the driver: the grid, block and shared memory of each launch, and no more copies than it needs.
#include "test/Cuda/WrappedDriver.h"

namespace mmc::test {

namespace {

/// grid x, grid y, threads, shared bytes
using Shape = std::array<unsigned, 4>;

/// The launches of one step of so many tokens, all of whose logits are wanted.
std::vector<Shape> launchesOf(const PlanTables &tables, size_t tokens) {
  auto session = tinySession(WrappedDriver::load(tables), {.cudaGraphs = false});
  std::vector<Shape> shapes;
  WrappedDriver::onLaunch = [&](const cuda::LaunchConfig &config) {
    EXPECT_EQ(config.gridZ * config.blockY * config.blockZ, 1u);
    shapes.push_back({config.gridX, config.gridY, config.blockX, config.sharedBytes});
  };
  EXPECT_EQ(runStep(*session, *session->createSequence(), tokensOf(1, tokens)), reference(1, tokensOf(1, tokens)));
  WrappedDriver::onLaunch = {};
  return shapes;
}

constexpr unsigned kShared = 3 * kWidth * 4 + (50 << 10);

TEST(DeviceLaunch, PointsAreBlocksAlongX) {
  // Seven tokens take the second class, where the head runs over two rows at a time; there are no decoding sequences,
  // so their list has no launch.
  const std::vector<Shape> layers = {{7, 1, 32, 0}, {1, 1, 32, 0}, {7, 1, 32, 0},       {3, 1, 96, kShared},
                                     {1, 1, 32, 0}, {7, 1, 32, 0}, {3, 1, 96, kShared}, {1, 1, 32, 0}};
  std::vector<Shape> expected = layers;
  for (int run = 0; run < 4; ++run) expected.push_back({3, 1, 32, 0});
  EXPECT_EQ(launchesOf(deviceTables(), 7), expected);
}

TEST(DeviceLaunch, BlocksAlongYShareRows) {
  auto heads = [](uint32_t step) {
    PlanTables t = deviceTables();
    t.kernels[4].functions[0].dealtStep = step;
    std::vector<Shape> shapes = launchesOf(t, 17); // the largest class: the head runs over three rows at a time
    return std::vector<Shape>(shapes.end() - 6, shapes.end());
  };
  const Shape one = {3, 1, 32, 0}, two = {3, 2, 32, 0}, three = {3, 3, 32, 0};
  EXPECT_EQ(heads(2), (std::vector<Shape>{two, two, two, two, two, one})); // the last run has two rows
  EXPECT_EQ(heads(1), (std::vector<Shape>{three, three, three, three, three, two}));
  // With one multiprocessor eight blocks are enough: three along x and two along y.
  inEmulation({{"MMC_EMU_SMS", "1"}}, [&] { EXPECT_EQ(heads(1), (std::vector<Shape>{two, two, two, two, two, two})); });
}

TEST(DeviceLaunch, AStepCopiesItsRecordAndTheEntriesOfNewPages) {
  auto session = tinySession(WrappedDriver::load());
  Sequence *first = *session->createSequence(), *second = *session->createSequence();
  auto copies = [&](size_t of, size_t other) {
    const std::vector<int32_t> tokens = tokensOf(1, 32);
    const StepEntry entries[] = {{first, tokens.data(), of, Logits::last},
                                 {second, tokens.data(), other, Logits::none}};
    WrappedDriver::calls.clear();
    WrappedDriver::counting = true;
    EXPECT_TRUE(session->step({entries, other ? 2u : 1u}).ok());
    WrappedDriver::counting = false;
    EXPECT_EQ(WrappedDriver::calls["cuMemcpyDtoHAsync_v2"], 1u); // the logits
    EXPECT_EQ(WrappedDriver::calls["cuStreamSynchronize"], 1u);
    return WrappedDriver::calls["cuMemcpyHtoDAsync_v2"];
  };
  EXPECT_EQ(copies(3, 4), 3u); // both take pages
  EXPECT_EQ(copies(1, 0), 1u); // position 4: the page is full
  EXPECT_EQ(copies(1, 0), 2u); // the next one
  EXPECT_EQ(copies(3, 1), 2u); // up to 8: only the second sequence takes one
}

TEST(DeviceLaunch, WhatIsAllocatedIsFreed) {
  auto &calls = WrappedDriver::calls;
  calls.clear();
  WrappedDriver::counting = true;
  auto model = WrappedDriver::load();
  const uint64_t ofModel = calls["cuMemAlloc_v2"];
  for (int i = 0; i < 2; ++i) {
    auto session = tinySession(model);
    runStep(*session, *session->createSequence(), tokensOf(1, 3));
  }
  // The sessions' memory has gone, the model's is there.
  EXPECT_GT(calls["cuMemAlloc_v2"], ofModel);
  EXPECT_EQ(calls["cuMemFree_v2"], calls["cuMemAlloc_v2"] - ofModel);
  EXPECT_EQ(calls["cuModuleUnload"], 0u);
  model.reset();
  WrappedDriver::counting = false;
  for (const auto &[makes, frees] : {std::pair("cuMemAlloc_v2", "cuMemFree_v2"),
                                     {"cuMemHostAlloc", "cuMemFreeHost"},
                                     {"cuStreamCreateWithPriority", "cuStreamDestroy_v2"},
                                     {"cuModuleLoadDataEx", "cuModuleUnload"},
                                     {"cuStreamEndCapture", "cuGraphDestroy"},
                                     {"cuGraphInstantiateWithFlags", "cuGraphExecDestroy"},
                                     {"cuDevicePrimaryCtxRetain", "cuDevicePrimaryCtxRelease_v2"}}) {
    EXPECT_GT(calls[makes], 0u) << makes;
    EXPECT_EQ(calls[makes], calls[frees]) << makes;
  }
}

} // namespace

} // namespace mmc::test
