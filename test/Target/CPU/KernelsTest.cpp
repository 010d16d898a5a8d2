// The kernels of test/Inputs/tile, compiled for every variant, against the tile interpreter.
#include "test/Target/CPU/KernelHarness.h"

using namespace mmc::test;
using mmc::cpu::Variant;

namespace {

constexpr double kF32 = 1e-5, kBf16 = 1e-2;
constexpr int kDepth = 72, kWidth = 100;

int32_t *ints(Argument &argument) { return reinterpret_cast<int32_t *>(argument.memory.data()); }

} // namespace

TEST(CpuKernels, LinearAtEveryRowCount) {
  CompiledModule module("linear.mlir");
  Argument w = floats(panels(randomFloats(kWidth * kDepth, 1), kWidth, kDepth, 1));
  Argument u = floats(panels(randomFloats(kWidth * kDepth, 5), kWidth, kDepth, 1));
  Argument gain = floats(randomFloats(kWidth, 4)), alpha = floats({0.75f});
  for (int rows : {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 47, 48, 49, 100}) {
    SCOPED_TRACE(std::to_string(rows) + " rows");
    Argument x = floats(randomFloats(rows * kDepth, 2)), residual = floats(randomFloats(rows * kWidth, 3));
    Argument y = written(Kind::f32, rows * kWidth, kWidth);
    module.check("linear", {x, w, y, count(rows)}, {}, kF32);
    module.check("linear_epilogue", {x, w, residual, gain, alpha, y, count(rows)}, {}, kF32);
    module.check("linear_swiglu", {x, w, u, y, count(rows)}, {}, kF32);
  }
}

TEST(CpuKernels, LinearOfBf16Pairs) {
  CompiledModule module("linear_bf16.mlir");
  Argument w = bf16s(panels(randomFloats(kWidth * kDepth, 1), kWidth, kDepth, 2));
  for (int rows : {1, 2, 5, 6, 7, 12, 13, 48, 49, 100}) {
    SCOPED_TRACE(std::to_string(rows) + " rows");
    Argument x = bf16s(randomFloats(rows * kDepth, 2)), residual = bf16s(randomFloats(rows * kWidth, 3));
    module.check("linear_bf16", {x, w, residual, written(Kind::bf16, rows * kWidth, kWidth), count(rows)}, {}, kBf16);
  }
}

TEST(CpuKernels, RowKernels) {
  CompiledModule norm("rms_norm.mlir");
  const int rows = 7;
  Argument x = floats(randomFloats(rows * kDepth, 1)), b = floats(randomFloats(rows * kDepth, 2)),
           gain = floats(randomFloats(kDepth, 3));
  Argument y = written(Kind::f32, rows * kDepth, kDepth);
  norm.check("rms_norm", {x, gain, y}, {.tokens = rows}, kF32);
  norm.check("residual_rms_norm", {x, b, floats({0.5f}), floats({1.5f}), gain, y, y}, {.tokens = rows}, kF32);
  CompiledModule embedding("embedding.mlir");
  embedding.check("embedding", {integers({3, 49, 0, 7}), floats(randomFloats(50 * 40, 1)), written(Kind::f32, 160, 40)},
                  {.tokens = 4}, 0);
}

TEST(CpuKernels, RotationTableAtLongPositions) {
  CompiledModule module("rope_table.mlir");
  std::vector<int32_t> positions = {0, 1, 2, 3, 1000, 65535, 1048575, 10239999, 2147483647};
  int rows = int(positions.size());
  // Rows of one angle each: an absolute error of 1e-6 on values of at most 1.
  std::vector<Argument> arguments = {integers(positions), written(Kind::f32, rows * 4, rows * 4),
                                     written(Kind::f32, rows * 4, rows * 4)};
  module.check("rope_table", arguments, {.tokens = rows}, 1e-6);
}

