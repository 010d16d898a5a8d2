// Every elementwise op of arith and math that a tile program may use, against values written by hand.
#include "test/Interpreter/TileTest.h"

using namespace mmc::test;

namespace {

const double kInf = INFINITY, kNaN = NAN;

class TileOps : public TileTest {
protected:
  /// Runs `line`, which defines %r from %a and %b, on tiles of four.
  template <typename T>
  std::vector<T> apply(const std::string &line, const std::string &type, std::vector<T> a, std::vector<T> b) {
    std::vector<T> result(4);
    std::string view = "!tile.view<4x" + type + ">", tile = "tensor<4x" + type + ">";
    TileInterpreter kernel = compile(
        "tile.kernel @k(%x: " + view + " {tile.access = \"read\"}, %y: " + view +
            " {tile.access = \"read\"}, %z: " + view +
            " {tile.access = \"write\"}) domain(%p in #tile.extent<fixed, 1>) {\n %c0 = arith.constant 0 : index\n" +
            " %a = tile.load %x[%c0] along [0] : " + view + " -> " + tile +
            "\n %b = tile.load %y[%c0] along [0] : " + view + " -> " + tile + "\n " + line +
            "\n tile.store %r, %z[%c0] along [0] : " + tile + ", " + view + "\n tile.return\n}",
        "k");
    run(kernel, {word(a), word(b), word(result)});
    return result;
  }

  void expectFloats(const std::string &op, std::vector<double> a, std::vector<double> b, std::vector<double> expected) {
    std::string operands = b.empty() ? " %a" : " %a, %b";
    b.resize(4);
    std::vector<double> actual = apply("%r = " + op + operands + " : tensor<4xf64>", "f64", a, b);
    for (size_t e = 0; e < 4; ++e) {
      if (std::isnan(expected[e]))
        EXPECT_TRUE(std::isnan(actual[e])) << op << " of element " << e;
      else
        EXPECT_DOUBLE_EQ(actual[e], expected[e]) << op << " of element " << e;
      if (expected[e] == 0) EXPECT_EQ(std::signbit(actual[e]), std::signbit(expected[e])) << op << " of element " << e;
    }
  }

  void expectInts(const std::string &op, std::vector<int32_t> a, std::vector<int32_t> b,
                  std::vector<int32_t> expected) {
    EXPECT_EQ(apply("%r = " + op + " %a, %b : tensor<4xi32>", "i32", a, b), expected) << op;
  }

  /// Elements of a comparison as ones and zeros.
  template <typename T>
  std::vector<T> compare(const std::string &op, const std::string &type, std::vector<T> a, std::vector<T> b,
                         const char *one, const char *zero) {
    std::string tile = "tensor<4x" + type + ">";
    return apply("%c = " + op + ", %a, %b : " + tile + "\n %one = arith.constant dense<" + one + "> : " + tile +
                     "\n %zero = arith.constant dense<" + zero + "> : " + tile +
                     "\n %r = arith.select %c, %one, %zero : tensor<4xi1>, " + tile,
                 type, a, b);
  }
};

} // namespace

TEST_F(TileOps, BinaryFloats) {
  std::vector<double> a = {1.5, -2, 0, 8}, b = {0.5, 4, -1, 2};
  expectFloats("arith.addf", a, b, {2, 2, -1, 10});
  expectFloats("arith.subf", a, b, {1, -6, 1, 6});
  expectFloats("arith.mulf", a, b, {0.75, -8, -0.0, 16});
  expectFloats("arith.divf", a, b, {3, -0.5, -0.0, 4});
  expectFloats("arith.remf", a, b, {0, -2, 0, 0});
  expectFloats("math.powf", a, b, {1.224744871391589, 16, kInf, 64});
  expectFloats("math.copysign", a, b, {1.5, 2, -0.0, 8});
  expectFloats("arith.divf", {1, -1, 0, 1}, {0, 0, 0, kInf}, {kInf, -kInf, kNaN, 0});
}

TEST_F(TileOps, MaximumPropagatesNaNAndMaxNumDropsIt) {
  std::vector<double> a = {1, kNaN, 3, -0.0}, b = {2, 5, kNaN, 0.0};
  expectFloats("arith.maximumf", a, b, {2, kNaN, kNaN, 0.0});
  expectFloats("arith.minimumf", a, b, {1, kNaN, kNaN, -0.0});
  expectFloats("arith.maxnumf", a, b, {2, 5, 3, 0.0});
  expectFloats("arith.minnumf", a, b, {1, 5, 3, -0.0});
}

