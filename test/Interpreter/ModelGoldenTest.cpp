// The model interpreter against the fixtures' golden logits, which two independent implementations made: float64 to
// 1e-6 of the largest logit, before and after the passes that may not change the mathematics; in chunks and among other
// sequences; after AssignPrecision within what an eager bfloat16 run shows.
#include "dialects/Model/IR/Model.h"
#include "dialects/Model/Transforms/Passes.h"
#include "lib/Import/Import.h"
#include "lib/Interpreter/ModelInterpreter.h"
#include "test/Interpreter/Golden.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace mmc;
using namespace mmc::interpreter;
using mmc::test::Golden;
using mmc::test::GoldenCase;

namespace {

const std::string kInputs = std::string(MMC_SOURCE_DIR) + "/test/Inputs/";

/// One fixture, imported.
struct Model {
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<ModelInterpreter> interpreter;

  explicit Model(const std::string &name, ModelPrecision precision, const std::string &dtype = "",
                 bool decompose = false) {
    mlir::DialectRegistry registry;
    model::registerModelDialect(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    auto imported = import::importModel(context, kInputs + name);
    EXPECT_TRUE(imported.ok()) << imported.status().text();
    if (!imported.ok()) return;
    module = std::move(imported->module);
    mlir::PassManager passes(&context);
    if (decompose) passes.nest<model::ProgramOp>().addPass(model::createDecomposeExperts());
    if (!dtype.empty()) passes.nest<model::ProgramOp>().addPass(model::createAssignPrecision({dtype}));
    EXPECT_TRUE(succeeded(passes.run(*module)));
    auto weights = openWeights(kInputs + name);
    EXPECT_TRUE(weights.ok()) << weights.status().text();
    auto created =
        ModelInterpreter::create(*module->getOps<model::ProgramOp>().begin(), std::move(*weights), precision);
    EXPECT_TRUE(created.ok()) << created.status().text();
    interpreter = std::move(*created);
  }

  /// The logits of the case's positions, the prompt fed in chunks of `chunk` tokens (0: at once).
  std::vector<double> run(const GoldenCase &golden, int64_t chunk = 0) {
    uint64_t sequence = interpreter->addSequence();
    std::vector<double> out;
    int64_t length = int64_t(golden.ids.size()), size = chunk ? chunk : length;
    for (int64_t begin = 0; begin < length; begin += size) {
      int64_t end = std::min(length, begin + size);
      SequenceInput input{sequence, {golden.ids.begin() + begin, golden.ids.begin() + end}, {}};
      for (int64_t position : golden.positions)
        if (position >= begin && position < end) input.outputs.push_back(position - begin);
      auto logits = interpreter->step({&input, 1});
      EXPECT_TRUE(logits.ok()) << logits.status().text();
      if (!logits.ok()) return out;
      out.insert(out.end(), logits->values.begin(), logits->values.end());
    }
    interpreter->removeSequence(sequence);
    return out;
  }
};

/// Every case of at most `limit` tokens within `bar` of the golden logits.
void expectGolden(const std::string &name, Model &model, double bar, size_t limit, int64_t chunk = 0) {
  Golden golden = test::readGolden(kInputs + name);
  ASSERT_FALSE(golden.cases.empty());
  for (size_t i = 0; i < golden.cases.size(); ++i) {
    const GoldenCase &c = golden.cases[i];
    if (c.ids.size() > limit) continue;
    double error = test::largestError(model.run(c, chunk), c.logits64.empty() ? c.logits : c.logits64);
    EXPECT_LE(error, bar) << name << " case " << i << " of " << c.ids.size() << " tokens";
    testing::Test::RecordProperty(name + "_" + std::to_string(i), std::to_string(error));
  }
}

// What no bar may let through.
TEST(ModelGolden, ErrorIsInfiniteWhereAValueIsNotFinite) {
  const std::vector<float> expected{1, -4, 2};
  EXPECT_EQ(test::largestError({1, -4, 3}, expected), 0.25);
  for (double bad : {std::nan(""), double(INFINITY), -double(INFINITY)})
    for (size_t place : {0, 1, 2}) {
      std::vector<double> found{1, -4, 2};
      found[place] = bad;
      EXPECT_EQ(test::largestError(found, expected), INFINITY) << bad << " at " << place;
      std::vector<float> reference = expected;
      reference[place] = float(bad);
      EXPECT_EQ(test::largestError({1, -4, 2}, reference), INFINITY) << bad << " in the reference at " << place;
    }
  EXPECT_EQ(test::largestError({1, -4}, expected), INFINITY);
  EXPECT_EQ(test::largestError({}, {}), INFINITY);
}

class Float64 : public testing::TestWithParam<const char *> {};

TEST_P(Float64, MatchesIndependentLogits) {
  Model model(GetParam(), ModelPrecision::float64);
  expectGolden(GetParam(), model, 1e-6, 600);
}
INSTANTIATE_TEST_SUITE_P(Fixtures, Float64,
                         testing::Values("text01-tiny", "text01-prenorm", "text01-heads12", "text01-ranks8"));

TEST(ModelGolden, NativeFloat64) {
  Model model("native-tiny", ModelPrecision::float64);
  expectGolden("native-tiny", model, 1e-5, 600);
}

TEST(ModelGolden, Float32) {
  Model model("text01-tiny", ModelPrecision::float32);
  expectGolden("text01-tiny", model, 3e-5, 300);
}

TEST(ModelGolden, DecomposedExpertsInChunks) {
  Model model("text01-prenorm", ModelPrecision::float64, "float32", /*decompose=*/true);
  expectGolden("text01-prenorm", model, 1e-6, 300, /*chunk=*/7);
}

/// Other sequences in the batch change nothing.
TEST(ModelGolden, SequencesDoNotMix) {
  Model model("text01-heads12", ModelPrecision::float64);
  Golden golden = test::readGolden(kInputs + "text01-heads12");
  std::vector<SequenceInput> batch;
  std::vector<std::vector<double>> alone;
  std::vector<const GoldenCase *> cases;
  for (const GoldenCase &c : golden.cases)
    if (c.ids.size() <= 100) cases.push_back(&c);
  ASSERT_GE(cases.size(), 2u);
  for (const GoldenCase *c : cases) {
    alone.push_back(model.run(*c));
    batch.push_back({model.interpreter->addSequence(), c->ids, c->positions});
  }
  auto logits = model.interpreter->step(batch);
  ASSERT_TRUE(logits.ok()) << logits.status().text();
  std::vector<double> joined;
  for (const auto &part : alone) joined.insert(joined.end(), part.begin(), part.end());
  EXPECT_EQ(logits->values, joined);
}

class BFloat16 : public testing::TestWithParam<const char *> {};

/// Median over all golden positions of the relative L2 error, with the casts of AssignPrecision and nothing else
/// rounded.
TEST_P(BFloat16, WithinEagerError) {
  const std::string name = GetParam();
  Model model(name, ModelPrecision::float32, "bfloat16", /*decompose=*/true);
  Golden golden = test::readGolden(kInputs + name);
  std::vector<double> errors;
  for (const GoldenCase &c : golden.cases) {
    if (c.ids.size() > 600) continue;
    std::vector<double> found = model.run(c);
    const std::vector<float> &expected = c.logits64.empty() ? c.logits : c.logits64;
    ASSERT_EQ(found.size(), expected.size());
    size_t width = expected.size() / c.positions.size();
    for (size_t p = 0; p < c.positions.size(); ++p) {
      double difference = 0, norm = 0;
      for (size_t i = p * width; i < (p + 1) * width; ++i) {
        difference += std::pow(found[i] - double(expected[i]), 2);
        norm += std::pow(double(expected[i]), 2);
      }
      double error = std::sqrt(difference / norm);
      errors.push_back(std::isfinite(error) ? error : INFINITY); // NaN has no place in an order
    }
  }
  ASSERT_FALSE(errors.empty());
  std::nth_element(errors.begin(), errors.begin() + long(errors.size() / 2), errors.end());
  RecordProperty("median", std::to_string(errors[errors.size() / 2]));
  EXPECT_LE(errors[errors.size() / 2], 1.25 * golden.medianBf16_600);
  EXPECT_GT(errors[errors.size() / 2], 1e-4) << "nothing was rounded";
}
INSTANTIATE_TEST_SUITE_P(Fixtures, BFloat16,
                         testing::Values("text01-tiny", "text01-prenorm", "text01-heads12", "text01-ranks8",
                                         "native-tiny"));

} // namespace
