// What the tests of lowered programs share: a model of test/Inputs/models taken to tile launches, run step by step with
// random weights.
#pragma once

#include "dialects/Model/IR/Model.h"
#include "dialects/Tile/IR/Tile.h"
#include "lib/Interpreter/LaunchInterpreter.h"
#include "passes/Pipelines/Pipelines.h"
#include "runtime/src/RandomWeights.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"

#include <cmath>
#include <memory>

namespace mmc::test {

using interpreter::LaunchInterpreter;
using interpreter::LaunchOptions;
using interpreter::LaunchStep;

/// Gains around one, matrices that keep the size of a row, the same for every caller; bfloat16 values, so that no dtype
/// of a weight rounds them.
inline std::vector<double> randomWeights(llvm::StringRef name, llvm::ArrayRef<int64_t> shape) {
  uint64_t elements = 1;
  for (int64_t size : shape) elements *= static_cast<uint64_t>(size);
  bool gain = shape.size() == 1;
  float scale = gain ? 0.25f : 1.5f / std::sqrt(static_cast<float>(shape.back()));
  std::vector<double> values(elements);
  uint64_t key = runtime::randomWeightKey(7, std::string_view(name.data(), name.size()));
  for (uint64_t i = 0; i < elements; ++i) {
    float value = runtime::randomWeight(key, i, gain ? 1.0f : 0.0f, scale);
    values[i] = llvm::bit_cast<float>(llvm::bit_cast<uint32_t>(value) & 0xffff0000u);
  }
  return values;
}

/// Token ids of a reproducible text.
inline std::vector<int32_t> randomTokens(size_t count, uint64_t seed, int32_t vocabulary) {
  std::vector<int32_t> tokens(count);
  for (size_t i = 0; i < count; ++i)
    tokens[i] = static_cast<int32_t>(runtime::mixBits(seed * 1000003 + i) % static_cast<uint64_t>(vocabulary));
  return tokens;
}

class ProgramTest : public ::testing::Test {
protected:
  ProgramTest() {
    mlir::DialectRegistry registry;
    model::registerModelDialect(registry);
    tile::registerTileDialect(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef file) {
    std::string path = std::string(MMC_SOURCE_DIR) + "/test/Inputs/models/" + file.str();
    auto module = mlir::parseSourceFile<mlir::ModuleOp>(path, &context);
    EXPECT_TRUE(module) << path;
    return module;
  }

  /// The model as tile launches.
  mlir::OwningOpRef<mlir::ModuleOp> lower(llvm::StringRef file, const PipelineOptions &options) {
    auto module = parse(file);
    mlir::PassManager manager(&context);
    buildModelToTilePipeline(manager, options);
    EXPECT_TRUE(mlir::succeeded(manager.run(*module)));
    return module;
  }

  static model::ProgramOp getProgram(mlir::ModuleOp module) { return *module.getOps<model::ProgramOp>().begin(); }

  /// A fresh session of a lowered program.
  static std::unique_ptr<LaunchInterpreter>
  makeSession(mlir::ModuleOp module, interpreter::TilePrecision precision = interpreter::TilePrecision::float64) {
    LaunchOptions options;
    options.precision = precision;
    options.weights = randomWeights;
    auto session = LaunchInterpreter::create(getProgram(module), options);
    EXPECT_TRUE(mlir::succeeded(session));
    return mlir::succeeded(session) ? std::move(*session) : nullptr;
  }

  /// One step with one sequence, logits of all its rows.
  static LaunchStep stepOf(std::vector<int32_t> tokens, int64_t position = 0, int64_t slot = 0) {
    LaunchStep step;
    for (size_t i = 0; i < tokens.size(); ++i) step.outputRows.push_back(static_cast<int32_t>(i));
    step.sequences.push_back({slot, position, std::move(tokens)});
    return step;
  }

  static std::vector<double> run(LaunchInterpreter &session, const LaunchStep &step) {
    auto logits = session.run(step);
    EXPECT_TRUE(mlir::succeeded(logits));
    return mlir::succeeded(logits) ? *logits : std::vector<double>();
  }

  /// The logits of all tokens, prefilled in chunks of the given sizes, the last repeated.
  static std::vector<double> runChunks(LaunchInterpreter &session, const std::vector<int32_t> &tokens,
                                       std::vector<size_t> sizes, int64_t slot = 0) {
    std::vector<double> all;
    for (size_t at = 0, chunk = 0; at < tokens.size(); ++chunk) {
      size_t size = std::min(sizes[std::min(chunk, sizes.size() - 1)], tokens.size() - at);
      std::vector<double> part =
          run(session, stepOf({tokens.begin() + at, tokens.begin() + at + size}, static_cast<int64_t>(at), slot));
      all.insert(all.end(), part.begin(), part.end());
      at += size;
    }
    return all;
  }

  /// Largest difference over the largest absolute reference; infinite where sizes differ or a value is no number.
  static double difference(const std::vector<double> &actual, const std::vector<double> &expected) {
    if (actual.size() != expected.size() || expected.empty()) return INFINITY;
    double largest = 0, error = 0;
    for (size_t i = 0; i < actual.size(); ++i) {
      largest = std::max(largest, std::fabs(expected[i]));
      double e = std::fabs(actual[i] - expected[i]);
      error = std::isnan(e) ? INFINITY : std::max(error, e);
    }
    return error / largest;
  }

  mlir::MLIRContext context;
};

} // namespace mmc::test
