// Loads, gathers and stores of every layout, compute ops, control flow, and the checks of a memory map, against values
// written by hand.
#include "test/Interpreter/TileTest.h"

#include <numeric>

using namespace mmc::test;

namespace {

class TileMemory : public TileTest {};

std::vector<float> counting(size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

} // namespace

TEST_F(TileMemory, LoadStoreWithLimitAndEdges) {
  // A tile [3, 4] at (1, 3) of a view [?, 5]: two columns and the rows from the limit on are outside.
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%x: !tile.view<?x5xf32> {tile.access = "read"}, %all: !tile.view<3x4xf32> {tile.access = "write"}, %y: !tile.view<?x5xf32> {tile.access = "write"})
        domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %t = tile.load %x[%c1, %c3] along [0, 1] limit(%c2) : !tile.view<?x5xf32> -> tensor<3x4xf32>
      tile.store %t, %all[%c0, %c0] along [0, 1] : tensor<3x4xf32>, !tile.view<3x4xf32>
      tile.store %t, %y[%c1, %c3] along [0, 1] limit(%c1) : tensor<3x4xf32>, !tile.view<?x5xf32>
      tile.return
    })",
                                   "k");
  std::vector<float> x = counting(15), all(12, -1), y(15, -1);
  run(kernel, {word(x), word(all), word(y)});
  EXPECT_EQ(all, (std::vector<float>{8, 9, 0, 0, 13, 14, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(y, (std::vector<float>{-1, -1, -1, -1, -1, -1, -1, -1, 8, 9, -1, -1, -1, -1, -1}));
}

TEST_F(TileMemory, StridedViewSkipsDimensions) {
  // q, k, v by head: [?, 2 heads, 3 channels] out of rows of 2 x 9, the k part.
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%x: !tile.view<?x2x3xf32, #tile.strided<[18, 9, 1], offset = 3>> {tile.access = "read"}, %y: !tile.view<2x3xf32> {tile.access = "write"})
        domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %t = tile.load %x[%c0, %c1, %c0] along [0, 2] : !tile.view<?x2x3xf32, #tile.strided<[18, 9, 1], offset = 3>> -> tensor<2x3xf32>
      tile.store %t, %y[%c0, %c0] along [0, 1] : tensor<2x3xf32>, !tile.view<2x3xf32>
      tile.return
    })",
                                   "k");
  std::vector<float> x = counting(36), y(6);
  run(kernel, {word(x), word(y)});
  EXPECT_EQ(y, (std::vector<float>{12, 13, 14, 30, 31, 32}));
}

TEST_F(TileMemory, PanelsOfExpertsArePaddedTo64Bytes) {
  // Two experts of [3, 3] in panels of n = 2, k = 2: 4 x 4 = 16 elements of bf16 are 32 bytes, so the second expert
  // lies at element 32.
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%x: !tile.view<2x3x3xbf16, #tile.panels<n = 2, k = 2>> {tile.access = "read"}, %y: !tile.view<2x4xbf16> {tile.access = "write"})
        domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %t = tile.load %x[%c1, %c2, %c0] along [1, 2] : !tile.view<2x3x3xbf16, #tile.panels<n = 2, k = 2>> -> tensor<2x4xbf16>
      tile.store %t, %y[%c0, %c0] along [0, 1] : tensor<2x4xbf16>, !tile.view<2x4xbf16>
      tile.return
    })",
                                   "k");
  std::vector<uint16_t> x(64, 0xFFFF), y(8, 0xFFFF);
  // Row 2 of expert 1 is row 0 of its second panel: columns 0, 1 at 32 + 8, column 2 in the next block of 2 x 2.
  x[32 + 8] = 0x3F80;  // 1
  x[32 + 9] = 0x4000;  // 2
  x[32 + 12] = 0x4040; // 3
  run(kernel, {word(x), word(y)});
  EXPECT_EQ(y, (std::vector<uint16_t>{0x3F80, 0x4000, 0x4040, 0, 0, 0, 0, 0}));
}

