// Whole programs of tile launches in float64: an answer does not depend on which optional passes ran, on the block of
// the recurrence, on how a prompt is cut into steps, or on what else is in a step.
#include "test/Passes/ProgramTest.h"

using namespace mmc;
using namespace mmc::test;

namespace {

constexpr double kFloat64 = 1e-9; // of the largest logit
constexpr int32_t kVocabulary = 300;

class ModelToTile : public ProgramTest {
protected:
  /// The hybrid model as a program that rounds nowhere.
  mlir::OwningOpRef<mlir::ModuleOp> lowerWide(const PipelineOptions &options = {}) {
    auto module = lower("hybrid.mlir", options);
    interpreter::widenToFloat64(getProgram(*module));
    return module;
  }
};

TEST_F(ModelToTile, EachOptionalPassMayBeDisabled) {
  auto tokens = randomTokens(70, 1, kVocabulary);
  auto reference = lowerWide();
  std::vector<double> expected = runChunks(*makeSession(*reference), tokens, {66, 1});
  for (const char *target : {"cpu", "cuda"})
    for (const PassInfo &pass : getPassList()) {
      if (!pass.optional || (pass.onlyCuda && target != std::string("cuda"))) continue;
      PipelineOptions options;
      options.target = target;
      options.disabledPasses = {pass.name};
      auto module = lowerWide(options);
      EXPECT_LE(difference(runChunks(*makeSession(*module), tokens, {66, 1}), expected), kFloat64)
          << "for " << target << " without " << pass.name;
    }
}

/// What --list-passes calls bitwise, on the interpreter that rounds every operation to float32.
TEST_F(ModelToTile, BitwisePassesChangeNoBit) {
  auto tokens = randomTokens(40, 1, kVocabulary);
  auto precision = interpreter::TilePrecision::float32;
  for (const char *target : {"cpu", "cuda"}) {
    PipelineOptions options;
    options.target = target;
    auto reference = lower("hybrid.mlir", options);
    std::vector<double> expected = runChunks(*makeSession(*reference, precision), tokens, {39, 1});
    for (const PassInfo &pass : getPassList()) {
      if (!pass.bitwise || (pass.onlyCuda && target != std::string("cuda"))) continue;
      options.disabledPasses = {pass.name};
      auto module = lower("hybrid.mlir", options);
      EXPECT_EQ(runChunks(*makeSession(*module, precision), tokens, {39, 1}), expected)
          << "for " << target << " without " << pass.name;
    }
  }
}

TEST_F(ModelToTile, NothingFused) {
  auto tokens = randomTokens(70, 1, kVocabulary);
  auto reference = lowerWide();
  PipelineOptions options;
  for (const PassInfo &pass : getPassList())
    if (pass.optional) options.disabledPasses.push_back(pass.name);
  auto module = lowerWide(options);
  EXPECT_LE(difference(runChunks(*makeSession(*module), tokens, {66, 1}),
                       runChunks(*makeSession(*reference), tokens, {66, 1})),
            kFloat64);
}

TEST_F(ModelToTile, EveryRecurrenceBlock) {
  auto tokens = randomTokens(140, 2, kVocabulary);
  auto reference = lowerWide();
  std::vector<double> expected = runChunks(*makeSession(*reference), tokens, {tokens.size()});
  for (int64_t block : {32, 128}) {
    PipelineOptions options;
    options.recurrenceBlock = block;
    auto module = lowerWide(options);
    EXPECT_LE(difference(runChunks(*makeSession(*module), tokens, {tokens.size()}), expected), kFloat64)
        << "block " << block;
  }
}

/// Routes of more tokens than a tile of choices has, sorted by a work point per expert.
TEST_F(ModelToTile, LongPromptsAreSortedAlikeForCuda) {
  auto tokens = randomTokens(300, 13, kVocabulary);
  auto reference = lowerWide();
  PipelineOptions options;
  options.target = "cuda";
  auto module = lowerWide(options);
  EXPECT_LE(difference(runChunks(*makeSession(*module), tokens, {tokens.size()}),
                       runChunks(*makeSession(*reference), tokens, {tokens.size()})),
            kFloat64);
}

TEST_F(ModelToTile, ChunksAndSingleSteps) {
  auto tokens = randomTokens(75, 3, kVocabulary);
  auto module = lowerWide();
  std::vector<double> expected = runChunks(*makeSession(*module), tokens, {tokens.size()});
  for (std::vector<size_t> sizes : std::vector<std::vector<size_t>>{{64}, {13}, {70, 1}, {3, 66, 2}})
    EXPECT_LE(difference(runChunks(*makeSession(*module), tokens, sizes), expected), kFloat64)
        << "first chunk of " << sizes.front();
}

TEST_F(ModelToTile, ChunksOfWholeBlocksAreBitwiseEqual) {
  auto tokens = randomTokens(140, 4, kVocabulary);
  auto module = lower("hybrid.mlir", {});
  auto precision = interpreter::TilePrecision::float32;
  std::vector<double> expected = runChunks(*makeSession(*module, precision), tokens, {tokens.size()});
  EXPECT_EQ(runChunks(*makeSession(*module, precision), tokens, {64}), expected);
  EXPECT_EQ(runChunks(*makeSession(*module, precision), tokens, {128}), expected);
}

/// A decode step is bitwise what a prefill block of one row gives: row 64 as the one row of a second block, and as a
/// step of its own.
TEST_F(ModelToTile, DecodeIsBitwiseAPrefillOfOneRow) {
  auto tokens = randomTokens(65, 5, kVocabulary);
  auto module = lower("hybrid.mlir", {});
  auto precision = interpreter::TilePrecision::float32;
  std::vector<double> whole = runChunks(*makeSession(*module, precision), tokens, {65});
  EXPECT_EQ(runChunks(*makeSession(*module, precision), tokens, {64, 1}), whole);
}

TEST_F(ModelToTile, ASequenceDoesNotSeeItsNeighbours) {
  auto module = lower("hybrid.mlir", {});
  auto precision = interpreter::TilePrecision::float32;
  std::vector<std::vector<int32_t>> texts = {randomTokens(40, 6, kVocabulary), randomTokens(90, 7, kVocabulary),
                                             randomTokens(20, 8, kVocabulary)};
  auto together = makeSession(*module, precision);
  std::vector<std::vector<double>> joint(texts.size());
  // Ragged steps: sequence i has chunks of its own sizes; the last of them decodes all along.
  std::vector<std::vector<size_t>> cuts = {{40}, {64, 26}, {1, 1}};
  for (size_t round = 0; round < 2; ++round) {
    LaunchStep step;
    std::vector<size_t> rows;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (round >= cuts[i].size()) continue;
      size_t begin = 0;
      for (size_t r = 0; r < round; ++r) begin += cuts[i][r];
      step.sequences.push_back({static_cast<int64_t>(i),
                                static_cast<int64_t>(begin),
                                {texts[i].begin() + begin, texts[i].begin() + begin + cuts[i][round]}});
      for (size_t r = 0; r < cuts[i][round]; ++r) rows.push_back(i);
    }
    for (size_t r = 0; r < rows.size(); ++r) step.outputRows.push_back(static_cast<int32_t>(r));
    std::vector<double> logits = run(*together, step);
    for (size_t r = 0; r < rows.size(); ++r)
      joint[rows[r]].insert(joint[rows[r]].end(), logits.begin() + r * kVocabulary,
                            logits.begin() + (r + 1) * kVocabulary);
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    std::vector<int32_t> text(texts[i].begin(), texts[i].begin() + joint[i].size() / kVocabulary);
    EXPECT_EQ(runChunks(*makeSession(*module, precision), text, cuts[i], static_cast<int64_t>(i)), joint[i])
        << "sequence " << i;
  }
}

