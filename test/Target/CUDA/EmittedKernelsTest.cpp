// Emitted kernels of a whole model on the emulated device against the tile interpreter: no finding, and the
// interpreter's answers.
#include "test/Target/CUDA/EmittedModule.h"

#include <cmath>

using namespace mmc::test;

namespace {

constexpr double kF32 = 1e-5, kBf16 = 1e-2;
constexpr int kDepth = 72;

/// y = x w^T, with x [rows, k] and w [n, k] of bf16, y of f32, blocks of 64 rows by 64 columns.
std::string linear(int n, int k) {
  const std::string N = std::to_string(n), K = std::to_string(k);
  return "tile.kernel @linear(%x: !tile.view<?x" + K + "xbf16> {tile.access = \"read\"}, %w: !tile.view<" + N + "x" +
         K + "xbf16> {tile.access = \"read\"}, %y: !tile.view<?x" + N +
         "xf32> {tile.access = \"write\"}, %rows: index {tile.step = #tile.step<token_count>}) domain(%panel in "
         "#tile.extent<fixed, " +
         std::to_string((n + 63) / 64) + ">) {\n" +
         "  %c64 = arith.constant 64 : index\n  %c0 = arith.constant 0 : index\n  %n0 = arith.muli %panel, %c64 : "
         "index\n" +
         "  scf.for %r = %c0 to %rows step %c64 {\n    %left = arith.subi %rows, %r : index\n    %m = arith.minsi "
         "%c64, %left : index\n" +
         "    %X = tile.load %x[%r, %c0] along [0, 1] limit(%m) : !tile.view<?x" + K + "xbf16> -> tensor<64x" + K +
         "xbf16>\n" + "    %W = tile.load %w[%n0, %c0] along [0, 1] : !tile.view<" + N + "x" + K +
         "xbf16> -> tensor<64x" + K + "xbf16>\n" + "    %p = tile.dot %X, %W transpose_b : tensor<64x" + K +
         "xbf16>, tensor<64x" + K + "xbf16> -> tensor<64x64xf32>\n" +
         "    tile.store %p, %y[%r, %n0] along [0, 1] limit(%m) : tensor<64x64xf32>, !tile.view<?x" + N +
         "xf32>\n  }\n  tile.return\n}\n";
}

std::vector<Argument> lightning(int rows, const std::vector<int32_t> &records, int slots) {
  constexpr int kHeads = 2, kChannels = 16;
  Argument u = floats(randomFloats(rows * 3 * kHeads * kChannels, rows));
  return {u,
          u,
          u,
          floats({0.9f, 0.01f}),
          updated(floats(randomFloats(slots * kHeads * kChannels * kChannels, 9)), kChannels),
          written(Kind::f32, rows * kHeads * kChannels, kChannels),
          integers(records)};
}

} // namespace

TEST(EmittedKernels, ProductsOfEveryDepthAndTail) {
  for (auto [n, k] : {std::pair(64, 64), {100, 72}, {128, 320}, {40, 96}}) {
    SCOPED_TRACE(std::to_string(n) + " x " + std::to_string(k));
    EmittedModule module(linear(n, k));
    Argument w = bf16s(randomFloats(n * k, 1));
    for (int rows : {1, 63, 64, 130})
      module.check("linear", {bf16s(randomFloats(rows * k, 2)), w, written(Kind::f32, rows * n, n), count(rows)}, {},
                   kBf16);
  }
}

TEST(EmittedKernels, RowKernels) {
  EmittedModule norm("rms_norm.mlir");
  const int rows = 7;
  Argument x = floats(randomFloats(rows * kDepth, 1)), b = floats(randomFloats(rows * kDepth, 2)),
           gain = floats(randomFloats(kDepth, 3));
  Argument y = written(Kind::f32, rows * kDepth, kDepth);
  norm.check("rms_norm", {x, gain, y}, {.tokens = rows}, kF32);
  norm.check("residual_rms_norm", {x, b, floats({0.5f}), floats({1.5f}), gain, y, y}, {.tokens = rows}, kF32);
  EmittedModule embedding("embedding.mlir");
  embedding.check("embedding", {integers({3, 49, 0, 7}), floats(randomFloats(50 * 40, 1)), written(Kind::f32, 160, 40)},
                  {.tokens = 4}, 0);
}

