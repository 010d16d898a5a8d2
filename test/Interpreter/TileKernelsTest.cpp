// Whole kernels of test/Inputs/tile against plain loops: products, norms, embedding, rotation, and mixture of experts
// from routing to combine.
#include "test/Interpreter/TileTest.h"

using namespace mmc::test;

namespace {

class TileKernels : public TileTest {};

constexpr int kDepth = 72, kWidth = 100;

/// x w^T by plain loops; w is [columns, depth].
std::vector<double> product(const std::vector<float> &x, const float *w, int rows, int columns, int depth) {
  std::vector<double> y(rows * columns);
  for (int r = 0; r < rows; ++r)
    for (int n = 0; n < columns; ++n)
      for (int k = 0; k < depth; ++k) y[r * columns + n] += double(x[r * depth + k]) * w[n * depth + k];
  return y;
}

double silu(double x) { return x / (1 + std::exp(-x)); }

/// Round to nearest even in integer arithmetic on the float's bits.
uint16_t toBF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

float fromBF16(uint16_t value) {
  uint32_t bits = uint32_t(value) << 16;
  float result;
  std::memcpy(&result, &bits, 4);
  return result;
}

} // namespace

TEST_F(TileKernels, LinearWithATailOfColumns) {
  TileInterpreter kernel = compileFile("linear.mlir", "linear");
  std::vector<float> w = randomFloats(kWidth * kDepth, 1), packed = packPanels(w.data(), kWidth, kDepth, 64, 1);
  for (int rows : {1, 47, 48, 49, 100}) {
    std::vector<float> x = randomFloats(rows * kDepth, 2), y(rows * kWidth, NAN);
    run(kernel, {word(x), word(packed), word(y), uint64_t(rows)});
    EXPECT_LE(relativeError(y, product(x, w.data(), rows, kWidth, kDepth)), kStoreError) << rows << " rows";
  }
}

TEST_F(TileKernels, LinearOfNoRowsWritesNothing) {
  std::vector<float> y(4, 7.0f);
  run(compileFile("linear.mlir", "linear"), {0, 0, word(y), 0});
  EXPECT_EQ(y, std::vector<float>(4, 7.0f));
}

TEST_F(TileKernels, LinearRoundedTermByTermStaysWithinFloat32) {
  const int rows = 50;
  TileInterpreter kernel = compileFile("linear.mlir", "linear", TilePrecision::float32);
  std::vector<float> w = randomFloats(kWidth * kDepth, 1), packed = packPanels(w.data(), kWidth, kDepth, 64, 1);
  std::vector<float> x = randomFloats(rows * kDepth, 2), y(rows * kWidth, NAN);
  run(kernel, {word(x), word(packed), word(y), uint64_t(rows)});
  for (int r = 0; r < rows; ++r)
    for (int n = 0; n < kWidth; ++n) {
      float sum = 0; // ascending k, one rounding per term: bit for bit
      for (int k = 0; k < kDepth; ++k) sum = std::fma(x[r * kDepth + k], w[n * kDepth + k], sum);
      ASSERT_EQ(y[r * kWidth + n], sum);
    }
}

TEST_F(TileKernels, LinearEpilogue) {
  const int rows = 50;
  float alpha = 0.75f;
  std::vector<float> w = randomFloats(kWidth * kDepth, 1), packed = packPanels(w.data(), kWidth, kDepth, 64, 1);
  std::vector<float> x = randomFloats(rows * kDepth, 2), residual = randomFloats(rows * kWidth, 3),
                     gain = randomFloats(kWidth, 4), y(rows * kWidth, NAN);
  run(compileFile("linear.mlir", "linear_epilogue"),
      {word(x), word(packed), word(residual), word(gain), word(alpha), word(y), rows});
  std::vector<double> expected = product(x, w.data(), rows, kWidth, kDepth);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = alpha * residual[i] + gain[i % kWidth] * expected[i];
  EXPECT_LE(relativeError(y, expected), kStoreError);
}

