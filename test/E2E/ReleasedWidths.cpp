#include "test/E2E/ReleasedWidths.h"

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>

namespace mmc::test {

RandomModel releasedWidths(int64_t headDim, int64_t heads, int64_t experts, int64_t topK) {
  RandomModel model;
  model.layers = 2;
  model.kinds = {0, 1};
  model.hidden = model.intermediate = 512;
  model.heads = heads;
  model.kvHeads = 1;
  model.headDim = headDim;
  model.rotaryDim = headDim / 2;
  model.experts = experts;
  model.topK = topK;
  model.vocabulary = 512;
  model.scales = {1, 1, 1, 1, 1, 1};
  return model;
}

std::vector<uint8_t> compileForEmulation(const Folder &folder, const RandomModel &model, const std::string &family,
                                         uint32_t tokens, uint32_t block) {
  PlanOptions options;
  options.dtype = "bfloat16";
  options.target = {"cuda-emu", {family}};
  options.maxModelLen = options.maxNumBatchedTokens = tokens;
  options.recurrenceBlock = block;
  return compilePlan(folder.write("config.json", model.config()), options);
}

/// The seed is read when the device's context is made: there must be none.
static void setOrder(const EmulatedOrder &order) {
  setenv("MMC_EMU_SEED", std::to_string(order.seed).c_str(), 1);
  setenv("MMC_EMU_CHECKS", order.checks ? "on" : "off", 1);
}

static std::vector<float> runSteps(TestSession &session, const RaggedBatch &batch, int32_t vocabulary) {
  std::vector<std::vector<int32_t>> tokens;
  std::vector<TestSession::Entry> prompts, rest;
  for (size_t i = 0; i < batch.lengths.size(); ++i) {
    session.add();
    tokens.push_back(someTokens(batch.lengths[i] + std::max<size_t>(1, batch.piece), vocabulary, batch.seed * 100 + i));
  }
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::span<const int32_t> all = tokens[i];
    prompts.push_back({i, all.first(batch.lengths[i])});
    rest.push_back({i, all.subspan(batch.lengths[i], i == batch.longer ? batch.piece : 1)});
  }
  std::vector<float> logits;
  for (const auto &step : {prompts, rest})
    for (const std::vector<float> &rows : session.step(step)) logits.insert(logits.end(), rows.begin(), rows.end());
  return logits;
}

BatchRun runBatch(const std::vector<uint8_t> &plan, const std::string &weights, const RaggedBatch &batch,
                  const EmulatedOrder &order, Replay mode, LaunchReplay::Watcher routes) {
  setOrder(order);
  const TestModel model(plan, weights);
  EXPECT_TRUE(model.ok());
  if (!model.ok()) return {};
  const auto slots = uint32_t(batch.lengths.size());
  TestSession session(model, 1, slots);
  LaunchReplay replay(session.handle(), plan, slots, mode);
  if (routes) replay.watch("permute", 1, std::move(routes));
  BatchRun run;
  run.logits = runSteps(session, batch, int32_t(model.info().vocabulary));
  run.prints = replay.prints();
  if (mode == Replay::interpret) expectLockstep(replay, 1e-2); // the router rounds what it normalises
  return run;
}

std::vector<float> runBatchUnobserved(const std::vector<uint8_t> &plan, const std::string &weights,
                                      const RaggedBatch &batch, const EmulatedOrder &order) {
  setOrder(order);
  const TestModel model(plan, weights);
  EXPECT_TRUE(model.ok());
  if (!model.ok()) return {};
  TestSession session(model, 1, uint32_t(batch.lengths.size()));
  return runSteps(session, batch, int32_t(model.info().vocabulary));
}

void expectSameBits(const BatchRun &first, const BatchRun &other) {
  ASSERT_EQ(first.prints.size(), other.prints.size());
  ASSERT_FALSE(first.prints.empty());
  for (size_t i = 0; i < first.prints.size(); ++i)
    ASSERT_EQ(first.prints[i], other.prints[i]) << "launch " << i << " of kernel " << first.prints[i].kernel;
  ASSERT_EQ(first.logits.size(), other.logits.size());
  ASSERT_EQ(std::memcmp(first.logits.data(), other.logits.data(), first.logits.size() * sizeof(float)), 0);
}

} // namespace mmc::test
