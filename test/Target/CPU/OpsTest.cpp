// Small kernels for what the model's kernels do not reach: orders of loads and stores, shapes of reductions and
// reshapes, forms of operands.
#include "test/Target/CPU/KernelHarness.h"

using namespace mmc::test;

namespace {

constexpr double kF32 = 1e-5;

/// A kernel of one point on x (read), s (readwrite) and y (write) with the given view types and body; %c0, %c1 and %n
/// (a count) are there.
std::string kernel(const std::string &x, const std::string &s, const std::string &y, const std::string &body) {
  return "tile.kernel @k(%x: !tile.view<" + x + "> {tile.access = \"read\"}, %s: !tile.view<" + s +
         "> {tile.access = \"readwrite\"}, %y: !tile.view<" + y +
         "> {tile.access = \"write\"}, %n: index {tile.step = #tile.step<token_count>}) domain(%p in "
         "#tile.extent<fixed, 1>) {\n"
         "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n" +
         body + "\ntile.return\n}";
}

/// Runs it on x, s and y of that many elements, for each count.
void check(const std::string &text, size_t x, size_t s, size_t y, size_t row,
           std::initializer_list<int64_t> counts = {1}) {
  CompiledModule module(text);
  for (int64_t n : counts) {
    SCOPED_TRACE("count " + std::to_string(n));
    module.check(
        "k",
        {floats(randomFloats(x, 1)), updated(floats(randomFloats(s, 2)), row), written(Kind::f32, y, row), count(n)},
        {}, kF32);
  }
}

} // namespace

TEST(CpuOps, AStoreDoesNotOvertakeALoad) {
  // The loaded tile is stored elsewhere after its memory was overwritten.
  check(kernel("8x20xf32", "8x20xf32", "8x20xf32", R"(
    %a = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<8x20xf32> -> tensor<8x20xf32>
    %b = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<8x20xf32> -> tensor<8x20xf32>
    tile.store %b, %s[%c0, %c0] along [0, 1] : tensor<8x20xf32>, !tile.view<8x20xf32>
    tile.store %a, %y[%c0, %c0] along [0, 1] : tensor<8x20xf32>, !tile.view<8x20xf32>)"),
        160, 160, 160, 20);
  // A product of the state with itself, stored over the state.
  check(kernel("16x16xf32", "16x16xf32", "16x16xf32", R"(
    %a = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<16x16xf32> -> tensor<16x16xf32>
    %d = tile.dot %a, %a acc(%a) : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    tile.store %d, %s[%c0, %c0] along [0, 1] : tensor<16x16xf32>, !tile.view<16x16xf32>)"),
        256, 256, 256, 16);
  // A product whose consumer stands behind a store to its operand.
  check(kernel("16x16xf32", "16x16xf32", "16x16xf32", R"(
    %a = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<16x16xf32> -> tensor<16x16xf32>
    %b = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<16x16xf32> -> tensor<16x16xf32>
    %d = tile.dot %b, %a : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    tile.store %b, %s[%c0, %c0] along [0, 1] : tensor<16x16xf32>, !tile.view<16x16xf32>
    %e = arith.negf %d : tensor<16x16xf32>
    tile.store %e, %y[%c0, %c0] along [0, 1] : tensor<16x16xf32>, !tile.view<16x16xf32>)"),
        256, 256, 256, 16);
  // Rows shifted down by one: not the same place.
  check(kernel("9x16xf32", "9x16xf32", "9x16xf32", R"(
    %a = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<9x16xf32> -> tensor<8x16xf32>
    tile.store %a, %s[%c1, %c0] along [0, 1] : tensor<8x16xf32>, !tile.view<9x16xf32>)"),
        144, 144, 144, 16);
}

