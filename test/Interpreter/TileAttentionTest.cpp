// The attention kernels of test/Inputs/tile against their definitions: lightning attention against the token-by-token
// recurrence, decode against prefill, softmax attention over a paged cache with a ragged batch against a plain softmax.
#include "test/Interpreter/TileTest.h"

using namespace mmc::test;

namespace {

class TileAttention : public TileTest {};

constexpr int kHeads = 2, kChannels = 16, kStride = 3 * kHeads * kChannels, kState = kHeads * kChannels * kChannels;

struct Sequence {
  int slot, row, rows, position;
};

std::vector<int32_t> records(const std::vector<Sequence> &sequences) {
  std::vector<int32_t> list;
  for (const Sequence &s : sequences) list.insert(list.end(), {s.slot, s.row, s.rows, s.position});
  return list;
}

/// S = exp(-g) S + k v^T, o = q S, token by token; `u` has q, k and v of each head side by side. Updates `state` and
/// `o` of the sequence.
void recurrence(const std::vector<float> &u, const std::vector<float> &rate, const Sequence &s,
                std::vector<double> &state, std::vector<double> &o) {
  for (int h = 0; h < kHeads; ++h)
    for (int t = s.row; t < s.row + s.rows; ++t) {
      const float *q = &u[t * kStride + h * 3 * kChannels], *k = q + kChannels, *v = k + kChannels;
      double *S = &state[s.slot * kState + h * kChannels * kChannels];
      for (int j = 0; j < kChannels; ++j) {
        double sum = 0;
        for (int i = 0; i < kChannels; ++i) {
          S[i * kChannels + j] = std::exp(-double(rate[h])) * S[i * kChannels + j] + double(k[i]) * v[j];
          sum += q[i] * S[i * kChannels + j];
        }
        o[(t * kHeads + h) * kChannels + j] = sum;
      }
    }
}

} // namespace

TEST_F(TileAttention, LightningPrefillIsTheRecurrence) {
  const std::vector<float> rate = {0.9f, 0.01f};
  for (const char *name : {"lightning_prefill_c32", "lightning_prefill_c64"}) {
    TileInterpreter kernel = compileFile("lightning_prefill.mlir", name);
    for (int rows : {1, 63, 64, 65, 200}) {
      // A second sequence lies before it in the step, after it in the slots, and both continue from a state.
      std::vector<Sequence> sequences = {{0, 40, rows, 7}, {2, 0, 40, 0}};
      std::vector<int32_t> list = records(sequences);
      std::vector<float> u = randomFloats((rows + 40) * kStride, rows), state = randomFloats(3 * kState, 9),
                         o((rows + 40) * kHeads * kChannels, NAN);
      std::vector<double> expectedState(state.begin(), state.end()), expected(o.size());
      run(kernel, {word(u), word(u), word(u), word(rate), word(state), word(o), word(list)}, {.work = {2}});
      for (const Sequence &s : sequences) recurrence(u, rate, s, expectedState, expected);
      EXPECT_LE(relativeError(o, expected), kStoreError) << name << " of " << rows << " rows";
      EXPECT_LE(relativeError(state, expectedState), kStoreError) << name << " of " << rows << " rows";
    }
  }
}

TEST_F(TileAttention, LightningWithAFastDecayAndLongBlocksHasNoNaN) {
  // exp(-2 * 63) is far below float32's range, exp(+2 * 63) far above.
  const std::vector<float> rate = {2.0f, 2.0f};
  std::vector<Sequence> sequences = {{0, 0, 70, 0}};
  std::vector<int32_t> list = records(sequences);
  std::vector<float> u = randomFloats(70 * kStride, 1), state(kState, 0), o(70 * kHeads * kChannels, NAN);
  std::vector<double> expectedState(kState), expected(o.size());
  for (TilePrecision precision : {TilePrecision::float64, TilePrecision::float32}) {
    std::fill(state.begin(), state.end(), 0.0f);
    std::fill(expectedState.begin(), expectedState.end(), 0.0);
    run(compileFile("lightning_prefill.mlir", "lightning_prefill_c64", precision),
        {word(u), word(u), word(u), word(rate), word(state), word(o), word(list)}, {.work = {1}});
    recurrence(u, rate, sequences[0], expectedState, expected);
    double bound = precision == TilePrecision::float64 ? kStoreError : 1e-6;
    EXPECT_LE(relativeError(o, expected), bound);
    EXPECT_LE(relativeError(state, expectedState), bound);
  }
}

