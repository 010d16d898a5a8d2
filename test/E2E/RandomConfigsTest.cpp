// CPU plans of small random models, run by ragged schedules, against the float64 model interpreter.
//
// The suite "Quick" is part of every run; "Nightly" has the rest of 200 models. A failure prints the seed;
// `--gtest_filter=*/SEED` repeats it.
#include "test/E2E/Golden.h"
#include "test/E2E/RandomModels.h"
#include "test/E2E/RandomOracle.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

constexpr double kBar = 3e-5; // of the largest logit
constexpr int kQuick = 12, kAll = 200;

class RandomConfigs : public testing::TestWithParam<int> {};

TEST_P(RandomConfigs, Float32AgainstTheInterpreter) {
  const RandomModel random = drawModel(uint64_t(GetParam()));
  SCOPED_TRACE(random.summary());
  const Folder folder;
  const std::string config = folder.write("config.json", random.config());
  const std::vector<uint8_t> plan = compilePlan(config, random.plan);
  const auto oracle = Oracle::create(config, "random:1");
  ASSERT_FALSE(plan.empty());
  ASSERT_TRUE(oracle);
  const Schedule schedule = drawSchedule(random.seed, random.vocabulary);
  std::vector<OracleRows> reference;
  for (const auto &prompt : schedule.prompts) reference.push_back(oracle->run(prompt));
  for (const std::string &variant : hostVariants()) {
    const TestModel model(plan, "", variant);
    ASSERT_TRUE(model.ok());
    const auto rows = runSchedule(model, schedule);
    Agreement agreement;
    for (size_t s = 0; s < rows.size(); ++s) agreement.add(rows[s], reference[s]);
    EXPECT_LE(agreement.relative(), kBar) << variant << ": " << agreement.text();
    std::printf("%s, %s: %s\n", random.summary().c_str(), variant.c_str(), agreement.text().c_str());
  }
}

std::string seedName(const testing::TestParamInfo<int> &info) { return std::to_string(info.param); }
INSTANTIATE_TEST_SUITE_P(Quick, RandomConfigs, testing::Range(0, kQuick), seedName);
INSTANTIATE_TEST_SUITE_P(Nightly, RandomConfigs, testing::Range(kQuick, kAll), seedName);

// ------------------------------------------------------------------------------------------------ bfloat16

/// The median error of a bfloat16 plan, pooled over models, against that of the interpreter with the same rounding
/// points: the yardstick that an eager run is for the fixtures.
TEST(RandomConfigsBfloat16, MedianErrorAsTheRoundingPointsSay) {
  std::vector<double> actual, yardstick;
  for (uint64_t seed = 1000; seed < 1005; ++seed) {
    RandomModel random = drawModel(seed);
    random.plan.dtype = "bfloat16";
    SCOPED_TRACE(random.summary());
    const Folder folder;
    const std::string config = folder.write("config.json", random.config());
    const TestModel model(compilePlan(config, random.plan), "");
    const auto exact = Oracle::create(config, "random:1"), rounded = Oracle::create(config, "random:1", "bfloat16");
    ASSERT_TRUE(model.ok() && exact && rounded);
    const Schedule schedule = drawSchedule(seed, random.vocabulary);
    const auto rows = runSchedule(model, schedule);
    for (size_t s = 0; s < rows.size(); ++s) {
      const std::vector<double> reference = exact->run(schedule.prompts[s]).logits,
                                expected = rounded->run(schedule.prompts[s]).logits;
      const std::vector<float> narrow(reference.begin(), reference.end());
      auto append = [&](std::vector<double> &all, const std::vector<float> &values) {
        const auto errors = relativeL2(values, narrow, size_t(random.vocabulary));
        all.insert(all.end(), errors.begin(), errors.end());
      };
      append(actual, rows[s]);
      append(yardstick, {expected.begin(), expected.end()});
    }
  }
  EXPECT_LE(median(actual), 1.25 * median(yardstick));
  EXPECT_GT(median(actual), 1e-4) << "nothing was rounded";
  std::printf("median relative L2 %.3e, the interpreter's %.3e, %zu rows\n", median(actual), median(yardstick),
              actual.size());
}

// ------------------------------------------------------------------------------------------------ bitwise

class RandomBitwise : public testing::TestWithParam<int> {};

/// Chunks of whole recurrence blocks, neighbours, and threads change no bit of the logits, nor of state and KV.
TEST_P(RandomBitwise, ChunksNeighboursThreadsAndSnapshots) {
  RandomModel random = drawModel(uint64_t(GetParam()));
  random.plan.recurrenceBlock = GetParam() % 2 ? 32 : 64;
  random.plan.dtype = GetParam() % 3 ? "float32" : "bfloat16";
  SCOPED_TRACE(random.summary());
  const Folder folder;
  const TestModel model(compilePlan(folder.write("config.json", random.config()), random.plan), "");
  ASSERT_TRUE(model.ok());
  const std::vector<int32_t> ids =
      someTokens(3 * random.plan.recurrenceBlock + 21, int32_t(random.vocabulary), random.seed);
  const std::span prompt(ids);
  const size_t block = random.plan.recurrenceBlock, whole = ids.size() - 5;

  TestSession first(model, 1);
  const size_t sequence = first.add();
  std::vector<float> expected = first.feed(sequence, prompt.first(whole), whole);
  const std::vector<uint8_t> middle = first.snapshot(sequence);
  const std::vector<float> tail = first.feed(sequence, prompt.subspan(whole), 1);
  expected.insert(expected.end(), tail.begin(), tail.end());
  const std::vector<uint8_t> memory = first.snapshot(sequence);

  for (uint32_t threads : {1u, 2u, 0u})
    for (size_t chunk : {block, 2 * block, whole}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, chunks of " + std::to_string(chunk));
      TestSession session(model, threads, 3);
      const size_t left = session.add(), self = session.add(), right = session.add();
      std::vector<float> rows;
      size_t step = 0;
      auto feed = [&](std::span<const int32_t> tokens) {
        std::vector<TestSession::Entry> entries = {{self, tokens}};
        if (step % 3 != 2) entries.insert(entries.begin(), {left, prompt.subspan(step, 1 + step * 17 % 40)});
        if (step % 2) entries.push_back({right, prompt.subspan(step * 3, 1)});
        const auto results = session.step(entries);
        const auto &own = results[step % 3 != 2];
        rows.insert(rows.end(), own.begin(), own.end());
        ++step;
      };
      for (size_t begin = 0; begin < whole; begin += chunk) feed(prompt.subspan(begin, std::min(chunk, whole - begin)));
      EXPECT_EQ(session.snapshot(self), middle);
      for (size_t i = whole; i < ids.size(); ++i) feed(prompt.subspan(i, 1));
      EXPECT_TRUE(rows == expected);
      EXPECT_EQ(session.snapshot(self), memory);
    }

  TestSession second(model, 2, 2);
  const size_t other = second.add();
  second.feed(other, prompt.first(40), 7);
  mmc_sequence *restored = nullptr;
  ASSERT_EQ(take(mmc_sequence_restore(second.handle(), middle.data(), middle.size(), &restored)), "");
  const size_t self = second.adopt(restored);
  EXPECT_TRUE(second.feed(self, prompt.subspan(whole), 1) == tail);
  EXPECT_EQ(second.snapshot(self), memory);
}

INSTANTIATE_TEST_SUITE_P(Quick, RandomBitwise, testing::Range(2000, 2005), seedName);
INSTANTIATE_TEST_SUITE_P(Nightly, RandomBitwise, testing::Range(2005, 2025), seedName);

} // namespace
} // namespace mmc::test
