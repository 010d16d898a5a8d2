// Functions as the compiled kernels compute them, against double precision and at their special values.
#include "test/Target/CPU/KernelHarness.h"

#include <cmath>
#include <limits>

using namespace mmc::test;
using mmc::cpu::Variant;

namespace {

constexpr int kRow = 1000;

/// y = function(x), by rows of 1000: whole vectors and a tail.
std::string mapOf(const std::string &function) {
  return R"(
tile.kernel @map(%x: !tile.view<?x1000xf32> {tile.access = "read"}, %y: !tile.view<?x1000xf32> {tile.access = "write"})
    domain(%r in #tile.extent<tokens>) {
  %c0 = arith.constant 0 : index
  %v = tile.load %x[%r, %c0] along [1] : !tile.view<?x1000xf32> -> tensor<1000xf32>
  %f = )" +
         function + R"( %v : tensor<1000xf32>
  tile.store %f, %y[%r, %c0] along [1] : tensor<1000xf32>, !tile.view<?x1000xf32>
  tile.return
})";
}

std::vector<float> apply(CompiledModule &module, Variant variant, std::vector<float> x) {
  size_t count = x.size();
  x.resize((count + kRow - 1) / kRow * kRow);
  std::vector<Argument> arguments = {floats(x), written(Kind::f32, x.size(), kRow)};
  module.run("map", variant, arguments, {.tokens = int64_t(x.size() / kRow)});
  std::vector<float> y = valuesOf(arguments[1]);
  y.resize(count);
  return y;
}

std::vector<float> grid(double from, double to, int points) {
  std::vector<float> x(points);
  for (int i = 0; i < points; ++i) x[i] = float(from + (to - from) * i / (points - 1));
  return x;
}

/// The largest absolute error, divided by |f| where `relative`.
double worst(CompiledModule &module, Variant variant, const std::vector<float> &x, double (*f)(double), bool relative) {
  std::vector<float> y = apply(module, variant, x);
  double error = 0;
  for (size_t i = 0; i < x.size(); ++i)
    error = std::max(error, std::abs(y[i] - f(x[i])) / (relative ? std::abs(f(x[i])) : 1.0));
  return error;
}

} // namespace

TEST(CpuMath, SineAndCosineWithinAMillionth) {
  CompiledModule sine(mapOf("math.sin")), cosine(mapOf("math.cos"));
  std::vector<float> x = grid(-3.14159274, 3.14159274, 200000);
  for (Variant variant : mmc::cpu::allVariants()) {
    EXPECT_LE(worst(sine, variant, x, std::sin, false), 1e-6) << mmc::cpu::variantName(variant);
    EXPECT_LE(worst(cosine, variant, x, std::cos, false), 1e-6) << mmc::cpu::variantName(variant);
  }
}

TEST(CpuMath, Exponential) {
  CompiledModule module(mapOf("math.exp"));
  const float inf = std::numeric_limits<float>::infinity();
  for (Variant variant : mmc::cpu::allVariants()) {
    SCOPED_TRACE(mmc::cpu::variantName(variant));
    EXPECT_LE(worst(module, variant, grid(-87, 88, 200000), std::exp, true), 3e-7);
    std::vector<float> y = apply(module, variant, {-inf, inf, NAN, 0.0f, -0.0f, -200.0f, 200.0f});
    EXPECT_EQ(y[0], 0.0f);
    EXPECT_EQ(y[1], inf);
    EXPECT_TRUE(std::isnan(y[2]));
    EXPECT_EQ(y[3], 1.0f);
    EXPECT_EQ(y[4], 1.0f);
    EXPECT_EQ(y[5], 0.0f);
    EXPECT_EQ(y[6], inf);
  }
}

TEST(CpuMath, ReciprocalRoot) {
  CompiledModule module(mapOf("math.rsqrt"));
  for (Variant variant : mmc::cpu::allVariants())
    EXPECT_LE(worst(module, variant, grid(1e-6, 100, 100000), [](double x) { return 1 / std::sqrt(x); }, true), 3e-7);
}
