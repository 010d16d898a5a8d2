// Offsets above 2^32 bytes, and element numbers above 2^32, in every kind of memory that can be that large: embedding
// table, lm_head, experts, activations, state pool and KV pool, on address space of which only a few pages are ever
// touched.
#include "test/E2E/RandomModels.h"
#include "test/E2E/StressKernels.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace mmc::test {
namespace {

constexpr int64_t kHidden = 6144, kIntermediate = 9216, kVocabulary = 800000, kExperts = 96, kHeads = 64, kKvHeads = 8,
                  kDim = 128;
constexpr uint64_t kLimit = uint64_t(1) << 32; // bytes, and elements
constexpr double kBar = 1e-5;                  // of the row's largest absolute value

class StressOffsets : public testing::Test {
protected:
  static void SetUpTestSuite() {
    // The released shapes with more experts and a larger vocabulary.
    RandomModel model;
    model.hidden = kHidden, model.intermediate = kIntermediate, model.vocabulary = kVocabulary,
    model.experts = kExperts;
    model.heads = kHeads, model.kvHeads = kKvHeads, model.headDim = kDim, model.rotaryDim = 64;
    model.kinds = {0, 1}, model.layers = 2;
    const Folder folder;
    kernels = new PipelineKernels(folder.write("config.json", model.config()), 65536,
                                  {"embedding", "linear_800000x", "experts_swiglu", "experts_6144x", "lightning",
                                   "rope64_append", "attention_decode"});
  }
  static void TearDownTestSuite() { delete kernels; }
  void SetUp() override { ASSERT_TRUE(kernels->ok()); }