TEST_F(TileOps, UnaryFloats) {
  std::vector<double> a = {1, 4, 0.25, 2};
  expectFloats("arith.negf", a, {}, {-1, -4, -0.25, -2});
  expectFloats("math.absf", {-1, 2, -0.0, -kInf}, {}, {1, 2, 0, kInf});
  expectFloats("math.exp", a, {}, {2.718281828459045, 54.598150033144236, 1.2840254166877414, 7.38905609893065});
  expectFloats("math.exp", {-kInf, 0, kInf, kNaN}, {}, {0, 1, kInf, kNaN});
  expectFloats("math.exp2", a, {}, {2, 16, 1.189207115002721, 4});
  expectFloats("math.expm1", a, {}, {1.718281828459045, 53.598150033144236, 0.2840254166877415, 6.38905609893065});
  expectFloats("math.log", a, {}, {0, 1.3862943611198906, -1.3862943611198906, 0.6931471805599453});
  expectFloats("math.log1p", a, {}, {0.6931471805599453, 1.6094379124341003, 0.22314355131420976, 1.0986122886681098});
  expectFloats("math.log2", a, {}, {0, 2, -2, 1});
  expectFloats("math.sqrt", a, {}, {1, 2, 0.5, 1.4142135623730951});
  expectFloats("math.rsqrt", a, {}, {1, 0.5, 2, 0.7071067811865475});
  expectFloats("math.sin", a, {}, {0.8414709848078965, -0.7568024953079282, 0.24740395925452294, 0.9092974268256817});
  expectFloats("math.cos", a, {}, {0.5403023058681398, -0.6536436208636119, 0.9689124217106447, -0.4161468365471424});
  expectFloats("math.tanh", a, {}, {0.7615941559557649, 0.999329299739067, 0.24491866240370913, 0.9640275800758169});
  expectFloats("math.erf", a, {}, {0.8427007929497149, 0.9999999845827421, 0.27632639016823696, 0.9953222650189527});
  std::vector<double> halves = {0.5, 1.5, -2.5, -0.25};
  expectFloats("math.floor", halves, {}, {0, 1, -3, -1});
  expectFloats("math.ceil", halves, {}, {1, 2, -2, -0.0});
  expectFloats("math.roundeven", halves, {}, {0, 2, -2, -0.0});
}

TEST_F(TileOps, FusedMultiplyAddRoundsOnce) {
  // (1 + 2^-30)^2 - 1 = 2^-29 + 2^-60, whose last term a rounded product loses.
  double x = 1 + 0x1p-30;
  std::vector<double> result =
      apply<double>("%r = math.fma %a, %a, %b : tensor<4xf64>", "f64", {x, 2, 3, 4}, {-1, 1, 1, 1});
  EXPECT_EQ(result, (std::vector<double>{0x1p-29 + 0x1p-60, 5, 10, 17}));
}

TEST_F(TileOps, BinaryIntegersWrap) {
  const int32_t most = 2147483647, least = -2147483647 - 1;
  std::vector<int32_t> a = {7, -7, most, 5}, b = {2, 2, 1, -3};
  expectInts("arith.addi", a, b, {9, -5, least, 2});
  expectInts("arith.subi", a, b, {5, -9, most - 1, 8});
  expectInts("arith.muli", a, {2, 2, 2, -3}, {14, -14, -2, -15});
  expectInts("arith.divsi", a, b, {3, -3, most, -1});
  expectInts("arith.remsi", a, b, {1, -1, 0, 2});
  expectInts("arith.divui", a, b, {3, 2147483644, most, 0});
  expectInts("arith.remui", a, b, {1, 1, 0, 5});
  expectInts("arith.floordivsi", a, b, {3, -4, most, -2});
  expectInts("arith.ceildivsi", a, b, {4, -3, most, -1});
  expectInts("arith.ceildivui", a, b, {4, 2147483645, most, 1});
  expectInts("arith.minsi", a, b, {2, -7, 1, -3});
  expectInts("arith.maxsi", a, b, {7, 2, most, 5});
  expectInts("arith.minui", a, b, {2, 2, 1, 5});
  expectInts("arith.maxui", a, b, {7, -7, most, -3});
  expectInts("arith.andi", a, b, {2, 0, 1, 5});
  expectInts("arith.ori", a, b, {7, -5, most, -3});
  expectInts("arith.xori", a, b, {5, -5, most - 1, -8});
  expectInts("arith.shli", {1, 3, most, -1}, {4, 0, 1, 31}, {16, 3, -2, least});
  expectInts("arith.shrsi", {16, -16, least, -1}, {2, 2, 31, 31}, {4, -4, -1, -1});
  expectInts("arith.shrui", {16, -16, least, -1}, {2, 28, 31, 31}, {4, 15, 1, 1});
}