TEST_F(TileMemory, PagedViewFollowsTheTable) {
  // Pages of 2 positions, 1 head, 2 channels, channel-major; slot 1 has pages 3, 0.
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%x: !tile.view<?x?x1x2xf32, #tile.paged<page = 2, table = 2, strides = [1, 4, 2]>> {tile.access = "readwrite"}, %y: !tile.view<4x2xf32> {tile.access = "write"})
        domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %t = tile.load %x[%c1, %c0, %c0, %c0] along [1, 3] limit(%c3) : !tile.view<?x?x1x2xf32, #tile.paged<page = 2, table = 2, strides = [1, 4, 2]>> -> tensor<4x2xf32>
      tile.store %t, %y[%c0, %c0] along [0, 1] : tensor<4x2xf32>, !tile.view<4x2xf32>
      %z = arith.constant 77.0 : f32
      tile.store %z, %x[%c1, %c3, %c0, %c1] along [] : f32, !tile.view<?x?x1x2xf32, #tile.paged<page = 2, table = 2, strides = [1, 4, 2]>>
      tile.return
    })",
                                   "k");
  std::vector<float> pool = counting(16), y(8, -1);
  std::vector<int32_t> pages = {1, 2, 3, 0};
  EXPECT_EQ(kernel.wordCount(), 3u);
  run(kernel, {word(pool), word(pages), word(y)});
  EXPECT_EQ(y, (std::vector<float>{12, 14, 13, 15, 0, 2, 0, 0}));
  EXPECT_EQ(pool[3], 77);
}

TEST_F(TileMemory, GatherAddsRowsToTheIndexAndStopsAtTheLimit) {
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%x: !tile.view<?x2xf32> {tile.access = "read"}, %rows: !tile.view<3xi32> {tile.access = "read"}, %y: !tile.view<3x2xf32> {tile.access = "write"})
        domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %i = tile.load %rows[%c0] along [0] : !tile.view<3xi32> -> tensor<3xi32>
      %t = tile.gather %x rows %i[%c1, %c0] along [0, 1] limit(%c2) : !tile.view<?x2xf32>, tensor<3xi32> -> tensor<3x2xf32>
      tile.store %t, %y[%c0, %c0] along [0, 1] : tensor<3x2xf32>, !tile.view<3x2xf32>
      tile.return
    })",
                                   "k");
  std::vector<float> x = counting(10), y(6, -1);
  std::vector<int32_t> rows = {3, 0, 1000000};
  run(kernel, {word(x), word(rows), word(y)});
  EXPECT_EQ(y, (std::vector<float>{8, 9, 2, 3, 0, 0}));
}

TEST_F(TileMemory, PointReadsARecord) {
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%y: !tile.view<?x4xi32> {tile.access = "write"}, %list: !tile.ragged {tile.work = #tile.work<all>}) domain(%p in #tile.extent<work, 1>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %slot, %row, %rows, %position = tile.point %list[%p]
      %a = arith.index_cast %slot : index to i32
      %b = arith.index_cast %row : index to i32
      %c = arith.index_cast %rows : index to i32
      %d = arith.index_cast %position : index to i32
      tile.store %d, %y[%p, %c0] along [] : i32, !tile.view<?x4xi32>
      tile.store %c, %y[%p, %c1] along [] : i32, !tile.view<?x4xi32>
      tile.store %b, %y[%p, %c2] along [] : i32, !tile.view<?x4xi32>
      tile.store %a, %y[%p, %c3] along [] : i32, !tile.view<?x4xi32>
      tile.return
    })",
                                   "k");
  std::vector<int32_t> list = {1, 2, 3, 4, 5, 6, 7, 8}, y(8);
  run(kernel, {word(y), word(list)}, {.work = {2}});
  EXPECT_EQ(y, (std::vector<int32_t>{4, 3, 2, 1, 8, 7, 6, 5}));
}