TEST_F(TileKernels, LinearSwiGLU) {
  const int rows = 50;
  std::vector<float> wg = randomFloats(kWidth * kDepth, 1), wu = randomFloats(kWidth * kDepth, 5),
                     x = randomFloats(rows * kDepth, 2), y(rows * kWidth, NAN);
  std::vector<float> packedG = packPanels(wg.data(), kWidth, kDepth, 64, 1),
                     packedU = packPanels(wu.data(), kWidth, kDepth, 64, 1);
  run(compileFile("linear.mlir", "linear_swiglu"), {word(x), word(packedG), word(packedU), word(y), rows});
  std::vector<double> expected = product(x, wg.data(), rows, kWidth, kDepth),
                      up = product(x, wu.data(), rows, kWidth, kDepth);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = silu(expected[i]) * up[i];
  EXPECT_LE(relativeError(y, expected), kStoreError);
}

TEST_F(TileKernels, LinearBF16RoundsOnlyTheResult) {
  const int rows = 50;
  auto toBits = [](const std::vector<float> &values) {
    std::vector<uint16_t> bits(values.size());
    std::transform(values.begin(), values.end(), bits.begin(), toBF16);
    return bits;
  };
  std::vector<uint16_t> w = toBits(randomFloats(kWidth * kDepth, 1)), x = toBits(randomFloats(rows * kDepth, 2)),
                        residual = toBits(randomFloats(rows * kWidth, 3));
  std::vector<uint16_t> packed = packPanels(w.data(), kWidth, kDepth, 64, 2), y(rows * kWidth, 0xFFFF);
  run(compileFile("linear_bf16.mlir", "linear_bf16"), {word(x), word(packed), word(residual), word(y), rows});
  for (int r = 0; r < rows; ++r)
    for (int n = 0; n < kWidth; ++n) {
      double sum = fromBF16(residual[r * kWidth + n]);
      for (int k = 0; k < kDepth; ++k) sum += double(fromBF16(x[r * kDepth + k])) * fromBF16(w[n * kDepth + k]);
      // Half a unit in the last place of bf16, relative to the value.
      ASSERT_NEAR(fromBF16(y[r * kWidth + n]), sum, std::abs(sum) * 0x1p-8) << r << ", " << n;
    }
}

TEST_F(TileKernels, RmsNorm) {
  const int rows = 3;
  std::vector<float> x = randomFloats(rows * kDepth, 1), gain = randomFloats(kDepth, 2), y(rows * kDepth, NAN);
  run(compileFile("rms_norm.mlir", "rms_norm"), {word(x), word(gain), word(y)}, {.tokens = rows});
  std::vector<double> expected(rows * kDepth);
  for (int r = 0; r < rows; ++r) {
    double sum = 0;
    for (int c = 0; c < kDepth; ++c) sum += double(x[r * kDepth + c]) * x[r * kDepth + c];
    for (int c = 0; c < kDepth; ++c)
      expected[r * kDepth + c] = x[r * kDepth + c] / std::sqrt(sum / kDepth + 1.0e-5) * gain[c];
  }
  // The program's eps is the float32 nearest to 1e-5.
  EXPECT_LE(relativeError(y, expected), 2 * kStoreError);
}

TEST_F(TileKernels, ResidualRmsNormKeepsTheSum) {
  const int rows = 3;
  float alpha = 3.5f, beta = 0.25f;
  std::vector<float> a = randomFloats(rows * kDepth, 1), b = randomFloats(rows * kDepth, 2),
                     gain = randomFloats(kDepth, 3), s(rows * kDepth, NAN), y(rows * kDepth, NAN);
  run(compileFile("rms_norm.mlir", "residual_rms_norm"),
      {word(a), word(b), word(alpha), word(beta), word(gain), word(s), word(y)}, {.tokens = rows});
  std::vector<double> sums(rows * kDepth), expected(rows * kDepth);
  for (int r = 0; r < rows; ++r) {
    double squares = 0;
    for (int i = r * kDepth; i < (r + 1) * kDepth; ++i) {
      sums[i] = double(alpha) * a[i] + double(beta) * b[i];
      squares += sums[i] * sums[i];
    }
    for (int i = r * kDepth; i < (r + 1) * kDepth; ++i)
      expected[i] = sums[i] / std::sqrt(squares / kDepth + 1.0e-5) * gain[i % kDepth];
  }
  EXPECT_LE(relativeError(s, sums), kStoreError);
  EXPECT_LE(relativeError(y, expected), 2 * kStoreError);
}

