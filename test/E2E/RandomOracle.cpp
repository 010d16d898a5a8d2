#include "test/E2E/RandomOracle.h"

#include "dialects/Model/IR/Model.h"
#include "dialects/Model/Transforms/Passes.h"
#include "lib/Import/Import.h"
#include "lib/Interpreter/ModelInterpreter.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

namespace mmc::test {

using interpreter::ModelInterpreter;
using interpreter::ModelPrecision;

namespace {

class InterpreterOracle : public Oracle {
public:
  bool load(const std::string &model, const std::string &weights, const std::string &dtype) {
    mlir::DialectRegistry registry;
    model::registerModelDialect(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    if (model.ends_with(".mlir")) {
      module = mlir::parseSourceFile<mlir::ModuleOp>(model, &context);
    } else {
      import::ImportOptions options;
      options.checkWeights = false;
      auto imported = import::importModel(context, model, options);
      EXPECT_TRUE(imported.ok()) << imported.status().text();
      if (imported.ok()) module = std::move(imported->module);
    }
    EXPECT_TRUE(module) << model;
    if (!module) return false;
    if (!dtype.empty()) {
      mlir::PassManager passes(&context);
      passes.nest<model::ProgramOp>().addPass(model::createDecomposeExperts());
      passes.nest<model::ProgramOp>().addPass(model::createAssignPrecision({dtype}));
      if (failed(passes.run(*module))) return false;
    }
    auto source = interpreter::openWeights(weights);
    EXPECT_TRUE(source.ok()) << source.status().text();
    if (!source.ok()) return false;
    auto created = ModelInterpreter::create(*module->getOps<model::ProgramOp>().begin(), std::move(*source),
                                            dtype.empty() ? ModelPrecision::float64 : ModelPrecision::float32);
    EXPECT_TRUE(created.ok()) << created.status().text();
    if (created.ok()) interpreter = std::move(*created);
    return created.ok();
  }

  OracleRows run(std::span<const int32_t> ids) override {
    const uint64_t sequence = interpreter->addSequence();
    interpreter::SequenceInput input{sequence, {ids.begin(), ids.end()}, std::vector<int64_t>(ids.size())};
    std::iota(input.outputs.begin(), input.outputs.end(), 0);
    auto logits = interpreter->step({&input, 1});
    EXPECT_TRUE(logits.ok()) << logits.status().text();
    OracleRows rows;
    if (logits.ok()) {
      rows.logits = std::move(logits->values);
      rows.gaps.assign(interpreter->routerGaps().begin(), interpreter->routerGaps().end());
    }
    interpreter->removeSequence(sequence);
    return rows;
  }

private:
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<ModelInterpreter> interpreter;
};

} // namespace

std::unique_ptr<Oracle> Oracle::create(const std::string &model, const std::string &weights, const std::string &dtype) {
  auto oracle = std::make_unique<InterpreterOracle>();
  if (!oracle->load(model, weights, dtype)) {
    ADD_FAILURE() << "the model interpreter cannot run " << model;
    return nullptr;
  }
  return oracle;
}

size_t comparableRows(const OracleRows &reference, double bar) {
  return size_t(std::find_if(reference.gaps.begin(), reference.gaps.end(), [bar](double gap) { return gap < bar; }) -
                reference.gaps.begin());
}

void Agreement::add(std::span<const float> actual, const OracleRows &reference) {
  ASSERT_EQ(actual.size(), reference.logits.size());
  const size_t tokens = reference.gaps.size(), kept = comparableRows(reference);
  rows += kept;
  leftOut += tokens - kept;
  for (double gap : reference.gaps) smallestGap = std::min(smallestGap, gap);
  for (size_t i = 0; i < (tokens ? actual.size() / tokens * kept : 0); ++i) {
    const double error = std::abs(double(actual[i]) - reference.logits[i]);
    difference = std::isfinite(error) ? std::max(difference, error) : INFINITY;
    largest = std::max(largest, std::abs(reference.logits[i]));
    if (!std::isfinite(error)) return;
  }
}

double Agreement::relative() const { return largest > 0 ? difference / largest : difference; }

std::string Agreement::text() const {
  char line[200];
  std::snprintf(line, sizeof line,
                "%.2e of the largest logit %.3g over %zu rows, %zu left out, smallest router gap %.2e", relative(),
                largest, rows, leftOut, smallestGap);
  return line;
}

} // namespace mmc::test
