// What the tile interpreter's tests share: parsing kernels from text or from test/Inputs/tile, argument words,
// reproducible data.
#pragma once

#include "dialects/Tile/IR/Tile.h"
#include "lib/Interpreter/TileInterpreter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace mmc::test {

using interpreter::MemoryMap;
using interpreter::TileCounts;
using interpreter::TileInterpreter;
using interpreter::TilePrecision;

class TileTest : public ::testing::Test {
protected:
  TileTest()
      : context(makeRegistry()),
        handler(&context, [this](mlir::Diagnostic &diagnostic) { errors += diagnostic.str() + "\n"; }) {}

  /// The kernel `name` of a program in text; the test fails where it does not parse.
  TileInterpreter compile(const std::string &text, llvm::StringRef name,
                          TilePrecision precision = TilePrecision::float64) {
    modules.push_back(mlir::parseSourceString<mlir::ModuleOp>(text, &context));
    return compile(name, precision);
  }

  /// The kernel `name` of test/Inputs/tile/FILE.mlir.
  TileInterpreter compileFile(const std::string &file, llvm::StringRef name,
                              TilePrecision precision = TilePrecision::float64) {
    modules.push_back(mlir::parseSourceFile<mlir::ModuleOp>(MMC_SOURCE_DIR "/test/Inputs/tile/" + file, &context));
    return compile(name, precision);
  }

  /// Runs all points; the test fails with the interpreter's error if there is one.
  void run(const TileInterpreter &kernel, const std::vector<uint64_t> &words, const TileCounts &counts = {},
           const MemoryMap *memory = nullptr) {
    EXPECT_TRUE(mlir::succeeded(kernel.run(words, kernel.extents(counts), memory))) << errors;
  }

  std::string errors;

private:
  static mlir::DialectRegistry makeRegistry() {
    mlir::DialectRegistry registry;
    tile::registerTileDialect(registry);
    return registry;
  }

  TileInterpreter compile(llvm::StringRef name, TilePrecision precision) {
    auto kernel = modules.back() ? modules.back()->lookupSymbol<tile::KernelOp>(name) : tile::KernelOp();
    if (!kernel) throw std::runtime_error("no kernel " + name.str() + ": " + errors);
    mlir::FailureOr<TileInterpreter> interpreter = TileInterpreter::create(kernel, precision);
    if (mlir::failed(interpreter)) throw std::runtime_error(errors);
    return *interpreter;
  }

  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler handler;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules;
};

template <typename T> uint64_t word(const std::vector<T> &buffer) { return reinterpret_cast<uint64_t>(buffer.data()); }
template <typename T> uint64_t word(const T &scalar) { return reinterpret_cast<uint64_t>(&scalar); }

/// Reproducible values in [-1, 1).
inline std::vector<float> randomFloats(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float &value : values) value = static_cast<float>(generator() / 2147483648.0 - 1.0);
  return values;
}

/// Rows x columns in panels of n rows, k neighbours: the formula of #tile.panels, padded with zeros.
template <typename T> std::vector<T> packPanels(const T *matrix, size_t rows, size_t columns, size_t n, size_t k) {
  size_t blocks = (columns + k - 1) / k, paddedRows = (rows + n - 1) / n * n;
  std::vector<T> packed(paddedRows * blocks * k, T(0));
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c)
      packed[(((r / n) * blocks + c / k) * n + r % n) * k + c % k] = matrix[r * columns + c];
  return packed;
}

/// The largest |actual - expected|, relative to the largest |expected|; infinite if a value is not a number.
inline double relativeError(const std::vector<float> &actual, const std::vector<double> &expected) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::isnan(actual[i]) || std::isnan(expected[i])) return INFINITY;
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(actual[i] - expected[i]));
  }
  return actual.size() == expected.size() ? difference / largest : INFINITY;
}

/// Half a unit in the last place of float32: what a store to an f32 view may round by.
constexpr double kStoreError = 6.0e-8;

} // namespace mmc::test
