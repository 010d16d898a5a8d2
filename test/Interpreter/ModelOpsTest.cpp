// Single ops of the model interpreter against values that were computed elsewhere: the recurrence's golden vectors
// (specification of the linear recurrences, A.9), rounding, rotation at far positions, decay tables, ties of the
// router.
#include "dialects/Model/IR/Model.h"
#include "dialects/Model/IR/ModelTables.h"
#include "lib/Interpreter/ModelInterpreter.h"
#include "lib/Interpreter/ModelMath.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

using namespace mmc;
using namespace mmc::interpreter;
using testing::HasSubstr;

namespace {

/// Weights by name, written in the test.
class TableWeights : public WeightSource {
public:
  std::map<std::string, std::vector<double>> tensors;
  runtime::Expected<std::vector<double>> read(const std::string &name, std::span<const int64_t>) const override {
    return tensors.at(name);
  }
};

struct Program {
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<ModelInterpreter> interpreter;

  Program(const std::string &text, std::shared_ptr<const WeightSource> weights,
          ModelPrecision precision = ModelPrecision::float64) {
    mlir::DialectRegistry registry;
    model::registerModelDialect(registry);
    context.appendDialectRegistry(registry);
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    if (!module) return;
    auto created = ModelInterpreter::create(*module->getOps<model::ProgramOp>().begin(), std::move(weights), precision);
    EXPECT_TRUE(created.ok());
    interpreter = std::move(*created);
  }
};

/// Rows of tables as q, k, v, beta and rates; the result is the logits.
std::string recurrence(const std::string &update, const std::string &decay) {
  std::string rateOps = decay == "none"   ? ""
                        : decay == "head" ? "%r = model.row @rates[%zero] : tensor<1xf32>\n"
                        : decay == "token"
                            ? "%rw = model.weight \"token\" : tensor<3x1xf32> %r = model.embedding %ids, %rw : "
                              "tensor<?xi32, #t>, tensor<3x1xf32>\n"
                            : "%rw = model.weight \"channel\" : tensor<3x2xf32> %rf = model.embedding %ids, %rw : "
                              "tensor<?xi32, #t>, tensor<3x2xf32>\n"
                              "%r = model.split_heads %rf : tensor<?x2xf32, #t> -> tensor<?x1x2xf32, #t>\n";
  std::string rateType = decay == "head"      ? "tensor<1xf32>, "
                         : decay == "token"   ? "tensor<?x1xf32, #t>, "
                         : decay == "channel" ? "!h, "
                                              : "";
  return R"(
#t = #model.rows<tokens>
!h = tensor<?x1x2xf32, #t>
!s = tensor<1x2x2xf32, #model.state>
model.program @p {
  model.table @rates : tensor<1x1xf64> = dense<0.5> : tensor<1x1xf64>
  model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch, %s: !s) -> (tensor<?x2xf32, #model.rows<outputs>>, !s) {
    %zero = arith.constant 0 : index
    %qw = model.weight "q" : tensor<3x2xf32> %qf = model.embedding %ids, %qw : tensor<?xi32, #t>, tensor<3x2xf32>
    %q = model.split_heads %qf : tensor<?x2xf32, #t> -> !h
    %kw = model.weight "k" : tensor<3x2xf32> %kf = model.embedding %ids, %kw : tensor<?xi32, #t>, tensor<3x2xf32>
    %k = model.split_heads %kf : tensor<?x2xf32, #t> -> !h
    %vw = model.weight "v" : tensor<3x2xf32> %vf = model.embedding %ids, %vw : tensor<?xi32, #t>, tensor<3x2xf32>
    %v = model.split_heads %vf : tensor<?x2xf32, #t> -> !h
    %bw = model.weight "beta" : tensor<3x1xf32> %b = model.embedding %ids, %bw : tensor<?xi32, #t>, tensor<3x1xf32>
    )" + rateOps +
         "%y, %s1 = model.linear_attention " + update + ", " + decay + " %q, %k, %v, %batch " +
         (decay == "none" ? "" : "rate %r ") +
         R"(beta %b state %s {scale = 0.70710678118654752}
      : (!h, !h, !h, !model.batch, )" +
         rateType + R"(tensor<?x1xf32, #t>, !s) -> (!h, !s)
    %m = model.merge_heads %y : !h
    %o = model.select_rows %m, %batch : tensor<?x2xf32, #t>
    model.return %o, %s1 : tensor<?x2xf32, #model.rows<outputs>>, !s
  }
}
)";
}

