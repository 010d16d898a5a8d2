// Emitted kernels whose operands come by tensor copies: boxes over every edge of what they copy, rows beyond the limit
// that are no numbers, stages that get both kinds of copies. And what the emulation finds where one of the parts that
// order them is broken.
#include "test/Target/CUDA/EmittedModule.h"

#include <cmath>
#include <cstring>

using namespace mmc::test;

namespace {

/// Of two experts y = x w[e]^T over the rows of each, x [rows, k], w [2, n, k] of bf16, with rows to spare in x.
std::string experts(int n, int k) {
  const std::string N = std::to_string(n), K = std::to_string(k), x = "!tile.view<?x" + K + "xbf16>",
                    w = "!tile.view<2x" + N + "x" + K + "xbf16>", y = "!tile.view<?x" + N + "xf32>",
                    tile = "tensor<64x" + K + "xbf16>";
  return "tile.kernel @experts(%offsets: !tile.view<3xi32> {tile.access = \"read\"}, %x: " + x +
         " {tile.access = \"read\"}, %w: " + w + " {tile.access = \"read\"}, %y: " + y +
         " {tile.access = \"write\"}) domain(%expert in #tile.extent<fixed, 2>, %panel in #tile.extent<fixed, " +
         std::to_string((n + 63) / 64) +
         ">) {\n  %c0 = arith.constant 0 : index\n  %c1 = arith.constant 1 : index\n  %c64 = arith.constant 64 : "
         "index\n"
         "  %n0 = arith.muli %panel, %c64 : index\n  %after = arith.addi %expert, %c1 : index\n"
         "  %b = tile.load %offsets[%expert] along [] : !tile.view<3xi32> -> i32\n"
         "  %e = tile.load %offsets[%after] along [] : !tile.view<3xi32> -> i32\n"
         "  %begin = arith.index_cast %b : i32 to index\n  %end = arith.index_cast %e : i32 to index\n"
         "  scf.for %r = %begin to %end step %c64 {\n    %left = arith.subi %end, %r : index\n"
         "    %m = arith.minsi %c64, %left : index\n    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : " +
         x + " -> " + tile + "\n    %W = tile.load %w[%expert, %n0, %c0] along [1, 2] : " + w + " -> " + tile +
         "\n    %p = tile.dot %X, %W transpose_b : " + tile + ", " + tile +
         " -> tensor<64x64xf32>\n    tile.store %p, %y[%r, %n0] along [0, 1] limit(%m) : tensor<64x64xf32>, " + y +
         "\n  }\n  tile.return\n}\n";
}

/// o = (q k^T) v over the rows of a step, 64 at a time: rows of q come by tensor copies, those of k and v do not.
const char *kMixed = R"(
tile.kernel @mixed(%q: !tile.view<?x2x64xbf16> {tile.access = "read"}, %k: !tile.view<?x64xbf16> {tile.access = "read"},
    %v: !tile.view<?x64xbf16> {tile.access = "read"}, %o: !tile.view<?x64xf32> {tile.access = "write"},
    %rows: index {tile.step = #tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  scf.for %r = %c0 to %rows step %c64 {
    %left = arith.subi %rows, %r : index
    %m = arith.minsi %c64, %left : index
    %Q = tile.load %q[%r, %c1, %c0] along [0, 2] limit(%m) : !tile.view<?x2x64xbf16> -> tensor<64x64xbf16>
    %K = tile.load %k[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %V = tile.load %v[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x64xbf16> -> tensor<64x64xbf16>
    %S = tile.dot %Q, %K transpose_b : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %R = arith.truncf %S : tensor<64x64xf32> to tensor<64x64xbf16>
    %O = tile.dot %R, %V : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %O, %o[%r, %c0] along [0, 1] limit(%m) : tensor<64x64xf32>, !tile.view<?x64xf32>
  }
  tile.return
}
)";

/// y = (x[list] g^T) * (x[list] u^T) over the rows of a list, x [16, k], g and u [64, k].
std::string gathered(int k) {
  const std::string K = std::to_string(k), x = "!tile.view<?x" + K + "xbf16>", w = "!tile.view<64x" + K + "xbf16>",
                    tile = "tensor<64x" + K + "xbf16>", dot = tile + ", " + tile + " -> tensor<64x64xf32>\n";
  return "tile.kernel @gathered(%list: !tile.view<?xi32> {tile.access = \"read\"}, %x: " + x +
         " {tile.access = \"read\"}, %g: " + w + " {tile.access = \"read\"}, %u: " + w +
         " {tile.access = \"read\"}, %y: !tile.view<?x64xf32> {tile.access = \"write\"}, %rows: index {tile.step = "
         "#tile.step<token_count>}) domain(%p in #tile.extent<fixed, 1>) {\n"
         "  %c0 = arith.constant 0 : index\n  %c64 = arith.constant 64 : index\n"
         "  scf.for %r = %c0 to %rows step %c64 {\n    %left = arith.subi %rows, %r : index\n"
         "    %m = arith.minsi %c64, %left : index\n"
         "    %S = tile.load %list[%r] along [0] limit(%m) : !tile.view<?xi32> -> tensor<64xi32>\n"
         "    %X = tile.gather %x rows %S[%c0, %c0] along [0, 1] limit(%m) : " +
         x + ", tensor<64xi32> -> " + tile + "\n    %G = tile.load %g[%c0, %c0] along [0, 1] : " + w + " -> " + tile +
         "\n    %U = tile.load %u[%c0, %c0] along [0, 1] : " + w + " -> " + tile +
         "\n    %P = tile.dot %X, %G transpose_b : " + dot + "    %Q = tile.dot %X, %U transpose_b : " + dot +
         "    %Y = arith.mulf %P, %Q : tensor<64x64xf32>\n    tile.store %Y, %y[%r, %c0] along [0, 1] limit(%m) : "
         "tensor<64x64xf32>, !tile.view<?x64xf32>\n  }\n  tile.return\n}\n";
}

std::vector<Argument> gatheredArguments(int k, int rows) {
  std::vector<int32_t> list(static_cast<size_t>(rows));
  for (size_t i = 0; i < list.size(); ++i) list[i] = int32_t((i * 7 + 3) % 16);
  return {integers(list),
          bf16s(randomFloats(size_t(16 * k), 1)),
          bf16s(randomFloats(size_t(64 * k), 2)),
          bf16s(randomFloats(size_t(64 * k), 3)),
          written(Kind::f32, size_t(rows * 64), 64),
          count(rows)};
}

/// Random rows, and behind them some that are no numbers.
Argument rowsAndNaN(int rows, int width, int more, unsigned seed) {
  std::vector<float> values = randomFloats(size_t(rows * width), seed);
  values.resize(size_t((rows + more) * width), NAN);
  return bf16s(values);
}

std::vector<Argument> expertArguments(int n, int k, int first, int rows) {
  return {integers({0, first, rows}), rowsAndNaN(rows, k, 9, 2), bf16s(randomFloats(size_t(2 * n * k), 1)),
          written(Kind::f32, size_t(rows * n), size_t(n))};
}

std::vector<Argument> mixedArguments(int rows) {
  return {rowsAndNaN(rows, 128, 7, 1), rowsAndNaN(rows, 64, 7, 2), rowsAndNaN(rows, 64, 7, 3),
          written(Kind::f32, size_t(rows * 64), 64), count(rows)};
}

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

} // namespace

TEST(EmittedTensorCopies, EdgesOfWeightsAndRowsOfAnotherExpert) {
  // k in six stages and more, k whole, columns beyond the last, rows that begin anywhere.
  for (auto [n, k] : {std::pair(64, 576), {72, 128}, {100, 64}, {40, 160}}) {
    SCOPED_TRACE(std::to_string(n) + " x " + std::to_string(k));
    EmittedModule module(experts(n, k));
    const std::string &source = module.source("experts", "sm_90a");
    EXPECT_TRUE(has(source, "tensorLoadTile") && !has(source, "copyTile") && !has(source, "fenceProxy")) << source;
    for (auto [first, rows] : {std::pair(0, 1), {63, 64}, {65, 201}, {130, 130}})
      module.check("experts", expertArguments(n, k, first, rows), {}, 1e-2);
  }
}

TEST(EmittedTensorCopies, OneOperandOfAStage) {
  EmittedModule module(kMixed);
  const std::string &source = module.source("mixed", "sm_90a");
  EXPECT_TRUE(has(source, "initialise(129, ") && has(source, "initialise(128, ")) << source;
  for (int rows : {1, 63, 64, 150}) module.check("mixed", mixedArguments(rows), {}, 1e-2);
}

TEST(EmittedTensorCopies, RowsOfAList) {
  for (int k : {64, 576}) { // whole, and in pieces
    SCOPED_TRACE(k);
    EmittedModule module(gathered(k));
    const std::string &source = module.source("gathered", "sm_90a");
    EXPECT_TRUE(has(source, "initialise(129, ") && has(source, "s64(argument0[at + i])") && has(source, "argument3Map"))
        << source;
    for (int rows : {1, 63, 64, 150}) module.check("gathered", gatheredArguments(k, rows), {}, 1e-2);
  }
}

TEST(EmittedTensorCopies, WhatIsBrokenIsFound) {
  EmittedModule alone(experts(64, 576));
  auto findings = [&](const std::string &from, const std::string &to) {
    return alone.findings("experts", expertArguments(64, 576, 65, 201), {}, from, to);
  };
  EXPECT_EQ(findings("ring.advance();", "ring.advance();"), "");
  // Fewer bytes: the stage is full too early, or the count never balances. More: it is never full.
  EXPECT_TRUE(has(findings("expect(16384)", "expect(8192)"), "mbarrier"));
  EXPECT_TRUE(has(findings("expect(16384)", "expect(16400)"), "deadlock"));
  // Nobody waits for the copies; nobody waits for the readers.
  EXPECT_TRUE(has(findings("ring.wait();", "ring.at.stage;\nring.at.advance();"), "race"));
  EXPECT_TRUE(has(findings("ring.begin();", "ring.at.stage;"), "race"));
  // A product is still reading the stage that is released.
  EXPECT_TRUE(has(findings("multiplyWait<1>();", "multiplyWait<2>();"), "race"));
}

TEST(EmittedTensorCopies, WhatIsBrokenInAMixedStageIsFound) {
  EmittedModule mixed(kMixed);
  auto findings = [&](const std::string &from, const std::string &to) {
    return mixed.findings("mixed", mixedArguments(150), {}, from, to);
  };
  EXPECT_EQ(findings("ring.end();", "ring.end();"), "");
  // The fence is for the operand that threads copied.
  EXPECT_TRUE(has(findings("fenceProxyAsyncShared();", ""), "fence"));
  // The stage is full before all who fill it have arrived.
  EXPECT_TRUE(has(findings("initialise(129, ", "initialise(128, "), "race"));
}
