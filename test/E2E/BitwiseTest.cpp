// One plan, one machine: logits, state and KV are bitwise the same whatever the chunks (in multiples of the recurrence
// block), the other sequences of the batch, and the number of threads.
#include "test/E2E/Golden.h"
#include "test/E2E/Plans.h"

#include <gtest/gtest.h>

namespace mmc::test {
namespace {

/// All variants share the property; dtypes and models differ in their kernels.
class Bitwise : public testing::TestWithParam<std::tuple<std::string, std::string>> {
protected:
  void SetUp() override {
    folder = std::string(MMC_SOURCE_DIR) + (model() == "demo" ? "/examples/demo" : "/test/Inputs/" + model());
    PlanOptions options;
    options.dtype = std::get<1>(GetParam());
    plan = compilePlan(folder, options);
  }
  const std::string &model() const { return std::get<0>(GetParam()); }

  std::string folder;
  std::vector<uint8_t> plan;
};

struct Answer {
  std::vector<float> logits;
  std::vector<uint8_t> memory; // position, state and KV
  bool operator==(const Answer &) const = default;
};

/// The prompt in chunks, then `decode` token by token.
Answer alone(const TestModel &model, std::span<const int32_t> prompt, std::span<const int32_t> decode, size_t chunk,
             uint32_t threads) {
  TestSession session(model, threads);
  const size_t sequence = session.add();
  Answer answer;
  answer.logits = session.feed(sequence, prompt, chunk);
  const std::vector<float> rows = session.feed(sequence, decode, 1);
  answer.logits.insert(answer.logits.end(), rows.begin(), rows.end());
  answer.memory = session.snapshot(sequence);
  return answer;
}

/// The same among neighbours: others are prefilling, decoding, starting and ending in the same steps.
Answer amongOthers(const TestModel &model, std::span<const int32_t> prompt, std::span<const int32_t> decode,
                   uint32_t block) {
  TestSession session(model, 2, 4);
  const size_t before = session.add(), self = session.add(), after = session.add();
  const std::vector<int32_t> noise = someTokens(1024, 128, 77);
  Answer answer;
  size_t step = 0;
  auto run = [&](std::span<const int32_t> tokens) {
    const size_t own = 1 + step * 13 % 70; // ragged neighbours on both sides
    std::vector<TestSession::Entry> entries = {{before, std::span(noise).subspan(step, own)}, {self, tokens}};
    if (step % 3) entries.push_back({after, std::span(noise).subspan(step * 7 % 500, 1)});
    const auto rows = session.step(entries);
    answer.logits.insert(answer.logits.end(), rows[1].begin(), rows[1].end());
    ++step;
  };
  for (size_t begin = 0; begin < prompt.size(); begin += block)
    run(prompt.subspan(begin, std::min<size_t>(block, prompt.size() - begin)));
  for (size_t i = 0; i < decode.size(); ++i) run(decode.subspan(i, 1));
  answer.memory = session.snapshot(self);
  return answer;
}

TEST_P(Bitwise, ChunksThreadsAndNeighbours) {
  const std::vector<int32_t> ids = someTokens(205, 128, 5);
  const std::span<const int32_t> prompt = std::span(ids).first(200), decode = std::span(ids).subspan(200);
  for (const std::string &variant : hostVariants()) {
    const TestModel model(plan, folder, variant);
    ASSERT_TRUE(model.ok());
    const uint32_t block = model.info().recurrence_block;
    const Answer whole = alone(model, prompt, decode, prompt.size(), 1);
    ASSERT_EQ(whole.logits.size(), ids.size() * model.info().vocabulary);
    EXPECT_TRUE(alone(model, prompt, decode, block, 1) == whole) << variant << ": chunks of one block";
    EXPECT_TRUE(alone(model, prompt, decode, 2 * block, 1) == whole) << variant << ": chunks of two blocks";
    EXPECT_TRUE(alone(model, prompt, decode, prompt.size(), 2) == whole) << variant << ": two threads";
    EXPECT_TRUE(alone(model, prompt, decode, block, 0) == whole) << variant << ": all threads";
    EXPECT_TRUE(alone(model, prompt, decode, prompt.size(), 5) == whole) << variant << ": more threads than cores";
    EXPECT_TRUE(amongOthers(model, prompt, decode, block) == whole) << variant << ": among other sequences";
    // The comparison sees a difference where there is one.
    EXPECT_FALSE(alone(model, prompt.first(199), decode, block, 1) == whole);
  }
}

// A block boundary may lie anywhere in a prompt; a decode step at a boundary is the block's first token.
TEST_P(Bitwise, ShortPromptsAtBlockBoundaries) {
  const TestModel model(plan, folder);
  ASSERT_TRUE(model.ok());
  const uint32_t block = model.info().recurrence_block;
  for (size_t length : {size_t(1), size_t(2), size_t(block - 1), size_t(block), size_t(block + 1), size_t(2 * block)}) {
    const std::vector<int32_t> ids = someTokens(length + 2, 128, length);
    const std::span<const int32_t> prompt = std::span(ids).first(length), decode = std::span(ids).subspan(length);
    EXPECT_TRUE(alone(model, prompt, decode, block, 2) == alone(model, prompt, decode, length, 1))
        << length << " tokens";
  }
}

std::string caseName(const testing::TestParamInfo<std::tuple<std::string, std::string>> &info) {
  std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param);
  for (char &c : name)
    if (c == '-') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, Bitwise,
                         testing::Combine(testing::ValuesIn(fixtureNames()), testing::Values("float32", "bfloat16")),
                         caseName);

} // namespace
} // namespace mmc::test
