#include "test/E2E/Plans.h"

#include "runtime/src/HostObject.h"
#include "runtime/src/RandomWeights.h"

#include <gtest/gtest.h>

namespace mmc::test {

std::vector<std::string> hostVariants() {
  std::vector<std::string> variants;
  for (const char *variant : runtime::knownVariants())
    if (runtime::hostExecutes(variant)) variants.push_back(variant);
  return variants;
}

std::string take(mmc_status *status) {
  if (!status) return {};
  std::string text = std::string(mmc_status_get_identifier(status)) + ": " + mmc_status_get_message(status);
  mmc_status_free(status);
  return text.empty() ? "failed" : text;
}

std::vector<uint8_t> compilePlan(const std::string &model, const PlanOptions &options) {
  CompileOptions compile;
  compile.target = options.target;
  compile.dtype = options.dtype;
  compile.disabledPasses = options.disabledPasses;
  compile.maxNumSeqs = options.maxNumSeqs;
  compile.maxNumBatchedTokens = options.maxNumBatchedTokens;
  compile.recurrenceBlock = options.recurrenceBlock;
  compile.maxModelLen = options.maxModelLen;
  if (options.target.family == "cpu") compile.cpuVariants = hostVariants();
  auto plan = compileModelToMemory(model, compile);
  EXPECT_TRUE(plan.ok()) << model << ": " << plan.status().text();
  return plan.ok() ? *plan : std::vector<uint8_t>();
}

TestModel::TestModel(const std::vector<uint8_t> &bytes, const std::string &weights, const std::string &variant) {
  if (bytes.empty()) return;
  mmc_plan_options options = {};
  options.struct_size = sizeof options;
  options.cpu_variant = variant.empty() ? nullptr : variant.c_str();
  mmc_plan *loaded = nullptr;
  EXPECT_EQ(take(mmc_plan_load_memory(bytes.data(), bytes.size(), &options, &loaded)), "");
  plan.reset(loaded);
  if (!loaded) return;
  facts.struct_size = sizeof facts;
  EXPECT_EQ(take(mmc_plan_get_info(loaded, &facts)), "");
  mmc_model *bound = nullptr;
  EXPECT_EQ(take(weights.empty() ? mmc_model_load_random(loaded, 1, nullptr, &bound)
                                 : mmc_model_load(loaded, weights.c_str(), nullptr, &bound)),
            "");
  model.reset(bound);
  if (!bound) return;
  const int32_t *ids = nullptr;
  size_t count = 0;
  EXPECT_EQ(take(mmc_model_get_suppressed_tokens(bound, &ids, &count)), "");
  suppressed.resize(facts.vocabulary);
  for (size_t i = 0; i < count; ++i) suppressed[size_t(ids[i])] = true;
}

int32_t TestModel::argmax(std::span<const float> row) const {
  int32_t best = -1;
  for (size_t id = 0; id < row.size(); ++id)
    if (!suppressed[id] && (best < 0 || row[id] > row[size_t(best)])) best = int32_t(id);
  return best;
}

TestSession::TestSession(const TestModel &model, uint32_t threads, uint32_t count) : model(model) {
  mmc_session_options options = {};
  options.struct_size = sizeof options;
  options.threads = threads;
  options.max_sequences = count;
  EXPECT_EQ(take(mmc_session_create(model.handle(), &options, &session)), "");
}

TestSession::~TestSession() {
  for (mmc_sequence *sequence : sequences) mmc_sequence_free(sequence);
  mmc_session_free(session);
}

size_t TestSession::add() {
  mmc_sequence *sequence = nullptr;
  EXPECT_EQ(take(mmc_sequence_create(session, &sequence)), "");
  return adopt(sequence);
}

size_t TestSession::adopt(mmc_sequence *sequence) {
  sequences.push_back(sequence);
  return sequences.size() - 1;
}

void TestSession::remove(size_t index) {
  mmc_sequence_free(sequences[index]);
  sequences[index] = nullptr;
}

std::vector<std::vector<float>> TestSession::step(const std::vector<Entry> &entries) {
  std::vector<mmc_step_entry> list;
  for (const Entry &entry : entries)
    list.push_back({sequences[entry.sequence], entry.tokens.data(), entry.tokens.size(), MMC_LOGITS_ALL});
  const mmc_step step = {sizeof step, sizeof(mmc_step_entry), list.data(), list.size()};
  std::vector<std::vector<float>> results(entries.size());
  const std::string error = take(mmc_session_step(session, &step));
  EXPECT_EQ(error, "");
  if (!error.empty()) return results;
  for (size_t i = 0; i < entries.size(); ++i) {
    const float *logits = nullptr;
    size_t rows = 0;
    EXPECT_EQ(take(mmc_session_get_logits(session, i, &logits, &rows)), "");
    EXPECT_EQ(rows, entries[i].tokens.size());
    results[i].assign(logits, logits + rows * model.info().vocabulary);
  }
  return results;
}

std::vector<float> TestSession::feed(size_t sequence, std::span<const int32_t> tokens, size_t chunk) {
  std::vector<float> all;
  for (size_t begin = 0; begin < tokens.size(); begin += chunk) {
    const auto rows = step({{sequence, tokens.subspan(begin, std::min(chunk, tokens.size() - begin))}});
    all.insert(all.end(), rows[0].begin(), rows[0].end());
  }
  return all;
}

std::vector<uint8_t> TestSession::snapshot(size_t index) const {
  std::vector<uint8_t> bytes(mmc_sequence_get_snapshot_size(sequences[index]));
  EXPECT_EQ(take(mmc_sequence_snapshot(sequences[index], bytes.data(), bytes.size())), "");
  return bytes;
}

std::vector<float> logitsOf(const TestModel &model, std::span<const int32_t> ids, size_t chunk, uint32_t threads) {
  if (!model.ok()) return {};
  TestSession session(model, threads);
  return session.feed(session.add(), ids,
                      chunk ? chunk : std::min<size_t>(ids.size(), model.info().max_num_batched_tokens));
}

std::vector<int32_t> greedyTokens(const TestModel &model, std::span<const int32_t> ids, size_t count) {
  std::vector<int32_t> tokens;
  if (!model.ok() || count == 0) return tokens;
  TestSession session(model);
  const size_t sequence = session.add();
  std::vector<float> rows = session.feed(sequence, ids, ids.size());
  while (true) {
    if (rows.size() < model.info().vocabulary) return tokens;
    tokens.push_back(model.argmax(std::span<const float>(rows).last(model.info().vocabulary)));
    if (tokens.size() == count) return tokens;
    rows = session.feed(sequence, {&tokens.back(), 1}, 1);
  }
}

std::vector<float> selectRows(const std::vector<float> &rows, const std::vector<int32_t> &positions, size_t width) {
  std::vector<float> selected;
  for (int32_t position : positions) {
    const size_t begin = size_t(position) * width;
    if (begin + width > rows.size()) {
      ADD_FAILURE() << "no row for position " << position << " among " << rows.size() / width << " rows";
      return {};
    }
    selected.insert(selected.end(), rows.begin() + ptrdiff_t(begin), rows.begin() + ptrdiff_t(begin + width));
  }
  return selected;
}

std::vector<int32_t> someTokens(size_t count, int32_t below, uint64_t seed) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = int32_t(runtime::mixBits(seed * 1000003 + i) % uint64_t(below));
  return ids;
}

} // namespace mmc::test
