// Weights laid out from checkpoints: against the layout's definition element by element, whatever dtype, slice, panel
// and thread count; mismatches (catalogue P16); offsets beyond 4 GiB.
#include "runtime/src/Convert.h"
#include "runtime/src/RandomWeights.h"
#include "test/Runtime/TinyModel.h"

#include <cstring>
#include <filesystem>

namespace mmc::test {

namespace {

/// The value of element i of a checkpoint tensor: exact in float16 and bfloat16.
float valueOf(const std::string &name, uint64_t i) {
  return float(int(mixBits(randomWeightKey(1, name) + i) % 255) - 127) / 64;
}

std::string dataOf(const std::string &name, uint64_t count, const std::string &dtype) {
  std::string data;
  for (uint64_t i = 0; i < count; ++i) {
    const float value = valueOf(name, i);
    const uint16_t small = dtype == "BF16" ? floatToBf16(value) : floatToHalf(value);
    data.append(dtype == "F32" ? reinterpret_cast<const char *>(&value) : reinterpret_cast<const char *>(&small),
                dtype == "F32" ? 4 : 2);
  }
  return data;
}

struct TensorSpec {
  std::string name, dtype;
  std::vector<uint64_t> shape;
};

std::string checkpointOf(const std::vector<TensorSpec> &tensors) {
  std::string header = "{", data;
  for (const TensorSpec &t : tensors) {
    uint64_t count = 1;
    std::string shape;
    for (uint64_t extent : t.shape) count *= extent, shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    const size_t begin = data.size();
    data += dataOf(t.name, count, t.dtype);
    header += (header.size() > 1 ? ",\"" : "\"") + t.name + "\":{\"dtype\":\"" + t.dtype + "\",\"shape\":[" + shape +
              "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(data.size()) + "]}";
  }
  return safetensors(header + "}", data);
}

/// A plan that has just these weights; only what the loader reads is filled in.
PlanTables planOf(std::vector<Weight> weights) {
  PlanTables plan;
  for (Weight &weight : weights) {
    weight.expertBytes = storedBytes(weight.layout, weight.shape);
    weight.bytes = weight.expertBytes * weight.expertCount();
  }
  plan.weights = std::move(weights);
  return plan;
}

Status fill(const PlanTables &plan, const std::string &path, const WeightStore &store, uint32_t threads,
            const ProgressFunction &progress = {}) {
  Expected<Checkpoint> checkpoint = Checkpoint::open(path);
  if (!checkpoint.ok()) return checkpoint.status();
  auto pool = std::move(*ThreadPool::create(threads));
  return fillWeights(plan, *checkpointRows(*checkpoint), store, *pool, progress);
}

float elementOf(const Weight &weight, const uint8_t *tensor, std::span<const uint64_t> at) {
  const uint8_t *element = tensor + elementIndex(weight.layout, weight.shape, at) * dtypeBytes(weight.layout.dtype);
  uint16_t small;
  float value;
  std::memcpy(&small, element, 2);
  if (weight.layout.dtype == DType::bf16) return bf16ToFloat(small);
  if (weight.layout.dtype == DType::f16) return halfToFloat(small);
  std::memcpy(&value, element, 4);
  return value;
}

const std::vector<Layout> kLayouts = {{DType::f32},
                                      {DType::bf16},
                                      {DType::f16},
                                      {DType::f32, LayoutKind::panels, 16, 1},
                                      {DType::bf16, LayoutKind::panels, 64, 2},
                                      {DType::f16, LayoutKind::panels, 3, 5},
                                      {DType::bf16, LayoutKind::panels, 4, 4},
                                      {DType::f32, LayoutKind::panels, 16, 1, 64}};

TEST(WeightLoaderTest, P16ExtraTensorsAreRefusedByNameButDerivedOnesAreNot) {
  TemporaryFolder folder;
  Weight weight;
  weight.sources = {{"w", {4, 2}, {}}};
  weight.shape = {4, 2};
  PlanTables plan = planOf({weight});
  plan.layerCount = 2;
  const WeightStore store = std::move(*WeightStore::create(plan));
  const TensorSpec w{"w", "F32", {4, 2}}, derived{"model.layers.1.self_attn.slope_rate", "F32", {2}};
  EXPECT_TRUE(fill(plan, folder.write("model.safetensors", checkpointOf({w, derived})), store, 1).ok());
  expectFailure(fill(plan, folder.write("model.safetensors", checkpointOf({w, {"v", "F32", {1}}})), store, 1),
                StatusCode::incompatible, {"has tensor 'v', which the plan does not use"});
  const TensorSpec beyond{"model.layers.2.self_attn.slope_rate", "F32", {2}};
  expectFailure(fill(plan, folder.write("model.safetensors", checkpointOf({w, beyond, {"v", "F32", {1}}})), store, 1),
                StatusCode::incompatible, {"has tensor 'model.layers.2.self_attn.slope_rate' (and 1 more)"});
}