TEST_F(TileKernels, EmbeddingCopiesRows) {
  std::vector<float> table = randomFloats(50 * 40, 1), y(3 * 40, NAN);
  std::vector<int32_t> ids = {49, 0, 7};
  run(compileFile("embedding.mlir", "embedding"), {word(ids), word(table), word(y)}, {.tokens = 3});
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 40; ++c) EXPECT_EQ(y[r * 40 + c], table[ids[r] * 40 + c]);
}

// ------------------------------------------------------------------------------------------------ rotation

TEST_F(TileKernels, RopeTableIsAccurateAtLongPositions) {
  std::vector<int32_t> positions = {0, 1, 65535, 1048575, 10239999};
  std::vector<float> cosines(5 * 4, NAN), sines(5 * 4, NAN);
  run(compileFile("rope_table.mlir", "rope_table"), {word(positions), word(cosines), word(sines)}, {.tokens = 5});
  const double inverse[] = {1.0, 0.1, 0.01, 0.001};
  for (int r = 0; r < 5; ++r)
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(cosines[r * 4 + i], std::cos(positions[r] * inverse[i]), 2e-7)
          << "position " << positions[r] << ", angle " << i;
      EXPECT_NEAR(sines[r * 4 + i], std::sin(positions[r] * inverse[i]), 2e-7)
          << "position " << positions[r] << ", angle " << i;
    }
}

TEST_F(TileKernels, RopeAppendRotatesAndWritesTheCache) {
  const int rows = 3, page = 64;
  std::vector<float> u = randomFloats(rows * 64, 1), angles = randomFloats(rows * 4, 2), cosines(rows * 4),
                     sines(rows * 4), rotated(rows * 32, NAN);
  for (int i = 0; i < rows * 4; ++i) {
    cosines[i] = std::cos(angles[i]);
    sines[i] = std::sin(angles[i]);
  }
  // Two slots of 4 pages each; the rows go to positions 63 and 64 of slot 1 and position 5 of slot 0.
  std::vector<int32_t> positions = {63, 64, 5}, slots = {1, 1, 0}, pages = {6, -1, -1, -1, 2, 4, -1, -1};
  std::vector<float> keys(8 * page * 16, NAN), values(8 * page * 16, NAN);
  run(compileFile("rope_append.mlir", "rope_append"),
      {word(u), word(u), word(u), word(cosines), word(sines), word(positions), word(slots), word(keys), word(pages),
       word(values), word(pages), word(rotated)},
      {.tokens = rows});
  auto rotate = [&](const float *x, int row, int channel) -> double {
    if (channel >= 8) return x[channel];
    int i = channel % 4;
    double c = cosines[row * 4 + i], s = sines[row * 4 + i];
    return channel < 4 ? x[i] * c - x[i + 4] * s : x[i + 4] * c + x[i] * s;
  };
  int written = 0;
  for (int r = 0; r < rows; ++r) {
    size_t block = size_t(pages[slots[r] * 4 + positions[r] / page]) * page * 16, within = positions[r] % page;
    for (int c = 0; c < 16; ++c) {
      for (int h = 0; h < 2; ++h) EXPECT_NEAR(rotated[r * 32 + h * 16 + c], rotate(&u[r * 64 + h * 16], r, c), 1e-7);
      EXPECT_NEAR(keys[block + c * page + within], rotate(&u[r * 64 + 32], r, c), 1e-7);
      EXPECT_EQ(values[block + within * 16 + c], u[r * 64 + 48 + c]);
    }
  }
  for (float key : keys) written += !std::isnan(key);
  EXPECT_EQ(written, rows * 16);
}