TEST_F(ModelToTile, OnlyTheWantedRowsGetLogits) {
  auto tokens = randomTokens(30, 9, kVocabulary);
  auto module = lowerWide();
  std::vector<double> all = run(*makeSession(*module), stepOf(tokens));
  LaunchStep step = stepOf(tokens);
  step.outputRows = {29, 4};
  std::vector<double> expected(all.begin() + 29 * kVocabulary, all.begin() + 30 * kVocabulary);
  expected.insert(expected.end(), all.begin() + 4 * kVocabulary, all.begin() + 5 * kVocabulary);
  EXPECT_EQ(run(*makeSession(*module), step), expected);
}

/// The table of cosines and sines in float32, at positions where a float32 angle would be off by a radian.
TEST_F(ModelToTile, RopeTableIsExactFarOut) {
  auto module = lower("hybrid.mlir", {});
  auto kernel = getProgram(*module).lookupSymbol<tile::KernelOp>("rope_table_8_theta10000000");
  ASSERT_TRUE(kernel);
  auto table = interpreter::TileInterpreter::create(kernel, interpreter::TilePrecision::float32);
  ASSERT_TRUE(mlir::succeeded(table));
  std::vector<int32_t> positions = {0, 1, 65535, 1048575, 10239999, 16777213};
  std::vector<float> cosines(positions.size() * 4), sines(positions.size() * 4);
  uint64_t words[] = {reinterpret_cast<uint64_t>(cosines.data()), reinterpret_cast<uint64_t>(sines.data()),
                      reinterpret_cast<uint64_t>(positions.data())};
  int64_t extents[] = {static_cast<int64_t>(positions.size())};
  ASSERT_TRUE(mlir::succeeded(table->run(words, extents)));
  for (size_t i = 0; i < positions.size(); ++i)
    for (int j = 0; j < 4; ++j) {
      long double angle = positions[i] * std::pow(1.0e7L, -2.0L * j / 8);
      EXPECT_NEAR(cosines[i * 4 + j], std::cos(angle), 1e-6) << positions[i] << ", pair " << j;
      EXPECT_NEAR(sines[i * 4 + j], std::sin(angle), 1e-6) << positions[i] << ", pair " << j;
    }
}

TEST_F(ModelToTile, BFloat16StaysNearFloat32) {
  auto tokens = randomTokens(40, 10, kVocabulary);
  PipelineOptions options;
  options.dtype = "bfloat16";
  auto rounded = lower("hybrid.mlir", options);
  auto reference = lowerWide();
  double error = difference(run(*makeSession(*rounded), stepOf(tokens)), run(*makeSession(*reference), stepOf(tokens)));
  EXPECT_GT(error, 1e-5) << "bfloat16 rounds somewhere";
  EXPECT_LT(error, 0.25);
}

} // namespace
