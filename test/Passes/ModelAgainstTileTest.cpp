// Programs of tile launches against the model interpreter on the same model and weights, both in float64: every pass
// from model to tile keeps the mathematics to 1e-9 of the largest logit, in float32 plans and in bfloat16 plans, whose
// rounding points both execute as written.
#include "dialects/Model/Transforms/Passes.h"
#include "lib/Interpreter/ModelInterpreter.h"
#include "passes/Fusion/Passes.h"
#include "test/Passes/ProgramTest.h"

using namespace mmc;
using namespace mmc::test;

namespace {

constexpr double kFloat64 = 1e-9; // of the largest logit

struct TestWeights : interpreter::WeightSource {
  runtime::Expected<std::vector<double>> read(const std::string &name, std::span<const int64_t> shape) const override {
    return randomWeights(name, llvm::ArrayRef<int64_t>(shape.data(), shape.size()));
  }
};

struct Scenario {
  const char *file;
  int32_t vocabulary;
  const char *dtype;
  std::vector<std::string> disabled;
  const char *target = "cpu";
};

void PrintTo(const Scenario &scenario, std::ostream *out) {
  *out << scenario.file << " " << scenario.dtype << " for " << scenario.target;
  for (const std::string &name : scenario.disabled) *out << " without " << name;
}

class ModelAgainstTile : public ProgramTest, public ::testing::WithParamInterface<Scenario> {
protected:
  /// Logits of every token of two sequences by the model interpreter, each alone and whole.
  std::vector<double> runModel(const std::vector<int32_t> &tokens) {
    auto module = parse(GetParam().file);
    if (GetParam().dtype != std::string("float32")) {
      mlir::PassManager manager(&context);
      manager.nest<model::ProgramOp>().addPass(model::createDecomposeExperts());
      // Norms of layers that follow and joined products change where values are rounded.
      const bool cuda = GetParam().target == std::string("cuda");
      if (cuda) manager.nest<model::ProgramOp>().addPass(model::createRotateNorms());
      manager.nest<model::ProgramOp>().addPass(model::createAssignPrecision({GetParam().dtype}));
      if (cuda) {
        manager.nest<model::ProgramOp>().addPass(createFormDispatches());
        manager.nest<model::ProgramOp>().addPass(createJoinProducts());
      }
      EXPECT_TRUE(mlir::succeeded(manager.run(*module)));
    }
    auto created = interpreter::ModelInterpreter::create(getProgram(*module), std::make_shared<TestWeights>(),
                                                         interpreter::ModelPrecision::float64);
    if (!created.ok()) {
      ADD_FAILURE() << created.status().text();
      return {};
    }
    interpreter::SequenceInput input{(*created)->addSequence(), tokens, {}};
    for (size_t i = 0; i < tokens.size(); ++i) input.outputs.push_back(static_cast<int64_t>(i));
    auto logits = (*created)->step({&input, 1});
    EXPECT_TRUE(logits.ok()) << logits.status().text();
    return logits.ok() ? logits->values : std::vector<double>();
  }
};

TEST_P(ModelAgainstTile, Agrees) {
  PipelineOptions options;
  options.dtype = GetParam().dtype;
  options.target = GetParam().target;
  options.disabledPasses = GetParam().disabled;
  options.decodePart = 16;    // so that 73 positions are several parts
  options.segmentTokens = 20; // and 50 rows three segments
  auto module = lower(GetParam().file, options);
  interpreter::widenToFloat64(getProgram(*module));
  auto session = makeSession(*module);
  auto tokens = randomTokens(73, 11, GetParam().vocabulary), other = randomTokens(5, 12, GetParam().vocabulary);
  // A prompt in two chunks, the second one ragged among another sequence, then single tokens.
  std::vector<double> logits = run(*session, stepOf({tokens.begin(), tokens.begin() + 50}, 0, 2));
  LaunchStep mixed = stepOf(other, 0, 0);
  mixed.sequences.push_back({2, 50, {tokens.begin() + 50, tokens.begin() + 71}});
  mixed.outputRows.clear();
  for (int32_t row = 0; row < 21; ++row) mixed.outputRows.push_back(static_cast<int32_t>(other.size()) + row);
  for (const LaunchStep &step : {mixed, stepOf({tokens[71]}, 71, 2), stepOf({tokens[72]}, 72, 2)}) {
    std::vector<double> part = run(*session, step);
    logits.insert(logits.end(), part.begin(), part.end());
  }
  EXPECT_LE(difference(logits, runModel(tokens)), kFloat64);
}

const std::vector<std::string> kNothingFused = {"FuseEpilogue", "FuseMoEDispatch", "FusePrologue", "FuseRopeAppend"};

INSTANTIATE_TEST_SUITE_P(
    Models, ModelAgainstTile,
    ::testing::Values(
        Scenario{"hybrid.mlir", 300, "float32", {}}, Scenario{"hybrid.mlir", 300, "float32", kNothingFused},
        Scenario{"hybrid.mlir", 300, "bfloat16", {}}, Scenario{"hybrid.mlir", 300, "bfloat16", kNothingFused},
        Scenario{"hybrid.mlir", 300, "float32", {}, "cuda"}, Scenario{"hybrid.mlir", 300, "bfloat16", {}, "cuda"},
        Scenario{"odd.mlir", 70, "float32", {}, "cuda"}, Scenario{"odd.mlir", 70, "float32", {}},
        Scenario{"odd.mlir", 70, "float32", kNothingFused}, Scenario{"odd.mlir", 70, "float32", {"FuseEpilogue"}},
        Scenario{"odd.mlir", 70, "float32", {"FuseMoEDispatch"}}, Scenario{"odd.mlir", 70, "bfloat16", {}},
        Scenario{"odd.mlir", 70, "bfloat16", {"FuseEpilogue"}}));

} // namespace