TEST_F(TileOps, DivisionByZeroIsAnErrorOfTheOp) {
  std::vector<int32_t> in(4, 1), zero(4, 0), out(4);
  TileInterpreter kernel = compile(R"(
    tile.kernel @k(%x: !tile.view<4xi32> {tile.access = "read"}, %z: !tile.view<4xi32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %a = tile.load %x[%c0] along [0] : !tile.view<4xi32> -> tensor<4xi32>
      %r = arith.divsi %a, %a : tensor<4xi32>
      tile.store %r, %z[%c0] along [0] : tensor<4xi32>, !tile.view<4xi32>
      tile.return
    })",
                                   "k");
  std::vector<uint64_t> words = {word(zero), word(out)};
  EXPECT_TRUE(mlir::failed(kernel.run(words, kernel.extents({}))));
  EXPECT_NE(errors.find("'arith.divsi' op divides by zero"), std::string::npos) << errors;
}

TEST_F(TileOps, CompareFloats) {
  // Less, equal, greater, unordered.
  std::vector<double> a = {1, 2, 3, kNaN}, b = {2, 2, 2, 2};
  using Row = std::pair<const char *, std::vector<double>>;
  for (auto &[predicate, expected] : std::vector<Row>{{"false", {0, 0, 0, 0}},
                                                      {"oeq", {0, 1, 0, 0}},
                                                      {"ogt", {0, 0, 1, 0}},
                                                      {"oge", {0, 1, 1, 0}},
                                                      {"olt", {1, 0, 0, 0}},
                                                      {"ole", {1, 1, 0, 0}},
                                                      {"one", {1, 0, 1, 0}},
                                                      {"ord", {1, 1, 1, 0}},
                                                      {"ueq", {0, 1, 0, 1}},
                                                      {"ugt", {0, 0, 1, 1}},
                                                      {"uge", {0, 1, 1, 1}},
                                                      {"ult", {1, 0, 0, 1}},
                                                      {"ule", {1, 1, 0, 1}},
                                                      {"une", {1, 0, 1, 1}},
                                                      {"uno", {0, 0, 0, 1}},
                                                      {"true", {1, 1, 1, 1}}})
    EXPECT_EQ(compare<double>(std::string("arith.cmpf ") + predicate, "f64", a, b, "1.0", "0.0"), expected)
        << predicate;
}

TEST_F(TileOps, CompareIntegers) {
  // Less, equal, greater, and a negative number, which unsigned is the greatest.
  std::vector<int32_t> a = {1, 2, 3, -1}, b = {2, 2, 2, 2};
  using Row = std::pair<const char *, std::vector<int32_t>>;
  for (auto &[predicate, expected] : std::vector<Row>{{"eq", {0, 1, 0, 0}},
                                                      {"ne", {1, 0, 1, 1}},
                                                      {"slt", {1, 0, 0, 1}},
                                                      {"sle", {1, 1, 0, 1}},
                                                      {"sgt", {0, 0, 1, 0}},
                                                      {"sge", {0, 1, 1, 0}},
                                                      {"ult", {1, 0, 0, 0}},
                                                      {"ule", {1, 1, 0, 0}},
                                                      {"ugt", {0, 0, 1, 1}},
                                                      {"uge", {0, 1, 1, 1}}})
    EXPECT_EQ(compare<int32_t>(std::string("arith.cmpi ") + predicate, "i32", a, b, "1", "0"), expected) << predicate;
}

