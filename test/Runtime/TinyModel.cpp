// The tiny model: its tables, and its mathematics in plain C++.
#include "test/Runtime/TinyModel.h"

#include "runtime/src/RandomWeights.h"

#include <cmath>
#include <cstring>
#include <fstream>

namespace mmc::test {

namespace {

constexpr float kAlphas[kLayers] = {0.5f, 0, 0.25f, 0, 0.75f};
enum WeightIndex : uint32_t { kEmbedding, kGain, kExperts, kHead };
enum KernelIndex : uint32_t { kEmbed, kRecur, kAppend, kAttend, kHeadKernel };

Weight weightOf(const std::string &name, std::vector<uint32_t> layers, uint32_t experts, std::vector<uint64_t> shape,
                Layout layout, float mean, float scale) {
  Weight weight;
  weight.sources = {{name, shape, {}}};
  weight.perLayer = !layers.empty();
  weight.layers = std::move(layers);
  weight.experts = experts;
  weight.shape = shape;
  weight.layout = layout;
  weight.expertBytes = storedBytes(layout, shape);
  weight.bytes = weight.expertBytes * weight.expertCount();
  weight.randomMean = mean;
  weight.randomScale = scale;
  return weight;
}

/// A parameter that launches bind to one kind.
Parameter parameter(ArgumentKind kind, const char *access = "", uint64_t bytes = 0, Rows rows = Rows::none,
                    DType dtype = DType::f32) {
  Parameter p;
  p.kinds = {kind};
  p.read = strchr(access, 'r');
  p.written = strchr(access, 'w');
  p.dtype = dtype;
  p.rows = rows;
  p.bytes = bytes;
  return p;
}

/// A step array or a word.
Parameter step(ArgumentKind kind, uint64_t bytes = 0, Rows rows = Rows::none) {
  return parameter(kind, kind == ArgumentKind::tokenIds ? "r" : "", bytes, rows, DType::i32);
}

Parameter weightParameter(uint64_t bytes, std::vector<uint64_t> shape) {
  Parameter p = parameter(ArgumentKind::weight, "r", bytes);
  p.shape = std::move(shape);
  return p;
}

Parameter paged(Parameter p) {
  p.pageTokens = kPageTokens;
  p.pagesPerSequence = kPagesPerSequence;
  return p;
}

Parameter workParameter(uint8_t filters, uint32_t tileRows) {
  Parameter p = step(ArgumentKind::workList);
  p.filters = filters;
  p.tileRows = tileRows;
  return p;
}

Kernel kernelOf(const std::string &name, std::vector<std::string> parameters, std::vector<Parameter> interface,
                std::vector<Extent> domain) {
  return {name,
          {name + "__x86_64_v3", name + "__avx512"},
          {64, 128},
          std::move(parameters),
          uint32_t(domain.size()),
          std::move(interface),
          std::move(domain),
          true,
          {}};
}

/// As the records of kernels.inc say.
std::vector<Kernel> tinyKernels() {
  using A = ArgumentKind;
  const Parameter row = parameter(A::buffer, "r", kWidth * 4, Rows::tokens),
                  rowOut = parameter(A::buffer, "w", kWidth * 4, Rows::tokens), pages = paged(step(A::pageTable));
  Parameter ownRows = parameter(A::buffer, "rw", kWidth * 4, Rows::tokens),
            state = parameter(A::pool, "rw", kWidth * 4);
  ownRows.own = state.own = true;
  const uint64_t page = kPageTokens * kWidth * 4;
  Parameter panels = weightParameter(kVocabulary * kWidth * 4, {kVocabulary, kWidth});
  panels.panelN = panels.padN = 16;
  panels.panelK = 2;
  return {kernelOf("embed", {"tokens", "table", "hidden"},
                   {step(A::tokenIds, 4, Rows::tokens),
                    weightParameter(kVocabulary * kWidth * 4, {kVocabulary, kWidth}), rowOut},
                   {{ExtentKind::tokens, 0}}),
          kernelOf("recur", {"work", "gain", "alpha", "state", "hidden"},
                   {workParameter(6, 0), weightParameter(64, {kWidth}), parameter(A::constant, "r", 4), state, ownRows},
                   {{ExtentKind::work, 0}}),
          kernelOf("append", {"positions", "slots", "pages", "hidden", "cache"},
                   {step(A::rowPositions, 4, Rows::tokens), step(A::rowSlots, 4, Rows::tokens), pages, row,
                    paged(parameter(A::pool, "w", page))},
                   {{ExtentKind::tokens, 0}}),
          kernelOf("attend", {"work", "pages", "cache", "experts", "hidden"},
                   {workParameter(1, 3), pages, paged(parameter(A::pool, "r", page)), weightParameter(128, {2, kWidth}),
                    rowOut},
                   {{ExtentKind::work, 0}}),
          kernelOf("head", {"rows", "hidden", "head", "logits", "bias"},
                   {step(A::outputRows, 4, Rows::outputs), row, panels,
                    parameter(A::logits, "w", kVocabulary * 4, Rows::outputs), step(A::immediate)},
                   {{ExtentKind::outputs, 0}, {ExtentKind::fixed, 3}})};
}

Argument word(ArgumentKind kind, uint32_t index = 0, bool written = false, uint64_t offset = 0) {
  return {kind, written, index, offset};
}

Command command(uint32_t kernel, std::vector<Argument> arguments, std::vector<Extent> domain) {
  Command command;
  command.launch = {kernel, 1, std::move(arguments), std::move(domain)};
  return command;
}

} // namespace

void undescribe(PlanTables &tables) {
  for (Kernel &kernel : tables.kernels) {
    kernel.described = false;
    kernel.interface.clear();
    kernel.domain.clear();
  }
  for (Program &layer : tables.layerKinds)
    for (Command &command : layer.commands) command.launch.branch = 0;
}

PlanTables tinyTables() {
  using A = ArgumentKind;
  PlanTables t;
  t.producer = "test";
  t.model = "tiny";
  t.target = "cpu";
  t.parametersTotal = 824;
  t.parametersActive = 500;
  t.vocabulary = kVocabulary;
  t.maxModelLen = kMaxModelLen;
  t.maxNumSeqs = kMaxSeqs;
  t.maxNumBatchedTokens = kMaxTokens;
  t.recurrenceBlock = 1;
  t.pageTokens = kPageTokens;
  t.pagesPerSequence = kPagesPerSequence;
  t.layerCount = kLayers;
  t.embeddingWeight = kEmbedding;
  t.stopTokens = {2};
  t.variants = {"x86-64-v3", "avx512"};
  t.weights = {weightOf("embed", {}, 0, {kVocabulary, kWidth}, {DType::f32}, 0, 1),
               weightOf("layers.{layer}.gain", {0, 2, 4}, 0, {kWidth}, {DType::f32}, 1, 0.5f),
               weightOf("layers.{layer}.experts.{expert}", {1, 3}, 2, {kWidth}, {DType::f32}, 0.5f, 0.25f),
               weightOf("head", {}, 0, {kVocabulary, kWidth}, {DType::f32, LayoutKind::panels, 16, 2}, 0, 1)};
  t.constants = {{"alpha", DType::f32, {kLayers}, 0, kLayers * 4, 4}};
  t.pools = {{"state", PoolKind::slots, DType::f32, {kWidth}, kWidth * 4, 3},
             {"cache", PoolKind::pages, DType::f32, {kPageTokens, kWidth}, kPageTokens * kWidth * 4, 2}};
  t.buffers = {{"hidden", DType::f32, kWidth * 4, 0, 0, 0}};
  t.workLists = {{WorkFilter::prefill, 0}, {WorkFilter::decode, 0}, {WorkFilter::all, 3}};
  t.kernels = tinyKernels();
  auto recur = [&](uint32_t list) {
    Command made = command(kRecur,
                           {word(A::workList, list), word(A::weight, kGain), word(A::constant, 0),
                            word(A::pool, 0, true), word(A::buffer, 0, true)},
                           {{ExtentKind::work, list}});
    made.launch.branch = uint8_t(list + 1);
    return made;
  };
  t.layerKinds = {{"recurrence", {recur(0), recur(1)}},
                  {"attention",
                   {command(kAppend,
                            {word(A::rowPositions), word(A::rowSlots), word(A::pageTable), word(A::buffer, 0),
                             word(A::pool, 1, true)},
                            {{ExtentKind::tokens, 0}}),
                    command(kAttend,
                            {word(A::workList, 2), word(A::pageTable), word(A::pool, 1), word(A::weight, kExperts),
                             word(A::buffer, 0, true)},
                            {{ExtentKind::work, 2}})}}};
  Command stack;
  stack.isStack = true;
  t.stack = {0, 1, 0, 1, 0};
  t.body = {"body",
            {command(kEmbed, {word(A::tokenIds), word(A::weight, kEmbedding), word(A::buffer, 0, true)},
                     {{ExtentKind::tokens, 0}}),
             stack}};
  t.head = {"head",
            {command(kHeadKernel,
                     {word(A::outputRows), word(A::buffer, 0), word(A::weight, kHead), word(A::logits, 0, true),
                      word(A::immediate, 0, false, 3)},
                     {{ExtentKind::outputs, 0}, {ExtentKind::fixed, 3}})}};
  // The larger class comes with an offset of its own and needs several runs of the head.
  t.entryPoints = {{1, 1, kMaxModelLen, 1, 64, {0}},
                   {8, 2, 16, 2, 512, {128}},
                   {kMaxTokens, kMaxSeqs, kMaxModelLen, 3, 2048, {512}}};
  return t;
}

std::vector<uint8_t> tinyConstants() {
  std::vector<uint8_t> bytes(sizeof kAlphas);
  std::memcpy(bytes.data(), kAlphas, sizeof kAlphas);
  return bytes;
}

std::vector<uint8_t> tinyObject(bool records) {
  std::ifstream in(records ? MMC_TINY_OBJECT : MMC_TINY_PLAIN_OBJECT, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(in), {});
}

std::vector<uint8_t> tinyPlan(const PlanTables &tables) {
  const std::vector<uint8_t> metadata = encodeTables(tables), constants = tinyConstants(),
                             object = tinyObject(tables.kernels.empty() || tables.kernels[0].described);
  const SegmentInput segments[] = {
      {SegmentKind::metadata, metadata}, {SegmentKind::constants, constants}, {SegmentKind::hostObject, object}};
  return *buildPlanFile(segments);
}

std::shared_ptr<const LoadedPlan> loadTiny(const std::vector<uint8_t> &file) {
  Expected<PlanImage> image = PlanImage::copy(file);
  EXPECT_TRUE(image.ok()) << image.status().text();
  if (!image.ok()) return nullptr;
  Expected<std::shared_ptr<const LoadedPlan>> plan = loadPlan(std::move(*image), {});
  EXPECT_TRUE(plan.ok()) << plan.status().text();
  return plan.ok() ? *plan : nullptr;
}

std::shared_ptr<const Model> tinyModel(uint64_t seed) {
  Expected<std::shared_ptr<const Model>> model = makeModel(loadTiny(), *randomRows(seed), 2, {});
  EXPECT_TRUE(model.ok()) << model.status().text();
  return model.ok() ? *model : nullptr;
}

std::unique_ptr<Session> tinySession(std::shared_ptr<const Model> model, SessionOptions options) {
  Expected<std::unique_ptr<Session>> session = Session::create(std::move(model), options);
  EXPECT_TRUE(session.ok()) << session.status().text();
  return session.ok() ? std::move(*session) : nullptr;
}

std::vector<std::vector<float>> reference(uint64_t seed, const std::vector<int32_t> &tokens) {
  auto value = [&](const std::string &name, uint64_t index, float mean, float scale) {
    return randomWeight(randomWeightKey(seed, name), index, mean, scale);
  };
  std::vector<std::vector<float>> state(kLayers, std::vector<float>(kWidth)), rows;
  std::vector<std::vector<std::vector<float>>> cache(kLayers);
  for (int32_t token : tokens) {
    std::vector<float> hidden(kWidth);
    for (uint32_t i = 0; i < kWidth; ++i) hidden[i] = value("embed", uint64_t(token) * kWidth + i, 0, 1);
    for (uint32_t layer = 0; layer < kLayers; ++layer) {
      const std::string prefix = "layers." + std::to_string(layer) + ".";
      if (layer % 2 == 0) {
        for (uint32_t i = 0; i < kWidth; ++i)
          hidden[i] = state[layer][i] =
              kAlphas[layer] * state[layer][i] + value(prefix + "gain", i, 1, 0.5f) * hidden[i];
        continue;
      }
      cache[layer].push_back(hidden);
      std::vector<float> sum(kWidth);
      for (const std::vector<float> &row : cache[layer])
        for (uint32_t i = 0; i < kWidth; ++i) sum[i] += row[i];
      for (uint32_t i = 0; i < kWidth; ++i)
        hidden[i] = value(prefix + "experts.0", i, 0.5f, 0.25f) * sum[i] + value(prefix + "experts.1", i, 0.5f, 0.25f);
    }
    std::vector<float> logits(kVocabulary, 3);
    for (uint32_t v = 0; v < kVocabulary; ++v)
      for (uint32_t k = 0; k < kWidth; ++k) logits[v] += hidden[k] * value("head", uint64_t(v) * kWidth + k, 0, 1);
    rows.push_back(logits);
  }
  return rows;
}

std::vector<std::vector<float>> rowsOf(const Session &session, size_t entry) {
  Expected<std::span<const float>> logits = session.logits(entry);
  EXPECT_TRUE(logits.ok()) << logits.status().text();
  std::vector<std::vector<float>> rows;
  for (size_t at = 0; logits.ok() && at < logits->size(); at += kVocabulary)
    rows.emplace_back(logits->begin() + ptrdiff_t(at), logits->begin() + ptrdiff_t(at + kVocabulary));
  return rows;
}

std::vector<std::vector<float>> runStep(Session &session, Sequence *sequence, const std::vector<int32_t> &tokens,
                                        Logits logits) {
  const StepEntry entry{sequence, tokens.data(), tokens.size(), logits};
  const Status status = session.step({&entry, 1});
  EXPECT_TRUE(status.ok()) << status.text();
  return status.ok() ? rowsOf(session, 0) : std::vector<std::vector<float>>();
}

std::vector<int32_t> tokensOf(uint32_t seed, size_t count) {
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < count; ++i) tokens.push_back(int32_t(mixBits(seed * 1000 + i) % kVocabulary));
  return tokens;
}

} // namespace mmc::test