TEST_F(TileMemory, Products) {
  // A = [[1, 2, 3], [4, 5, 6]], B = [[1, 0], [0, 1], [1, 1]], each in both orientations; acc = A B.
  auto product = [&](const char *a, const char *b, const char *flags, const char *aType, const char *bType) {
    std::vector<float> y(4);
    run(compile(std::string("tile.kernel @k(%y: !tile.view<2x2xf32> {tile.access = \"write\"}) domain(%p in "
                            "#tile.extent<fixed, 1>) {\n") +
                    "%c0 = arith.constant 0 : index\n %a = arith.constant dense<" + a + "> : " + aType +
                    "\n %b = arith.constant dense<" + b + "> : " + bType +
                    "\n %acc = arith.constant dense<[[100.0, 200.0], [300.0, 400.0]]> : tensor<2x2xf32>\n %r = "
                    "tile.dot %a, %b " +
                    flags + " : " + aType + ", " + bType +
                    " -> tensor<2x2xf32>\n tile.store %r, %y[%c0, %c0] along [0, 1] : tensor<2x2xf32>, "
                    "!tile.view<2x2xf32>\n tile.return\n}",
                "k"),
        {word(y)});
    return y;
  };
  const char *a = "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]", *at = "[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]";
  const char *b = "[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]", *bt = "[[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]";
  std::vector<float> expected = {4, 5, 10, 11}, accumulated = {104, 205, 310, 411};
  EXPECT_EQ(product(a, b, "", "tensor<2x3xf32>", "tensor<3x2xf32>"), expected);
  EXPECT_EQ(product(at, b, "transpose_a", "tensor<3x2xf32>", "tensor<3x2xf32>"), expected);
  EXPECT_EQ(product(a, bt, "transpose_b", "tensor<2x3xf32>", "tensor<2x3xf32>"), expected);
  EXPECT_EQ(product(at, bt, "acc(%acc) transpose_a transpose_b", "tensor<3x2xf32>", "tensor<2x3xf32>"), accumulated);
  EXPECT_EQ(product(a, bt, "transpose_b", "tensor<2x3xbf16>", "tensor<2x3xbf16>"), expected);
}

TEST_F(TileMemory, ReductionsAndMaps) {
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%y: !tile.view<30xf32> {tile.access = "write"}, %z: !tile.view<10xi32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %c5 = arith.constant 5 : index
      %c6 = arith.constant 6 : index
      %c7 = arith.constant 7 : index
      %c13 = arith.constant 13 : index
      %c19 = arith.constant 19 : index
      %a = arith.constant dense<[[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]]> : tensor<2x3xf32>
      %rows = tile.reduce add %a along 1 : tensor<2x3xf32> -> tensor<2xf32>
      tile.store %rows, %y[%c0] along [0] : tensor<2xf32>, !tile.view<30xf32>
      %columns = tile.reduce max %a along 0 : tensor<2x3xf32> -> tensor<3xf32>
      tile.store %columns, %y[%c2] along [0] : tensor<3xf32>, !tile.view<30xf32>
      %sum = tile.reduce add %rows along 0 : tensor<2xf32> -> f32
      tile.store %sum, %y[%c5] along [] : f32, !tile.view<30xf32>
      %nan = arith.constant dense<[1.0, 0x7FC00000, 2.0]> : tensor<3xf32>
      %worst = tile.reduce max %nan along 0 : tensor<3xf32> -> f32
      tile.store %worst, %y[%c6] along [] : f32, !tile.view<30xf32>
      %t = tile.transpose %a : tensor<2x3xf32> -> tensor<3x2xf32>
      %flat = tile.reshape %t : tensor<3x2xf32> -> tensor<6xf32>
      tile.store %flat, %y[%c7] along [0] : tensor<6xf32>, !tile.view<30xf32>
      %byRow = tile.broadcast %rows to [0] : tensor<2xf32> -> tensor<2x3xf32>
      %flatRow = tile.reshape %byRow : tensor<2x3xf32> -> tensor<6xf32>
      tile.store %flatRow, %y[%c13] along [0] : tensor<6xf32>, !tile.view<30xf32>
      %byColumn = tile.broadcast %columns to [1] : tensor<3xf32> -> tensor<2x3xf32>
      %flatColumn = tile.reshape %byColumn : tensor<2x3xf32> -> tensor<6xf32>
      tile.store %flatColumn, %y[%c19] along [0] : tensor<6xf32>, !tile.view<30xf32>
      %i = tile.iota 0 : tensor<2x3xi32>
      %flatI = tile.reshape %i : tensor<2x3xi32> -> tensor<6xi32>
      tile.store %flatI, %z[%c0] along [0] : tensor<6xi32>, !tile.view<10xi32>
      %most = tile.reduce max %flatI along 0 : tensor<6xi32> -> i32
      tile.store %most, %z[%c6] along [] : i32, !tile.view<10xi32>
      tile.return
    })",
                                   "k");
  std::vector<float> y(30, -1);
  std::vector<int32_t> z(10, -1);
  run(kernel, {word(y), word(z)});
  EXPECT_TRUE(std::isnan(y[6]));
  y[6] = 0;
  EXPECT_EQ(std::vector<float>(y.begin(), y.begin() + 25),
            (std::vector<float>{2, 3, 4, 5, 3, 5, 0, 1, 4, -2, 5, 3, -6, 2, 2, 2, 3, 3, 3, 4, 5, 3, 4, 5, 3}));
  EXPECT_EQ(std::vector<int32_t>(z.begin(), z.begin() + 7), (std::vector<int32_t>{0, 0, 0, 1, 1, 1, 1}));
}