  static PipelineKernels *kernels;
};
PipelineKernels *StressOffsets::kernels = nullptr;

/// Writes row `n` of a [N, columns] matrix under panels that starts at `base`.
void packRow(float *base, const runtime::Layout &layout, uint64_t n, const std::vector<float> &row) {
  for (uint64_t k = 0; k < row.size(); ++k) base[runtime::panelIndex(layout, row.size(), n, k)] = row[k];
}

double dot(const float *a, const std::vector<float> &b) {
  double sum = 0;
  for (size_t i = 0; i < b.size(); ++i) sum += double(a[i]) * b[i];
  return sum;
}

TEST_F(StressOffsets, EmbeddingRows) {
  const Sparse table(kVocabulary * kHidden * 4);
  std::vector<int32_t> ids = {int32_t(kVocabulary) - 1, 5};
  for (uint64_t elements : {kLimit / 4, kLimit / 2, kLimit}) // the row that crosses, and the next
    for (uint64_t next : {0, 1}) ids.push_back(int32_t(elements / kHidden + next));
  for (int32_t id : ids) {
    const std::vector<float> row = someFloats(kHidden, uint64_t(id));
    std::copy(row.begin(), row.end(), table.floats() + int64_t(id) * kHidden);
  }
  for (cpu::Variant variant : cpu::allVariants()) {
    std::vector<float> y(ids.size() * kHidden, NAN);
    kernels->run("embedding", variant, {word(ids.data()), word(table.floats()), word(y.data())}, 0,
                 int64_t(ids.size()));
    for (size_t i = 0; i < ids.size(); ++i)
      EXPECT_TRUE(std::equal(y.begin() + ptrdiff_t(i) * kHidden, y.begin() + ptrdiff_t(i + 1) * kHidden,
                             table.floats() + int64_t(ids[i]) * kHidden))
          << "id " << ids[i] << ", " << cpu::variantName(variant);
  }
}

TEST_F(StressOffsets, PanelsOfTheHead) {
  const Sparse weight(kVocabulary * kHidden * 4), y(2 * kVocabulary * 4);
  const runtime::Layout layout = kernels->layout("linear_800000x", 1);
  const std::vector<float> x = someFloats(2 * kHidden, 7);
  for (uint64_t elements : {kLimit / 4, kLimit / 2, kLimit, uint64_t(kVocabulary * kHidden - 1)}) {
    const int64_t panel = int64_t(elements / kHidden / 64);
    std::vector<double> expected(128);
    for (int64_t n = 0; n < 64; ++n) {
      const std::vector<float> row = someFloats(kHidden, uint64_t(panel * 64 + n));
      packRow(weight.floats(), layout, uint64_t(panel * 64 + n), row);
      for (int64_t r = 0; r < 2; ++r) expected[size_t(r * 64 + n)] = dot(&x[size_t(r * kHidden)], row);
    }
    for (cpu::Variant variant : cpu::allVariants()) {
      std::fill_n(y.floats() + panel * 64, 64, NAN), std::fill_n(y.floats() + kVocabulary + panel * 64, 64, NAN);
      kernels->run("linear_800000x", variant, {word(x.data()), word(weight.floats()), word(y.floats()), 2}, panel,
                   panel + 1);
      std::vector<float> found(y.floats() + panel * 64, y.floats() + panel * 64 + 64);
      found.insert(found.end(), y.floats() + kVocabulary + panel * 64, y.floats() + kVocabulary + panel * 64 + 64);
      EXPECT_LE(rowError(found.data(), expected), kBar) << "panel " << panel << ", " << cpu::variantName(variant);
    }
  }
}

TEST_F(StressOffsets, TheLastExpert) {
  const uint64_t expertBytes = kIntermediate * kHidden * 4;
  ASSERT_GT((kExperts - 1) * expertBytes / 4, kLimit);
  const Sparse gate(kExperts * expertBytes), up(kExperts * expertBytes), down(kExperts * expertBytes);
  std::vector<int32_t> offsets(kExperts + 1, 0), source = {1, 0};
  offsets[kExperts] = 2; // both rows belong to the last expert
  const std::vector<float> x = someFloats(2 * kHidden, 8), h = someFloats(2 * kIntermediate, 9);
  const int64_t expert = kExperts - 1, upPanel = kIntermediate / 64 - 1, downPanel = kHidden / 64 - 1;
  std::vector<double> swiglu(128), product(128);
  for (int64_t n = 0; n < 64; ++n) {
    const std::vector<float> w1 = someFloats(kHidden, uint64_t(n), 0.02f), w3 = someFloats(kHidden, uint64_t(n) + 100),
                             w2 = someFloats(kIntermediate, uint64_t(n) + 200);
    packRow(gate.floats() + expert * kIntermediate * kHidden, kernels->layout("experts_swiglu", 3),
            uint64_t(upPanel * 64 + n), w1);
    packRow(up.floats() + expert * kIntermediate * kHidden, kernels->layout("experts_swiglu", 4),
            uint64_t(upPanel * 64 + n), w3);
    packRow(down.floats() + expert * kIntermediate * kHidden, kernels->layout("experts_6144x", 2),
            uint64_t(downPanel * 64 + n), w2);
    for (size_t r = 0; r < 2; ++r) {
      const double g = dot(&x[size_t(source[r]) * kHidden], w1), u = dot(&x[size_t(source[r]) * kHidden], w3);
      swiglu[r * 64 + size_t(n)] = g / (1 + std::exp(-g)) * u;
      product[r * 64 + size_t(n)] = dot(&h[r * kIntermediate], w2);
    }
  }
  auto columns = [](const std::vector<float> &y, int64_t width, int64_t panel) {
    std::vector<float> found;
    for (int64_t r = 0; r < 2; ++r)
      found.insert(found.end(), y.begin() + r * width + panel * 64, y.begin() + r * width + panel * 64 + 64);
    return found;
  };
  for (cpu::Variant variant : cpu::allVariants()) {
    SCOPED_TRACE(cpu::variantName(variant));
    std::vector<float> y1(2 * kIntermediate, NAN), y2(2 * kHidden, NAN);
    const int64_t upPoint = expert * (kIntermediate / 64) + upPanel, downPoint = expert * (kHidden / 64) + downPanel;
    kernels->run("experts_swiglu", variant,
                 {word(offsets.data()), word(source.data()), word(x.data()), word(gate.floats()), word(up.floats()),
                  word(y1.data())},
                 upPoint, upPoint + 1);
    EXPECT_LE(rowError(columns(y1, kIntermediate, upPanel).data(), swiglu), kBar);
    kernels->run("experts_6144x", variant, {word(offsets.data()), word(h.data()), word(down.floats()), word(y2.data())},
                 downPoint, downPoint + 1);
    EXPECT_LE(rowError(columns(y2, kHidden, downPanel).data(), product), kBar);
  }
}

// ------------------------------------------------------------------------------------------------ states and
// activations

constexpr int64_t kQkv = 3 * kHeads * kDim, kStateElements = kHeads * kDim * kDim;

/// The recurrence of one head over `rows` packed rows [q | k | v] from `row0` on; `state` is advanced.
std::vector<double> recurrence(const float *rows, int64_t count, int64_t head, double rate,
                               std::vector<double> &state) {
  std::vector<double> out;
  for (int64_t r = 0; r < count; ++r) {
    const float *q = rows + r * kQkv + head * 3 * kDim, *k = q + kDim, *v = k + kDim;
    for (int64_t i = 0; i < kDim; ++i)
      for (int64_t j = 0; j < kDim; ++j)
        state[size_t(i * kDim + j)] = std::exp(-rate) * state[size_t(i * kDim + j)] + double(k[i]) * v[j];
    for (int64_t j = 0; j < kDim; ++j) {
      double sum = 0;
      for (int64_t i = 0; i < kDim; ++i) sum += q[i] * state[size_t(i * kDim + j)];
      out.push_back(sum);
    }
  }
  return out;
}

class StressLightning : public StressOffsets {
protected:
  /// Runs the kernel on the last head of a slot and of rows beyond 2^32 bytes, and compares outputs and state.
  void check(const std::string &kernel, int64_t count, bool stateBeforeOutput) {
    const int64_t slot = 4200, row = 65000, head = kHeads - 1;
    ASSERT_GT(uint64_t(slot * kStateElements), kLimit);
    ASSERT_GT(uint64_t(row * kQkv * 4), kLimit);
    for (cpu::Variant variant : cpu::allVariants()) {
      SCOPED_TRACE(cpu::variantName(variant));
      const Sparse qkv(uint64_t((row + 80) * kQkv * 4)), states(uint64_t((slot + 1) * kStateElements * 4)),
          o(uint64_t((row + 80) * kHeads * kDim * 4));
      const std::vector<float> values = someFloats(size_t(count * kQkv), 3), rates(kHeads, 0.037f);
      std::copy(values.begin(), values.end(), qkv.floats() + row * kQkv);
      float *state = states.floats() + slot * kStateElements + head * kDim * kDim;
      const std::vector<float> before = someFloats(kDim * kDim, 4);
      std::copy(before.begin(), before.end(), state);
      const int32_t record[] = {int32_t(slot), int32_t(row), int32_t(count), 64};
      std::vector<uint64_t> words = {word(qkv.floats()), word(qkv.floats()), word(qkv.floats()), word(rates.data())};
      if (stateBeforeOutput)
        words.insert(words.end(), {word(states.floats()), word(o.floats())});
      else
        words.insert(words.end(), {word(o.floats()), word(states.floats())});
      words.push_back(word(record));
      kernels->run(kernel, variant, words, head, head + 1);

      std::vector<double> expected(before.begin(), before.end());
      const std::vector<double> outputs = recurrence(values.data(), count, head, rates[0], expected);
      EXPECT_LE(rowError(state, expected), kBar);
      for (int64_t r = 0; r < count; ++r)
        EXPECT_LE(rowError(o.floats() + ((row + r) * kHeads + head) * kDim,
                           {outputs.begin() + r * kDim, outputs.begin() + (r + 1) * kDim}),
                  kBar)
            << "row " << r;
    }
  }
};

TEST_F(StressLightning, Prefill) { check("lightning_prefill", 70, true); }
TEST_F(StressLightning, Decode) { check("lightning_decode", 1, false); }

// ------------------------------------------------------------------------------------------------ KV pages

TEST_F(StressOffsets, PagesOfTheCache) {
  const int64_t pageElements = 64 * kKvHeads * kDim, page = 70000, tableWidth = 65536 / 64, slot = 2, length = 3;
  ASSERT_GT(uint64_t(page * pageElements), kLimit);
  const Sparse keys(uint64_t((page + 1) * pageElements * 4)), values(uint64_t((page + 1) * pageElements * 4));
  std::vector<int32_t> table(size_t((slot + 1) * tableWidth), 0);
  table[size_t(slot * tableWidth)] = int32_t(page);
  const std::vector<int32_t> positions = {0, 1, 2}, slots(length, int32_t(slot));
  const std::vector<float> q = someFloats(length * kHeads * kDim, 1), k = someFloats(length * kKvHeads * kDim, 2),
                           v = someFloats(length * kKvHeads * kDim, 3);
  const std::vector<float> cosines(length * 32, 1),
      sines(length * 32, 0); // no rotation: that is another test's business
  for (cpu::Variant variant : cpu::allVariants()) {
    SCOPED_TRACE(cpu::variantName(variant));
    std::vector<float> rotated(q.size(), NAN), o(q.size(), NAN);
    kernels->run("rope64_append", variant,
                 {word(q.data()), word(k.data()), word(v.data()), word(cosines.data()), word(sines.data()),
                  word(keys.floats()), word(table.data()), word(values.floats()), word(table.data()),
                  word(rotated.data()), word(positions.data()), word(slots.data())},
                 0, length);
    EXPECT_EQ(rotated, q);
    // Written where the page is, not only read back from where it was written.
    for (const Sparse *pool : {&keys, &values}) {
      const float *begin = pool->floats() + page * pageElements;
      EXPECT_EQ(std::count_if(begin, begin + pageElements, [](float x) { return x != 0; }), length * kKvHeads * kDim);
    }
    const int32_t record[] = {int32_t(slot), int32_t(length - 1), 1, int32_t(length - 1)};
    kernels->run("attention_decode", variant,
                 {word(rotated.data()), word(o.data()), word(keys.floats()), word(table.data()), word(values.floats()),
                  word(table.data()), word(record)},
                 0, kKvHeads);
    for (int64_t h = 0; h < kHeads; ++h) {
      std::vector<double> expected(kDim, 0.0);
      double total = 0;
      for (int64_t p = 0; p < length; ++p) {
        const float *query = &q[size_t(((length - 1) * kHeads + h) * kDim)];
        const size_t at = size_t((p * kKvHeads + h / (kHeads / kKvHeads)) * kDim);
        const double weight = std::exp(dot(query, {k.begin() + ptrdiff_t(at), k.begin() + ptrdiff_t(at) + kDim}) /
                                       std::sqrt(double(kDim)));
        total += weight;
        for (size_t i = 0; i < kDim; ++i) expected[i] += weight * v[at + i];
      }
      for (double &value : expected) value /= total;
      ASSERT_LE(rowError(&o[size_t(((length - 1) * kHeads + h) * kDim)], expected), kBar) << "head " << h;
    }
  }
}

} // namespace
} // namespace mmc::test