TEST(EmittedKernels, SumsAlongAndAcrossRowsOfAnyWidth) {
  for (int width : {32, 64, 96, 160, 256, 640}) {
    SCOPED_TRACE(width);
    const std::string W = std::to_string(width), matrix = "32x" + W + "xf32";
    EmittedModule module("tile.kernel @sums(%x: !tile.view<" + matrix +
                         "> {tile.access = \"read\"}, %rows: !tile.view<32xf32> "
                         "{tile.access = \"write\"}, %columns: !tile.view<" +
                         W +
                         "xf32> {tile.access = \"write\"}) "
                         "domain(%p in #tile.extent<fixed, 1>) {\n  %c0 = arith.constant 0 : index\n"
                         "  %X = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<" +
                         matrix + "> -> tensor<" + matrix +
                         ">\n"
                         "  %r = tile.reduce add %X along 1 : tensor<" +
                         matrix +
                         "> -> tensor<32xf32>\n"
                         "  %c = tile.reduce add %X along 0 : tensor<" +
                         matrix + "> -> tensor<" + W +
                         "xf32>\n"
                         "  tile.store %r, %rows[%c0] along [0] : tensor<32xf32>, !tile.view<32xf32>\n"
                         "  tile.store %c, %columns[%c0] along [0] : tensor<" +
                         W + "xf32>, !tile.view<" + W +
                         "xf32>\n"
                         "  tile.return\n}\n");
    module.check("sums",
                 {floats(randomFloats(size_t(32 * width), 1)), written(Kind::f32, 32, 32),
                  written(Kind::f32, size_t(width), size_t(width))},
                 {}, kF32);
  }
}

// The best of each row and their columns; of equal ones the first.
TEST(EmittedKernels, LargestOfARowWithTies) {
  EmittedModule module(R"(
tile.kernel @best(%x: !tile.view<5x24xf32> {tile.access = "read"}, %values: !tile.view<5x3xf32> {tile.access = "write"},
    %columns: !tile.view<5x3xi32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
  %c0 = arith.constant 0 : index
  %X = tile.load %x[%c0, %c0] along [0, 1] : !tile.view<5x24xf32> -> tensor<5x24xf32>
  %v, %c = tile.top_k %X : tensor<5x24xf32> -> tensor<5x3xf32>, tensor<5x3xi32>
  tile.store %v, %values[%c0, %c0] along [0, 1] : tensor<5x3xf32>, !tile.view<5x3xf32>
  tile.store %c, %columns[%c0, %c0] along [0, 1] : tensor<5x3xi32>, !tile.view<5x3xi32>
  tile.return
}
)");
  std::vector<float> scores(5 * 24);
  for (size_t i = 0; i < scores.size(); ++i)
    scores[i] = float((i * 11 + i / 24) % 7) - 3; // each value three times or more
  module.check("best", {floats(scores), written(Kind::f32, 15, 3), written(Kind::i32, 15, 3)}, {}, 0);
}

TEST(EmittedKernels, RotationTableAtLongPositions) {
  EmittedModule module("rope_table.mlir");
  std::vector<int32_t> positions = {0, 1, 2, 3, 1000, 65535, 1048575, 10239999, 2147483647};
  int rows = int(positions.size());
  module.check("rope_table",
               {integers(positions), written(Kind::f32, rows * 4, rows * 4), written(Kind::f32, rows * 4, rows * 4)},
               {.tokens = rows}, 1e-6);
}

TEST(EmittedKernels, LightningPrefill) {
  EmittedModule module("lightning_prefill.mlir");
  for (const char *name : {"lightning_prefill_c32", "lightning_prefill_c64"})
    for (int rows : {1, 33, 64, 150}) {
      SCOPED_TRACE(std::to_string(rows) + " rows");
      module.check(name, lightning(rows + 20, {0, 20, rows, 7, 2, 0, 20, 0}, 3), {.work = {2}}, kBf16);
    }
}

