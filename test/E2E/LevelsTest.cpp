// Every level of the ladder has a text that one can go on from: a plan made of it answers as the one made in one go.
#include "test/E2E/Plans.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace mmc::test {
namespace {

class Levels : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    folder = std::string(MMC_SOURCE_DIR) + "/test/Inputs/text01-prenorm";
    text = (std::filesystem::temp_directory_path() / (std::string("mmc-levels-") + GetParam() + ".mlir")).string();
  }
  void TearDown() override { std::filesystem::remove(text); }
  runtime::Status writeText(const CompileOptions &given) {
    CompileOptions options = given;
    options.stopAfter = GetParam();
    auto written = compileModelToMemory(folder, options);
    if (written.ok())
      std::ofstream(text).write(reinterpret_cast<const char *>(written->data()), std::streamsize(written->size()));
    return written.status();
  }
  std::string folder, text;
};

TEST_P(Levels, GoOnFromTheirText) {
  for (const char *dtype : {"float32", "bfloat16"}) {
    CompileOptions given;
    given.dtype = dtype;
    given.maxModelLen = 512;
    given.recurrenceBlock = 32;
    ASSERT_TRUE(writeText(given).ok());
    // What the text was lowered with need not be said again.
    CompileOptions options;
    options.cpuVariants = hostVariants();
    if (std::string(GetParam()) == "model") options = given, options.cpuVariants = hostVariants();
    auto fromText = compileModelToMemory(text, options);
    ASSERT_TRUE(fromText.ok()) << fromText.status().text();
    PlanOptions direct;
    direct.dtype = dtype;
    direct.maxModelLen = 512;
    direct.recurrenceBlock = 32;
    const TestModel one(*fromText, folder), other(compilePlan(folder, direct), folder);
    ASSERT_TRUE(one.ok() && other.ok());
    EXPECT_EQ(one.info().recurrence_block, 32u);
    EXPECT_EQ(one.info().max_model_len, 512u);
    const std::vector<int32_t> ids = someTokens(70, 128, 9);
    EXPECT_EQ(logitsOf(one, ids, 33), logitsOf(other, ids, 33));
  }
}

TEST_P(Levels, KeepWhatWasDecided) {
  if (std::string(GetParam()) == "model") GTEST_SKIP() << "nothing has been decided yet";
  ASSERT_TRUE(writeText({}).ok());
  const auto refused = [&](const char *flag, auto change) {
    CompileOptions options;
    change(options);
    auto plan = compileModelToMemory(text, options);
    ASSERT_FALSE(plan.ok()) << flag;
    EXPECT_NE(plan.status().text().find(flag), std::string::npos) << plan.status().text();
  };
  refused("--dtype", [](CompileOptions &options) { options.dtype = "bfloat16"; });
  refused("--max-model-len", [](CompileOptions &options) { options.maxModelLen = 100; });
  refused("--recurrence-block", [](CompileOptions &options) { options.recurrenceBlock = 32; });
  refused("--disable-pass", [](CompileOptions &options) { options.disabledPasses = {"FuseEpilogue"}; });
  refused("--stop-after", [](CompileOptions &options) { options.stopAfter = "model"; });
}

// Without the facts that the text carries there is no plan, and the message says what is missing.
TEST(LevelsText, WithoutItsFactsIsRefused) {
  const std::string folder = std::string(MMC_SOURCE_DIR) + "/test/Inputs/text01-prenorm",
                    text = (std::filesystem::temp_directory_path() / "mmc-levels-facts.mlir").string();
  CompileOptions options;
  options.stopAfter = "tile";
  auto tile = compileModelToMemory(folder, options);
  ASSERT_TRUE(tile.ok()) << tile.status().text();
  std::string changed(tile->begin(), tile->end());
  const size_t at = changed.find("lowered = {");
  ASSERT_NE(at, std::string::npos);
  changed.replace(at, 7, "lowerad");
  std::ofstream(text) << changed;
  auto plan = compileModelToMemory(text, {});
  std::filesystem::remove(text);
  ASSERT_FALSE(plan.ok());
  EXPECT_NE(plan.status().text().find("lowered"), std::string::npos) << plan.status().text();
}

INSTANTIATE_TEST_SUITE_P(All, Levels, testing::Values("model", "tile", "plan"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace mmc::test