TEST_F(TileAttention, LightningDecodeIsPrefillOfOneRowBitForBit) {
  const std::vector<float> rate = {0.9f, 0.01f};
  std::vector<int32_t> list = records({{1, 0, 1, 11}, {0, 1, 1, 3}});
  std::vector<float> u = randomFloats(2 * kStride, 1), state = randomFloats(2 * kState, 2),
                     o(2 * kHeads * kChannels, NAN);
  for (TilePrecision precision : {TilePrecision::float64, TilePrecision::float32})
    for (const char *block : {"lightning_prefill_c32", "lightning_prefill_c64"}) {
      std::vector<float> prefillState = state, prefill = o, decodeState = state, decode = o;
      run(compileFile("lightning_prefill.mlir", block, precision),
          {word(u), word(u), word(u), word(rate), word(prefillState), word(prefill), word(list)}, {.work = {2}});
      run(compileFile("lightning_decode.mlir", "lightning_decode", precision),
          {word(u), word(u), word(u), word(rate), word(decodeState), word(decode), word(list)}, {.work = {2}});
      EXPECT_EQ(decode, prefill);
      EXPECT_EQ(decodeState, prefillState);
      EXPECT_NE(decodeState, state);
    }
}

TEST_F(TileAttention, LightningDecodeStepsAreTheRecurrence) {
  const std::vector<float> rate = {0.9f, 0.01f};
  const int rows = 65;
  TileInterpreter kernel = compileFile("lightning_decode.mlir", "lightning_decode");
  std::vector<float> u = randomFloats(rows * kStride, 1), state(kState, 0), o(rows * kHeads * kChannels, NAN);
  std::vector<double> expectedState(kState), expected(o.size());
  for (int t = 0; t < rows; ++t) {
    std::vector<int32_t> list = records({{0, t, 1, t}});
    run(kernel, {word(u), word(u), word(u), word(rate), word(state), word(o), word(list)}, {.work = {1}});
  }
  recurrence(u, rate, {0, 0, rows, 0}, expectedState, expected);
  EXPECT_LE(relativeError(o, expected), 4 * kStoreError) << "the state is rounded at every step";
}

TEST_F(TileAttention, SoftmaxAttentionOverAPagedCache) {
  const int heads = 4, groups = 2, channels = 16, page = 64, table = 4;
  // A chunk from the start, a chunk behind 100 positions, one token at position 200, one at position 64 (a page of its
  // own).
  std::vector<Sequence> sequences = {{2, 0, 20, 0}, {0, 20, 5, 100}, {3, 25, 1, 200}, {1, 26, 1, 64}};
  std::vector<int32_t> pages(4 * table, -1);
  for (int slot = 0, next = 13; slot < 4; ++slot)
    for (int p = 0; p < table; ++p, next = (next + 5) % 16) pages[slot * table + p] = next;
  const int rows = 27;
  std::vector<float> q = randomFloats(rows * heads * channels, 1), keys(16 * page * groups * channels, NAN),
                     values(keys.size(), NAN), o(q.size(), NAN);
  auto keyAt = [&](int slot, int p, int g, int c) -> float & {
    return keys[size_t(pages[slot * table + p / page]) * page * groups * channels + p % page + g * 1024 + c * 64];
  };
  auto valueAt = [&](int slot, int p, int g, int c) -> float & {
    return values[size_t(pages[slot * table + p / page]) * page * groups * channels + p % page * 16 + g * 1024 + c];
  };
  std::vector<float> data = randomFloats(4 * 256 * groups * channels * 2, 2);
  size_t next = 0;
  for (const Sequence &s : sequences)
    for (int p = 0; p < s.position + s.rows; ++p)
      for (int g = 0; g < groups; ++g)
        for (int c = 0; c < channels; ++c) {
          keyAt(s.slot, p, g, c) = 3 * data[next++];
          valueAt(s.slot, p, g, c) = data[next++];
        }
  // Prefill tiles of at most 16 rows.
  std::vector<int32_t> prefill = records({{2, 0, 16, 0}, {2, 16, 4, 16}, {0, 20, 5, 100}}),
                       decode = records({sequences[2], sequences[3]});
  run(compileFile("attention.mlir", "attention_prefill"),
      {word(q), word(keys), word(pages), word(values), word(pages), word(o), word(prefill)}, {.work = {3}});
  run(compileFile("attention.mlir", "attention_decode"),
      {word(q), word(keys), word(pages), word(values), word(pages), word(o), word(decode)}, {.work = {2}});

  std::vector<double> expected(o.size());
  for (const Sequence &s : sequences)
    for (int t = 0; t < s.rows; ++t)
      for (int h = 0; h < heads; ++h) {
        int g = h / 2, seen = s.position + t + 1;
        const float *query = &q[((s.row + t) * heads + h) * channels];
        std::vector<double> weight(seen);
        double total = 0;
        for (int p = 0; p < seen; ++p) {
          double score = 0;
          for (int c = 0; c < channels; ++c) score += double(query[c]) * keyAt(s.slot, p, g, c);
          total += weight[p] = std::exp(score * 0.25);
        }
        for (int p = 0; p < seen; ++p)
          for (int c = 0; c < channels; ++c)
            expected[((s.row + t) * heads + h) * channels + c] += weight[p] / total * valueAt(s.slot, p, g, c);
      }
  EXPECT_LE(relativeError(o, expected), kStoreError);
}
