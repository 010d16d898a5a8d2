// A NaN in one sequence stays there: the logits, state and KV of its neighbours, and of whoever gets its slot and pages
// next, keep every bit.
#include "test/E2E/RandomCheckpoint.h"

#include <cmath>
#include <gtest/gtest.h>

namespace mmc::test {
namespace {

constexpr int32_t kPoison = 7; // its row of the embedding table is NaN

/// What the neighbours of the middle sequence see.
struct Neighbours {
  std::vector<float> logits, poisoned;
  std::vector<uint8_t> left, right, heir;
};

class StressNaN : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    RandomModel random;
    random.kinds = {0, 1, 1, 0};
    random.layers = 4;
    random.scales = {2, 1, 2, 1, 2, 1};
    RandomCheckpoint checkpoint(random, 5);
    for (float &value : checkpoint["model.embed_tokens.weight"].row(kPoison)) value = NAN;
    PlanOptions options;
    options.dtype = GetParam();
    checkpoint.write(folder);
    plan = compilePlan(folder.path() + "/config.json", options);
  }

  /// Three sequences prefill together, decode together, and mix; the middle one meets `token` while prefilling and
  /// while decoding. At the end a new sequence takes its slot and pages.
  Neighbours run(const TestModel &model, int32_t token) {
    std::vector<int32_t> a = someTokens(120, 300, 1), b = someTokens(120, 300, 2), c = someTokens(120, 300, 3);
    for (std::vector<int32_t> *ids : {&a, &b, &c})
      for (int32_t &id : *ids) id = id == kPoison ? 8 : id;
    b[70] = b[86] = token;
    TestSession session(model, 2, 3);
    const size_t left = session.add(), middle = session.add(), right = session.add();
    Neighbours result;
    size_t done[3] = {0, 0, 0};
    auto step = [&](size_t forA, size_t forB, size_t forC) {
      std::vector<TestSession::Entry> entries;
      size_t sequences[] = {left, middle, right}, counts[] = {forA, forB, forC};
      std::span<const int32_t> ids[] = {a, b, c};
      for (size_t i = 0; i < 3; ++i)
        if (counts[i]) entries.push_back({sequences[i], ids[i].subspan(done[i], counts[i])}), done[i] += counts[i];
      const auto rows = session.step(entries);
      for (size_t i = 0; i < entries.size(); ++i) {
        std::vector<float> &to = entries[i].sequence == middle ? result.poisoned : result.logits;
        to.insert(to.end(), rows[i].begin(), rows[i].end());
      }
    };
    step(33, 80, 1);                           // the NaN arrives in a prefill
    for (int i = 0; i < 5; ++i) step(1, 1, 1); // decodes with a poisoned state
    step(20, 1, 40);                           // the others prefill while it decodes; the next NaN comes
    step(1, 10, 1);
    result.left = session.snapshot(left), result.right = session.snapshot(right);
    session.remove(middle);
    const size_t heir = session.add();
    const std::vector<float> rows = session.feed(heir, std::span<const int32_t>(c).first(90), 45);
    result.logits.insert(result.logits.end(), rows.begin(), rows.end());
    result.heir = session.snapshot(heir);
    return result;
  }

  Folder folder;
  std::vector<uint8_t> plan;
};

TEST_P(StressNaN, StaysInItsSequence) {
  for (const std::string &variant : hostVariants()) {
    SCOPED_TRACE(variant);
    const TestModel model(plan, folder.path(), variant);
    ASSERT_TRUE(model.ok());
    const Neighbours clean = run(model, 8), poisoned = run(model, kPoison);
    const auto isNaN = [](float value) { return std::isnan(value); };
    EXPECT_TRUE(std::all_of(poisoned.poisoned.end() - 320, poisoned.poisoned.end(), isNaN)) << "the NaN had no effect";
    // Within a block of the recurrence and of the keys, a masked product with NaN is NaN: only the blocks before it are
    // clean.
    EXPECT_TRUE(std::none_of(poisoned.poisoned.begin(), poisoned.poisoned.begin() + 64 * 320, isNaN))
        << "the NaN reached an earlier block";
    EXPECT_TRUE(std::none_of(clean.logits.begin(), clean.logits.end(), isNaN));
    EXPECT_TRUE(clean.logits == poisoned.logits) << "logits of neighbours";
    EXPECT_TRUE(clean.left == poisoned.left && clean.right == poisoned.right) << "state or KV of neighbours";
    EXPECT_TRUE(clean.heir == poisoned.heir) << "state or KV of the next sequence in the slot";
  }
}

INSTANTIATE_TEST_SUITE_P(Types, StressNaN, testing::Values("float32", "bfloat16"),
                         [](const auto &info) { return info.param; });

} // namespace
} // namespace mmc::test