TEST(CpuOps, ColumnsOfALimitedOperandAreZero) {
  // Keys beyond the limit are NaN in memory; the product has zeros there, and the row sums see none of it.
  std::string text = kernel("4x16xf32", "1x64x1x16xf32", "4x64xf32", R"(
    %q = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<4x16xf32> -> tensor<4x16xf32>
    %k = tile.load %s[%c0, %c0, %c0, %c0] along [1, 3] limit(%n) : !tile.view<1x64x1x16xf32> -> tensor<64x16xf32>
    %d = tile.dot %q, %k transpose_b : tensor<4x16xf32>, tensor<64x16xf32> -> tensor<4x64xf32>
    tile.store %d, %y[%c0, %c0] along [0, 1] : tensor<4x64xf32>, !tile.view<4x64xf32>)");
  for (const char *layout : {", #tile.strided<[0, 16, 0, 1]>>", ", #tile.strided<[0, 1, 0, 64]>>"}) {
    std::string strided = text;
    for (size_t at = 0; (at = strided.find("1x64x1x16xf32>", at)) != std::string::npos; at += 14)
      strided.replace(at, 14, std::string("1x64x1x16xf32") + layout);
    CompiledModule module(strided);
    bool rows = std::string(layout).find("16, 0, 1") != std::string::npos;
    for (int n : {0, 1, 7, 8, 33, 63, 64}) {
      std::vector<float> keys = randomFloats(1024, 3);
      for (int p = n; p < 64; ++p)
        for (int c = 0; c < 16; ++c) keys[rows ? p * 16 + c : p + c * 64] = NAN;
      SCOPED_TRACE(std::to_string(n) + " keys" + layout);
      module.check("k", {floats(randomFloats(64, 1)), floats(keys), written(Kind::f32, 256, 64), count(n)}, {}, kF32);
    }
  }
}

/// Every "W" that stands for a width.
std::string withWidth(std::string text, int width) {
  for (size_t at = 0; (at = text.find("xWx", at)) != std::string::npos;) text.replace(at + 1, 1, std::to_string(width));
  for (size_t at = 0; (at = text.find("<Wx", at)) != std::string::npos;) text.replace(at + 1, 1, std::to_string(width));
  return text;
}

TEST(CpuOps, Reductions) {
  for (int width : {1, 5, 8, 16, 31, 32, 100, 1000}) {
    SCOPED_TRACE(width);
    check(withWidth(kernel("6xWxf32", "Wxf32", "6xf32", R"(
      %v = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<6xWxf32> -> tensor<6xWxf32>
      %m = tile.reduce max %v along 1 : tensor<6xWxf32> -> tensor<6xf32>
      %a = tile.reduce add %v along 1 : tensor<6xWxf32> -> tensor<6xf32>
      %r = arith.mulf %m, %a : tensor<6xf32>
      tile.store %r, %y[%c0] along [0] : tensor<6xf32>, !tile.view<6xf32>
      %c = tile.reduce add %v along 0 : tensor<6xWxf32> -> tensor<Wxf32>
      tile.store %c, %s[%c0] along [0] : tensor<Wxf32>, !tile.view<Wxf32>)"),
                    width),
          6 * width, width, 6, 1000);
  }
}