struct Golden {
  const char *update, *decay;
  double o[2], s[4];
};

class Recurrence : public testing::TestWithParam<Golden> {};

TEST_P(Recurrence, MatchesGoldenVectors) {
  auto weights = std::make_shared<TableWeights>();
  weights->tensors = {{"q", {1, .5, -.5, 1, .25, -1}}, {"k", {.6, .8, .8, -.6, 0, 1}},
                      {"v", {1, 2, -1, .5, 3, -2}},    {"beta", {.5, .25, 1}},
                      {"token", {.1, .7, .3}},         {"channel", {.1, .2, .7, .05, .3, 1.5}}};
  std::string text = recurrence(GetParam().update, GetParam().decay);
  if (std::string(GetParam().decay) == "head") {
    text.replace(text.find("%r = model.row @rates[%zero] : tensor<1xf32>"), 44,
                 "%r = model.row @rates[%zero] : tensor<1xf64>");
    text.replace(text.find("!model.batch, tensor<1xf32>"), 27, "!model.batch, tensor<1xf64>");
  }
  for (int64_t chunk : {1, 3}) {
    Program program(text, weights);
    ASSERT_TRUE(program.interpreter);
    uint64_t sequence = program.interpreter->addSequence();
    program.interpreter->writeState(sequence, 0, 0, std::vector<double>{.1, -.2, .3, .4});
    std::vector<double> last;
    for (int32_t begin = 0; begin < 3; begin += int32_t(chunk)) {
      SequenceInput input{sequence, {}, {chunk - 1}};
      for (int32_t t = begin; t < begin + chunk; ++t) input.ids.push_back(t);
      auto logits = program.interpreter->step({&input, 1});
      ASSERT_TRUE(logits.ok()) << logits.status().text();
      last = logits->values;
    }
    // The published values have six decimals; the weights of the test are rounded to float32.
    std::vector<double> state = program.interpreter->readState(sequence, 0, 0);
    for (int i = 0; i < 2; ++i) EXPECT_NEAR(last[size_t(i)], GetParam().o[i], 1e-6);
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(state[size_t(i)], GetParam().s[i], 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(
    A9, Recurrence,
    testing::Values(Golden{"additive", "none", {-2.687006, .707107}, {.2, .5, 3.85, -.875}},
                    Golden{"additive", "head", {-2.335028, 1.217018}, {.011371, .236755, 3.30507, -1.661934}},
                    Golden{"additive", "token", {-2.375358, 1.191594}, {-.004513, .228235, 3.358136, -1.628109}},
                    Golden{"additive", "channel", {-2.24268, 1.297177}, {-.004513, .228235, 3.170501, -1.777427}},
                    Golden{"delta", "none", {-2.098339, 1.506137}, {.13, .52, 3, -2}},
                    Golden{"delta", "head", {-2.122071, 1.456855}, {-.004248, .241217, 3, -2}},
                    Golden{"delta", "token", {-2.126237, 1.455737}, {-.027814, .234893, 3, -2}},
                    Golden{"delta", "channel", {-2.122139, 1.463623}, {-.004634, .279503, 3, -2}}));

TEST(ModelFormula, RoundsToNearestEven) {
  EXPECT_EQ(formula::roundToBFloat16(1.0 + 0x1p-8), 1.0) << "a tie goes to the even mantissa";
  EXPECT_EQ(formula::roundToBFloat16(1.0 + 0x3p-8), 1.0 + 0x1p-6);
  EXPECT_EQ(formula::roundToBFloat16(1.0 + 0x1p-8 + 0x1p-40), 1.0 + 0x1p-7);
  EXPECT_EQ(formula::roundToBFloat16(-3.14159265), -3.140625);
  EXPECT_EQ(formula::roundToBFloat16(0x1p-133), 0x1p-133) << "the smallest subnormal";
  EXPECT_EQ(formula::roundToBFloat16(0x1p-135), 0);
  EXPECT_EQ(formula::roundToBFloat16(3.4e38), INFINITY);
  EXPECT_TRUE(std::isnan(formula::roundToBFloat16(NAN)));
  EXPECT_EQ(formula::roundToFloat16(65519.0), 65504);
  EXPECT_EQ(formula::roundToFloat16(65520.0), INFINITY);
  EXPECT_EQ(formula::roundToFloat16(0.1), 0.0999755859375);
  EXPECT_EQ(formula::roundToFloat16(0x1p-25), 0) << "half of the smallest subnormal, to even";
}

TEST(ModelFormula, RotatesAtFarPositions) {
  // Two heads of six channels, four of them rotated. The first pair turns by 10239999 radians, the second by 10239999 /
  // sqrt(1e7); sine and cosine were computed with 60 decimal digits.
  std::vector<double> x{1, 0, 0, 1, 5, 6, 0, 1, 1, 0, 7, 8}, y(12);
  formula::rope(x.data(), y.data(), 2, 6, 4, 1e7, 10239999);
  EXPECT_NEAR(y[0], -0.9655552562599113998, 1e-11);
  EXPECT_NEAR(y[2], 0.26019809205460524969, 1e-11);
  EXPECT_NEAR(y[1], -0.72429963102188030353, 1e-11);
  EXPECT_NEAR(y[3], -0.6894853475611849776, 1e-11);
  EXPECT_EQ(y[4], 5);
  EXPECT_EQ(y[11], 8);
}

TEST(ModelFormula, RouterTiesGoToTheLowestIndex) {
  double logits[4] = {1, 3, 3, 1}, weights[3];
  int32_t chosen[3];
  formula::route(logits, 4, 3, weights, chosen);
  EXPECT_THAT(chosen, testing::ElementsAre(1, 2, 0));
  EXPECT_NEAR(weights[0] + weights[1] + weights[2], 1, 1e-15);
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_NEAR(weights[2] / weights[0], std::exp(-2), 1e-15);
}

TEST(LightningRates, MatchPublishedSlopes) {
  // Specification 2.4: H = 64 from 0.9170040432 to 0.00390625; H = 12 original and native; the factor's floor at the
  // last layer.
  auto wide = model::evaluateLightningRates(80, 64, false);
  EXPECT_NEAR(wide[0], 0.9170040432 * (1 + 1e-5), 1e-9);
  EXPECT_NEAR(wide[63], 0.00390625 * (1 + 1e-5), 1e-12);
  EXPECT_NEAR(wide[79 * 64], 0.9170040432 * 1e-5, 1e-13);
  auto original = model::evaluateLightningRates(1, 12, false), native = model::evaluateLightningRates(1, 12, true);
  auto expectSlope = [](double rate, double slope) { EXPECT_NEAR(rate / (1 + 1e-5), slope, 5e-4); };
  for (auto [h, slope] : {std::pair{0, .5}, {1, .25}, {2, .125}, {9, .354}, {10, .177}, {11, .088}})
    expectSlope(original[size_t(h)], slope);
  for (auto [h, slope] : {std::pair{0, .630}, {1, .397}, {2, .25}, {9, .0098}, {10, .0062}, {11, .0039}})
    expectSlope(native[size_t(h)], slope);
  for (double rate : wide) EXPECT_GT(rate, 0);
}

TEST(ModelInterpreter, RefusesBadSteps) {
  auto weights = std::make_shared<TableWeights>();
  weights->tensors = {{"e", {1, 2, 3, 4}}};
  Program program(R"(
    model.program @p {
      model.func @main(%ids: tensor<?xi32, #model.rows<tokens>>, %batch: !model.batch) -> tensor<?x2xf32, #model.rows<outputs>> {
        %e = model.weight "e" : tensor<2x2xf32>
        %x = model.embedding %ids, %e : tensor<?xi32, #model.rows<tokens>>, tensor<2x2xf32>
        %y = model.select_rows %x, %batch : tensor<?x2xf32, #model.rows<tokens>>
        model.return %y : tensor<?x2xf32, #model.rows<outputs>>
      }
    })",
                  weights);
  uint64_t sequence = program.interpreter->addSequence();
  auto error = [&](std::vector<SequenceInput> inputs) { return program.interpreter->step(inputs).status().text(); };
  EXPECT_THAT(error({}), HasSubstr("the batch has no sequence"));
  EXPECT_THAT(error({{sequence, {}, {}}}), HasSubstr("has no tokens"));
  EXPECT_THAT(error({{sequence, {2}, {}}}), HasSubstr("token id 2, expected 0 to 1"));
  EXPECT_THAT(error({{sequence, {-1}, {}}}), HasSubstr("token id -1"));
  EXPECT_THAT(error({{sequence + 1, {0}, {}}}), HasSubstr("no sequence"));
  EXPECT_THAT(error({{sequence, {0}, {}}, {sequence, {1}, {}}}), HasSubstr("appears twice"));
  EXPECT_THAT(error({{sequence, {0, 1}, {1, 0}}}), HasSubstr("output row 0"));
  EXPECT_EQ(program.interpreter->position(sequence), 0);
  SequenceInput good{sequence, {1, 0}, {0, 1}};
  EXPECT_THAT(program.interpreter->step({&good, 1})->values, testing::ElementsAre(3, 4, 1, 2));
}

/// Two weights below each other make the channels of two products; slices and rows put together again say which.
TEST(ModelInterpreter, ConcatenatesAndSlices) {
  auto weights = std::make_shared<TableWeights>();
  weights->tensors = {{"e", {1, 2, 3, 4, 0, 0, 0, 0, 0, 0}}, {"a", {1, 0}}, {"b", {0, 1, 1, 1}}};
  Program program(R"(
    #t = #model.rows<tokens>
    model.program @p {
      model.func @main(%ids: tensor<?xi32, #t>, %batch: !model.batch) -> tensor<?x5xf32, #model.rows<outputs>> {
        %e = model.weight "e" : tensor<5x2xf32>
        %x = model.embedding %ids, %e : tensor<?xi32, #t>, tensor<5x2xf32>
        %a = model.weight "a" : tensor<1x2xf32>
        %b = model.weight "b" : tensor<2x2xf32>
        %w = model.concat %a, %b : tensor<1x2xf32>, tensor<2x2xf32>
        %y = model.linear %x, %w : tensor<?x2xf32, #t>, tensor<3x2xf32>
        %s = model.slice %y from 1 : tensor<?x3xf32, #t> -> tensor<?x2xf32, #t>
        %z = model.concat %s, %y : tensor<?x2xf32, #t>, tensor<?x3xf32, #t>
        %r = model.select_rows %z, %batch : tensor<?x5xf32, #t>
        model.return %r : tensor<?x5xf32, #model.rows<outputs>>
      }
    })",
                  weights);
  SequenceInput input{program.interpreter->addSequence(), {0, 1}, {0, 1}};
  EXPECT_THAT(program.interpreter->step({&input, 1})->values, testing::ElementsAre(2, 3, 1, 2, 3, 4, 7, 3, 4, 7));
}

/// The hand-written example that is not of the MiniMax family: at once and token by token it says the same.
TEST(ModelInterpreter, RunsTheTransNormerExample) {
  std::ifstream file(std::string(MMC_SOURCE_DIR) + "/examples/models/transnormer.mlir");
  std::stringstream text;
  text << file.rdbuf();
  Program program(text.str(), makeRandomWeights(1));
  ASSERT_TRUE(program.interpreter);
  uint64_t whole = program.interpreter->addSequence(), single = program.interpreter->addSequence();
  SequenceInput prompt{whole, {5, 17, 3, 400, 5, 5, 99, 0, 511}, {8}};
  auto expected = program.interpreter->step({&prompt, 1});
  ASSERT_TRUE(expected.ok()) << expected.status().text();
  std::vector<double> found;
  for (int32_t id : prompt.ids) {
    SequenceInput input{single, {id}, {0}};
    found = program.interpreter->step({&input, 1})->values;
  }
  EXPECT_EQ(found, expected->values);
  EXPECT_TRUE(std::all_of(found.begin(), found.end(), [](double value) { return std::isfinite(value); }));
  EXPECT_GT(*std::max_element(found.begin(), found.end()) - *std::min_element(found.begin(), found.end()), 0.1);
}

} // namespace
