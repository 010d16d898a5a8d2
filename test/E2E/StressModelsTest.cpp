// Models at the edges, whole, against the float64 model interpreter: the released shapes cut to what a test affords,
// experts that get every row or none, and hand-written models that are no MiniMax.
#include "test/E2E/Golden.h"
#include "test/E2E/RandomCheckpoint.h"
#include "test/E2E/RandomOracle.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace mmc::test {
namespace {

constexpr double kBar = 3e-5; // of the largest logit

/// Prompts of these lengths in one step, then a decode step of all.
Schedule prefillThenDecode(std::vector<size_t> lengths, int32_t vocabulary) {
  Schedule schedule;
  schedule.slots = uint32_t(lengths.size());
  schedule.steps.resize(2);
  for (size_t s = 0; s < lengths.size(); ++s) {
    schedule.prompts.push_back(someTokens(lengths[s] + 1, vocabulary, 40 + s));
    schedule.steps[0].push_back({s, 0, lengths[s]});
    schedule.steps[1].push_back({s, lengths[s], 1});
  }
  return schedule;
}

/// The plan of `input` on every host variant, by the schedule, against the interpreter. `weights`: a folder, or empty
/// for random ones.
void check(const std::vector<uint8_t> &plan, const std::string &input, const std::string &weights,
           const Schedule &schedule) {
  std::vector<OracleRows> reference;
  {
    const auto oracle = Oracle::create(input, weights.empty() ? "random:1" : weights);
    ASSERT_TRUE(oracle);
    for (const auto &prompt : schedule.prompts) reference.push_back(oracle->run(prompt));
  }
  for (const std::string &variant : hostVariants()) {
    const TestModel model(plan, weights, variant);
    ASSERT_TRUE(model.ok());
    const auto rows = runSchedule(model, schedule);
    Agreement agreement;
    for (size_t s = 0; s < rows.size(); ++s) agreement.add(rows[s], reference[s]);
    EXPECT_LE(agreement.relative(), kBar) << variant;
    EXPECT_GT(agreement.rows, agreement.leftOut) << agreement.text();
    std::printf("%s: %s\n", variant.c_str(), agreement.text().c_str());
  }
}

// ------------------------------------------------------------------------------------------------ released shapes

RandomModel released() {
  RandomModel model;
  model.hidden = 6144, model.headDim = 128, model.rotaryDim = 64, model.ropeTheta = 1e7, model.heads = 2,
  model.kvHeads = 1, model.vocabulary = 128;
  model.scales = {3.5565588200778455, 1, 3.5565588200778455, 1, 3.5565588200778455, 1};
  return model;
}

/// Both attentions with two heads of 128 at width 6144.
RandomModel releasedAttention() {
  RandomModel model = released();
  model.kinds = {0, 1}, model.layers = 2, model.intermediate = 128, model.experts = 3, model.topK = 2;
  return model;
}

TEST(ReleasedShapes, TwoHeads) {
  const Folder folder;
  const std::string config = folder.write("config.json", releasedAttention().config());
  check(compilePlan(config), config, "", prefillThenDecode({65, 5, 1}, 128));
}

TEST(ReleasedShapes, TwoHeadsInBfloat16) {
  const Folder folder;
  const std::string config = folder.write("config.json", releasedAttention().config());
  PlanOptions options;
  options.dtype = "bfloat16";
  const std::vector<uint8_t> plan = compilePlan(config, options);
  const Schedule schedule = prefillThenDecode({65, 5, 1}, 128);
  const auto exact = Oracle::create(config, "random:1"), rounded = Oracle::create(config, "random:1", "bfloat16");
  ASSERT_TRUE(exact && rounded);
  std::vector<float> reference, expected;
  for (const auto &prompt : schedule.prompts) {
    const std::vector<double> a = exact->run(prompt).logits, b = rounded->run(prompt).logits;
    reference.insert(reference.end(), a.begin(), a.end()), expected.insert(expected.end(), b.begin(), b.end());
  }
  const double yardstick = median(relativeL2(expected, reference, 128));
  for (const std::string &variant : hostVariants()) {
    const TestModel model(plan, "", variant);
    ASSERT_TRUE(model.ok());
    std::vector<float> rows;
    for (const auto &part : runSchedule(model, schedule)) rows.insert(rows.end(), part.begin(), part.end());
    const double error = median(relativeL2(rows, reference, 128));
    EXPECT_LE(error, 1.25 * yardstick) << variant;
    std::printf("%s: median relative L2 %.3e, the interpreter's %.3e\n", variant.c_str(), error, yardstick);
  }
}

TEST(ReleasedShapes, OneExpert) {
  RandomModel model = released();
  model.kinds = {0}, model.layers = 1, model.intermediate = 9216, model.experts = 1, model.topK = 1;
  const Folder folder;
  const std::string config = folder.write("config.json", model.config());
  check(compilePlan(config), config, "", prefillThenDecode({49, 5, 1}, 128));
}

// ------------------------------------------------------------------------------------------------ experts

class OneExpertTakesAll : public testing::TestWithParam<int64_t> {};

TEST_P(OneExpertTakesAll, TheOthersAreEmpty) {
  RandomModel model;
  model.kinds = {0, 1}, model.layers = 2, model.experts = 7, model.topK = GetParam();
  model.scales = {2, 1, 2, 1, 2, 1};
  const Folder folder;
  const std::vector<uint8_t> plan = compilePlan(folder.write("config.json", model.config()));
  for (int64_t favourite : {0, 3, 6}) {
    SCOPED_TRACE("expert " + std::to_string(favourite));
    RandomCheckpoint checkpoint(model, 11);
    checkpoint.favour(model, favourite);
    checkpoint.write(folder);
    check(plan, folder.path(), folder.path(), prefillThenDecode({100, 50, 3, 1}, 320));
  }
}
INSTANTIATE_TEST_SUITE_P(TopK, OneExpertTakesAll, testing::Values(1, 2, 7),
                         [](const auto &info) { return std::to_string(info.param); });

// ------------------------------------------------------------------------------------------------ hand-written models

std::vector<std::string> handWrittenModels() {
  std::vector<std::string> models;
  for (const char *folder : {"/examples/models", "/test/Inputs/models"}) {
    std::error_code error;
    for (const auto &entry : std::filesystem::directory_iterator(MMC_SOURCE_DIR + std::string(folder), error))
      if (entry.path().extension() == ".mlir") models.push_back(entry.path().string());
  }
  std::sort(models.begin(), models.end());
  return models;
}

class HandWritten : public testing::TestWithParam<std::string> {};

TEST_P(HandWritten, RandomWeightsAgainstTheInterpreter) {
  check(compilePlan(GetParam()), GetParam(), "", prefillThenDecode({70, 17, 1}, 60));
}

INSTANTIATE_TEST_SUITE_P(Models, HandWritten, testing::ValuesIn(handWrittenModels()),
                         [](const auto &info) { return std::filesystem::path(info.param).stem().string(); });

} // namespace
} // namespace mmc::test