TEST(CpuKernels, ExpertsFromRoutingToCombine) {
  const int tokens = 77, width = 32, inner = 72, experts = 5;
  CompiledModule route("route.mlir"), permute("permute.mlir"), up("experts_up.mlir"), down("experts_down.mlir"),
      combine("combine.mlir");
  Argument x = floats(randomFloats(tokens * width, 1));
  std::vector<Argument> routing = {x, floats(panels(randomFloats(experts * width, 2), experts, width, 1)),
                                   written(Kind::f32, tokens * 2, 2), written(Kind::i32, tokens * 2, 2)};
  route.check("route", routing, {.tokens = tokens}, kF32);
  route.interpret("route", routing, {.tokens = tokens});
  // Expert 3 gets no row.
  for (int i = 0; i < 2 * tokens; ++i)
    if (int32_t &expert = ints(routing[3])[i]; expert == 3) expert = 4;
  Argument chosen = routing[3];
  chosen.written = false;
  std::vector<Argument> sorting = {chosen, written(Kind::i32, experts + 1, 1), written(Kind::i32, 2 * tokens, 1),
                                   written(Kind::i32, 2 * tokens, 2), count(tokens)};
  permute.check("permute", sorting, {.tokens = tokens}, 0);
  permute.interpret("permute", sorting, {.tokens = tokens});
  Argument offsets = sorting[1], source = sorting[2], position = sorting[3];
  offsets.written = source.written = position.written = false;

  std::vector<float> packed1, packed3, packed2;
  for (int e = 0; e < experts; ++e) {
    auto append = [](std::vector<float> &to, const std::vector<float> &from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(packed1, panels(randomFloats(inner * width, 10 + e), inner, width, 1));
    append(packed3, panels(randomFloats(inner * width, 20 + e), inner, width, 1));
    append(packed2, panels(randomFloats(width * inner, 30 + e), width, inner, 1));
  }
  std::vector<Argument> upward = {x,       floats(packed1), floats(packed3),
                                  offsets, source,          written(Kind::f32, 2 * tokens * inner, inner)};
  up.check("experts_up", upward, {.tokens = tokens}, kF32);
  up.interpret("experts_up", upward, {.tokens = tokens});
  Argument hidden = upward[5];
  hidden.written = false;
  std::vector<Argument> downward = {hidden, floats(packed2), offsets, written(Kind::f32, 2 * tokens * width, width)};
  down.check("experts_down", downward, {.tokens = tokens}, kF32);
  down.interpret("experts_down", downward, {.tokens = tokens});
  Argument rows = downward[3], weights = routing[2];
  rows.written = weights.written = false;
  combine.check("combine",
                {rows, weights, position, x, floats({0.9f}), floats({1.1f}), written(Kind::f32, tokens * width, width)},
                {.tokens = tokens}, kF32);
}

TEST(CpuKernels, RouterOrdersTiesInfinitiesAndNaN) {
  CompiledModule route("route.mlir");
  const int width = 32, experts = 5;
  std::vector<float> w(experts * width, 0), x(6 * width, 0);
  for (int e = 0; e < experts; ++e) w[e * width + e] = 1;
  auto logits = [&](int row, std::vector<float> values) {
    std::copy(values.begin(), values.end(), x.begin() + row * width);
  };
  logits(0, {1, 1, 1, 1, 1});
  logits(1, {0, 2, -1, 2, 2});
  logits(2, {-50, 100, -100, 90, 0});
  logits(3, {0, -0.0f, 0, 0, -0.0f});
  logits(4, {NAN, 1, 2, 3, 4});
  logits(5, {3, 4, 5, 6, 7});
  route.check("route",
              {floats(x), floats(panels(w, experts, width, 1)), written(Kind::f32, 12, 2), written(Kind::i32, 12, 2)},
              {.tokens = 6}, kF32);
}

TEST(CpuKernels, RotationAndAppendToThePagedCache) {
  CompiledModule module("rope_append.mlir");
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