TEST_F(TileOps, Conversions) {
  auto viaDouble = [&](const std::string &body, std::vector<double> a) {
    return apply<double>(body, "f64", a, {0, 0, 0, 0});
  };
  EXPECT_EQ(viaDouble("%i = arith.fptosi %a : tensor<4xf64> to tensor<4xi32>\n %r = arith.sitofp %i : tensor<4xi32> to "
                      "tensor<4xf64>",
                      {1.9, -1.9, 0.5, 3}),
            (std::vector<double>{1, -1, 0, 3}));
  EXPECT_EQ(viaDouble("%i = arith.fptosi %a : tensor<4xf64> to tensor<4xi32>\n %r = arith.uitofp %i : tensor<4xi32> to "
                      "tensor<4xf64>",
                      {1, -1, 0, 3}),
            (std::vector<double>{1, 4294967295, 0, 3}));
  EXPECT_EQ(viaDouble("%i = arith.fptoui %a : tensor<4xf64> to tensor<4xi64>\n %r = arith.sitofp %i : tensor<4xi64> to "
                      "tensor<4xf64>",
                      {1.9, 4e9, 0, 3}),
            (std::vector<double>{1, 4e9, 0, 3}));
  EXPECT_EQ(viaDouble("%i = arith.fptosi %a : tensor<4xf64> to tensor<4xi32>\n %n = arith.index_cast %i : "
                      "tensor<4xi32> to tensor<4xindex>\n"
                      " %l = arith.index_cast %n : tensor<4xindex> to tensor<4xi64>\n %r = arith.sitofp %l : "
                      "tensor<4xi64> to tensor<4xf64>",
                      {-5, 7, 0, 3}),
            (std::vector<double>{-5, 7, 0, 3}));
  EXPECT_EQ(viaDouble("%i = arith.fptosi %a : tensor<4xf64> to tensor<4xi32>\n %l = arith.extui %i : tensor<4xi32> to "
                      "tensor<4xi64>\n"
                      " %r = arith.sitofp %l : tensor<4xi64> to tensor<4xf64>",
                      {-1, 7, 0, 3}),
            (std::vector<double>{4294967295, 7, 0, 3}));
  EXPECT_EQ(viaDouble("%i = arith.fptosi %a : tensor<4xf64> to tensor<4xi64>\n %l = arith.trunci %i : tensor<4xi64> to "
                      "tensor<4xi8>\n"
                      " %r = arith.sitofp %l : tensor<4xi8> to tensor<4xf64>",
                      {255, 128, 256, -3}),
            (std::vector<double>{-1, -128, 0, -3}));
}

TEST_F(TileOps, TruncationToBF16RoundsToNearestEven) {
  // Spacing of bf16 at 1 is 2^-7. Halfway cases go to the even neighbour; a hair above halfway goes up; near the
  // largest float, to infinity.
  std::vector<double> a = {1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-8 + 0x1p-40, 0x1.ffp127};
  std::string both =
      "%t = arith.truncf %a : tensor<4xf64> to tensor<4xbf16>\n %r = arith.extf %t : tensor<4xbf16> to tensor<4xf64>";
  EXPECT_EQ(apply<double>(both, "f64", a, {0, 0, 0, 0}), (std::vector<double>{1, 1 + 0x1p-6, 1 + 0x1p-7, kInf}));
  // Subnormals of bf16 are multiples of 2^-133.
  EXPECT_EQ(apply<double>(both, "f64", {0x1.8p-133, 0x1p-134, 0x1.1p-134, -0x1p-133}, {0, 0, 0, 0}),
            (std::vector<double>{0x1p-132, 0, 0x1p-133, -0x1p-133}));
}

TEST_F(TileOps, F32ValuesStayF64BetweenStoresUnlessAsked) {
  std::string text = R"(
    tile.kernel @k(%z: !tile.view<1xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
      %c0 = arith.constant 0 : index
      %one = arith.constant dense<1.0> : tensor<1xf32>
      %tiny = arith.constant dense<1.0e-9> : tensor<1xf32>
      %sum = arith.addf %one, %tiny : tensor<1xf32>
      %r = arith.subf %sum, %one : tensor<1xf32>
      tile.store %r, %z[%c0] along [0] : tensor<1xf32>, !tile.view<1xf32>
      tile.return
    })";
  std::vector<float> wide(1), narrow(1);
  run(compile(text, "k", TilePrecision::float64), {word(wide)});
  run(compile(text, "k", TilePrecision::float32), {word(narrow)});
  EXPECT_NEAR(wide[0], 1.0e-9, 1e-15);
  EXPECT_EQ(narrow[0], 0.0f);
}

TEST_F(TileOps, UnknownOpIsRefusedByName) {
  EXPECT_THROW(compile(R"(
    tile.kernel @k(%z: !tile.view<1xf32> {tile.access = "write"}) domain(%p in #tile.extent<fixed, 1>) {
      %one = arith.constant 1.0 : f32
      %r = math.cbrt %one : f32
      tile.return
    })",
                       "k"),
               std::runtime_error);
  EXPECT_NE(errors.find("'math.cbrt' op cannot be executed by the tile interpreter"), std::string::npos) << errors;
}