// ------------------------------------------------------------------------------------------------ mixture of experts

TEST_F(TileKernels, MixtureOfExpertsWithAnEmptyExpert) {
  const int tokens = 130, width = 32, inner = 72, experts = 5;
  float alpha = 1.5f, beta = 0.5f;
  std::vector<float> x = randomFloats(tokens * width, 1), gate = randomFloats(experts * width, 2);
  // Channel 0 is 1 in every token, and expert 3's gate there is so low that nobody chooses it.
  for (int t = 0; t < tokens; ++t) x[t * width] = 1;
  gate[3 * width] = -100;
  std::vector<float> w1 = randomFloats(experts * inner * width, 3), w3 = randomFloats(experts * inner * width, 4),
                     w2 = randomFloats(experts * width * inner, 5);
  auto pack = [&](const std::vector<float> &w, int rows, int columns) {
    std::vector<float> all;
    for (int e = 0; e < experts; ++e) {
      std::vector<float> one = packPanels(w.data() + size_t(e) * rows * columns, rows, columns, 64, 1);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  };
  std::vector<float> packedGate = packPanels(gate.data(), experts, width, 64, 1), p1 = pack(w1, inner, width),
                     p3 = pack(w3, inner, width), p2 = pack(w2, width, inner);

  std::vector<float> weights(tokens * 2, NAN), h(tokens * 2 * inner, NAN), y(tokens * 2 * width, NAN),
      out(tokens * width, NAN);
  std::vector<int32_t> chosen(tokens * 2, -1), offsets(6, -1), source(tokens * 2, -1), position(tokens * 2, -1);
  TileCounts counts{.tokens = tokens};
  run(compileFile("route.mlir", "route"), {word(x), word(packedGate), word(weights), word(chosen)}, counts);
  run(compileFile("permute.mlir", "permute"), {word(chosen), word(offsets), word(source), word(position), tokens},
      counts);
  run(compileFile("experts_up.mlir", "experts_up"), {word(x), word(p1), word(p3), word(offsets), word(source), word(h)},
      counts);
  run(compileFile("experts_down.mlir", "experts_down"), {word(h), word(p2), word(offsets), word(y)}, counts);
  run(compileFile("combine.mlir", "combine"),
      {word(y), word(weights), word(position), word(x), word(alpha), word(beta), word(out)}, counts);

  EXPECT_EQ(offsets[0], 0);
  EXPECT_EQ(offsets[5], tokens * 2);
  EXPECT_EQ(offsets[3], offsets[4]) << "expert 3 is empty";
  EXPECT_GT(offsets[1], 48) << "expert 0 has more than one block of rows";
  std::vector<double> expected(tokens * width), logits = product(x, gate.data(), tokens, experts, width);
  for (int t = 0; t < tokens; ++t) {
    double *logit = &logits[t * experts], total = 0;
    int best = 0, second = -1;
    for (int e = 1; e < experts; ++e)
      if (logit[e] > logit[best]) best = e;
    for (int e = 0; e < experts; ++e)
      if (e != best && (second < 0 || logit[e] > logit[second])) second = e;
    EXPECT_EQ(chosen[t * 2], best);
    EXPECT_EQ(chosen[t * 2 + 1], second);
    for (int e : {best, second}) total += std::exp(logit[e]);
    for (int c = 0; c < width; ++c) expected[t * width + c] = alpha * x[t * width + c];
    std::vector<float> row(x.begin() + t * width, x.begin() + (t + 1) * width);
    for (int e : {best, second}) {
      std::vector<double> g = product(row, &w1[e * inner * width], 1, inner, width),
                          u = product(row, &w3[e * inner * width], 1, inner, width);
      for (int c = 0; c < width; ++c)
        for (int i = 0; i < inner; ++i)
          expected[t * width + c] +=
              beta * std::exp(logit[e]) / total * silu(g[i]) * u[i] * w2[(e * width + c) * inner + i];
    }
  }
  // Four stores to float32 lie between.
  EXPECT_LE(relativeError(out, expected), 5 * kStoreError);
}