TEST(CpuOps, ShapesAndOrders) {
  // The last dimension changes: rows of scratch are padded, the reshaped tile's are elsewhere.
  check(kernel("6x10xf32", "1xf32", "4x15xf32", R"(
    %v = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<6x10xf32> -> tensor<6x10xf32>
    %w = arith.negf %v : tensor<6x10xf32>
    %r = tile.reshape %w : tensor<6x10xf32> -> tensor<4x15xf32>
    tile.store %r, %y[%c0, %c0] along [0, 1] : tensor<4x15xf32>, !tile.view<4x15xf32>)"),
        60, 1, 60, 15);
  // Transposed: of a view, and as either operand of a product.
  check(kernel("6x10xf32", "10x10xf32", "10x6xf32", R"(
    %v = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<6x10xf32> -> tensor<6x10xf32>
    %t = tile.transpose %v : tensor<6x10xf32> -> tensor<10x6xf32>
    tile.store %t, %y[%c0, %c0] along [0, 1] : tensor<10x6xf32>, !tile.view<10x6xf32>
    %d = tile.dot %t, %v : tensor<10x6xf32>, tensor<6x10xf32> -> tensor<10x10xf32>
    %e = tile.dot %v, %t acc(%d) transpose_a transpose_b : tensor<6x10xf32>, tensor<10x6xf32> -> tensor<10x10xf32>
    tile.store %e, %s[%c0, %c0] along [0, 1] : tensor<10x10xf32>, !tile.view<10x10xf32>)"),
        60, 100, 60, 10);
  // A tile chosen by a run-time condition.
  check(kernel("2x20xf32", "20xf32", "20xf32", R"(
      %yes = arith.cmpi eq, %n, %c1 : index
      %v = scf.if %yes -> (tensor<20xf32>) {
        %a = tile.load %x[%c1, %c0] along [1] : !tile.view<2x20xf32> -> tensor<20xf32>
        %b = arith.negf %a : tensor<20xf32>
        scf.yield %b : tensor<20xf32>
      } else {
        %a = tile.load %x[%c0, %c0] along [1] : !tile.view<2x20xf32> -> tensor<20xf32>
        scf.yield %a : tensor<20xf32>
      }
      tile.store %v, %y[%c0] along [0] : tensor<20xf32>, !tile.view<20xf32>)"),
        40, 20, 20, 20, {0, 1});
  // Two loop values that change places, and one that stays.
  check(kernel("2x20xf32", "20xf32", "20xf32", R"(
      %a = tile.load %x[%c0, %c0] along [1] : !tile.view<2x20xf32> -> tensor<20xf32>
      %b = tile.load %x[%c1, %c0] along [1] : !tile.view<2x20xf32> -> tensor<20xf32>
      %u, %v, %w = scf.for %i = %c0 to %n step %c1 iter_args(%p0 = %a, %q0 = %b, %r0 = %a) -> (tensor<20xf32>, tensor<20xf32>, tensor<20xf32>) {
        %t = arith.addf %p0, %q0 : tensor<20xf32>
        %z = arith.mulf %t, %r0 : tensor<20xf32>
        scf.yield %q0, %z, %r0 : tensor<20xf32>, tensor<20xf32>, tensor<20xf32>
      }
      %o = arith.subf %u, %v : tensor<20xf32>
      tile.store %o, %y[%c0] along [0] : tensor<20xf32>, !tile.view<20xf32>
      tile.store %w, %s[%c0] along [0] : tensor<20xf32>, !tile.view<20xf32>)"),
        40, 20, 20, 20, {0, 1, 4});
}

TEST(CpuOps, ProductsOfEveryForm) {
  for (int width : {1, 7, 16, 40}) {
    SCOPED_TRACE(width);
    // Expressions as operands and as initial value; rows within a limit.
    check(withWidth(kernel("9xWxf32", "WxWxf32", "9xWxf32", R"(
        %a = tile.load %x[%c0, %c0] along [0, 1] limit(%n) : !tile.view<9xWxf32> -> tensor<9xWxf32>
        %b = tile.load %s[%c0, %c0] along [0, 1] : !tile.view<WxWxf32> -> tensor<WxWxf32>
        %e = math.absf %a : tensor<9xWxf32>
        %f = arith.negf %b : tensor<WxWxf32>
        %c = arith.addf %a, %e : tensor<9xWxf32>
        %d = tile.dot %e, %f acc(%c) transpose_b : tensor<9xWxf32>, tensor<WxWxf32> -> tensor<9xWxf32>
        %g = tile.dot %d, %f : tensor<9xWxf32>, tensor<WxWxf32> -> tensor<9xWxf32>
        %m = arith.maximumf %g, %a : tensor<9xWxf32>
        tile.store %m, %y[%c0, %c0] along [0, 1] limit(%n) : tensor<9xWxf32>, !tile.view<9xWxf32>
        %h = tile.dot %a, %a acc(%b) transpose_a : tensor<9xWxf32>, tensor<9xWxf32> -> tensor<WxWxf32>
        tile.store %h, %s[%c0, %c0] along [0, 1] : tensor<WxWxf32>, !tile.view<WxWxf32>)"),
                    width),
          9 * width, width * width, 9 * width, 1000, {0, 1, 3, 9});
  }
}