TEST_F(TileMemory, TopKPrefersTheLowestColumnAndAnyNumberToNaN) {
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%y: !tile.view<2x3xf32> {tile.access = "write"}, %z: !tile.view<2x3xi32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %a = arith.constant dense<[[2.0, 7.0, 2.0, 7.0], [0x7FC00000, -1.0, 0xFF800000, 0x7FC00000]]> : tensor<2x4xf32>
      %v, %c = tile.top_k %a : tensor<2x4xf32> -> tensor<2x3xf32>, tensor<2x3xi32>
      tile.store %v, %y[%c0, %c0] along [0, 1] : tensor<2x3xf32>, !tile.view<2x3xf32>
      tile.store %c, %z[%c0, %c0] along [0, 1] : tensor<2x3xi32>, !tile.view<2x3xi32>
      tile.return
    })",
                                   "k");
  std::vector<float> y(6);
  std::vector<int32_t> z(6);
  run(kernel, {word(y), word(z)});
  EXPECT_EQ(std::vector<float>(y.begin(), y.begin() + 5), (std::vector<float>{7, 7, 2, -1, -INFINITY}));
  EXPECT_TRUE(std::isnan(y[5]));
  EXPECT_EQ(z, (std::vector<int32_t>{1, 3, 0, 1, 2, 0}));
}

TEST_F(TileMemory, ControlFlow) {
  // A Fibonacci loop permutes its values; a branch per point; a while loop counts the halvings of 100.
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%y: !tile.view<2x3xi32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 2>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c10 = arith.constant 10 : index
      %zero = arith.constant 0 : i32
      %one = arith.constant 1 : i32
      %two = arith.constant 2 : i32
      %hundred = arith.constant 100 : i32
      %f:2 = scf.for %i = %c0 to %c10 step %c1 iter_args(%a = %zero, %b = %one) -> (i32, i32) {
        %next = arith.addi %a, %b : i32
        scf.yield %b, %next : i32, i32
      }
      tile.store %f#0, %y[%p, %c0] along [] : i32, !tile.view<2x3xi32>
      %first = arith.cmpi eq, %p, %c0 : index
      %branch = scf.if %first -> i32 {
        scf.yield %one : i32
      } else {
        scf.yield %two : i32
      }
      tile.store %branch, %y[%p, %c1] along [] : i32, !tile.view<2x3xi32>
      %w:2 = scf.while (%n = %hundred, %steps = %zero) : (i32, i32) -> (i32, i32) {
        %more = arith.cmpi sgt, %n, %one : i32
        scf.condition(%more) %n, %steps : i32, i32
      } do {
      ^bb0(%n: i32, %steps: i32):
        %half = arith.divsi %n, %two : i32
        %count = arith.addi %steps, %one : i32
        scf.yield %half, %count : i32, i32
      }
      tile.store %w#1, %y[%p, %c2] along [] : i32, !tile.view<2x3xi32>
      tile.return
    })",
                                   "k");
  std::vector<int32_t> y(6);
  run(kernel, {word(y)});
  EXPECT_EQ(y, (std::vector<int32_t>{55, 1, 6, 55, 2, 6}));
}