TEST(WeightLoaderTest, EverySourceTypeAndLayoutByLayerAndExpert) {
  TemporaryFolder folder;
  for (const char *dtype : {"F32", "BF16", "F16"}) {
    std::vector<TensorSpec> tensors;
    for (int layer : {1, 4})
      for (int expert = 0; expert < 3; ++expert)
        tensors.push_back({"l" + std::to_string(layer) + ".e" + std::to_string(expert), dtype, {70, 13}});
    const std::string path = folder.write("model.safetensors", checkpointOf(tensors));
    for (const Layout &layout : kLayouts) {
      Weight weight;
      weight.sources = {{"l{layer}.e{expert}", {70, 13}, {}}};
      weight.perLayer = true;
      weight.layers = {1, 4};
      weight.experts = 3;
      weight.shape = {70, 13};
      weight.layout = layout;
      const PlanTables plan = planOf({weight});
      const WeightStore store = std::move(*WeightStore::create(plan));
      ASSERT_TRUE(fill(plan, path, store, 2).ok());
      for (uint64_t instance = 0; instance < 2; ++instance)
        for (uint64_t expert = 0; expert < 3; ++expert)
          for (uint64_t n = 0; n < 70; ++n)
            for (uint64_t k = 0; k < 13; ++k) {
              const uint64_t at[] = {n, k};
              ASSERT_EQ(elementOf(plan.weights[0], store.expert(plan, 0, instance, expert), at),
                        valueOf(expandName("l{layer}.e{expert}", instance ? 4 : 1, expert), n * 13 + k));
            }
      // What is not an element is zero.
      uint64_t nonZero = 0, values = 0;
      for (uint64_t i = 0; i < store.size(); ++i) nonZero += store.base(0)[i] != 0;
      for (const TensorSpec &t : tensors)
        for (uint64_t i = 0; i < 70 * 13; ++i) values += valueOf(t.name, i) != 0;
      EXPECT_LE(nonZero, values * dtypeBytes(layout.dtype));
    }
  }
}

TEST(WeightLoaderTest, SlicesAreConcatenatedInOrder) {
  TemporaryFolder folder;
  const std::string path =
      folder.write("model.safetensors", checkpointOf({{"gate", "F32", {10, 6}}, {"up", "BF16", {10, 9}}}));
  for (const Layout &layout : kLayouts) {
    Weight weight;
    weight.sources = {{"gate", {10, 6}, {{0, 2, 6}, {1, 1, 5}}},
                      {"up", {10, 9}, {{1, 5, 9}}},
                      {"gate", {10, 6}, {{0, 0, 1}, {1, 0, 4}}}};
    weight.shape = {15, 4};
    weight.layout = layout;
    const PlanTables plan = planOf({weight});
    const WeightStore store = std::move(*WeightStore::create(plan));
    ASSERT_TRUE(fill(plan, path, store, 3).ok());
    for (uint64_t n = 0; n < 15; ++n)
      for (uint64_t k = 0; k < 4; ++k) {
        const uint64_t at[] = {n, k};
        const float expected = n < 4    ? valueOf("gate", (n + 2) * 6 + k + 1)
                               : n < 14 ? valueOf("up", (n - 4) * 9 + k + 5)
                                        : valueOf("gate", k);
        ASSERT_EQ(elementOf(plan.weights[0], store.base(0), at), expected) << n << " " << k;
      }
  }
  Weight cube;
  cube.sources = {{"cube", {4, 5, 6}, {{0, 1, 3}, {1, 2, 4}, {2, 3, 6}}}};
  cube.shape = {2, 2, 3};
  const PlanTables plan = planOf({cube});
  const WeightStore store = std::move(*WeightStore::create(plan));
  const std::string cubes = folder.write("cube.safetensors", checkpointOf({{"cube", "F32", {4, 5, 6}}}));
  ASSERT_TRUE(fill(plan, cubes, store, 1).ok());
  for (uint64_t a = 0; a < 2; ++a)
    for (uint64_t b = 0; b < 2; ++b)
      for (uint64_t c = 0; c < 3; ++c) {
        const uint64_t at[] = {a, b, c};
        ASSERT_EQ(elementOf(plan.weights[0], store.base(0), at), valueOf("cube", ((a + 1) * 5 + b + 2) * 6 + c + 3));
      }
}

