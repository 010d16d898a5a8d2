// Products at every shape that tiling treats differently: columns that are no multiple of a panel or a vector, rows
// around the heights of register tiles, both dtypes; the bits of a row do not depend on its neighbours.
#include "test/Target/CPU/KernelHarness.h"

#include <cstring>

using namespace mmc::test;
using mmc::cpu::Variant;

namespace {

void replaceAll(std::string &text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// y = x w^T with weights in panels of 16 padded to 64, as plans have them.
std::string linear(int n, int k, bool bf16) {
  std::string text = R"(
#panels = #tile.panels<n = 16, k = PAIR, pad = 64>
tile.kernel @linear(%x: !tile.view<?xDEPTHxTYPE> {tile.access = "read"}, %w: !tile.view<WIDTHxDEPTHxTYPE, #panels> {tile.access = "read"},
    %y: !tile.view<?xWIDTHxf32> {tile.access = "write"}, %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, PANELS>) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %n0 = arith.muli %p, %c64 : index
  scf.for %r = %c0 to %rows step %c48 {
    %left = arith.subi %rows, %r : index
    %m = arith.minsi %left, %c48 : index
    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?xDEPTHxTYPE> -> tensor<48xDEPTHxTYPE>
    %W = tile.load %w[%n0, %c0] along [0, 1] : !tile.view<WIDTHxDEPTHxTYPE, #panels> -> tensor<64xDEPTHxTYPE>
    %Y = tile.dot %X, %W transpose_b : tensor<48xDEPTHxTYPE>, tensor<64xDEPTHxTYPE> -> tensor<48x64xf32>
    tile.store %Y, %y[%r, %n0] along [0, 1] limit(%m) : tensor<48x64xf32>, !tile.view<?xWIDTHxf32>
  }
  tile.return
})";
  replaceAll(text, "DEPTH", std::to_string(k));
  replaceAll(text, "WIDTH", std::to_string(n));
  replaceAll(text, "PANELS", std::to_string((n + 63) / 64));
  replaceAll(text, "PAIR", bf16 ? "2" : "1");
  replaceAll(text, "TYPE", bf16 ? "bf16" : "f32");
  return text;
}

/// Panels of 16 rows, N padded to 64.
std::vector<float> narrowPanels(const std::vector<float> &matrix, size_t rows, size_t columns, size_t k) {
  std::vector<float> packed((rows + 63) / 64 * 64 * columns);
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c)
      packed[((r / 16 * (columns / k) + c / k) * 16 + r % 16) * k + c % k] = matrix[r * columns + c];
  return packed;
}

std::vector<Argument> arguments(int rows, int n, int k, bool bf16) {
  std::vector<float> w = narrowPanels(randomFloats(size_t(n) * k, 1), n, k, bf16 ? 2 : 1),
                     x = randomFloats(size_t(rows) * k, 2);
  return {bf16 ? bf16s(x) : floats(x), bf16 ? bf16s(w) : floats(w), written(Kind::f32, size_t(rows) * n, n),
          count(rows)};
}

} // namespace

TEST(CpuProducts, ColumnsThatAreNoMultipleOfAPanel) {
  for (bool bf16 : {false, true})
    for (int n : {5, 16, 48, 300, 1000}) {
      CompiledModule module(linear(n, 80, bf16));
      for (int rows : {1, 2, 7, 50}) {
        SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(n) + " columns" + (bf16 ? ", bf16" : ", f32"));
        module.check("linear", arguments(rows, n, 80, bf16), {}, bf16 ? 1e-2 : 1e-5);
      }
    }
}

TEST(CpuProducts, ARowHasTheSameBitsWhateverTheNumberOfRows) {
  const int n = 100, k = 96, most = 100;
  for (bool bf16 : {false, true}) {
    CompiledModule module(linear(n, k, bf16));
    for (Variant variant : mmc::cpu::allVariants()) {
      std::vector<Argument> all = arguments(most, n, k, bf16);
      module.run("linear", variant, all);
      size_t xRow = k * (bf16 ? 2 : 4), yRow = n * 4;
      for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 47, 48, 49, 51}) {
        // The rows from 30 on, as a step of their own.
        int first = 30;
        std::vector<Argument> some = arguments(rows, n, k, bf16);
        std::memcpy(some[0].memory.data(), all[0].memory.data() + first * xRow, rows * xRow);
        module.run("linear", variant, some);
        EXPECT_EQ(std::memcmp(some[2].memory.data(), all[2].memory.data() + first * yRow, rows * yRow), 0)
            << rows << " rows, " << mmc::cpu::variantName(variant) << (bf16 ? ", bf16" : ", f32");
      }
    }
  }
}

TEST(CpuProducts, ANaNStaysInItsRow) {
  const int n = 100, k = 96, rows = 20;
  for (bool bf16 : {false, true}) {
    CompiledModule module(linear(n, k, bf16));
    for (Variant variant : mmc::cpu::allVariants()) {
      std::vector<Argument> clean = arguments(rows, n, k, bf16), dirty = clean;
      std::vector<float> x = randomFloats(rows * k, 2);
      x[7 * k + 3] = NAN;
      dirty[0] = bf16 ? bf16s(x) : floats(x);
      module.run("linear", variant, clean);
      module.run("linear", variant, dirty);
      std::vector<float> a = valuesOf(clean[2]), b = valuesOf(dirty[2]);
      for (int i = 0; i < rows * n; ++i) ASSERT_TRUE(i / n == 7 ? std::isnan(b[i]) : a[i] == b[i]) << i;
    }
  }
}