TEST(EmittedKernels, LightningDecode) {
  EmittedModule module("lightning_decode.mlir");
  module.check("lightning_decode", lightning(3, {1, 0, 1, 11, 0, 1, 1, 3, 2, 2, 1, 0}, 3), {.work = {3}}, kF32);
}

TEST(EmittedKernels, SortingAndCombiningRows) {
  const int tokens = 77, width = 32, experts = 5;
  std::vector<int32_t> chosen(2 * tokens);
  for (int i = 0; i < 2 * tokens; ++i)
    chosen[i] = (i * 7 + i / 3) % 5 == 3 ? 4 : (i * 7 + i / 3) % 5; // expert 3 gets no row
  EmittedModule permute("permute.mlir"), combine("combine.mlir");
  permute.check("permute",
                {integers(chosen), written(Kind::i32, experts + 1, 1), written(Kind::i32, 2 * tokens, 1),
                 written(Kind::i32, 2 * tokens, 2), count(tokens)},
                {.tokens = tokens}, 0);
  std::vector<int32_t> position(2 * tokens);
  for (int i = 0; i < 2 * tokens; ++i) position[i] = (i * 31) % (2 * tokens);
  combine.check("combine",
                {floats(randomFloats(2 * tokens * width, 4)), floats(randomFloats(2 * tokens, 5)), integers(position),
                 floats(randomFloats(tokens * width, 6)), floats({0.9f}), floats({1.1f}),
                 written(Kind::f32, tokens * width, width)},
                {.tokens = tokens}, kF32);
}

TEST(EmittedKernels, RotationAndAppendToThePagedCache) {
  EmittedModule module("rope_append.mlir");
  const int rows = 5, slots = 3, table = 4, pages = 9, pageSize = 64 * 16;
  std::vector<float> u = randomFloats(rows * 64, 1);
  std::vector<int32_t> pageTable(slots * table);
  for (int i = 0; i < slots * table; ++i) pageTable[i] = (i * 4 + 2) % pages;
  Argument keys = updated(floats(randomFloats(pages * pageSize, 2)), 16),
           values = updated(floats(randomFloats(pages * pageSize, 3)), 16);
  Argument uu = floats(u), pt = integers(pageTable);
  module.check("rope_append",
               {uu, uu, uu, floats(randomFloats(rows * 4, 4)), floats(randomFloats(rows * 4, 5)),
                integers({0, 63, 64, 130, 5}), integers({0, 0, 0, 2, 1}), keys, pt, values, pt,
                written(Kind::f32, rows * 32, 16)},
               {.tokens = rows}, kF32);
}

TEST(EmittedKernels, SoftmaxOverAPagedCache) {
  EmittedModule module("attention.mlir");
  const int pageCount = 16, table = 4, pageSize = 2048, rows = 27;
  std::vector<int32_t> pages(4 * table);
  for (int i = 0, next = 13; i < 4 * table; ++i, next = (next + 5) % 16) pages[i] = next;
  std::vector<float> keys(pageCount * pageSize, NAN), values(pageCount * pageSize, NAN),
      data = randomFloats(16 * pageSize, 2, 3);
  size_t next = 0;
  auto fill = [&](int slot, int positions) {
    for (int p = 0; p < positions; ++p)
      for (int g = 0; g < 2; ++g)
        for (int c = 0; c < 16; ++c) {
          size_t page = size_t(pages[slot * table + p / 64]) * pageSize;
          keys[page + p % 64 + g * 1024 + c * 64] = data[next++];
          values[page + p % 64 * 16 + g * 1024 + c] = data[next++];
        }
  };
  fill(2, 20);
  fill(0, 105);
  fill(3, 201);
  fill(1, 65);
  Argument q = floats(randomFloats(rows * 64, 1)), k = floats(keys), v = floats(values), p = integers(pages);
  Argument o = written(Kind::f32, rows * 64, 16);
  module.check("attention_prefill", {q, k, p, v, p, o, integers({2, 0, 16, 0, 2, 16, 4, 16, 0, 20, 5, 100})},
               {.work = {3}}, kBf16);
  module.check("attention_decode", {q, k, p, v, p, o, integers({3, 25, 1, 200, 1, 26, 1, 64})}, {.work = {2}}, kBf16);
}
