// Kernels in the released model's widths, with K cut to 512, on the emulated device: every launch of ragged steps
// against the tile interpreter in float64, once for each input; and the same input under other orders of threads,
// copies and streams, where every launch has to leave the same bits, so that what was interpreted holds for them too.
#include "test/E2E/RandomCheckpoint.h"
#include "test/E2E/ReleasedWidths.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace mmc::test {
namespace {

using Kernels = std::tuple<int64_t, std::string>; // channels of a head, family

const auto kKernels = testing::Combine(testing::Values(64, 128), testing::Values("portable", "sm_90a"));

std::string nameOf(const testing::TestParamInfo<Kernels> &info) {
  return std::to_string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
}

/// The lengths around the blocks of 64 rows and the tiles of 256, in an order of the seed's.
RaggedBatch lengthsAround(uint64_t seed) {
  RaggedBatch batch{{1, 63, 64, 65, 255, 256, 257}, 0, 66, seed};
  Draw draw(seed);
  for (size_t i = batch.lengths.size(); i-- > 1;)
    std::swap(batch.lengths[i], batch.lengths[size_t(draw.between(0, int64_t(i)))]);
  batch.longer = size_t(draw.between(0, int64_t(batch.lengths.size()) - 1));
  return batch;
}

/// The widths with two heads: more of them are more blocks of the same kernels.
std::vector<uint8_t> leanPlan(const Folder &folder, const Kernels &kernels, uint32_t tokens) {
  return compileForEmulation(folder, releasedWidths(std::get<0>(kernels), 2, 4), std::get<1>(kernels), tokens);
}

/// Interprets under the first order, with all checks, and holds the bits that the others leave against it.
void sweep(const std::vector<uint8_t> &plan, const RaggedBatch &batch, const std::vector<uint64_t> &seeds) {
  const BatchRun first = runBatch(plan, "", batch, {seeds.front(), true}, Replay::interpret);
  for (size_t i = 1; i < seeds.size() && !testing::Test::HasFatalFailure(); ++i) {
    SCOPED_TRACE("order " + std::to_string(seeds[i]));
    expectSameBits(first, runBatch(plan, "", batch, {seeds[i], false}, Replay::print));
  }
}

// ------------------------------------------------------------------------------------------------ lengths and seeds

using Input = std::tuple<int64_t, std::string, uint64_t>; // channels of a head, family, seed

class RaggedLengths : public testing::TestWithParam<Input> {};

// Another one of the five orders is interpreted for each input.
TEST_P(RaggedLengths, UnderFiveOrders) {
  const auto &[headDim, family, seed] = GetParam();
  const Folder folder;
  std::vector<uint64_t> seeds = {1, 2, 3, 4, 5};
  std::rotate(seeds.begin(), seeds.begin() + seed % 5, seeds.end());
  sweep(leanPlan(folder, {headDim, family}, 1024), lengthsAround(seed), seeds);
}

std::string nameOfInput(const testing::TestParamInfo<Input> &info) {
  const auto &[headDim, family, seed] = info.param;
  return std::to_string(headDim) + "_" + family + "_" + std::to_string(seed);
}

INSTANTIATE_TEST_SUITE_P(Nightly, RaggedLengths,
                         testing::Combine(testing::Values(64, 128), testing::Values("portable", "sm_90a"),
                                          testing::Range<uint64_t>(1, 21)),
                         nameOfInput);

/// A slice for every run: each length, head, family and a second order once, not in all combinations.
class RaggedSlice : public testing::TestWithParam<std::tuple<Kernels, RaggedBatch>> {};

TEST_P(RaggedSlice, UnderTwoOrders) {
  const auto &[kernels, batch] = GetParam();
  const Folder folder;
  sweep(leanPlan(folder, kernels, 512), batch, {6, 7});
}

const std::tuple<Kernels, RaggedBatch> kSlice[] = {{{64, "portable"}, {{1, 63}, 0, 2, 21}},
                                                   {{128, "portable"}, {{65}, 0, 1, 22}},
                                                   {{64, "sm_90a"}, {{64, 257}, 0, 3, 23}},
                                                   {{128, "sm_90a"}, {{255}, 0, 1, 24}}};

std::string nameOfSlice(const testing::TestParamInfo<std::tuple<Kernels, RaggedBatch>> &info) {
  return nameOf({std::get<0>(info.param), info.index});
}

INSTANTIATE_TEST_SUITE_P(Slice, RaggedSlice, testing::ValuesIn(kSlice), nameOfSlice);

class LongLengths : public testing::TestWithParam<Kernels> {};

TEST_P(LongLengths, UnderTwoOrders) {
  const Folder folder;
  sweep(leanPlan(folder, GetParam(), 5120), {{1000, 4097}, 0, 1, 31}, {1, 2});
}

INSTANTIATE_TEST_SUITE_P(Nightly, LongLengths, kKernels, nameOf);

// ------------------------------------------------------------------------------------------------ the same bits

class SameBits : public testing::TestWithParam<Kernels> {
protected:
  /// Watched, launch by launch, and as a service runs it.
  void expectSame(const RaggedBatch &batch, uint64_t orders) {
    const Folder folder;
    const auto plan = leanPlan(folder, GetParam(), 512);
    const BatchRun first = runBatch(plan, "", batch, {1, false}, Replay::print);
    for (uint64_t order = 1; order <= orders; ++order) {
      SCOPED_TRACE("order " + std::to_string(order));
      if (order > 1) expectSameBits(first, runBatch(plan, "", batch, {order, false}, Replay::print));
      EXPECT_EQ(first.logits, runBatchUnobserved(plan, "", batch, {order, order == 1}));
    }
  }
};

TEST_P(SameBits, UnderTwentyOrders) { expectSame({{257}, 0, 1, 41}, 20); }

INSTANTIATE_TEST_SUITE_P(Nightly, SameBits, kKernels, nameOf);

class SameBitsSlice : public SameBits {};

// Short prompts, then one more piece of a prompt beside a single token: on branches.
TEST_P(SameBitsSlice, UnderThreeOrders) { expectSame({{9, 5}, 0, 7, 42}, 3); }

INSTANTIATE_TEST_SUITE_P(Slice, SameBitsSlice, testing::Values(Kernels{128, "sm_90a"}), nameOf);

// ------------------------------------------------------------------------------------------------ experts

class OneExpert : public testing::TestWithParam<Kernels> {
protected:
  /// Rows of each expert in every launch that sorts.
  std::vector<std::vector<int32_t>> counts;