Weight simple(const std::string &name, std::vector<uint64_t> shape, Layout layout = {DType::f32}) {
  Weight weight;
  weight.sources = {{name, shape, {}}};
  weight.shape = std::move(shape);
  weight.layout = layout;
  return weight;
}

TEST(WeightLoaderTest, P16CheckpointsOfAnotherModel) {
  TemporaryFolder folder;
  const std::string path =
      folder.write("model.safetensors", checkpointOf({{"a", "F32", {4, 4}}, {"b", "F32", {4, 5}}}));
  auto tryFill = [&](Weight weight, const std::string &from) {
    const PlanTables plan = planOf({std::move(weight)});
    const WeightStore store = std::move(*WeightStore::create(plan));
    return fill(plan, from, store, 2);
  };
  expectFailure(tryFill(simple("c", {4, 4}), path), StatusCode::incompatible, {"no tensor 'c'"});
  expectFailure(tryFill(simple("b", {4, 4}), path), StatusCode::incompatible, {"'b'", "[4, 5]", "[4, 4]"});
  expectFailure(tryFill(simple("b", {20}), path), StatusCode::incompatible, {"'b'", "[4, 5]", "[20]"});
  const std::string integers = folder.write(
      "i.safetensors", safetensors("{\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "0123"));
  expectFailure(tryFill(simple("a", {1}), integers), StatusCode::incompatible, {"'a'", "I32", "BF16"});
}

TEST(WeightLoaderTest, ProgressRisesToTheTotalAndMayCancel) {
  TemporaryFolder folder;
  const std::string path = folder.write("model.safetensors", checkpointOf({{"a", "F32", {700, 400}}}));
  const PlanTables plan = planOf({simple("a", {700, 400})});
  const WeightStore store = std::move(*WeightStore::create(plan));
  uint64_t last = 0, total = 0;
  ASSERT_TRUE(fill(plan, path, store, 2, [&](uint64_t done, uint64_t all) {
                EXPECT_GE(done, last);
                last = done;
                total = all;
                return true;
              }).ok());
  EXPECT_EQ(last, 700u * 400 * 4);
  EXPECT_EQ(total, last);
  expectFailure(fill(plan, path, store, 2, [](uint64_t, uint64_t) { return false; }), StatusCode::cancelled,
                {"cancelled"});
}

TEST(WeightLoaderTest, AFileThatShrinksWhileItIsReadIsAnError) {
  TemporaryFolder folder;
  const std::string path = folder.write("model.safetensors", checkpointOf({{"a", "F32", {700, 400}}}));
  Expected<Checkpoint> checkpoint = Checkpoint::open(path);
  std::filesystem::resize_file(path, 5000);
  const PlanTables plan = planOf({simple("a", {700, 400})});
  const WeightStore store = std::move(*WeightStore::create(plan));
  auto pool = std::move(*ThreadPool::create(2));
  expectFailure(fillWeights(plan, *checkpointRows(*checkpoint), store, *pool, {}), StatusCode::failed,
                {"model.safetensors", "changed"});
}

TEST(WeightLoaderTest, OffsetsBeyond4GiBInFileAndMemory) {
  // A sparse file of 5 GiB whose last rows are set, laid out into address space that is mostly never touched.
  TemporaryFolder folder;
  constexpr uint64_t kRows = 40960, kColumns = 65536; // bf16: 5 GiB
  const uint64_t bytes = kRows * kColumns * 2;
  const std::string header =
      "{\"w\":{\"dtype\":\"BF16\",\"shape\":[40960,65536],\"data_offsets\":[0," + std::to_string(bytes) + "]}}";
  const std::string path = folder.write("model.safetensors", safetensors(header, ""));
  std::filesystem::resize_file(path, 8 + header.size() + bytes);
  FILE *file = fopen(path.c_str(), "r+b");
  const uint16_t value = floatToBf16(1.5f);
  fseeko(file, -2, SEEK_END);
  fwrite(&value, 2, 1, file);
  fclose(file);
  Weight weight = simple("w", {kRows, kColumns}, {DType::bf16, LayoutKind::panels, 64, 2});
  const PlanTables plan = planOf({simple("other", {uint64_t(1) << 30}), weight}); // 4 GiB before it
  const WeightStore store = std::move(*WeightStore::create(plan, Mapping::Kind::reserved));
  EXPECT_EQ(store.size(), uint64_t(9) << 30);
  const Expected<Checkpoint> checkpoint = Checkpoint::open(path);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().text();
  auto rows = checkpointRows(*checkpoint);
  RowBuffers buffers;
  ASSERT_TRUE(fillRows(plan, *rows, store, {1, 0, 0}, kRows - 64, 64, buffers).ok());
  const uint64_t last[] = {kRows - 1, kColumns - 1}, before[] = {kRows - 1, kColumns - 2};
  EXPECT_EQ(elementOf(plan.weights[1], store.base(1), last), 1.5f);
  EXPECT_EQ(elementOf(plan.weights[1], store.base(1), before), 0.0f);
  EXPECT_EQ(store.expert(plan, 1, 0, 0) - store.base(0), ptrdiff_t(uint64_t(4) << 30));
}

TEST(WeightLoaderTest, ALayerReadsTheTensorOfTheNextAndTheLastOneItsOwn) {
  Weight weight = simple("w.{layer}", {9, 7}, {DType::f32, LayoutKind::rowMajor});
  weight.perLayer = true;
  weight.layers = {0, 2};
  weight.randomScale = 1;
  weight.nextElse = "final";
  PlanTables plan = planOf({weight});
  plan.layerCount = 3;
  const WeightStore store = std::move(*WeightStore::create(plan));
  auto pool = std::move(*ThreadPool::create(1));
  ASSERT_TRUE(fillWeights(plan, *randomRows(42), store, *pool, {}).ok());
  const uint64_t at[] = {2, 3};
  EXPECT_EQ(elementOf(plan.weights[0], store.expert(plan, 0, 0, 0), at),
            randomWeight(randomWeightKey(42, "w.1"), 17, 0, 1));
  EXPECT_EQ(elementOf(plan.weights[0], store.expert(plan, 0, 1, 0), at),
            randomWeight(randomWeightKey(42, "final"), 17, 0, 1));
}

TEST(WeightLoaderTest, RandomWeightsFollowTheDefinition) {
  Weight weight = simple("w.{layer}", {9, 7}, {DType::f32, LayoutKind::panels, 4, 2});
  weight.sources[0].shape = {12, 7};
  weight.sources[0].slices = {{0, 3, 12}};
  weight.perLayer = true;
  weight.layers = {5};
  weight.randomMean = 0.25f;
  weight.randomScale = 2;
  const PlanTables plan = planOf({weight});
  for (uint32_t threads : {1, 3}) {
    const WeightStore store = std::move(*WeightStore::create(plan));
    auto pool = std::move(*ThreadPool::create(threads));
    ASSERT_TRUE(fillWeights(plan, *randomRows(42), store, *pool, {}).ok());
    for (uint64_t n = 0; n < 9; ++n)
      for (uint64_t k = 0; k < 7; ++k) {
        const uint64_t at[] = {n, k};
        ASSERT_EQ(elementOf(plan.weights[0], store.base(0), at),
                  randomWeight(randomWeightKey(42, "w.5"), (n + 3) * 7 + k, 0.25f, 2));
      }
  }
}

TEST(WeightLoaderTest, ZeroRowsOfTheEmbeddingAreFound) {
  for (const Layout &layout : kLayouts) {
    PlanTables plan = planOf({simple("e", {20, 6}, layout)});
    const WeightStore store = std::move(*WeightStore::create(plan));
    auto pool = std::move(*ThreadPool::create(1));
    ASSERT_TRUE(fillWeights(plan, *randomRows(1), store, *pool, {}).ok());
    // Rows 3 and 19: scale is zero until here, so set others by hand.
    for (uint64_t row = 0; row < 20; ++row) {
      const uint64_t at[] = {row, row % 6};
      uint8_t *element = store.base(0) + elementIndex(layout, plan.weights[0].shape, at) * dtypeBytes(layout.dtype);
      element[dtypeBytes(layout.dtype) - 1] = row == 3 || row == 19 ? 0x80 : 0x40; // -0 and 2
    }
    EXPECT_EQ(zeroEmbeddingRows(plan, store), (std::vector<int32_t>{3, 19}));
  }
}

} // namespace

} // namespace mmc::test