TEST_F(TileMemory, RangesOfPointsCoverTheDomain) {
  // Point (i, j) of a 2 x 3 domain adds one to its element.
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%y: !tile.view<?x3xi32> {tile.access = "readwrite"}) domain(%i in #tile.extent<tokens>, %j in #tile.extent<fixed, 3>) {
      %one = arith.constant 1 : i32
      %v = tile.load %y[%i, %j] along [] : !tile.view<?x3xi32> -> i32
      %w = arith.addi %v, %one : i32
      tile.store %w, %y[%i, %j] along [] : i32, !tile.view<?x3xi32>
      tile.return
    })",
                                   "k");
  std::vector<int32_t> y(6, 0);
  std::vector<uint64_t> words = {word(y)};
  std::vector<int64_t> extents = kernel.extents({.tokens = 2});
  EXPECT_EQ(extents, (std::vector<int64_t>{2, 3}));
  EXPECT_TRUE(mlir::succeeded(kernel.run(words, extents, nullptr, 1, 4)));
  EXPECT_EQ(y, (std::vector<int32_t>{0, 1, 1, 1, 0, 0}));
  EXPECT_TRUE(mlir::succeeded(kernel.run(words, extents)));
  EXPECT_EQ(y, (std::vector<int32_t>{1, 2, 2, 2, 1, 1}));
  run(kernel, words, {.tokens = 0});
  EXPECT_EQ(y, (std::vector<int32_t>{1, 2, 2, 2, 1, 1}));
}

// ------------------------------------------------------------------------------------------------ memory map

namespace {
const char *kCopyRow = R"(
  tile.kernel @copy(%x: !tile.view<?x4xf32> {tile.access = "read"}, %y: !tile.view<?x4xf32> {tile.access = "write"}) domain(%r in #tile.extent<tokens>) {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%r, %c0] along [1] : !tile.view<?x4xf32> -> tensor<4xf32>
    tile.store %t, %y[%r, %c0] along [1] : tensor<4xf32>, !tile.view<?x4xf32>
    tile.return
  })";
}

TEST_F(TileMemory, MapRedirectsWritesToACopy) {
  TileInterpreter kernel = compile(kCopyRow, "copy");
  std::vector<float> arena = counting(16), copy = arena;
  MemoryMap memory;
  memory.add(arena.data(), 64, copy.data());
  uint64_t base = word(arena);
  run(kernel, {base, base + 32}, {.tokens = 2}, &memory);
  EXPECT_EQ(arena, counting(16));
  EXPECT_EQ(copy, (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST_F(TileMemory, MapReportsTheIndexOfAnAccessOutside) {
  TileInterpreter kernel = compile(kCopyRow, "copy");
  std::vector<float> x = counting(8), y(8);
  MemoryMap memory;
  memory.add(x.data(), 32);
  memory.add(y.data(), 24);
  std::vector<uint64_t> words = {word(x), word(y)};
  EXPECT_TRUE(mlir::failed(kernel.run(words, kernel.extents({.tokens = 2}), &memory)));
  EXPECT_EQ(errors, "'tile.store' op reaches outside the memory of argument 1 at index [1, 2]\n");
}

TEST_F(TileMemory, MapReportsAnUnknownPointer) {
  TileInterpreter kernel = compile(kCopyRow, "copy");
  std::vector<float> x(8), y(8);
  MemoryMap memory;
  memory.add(x.data(), 32);
  std::vector<uint64_t> words = {word(x), 16};
  EXPECT_TRUE(mlir::failed(kernel.run(words, kernel.extents({.tokens = 1}), &memory)));
  EXPECT_EQ(errors, "'tile.kernel' op argument 1 points to 0x10, which is in no region of the memory map\n");
}

TEST_F(TileMemory, WrongNumbersOfWordsAndExtentsAreErrors) {
  TileInterpreter kernel = compile(kCopyRow, "copy");
  std::vector<uint64_t> words = {0};
  std::vector<int64_t> extents = {1}, none;
  EXPECT_TRUE(mlir::failed(kernel.run(words, extents)));
  words.push_back(0);
  EXPECT_TRUE(mlir::failed(kernel.run(words, none)));
  EXPECT_EQ(errors, "'tile.kernel' op expected 2 argument words, got 1\n'tile.kernel' op expected 1 extents of the "
                    "work domain, got 0\n");
}