  LaunchReplay::Watcher counter(int64_t experts) {
    return [this, experts](std::span<const int32_t> values) {
      ASSERT_GT(int64_t(values.size()), experts);
      std::vector<int32_t> rows;
      for (size_t i = 0; i < size_t(experts); ++i) rows.push_back(values[i + 1] - values[i]);
      counts.push_back(std::move(rows));
    };
  }
};

TEST_P(OneExpert, TakesAllOrNone) {
  const auto &[headDim, family] = GetParam();
  for (int64_t topK : {1, 2}) {
    SCOPED_TRACE("of " + std::to_string(topK) + " experts per token");
    const RandomModel model = releasedWidths(headDim, 2, 8, topK);
    const Folder folder;
    RandomCheckpoint checkpoint(model, 11);
    checkpoint.favour(model, 5);
    checkpoint.write(folder);
    counts.clear();
    const auto plan = compileForEmulation(folder, model, family);
    runBatch(plan, folder.path(), {{65, 1}, 0, 3, 51}, {1, topK == 1}, Replay::interpret, counter(model.experts));
    ASSERT_EQ(counts.size(), 4u) << "launches that sort: two layers, two steps";
    for (size_t i = 0; i < counts.size(); ++i) {
      const int32_t tokens = i < 2 ? 66 : 4;
      std::vector<int32_t> expected(size_t(model.experts), 0);
      expected[5] = tokens;
      if (topK == 2) expected[0] = tokens; // the next best
      EXPECT_EQ(counts[i], expected) << "sort " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Routes, OneExpert, testing::Values(Kernels{64, "sm_90a"}), nameOf);
INSTANTIATE_TEST_SUITE_P(Nightly, OneExpert, kKernels, nameOf);

} // namespace
} // namespace mmc::test
