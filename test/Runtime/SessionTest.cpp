// Steps of the tiny model against the same mathematics in plain C++, bit for bit, under every way of cutting and
// batching.
#include "test/Runtime/TinyModel.h"

namespace mmc::test {

namespace {

using Rows = std::vector<std::vector<float>>;

Rows slice(const Rows &rows, size_t begin, size_t end) {
  return {rows.begin() + ptrdiff_t(begin), rows.begin() + ptrdiff_t(end)};
}

TEST(SessionTest, OnePromptGivesTheReferencesLogits) {
  auto session = tinySession(tinyModel());
  Sequence *sequence = *session->createSequence();
  const std::vector<int32_t> tokens = tokensOf(1, 30);
  EXPECT_EQ(runStep(*session, sequence, tokens), reference(1, tokens));
  EXPECT_EQ(sequence->position, 30u);
}

TEST(SessionTest, ChunksOfAnySizeGiveTheSame) {
  const std::vector<int32_t> tokens = tokensOf(2, kMaxModelLen);
  const Rows expected = reference(1, tokens);
  auto model = tinyModel();
  for (size_t chunk : {1, 3, 4, 5, 17, 32}) {
    auto session = tinySession(model);
    Sequence *sequence = *session->createSequence();
    for (size_t at = 0; at < tokens.size(); at += chunk) {
      const size_t end = std::min(tokens.size(), at + chunk);
      EXPECT_EQ(runStep(*session, sequence, {tokens.begin() + ptrdiff_t(at), tokens.begin() + ptrdiff_t(end)}),
                slice(expected, at, end))
          << chunk;
    }
  }
}

TEST(SessionTest, RaggedBatchesMixPrefillAndDecode) {
  for (uint32_t threads : {1u, 2u, 5u}) {
    auto session = tinySession(tinyModel(), {.threads = threads});
    std::vector<std::vector<int32_t>> prompts;
    std::vector<Rows> expected;
    std::vector<Sequence *> sequences;
    for (uint32_t i = 0; i < kMaxSeqs; ++i) {
      prompts.push_back(tokensOf(i, 40));
      expected.push_back(reference(1, prompts[i]));
      sequences.push_back(*session->createSequence());
    }
    // Step after step, each sequence takes a number of tokens of its own, sometimes none.
    const std::vector<std::vector<size_t>> schedule = {{7, 1, 20, 4}, {1, 1, 0, 1}, {0, 29, 1, 1},
                                                       {3, 0, 0, 28}, {1, 1, 1, 1}, {1, 8, 18, 5}};
    for (const std::vector<size_t> &counts : schedule) {
      std::vector<StepEntry> entries;
      for (size_t i = 0; i < counts.size(); ++i)
        if (counts[i])
          entries.push_back({sequences[i], prompts[i].data() + sequences[i]->position, counts[i], Logits::all});
      ASSERT_TRUE(session->step(entries).ok());
      size_t entry = 0;
      for (size_t i = 0; i < counts.size(); ++i)
        if (counts[i]) {
          EXPECT_EQ(rowsOf(*session, entry++),
                    slice(expected[i], sequences[i]->position - counts[i], sequences[i]->position));
        }
    }
  }
}

TEST(SessionTest, LogitsNoneLastAll) {
  auto session = tinySession(tinyModel());
  const std::vector<int32_t> a = tokensOf(1, 5), b = tokensOf(2, 6), c = tokensOf(3, 7);
  const StepEntry entries[] = {{*session->createSequence(), a.data(), a.size(), Logits::none},
                               {*session->createSequence(), b.data(), b.size(), Logits::last},
                               {*session->createSequence(), c.data(), c.size(), Logits::all}};
  ASSERT_TRUE(session->step(entries).ok());
  EXPECT_EQ(rowsOf(*session, 0), Rows());
  EXPECT_EQ(rowsOf(*session, 1), slice(reference(1, b), 5, 6));
  EXPECT_EQ(rowsOf(*session, 2), reference(1, c));
  expectFailure(session->logits(3).status(), StatusCode::usage, {"entry is 3", "3 entries"});
}

TEST(SessionTest, AFreedSequencesSlotAndPagesStartAgainFromZero) {
  auto session = tinySession(tinyModel(), {.threads = 2, .maxSequences = 2, .maxPages = 17});
  const std::vector<int32_t> tokens = tokensOf(4, 32);
  for (int round = 0; round < 5; ++round) {
    Sequence *first = *session->createSequence(), *second = *session->createSequence();
    EXPECT_EQ(runStep(*session, first, tokens), reference(1, tokens));
    EXPECT_EQ(runStep(*session, second, {7, 8}), reference(1, {7, 8}));
    session->destroySequence(round % 2 ? first : second);
    session->destroySequence(round % 2 ? second : first);
  }
  EXPECT_EQ(session->memory().freePages(), 17u);
}

TEST(SessionTest, TwoSessionsOfOneModelRunAtOnce) {
  auto model = tinyModel();
  const std::vector<int32_t> tokens = tokensOf(5, 32);
  const Rows expected = reference(1, tokens);
  auto work = [&] {
    auto session = tinySession(model);
    for (int i = 0; i < 50; ++i) {
      Sequence *sequence = *session->createSequence();
      ASSERT_EQ(runStep(*session, sequence, tokens), expected);
      session->destroySequence(sequence);
    }
  };
  std::thread other(work);
  work();
  other.join();
}

TEST(SessionTest, AServiceBringsItsOwnThreads) {
  std::atomic<int> regions = 0;
  auto parallelFor = [](void *user, uint32_t workers, ParallelWork work, void *context) {
    ++*static_cast<std::atomic<int> *>(user);
    for (uint32_t i = workers; i-- > 0;) std::thread(work, context, i).join();
  };
  auto session = tinySession(tinyModel(), {.threads = 3, .parallelFor = parallelFor, .parallelUser = &regions});
  const std::vector<int32_t> tokens = tokensOf(6, 12);
  EXPECT_EQ(runStep(*session, *session->createSequence(), tokens), reference(1, tokens));
  EXPECT_GT(regions, 0);
}

TEST(SessionTest, TheObserverSeesEveryLaunchWithItsArguments) {
  auto session = tinySession(tinyModel());
  std::vector<std::string> seen;
  std::vector<int32_t> layers;
  session->setObserver([&](const LaunchEvent &event) {
    if (!event.before) return;
    seen.push_back(session->plan().kernels[event.kernel].name + ":" + std::to_string(event.points));
    layers.push_back(event.layer);
    EXPECT_EQ(event.arguments.size(), session->plan().kernels[event.kernel].parameters.size());
    if (event.kernel == 4) { // the immediate
      EXPECT_EQ(event.arguments[4], 3u);
    }
  });
  runStep(*session, *session->createSequence(), tokensOf(1, 8));
  // Eight tokens: whole-sequence records for the recurrence, tiles of three rows for attention, and the head in chunks
  // of two rows.
  EXPECT_EQ(seen, (std::vector<std::string>{"embed:8", "recur:1", "append:8", "attend:3", "recur:1", "append:8",
                                            "attend:3", "recur:1", "head:6", "head:6", "head:6", "head:6"}));
  EXPECT_EQ(layers, (std::vector<int32_t>{-1, 0, 1, 1, 2, 3, 3, 4, -1, -1, -1, -1}));
}

TEST(SessionTest, ACancelledStepBreaksItsSequencesAndNothingElse) {
  auto session = tinySession(tinyModel());
  Sequence *broken = *session->createSequence(), *whole = *session->createSequence();
  const std::vector<int32_t> tokens = tokensOf(1, 8);
  runStep(*session, whole, {tokens.begin(), tokens.begin() + 4});
  session->setObserver([&](const LaunchEvent &event) {
    if (event.layer == 2) session->cancel();
  });
  const StepEntry entry{broken, tokens.data(), tokens.size(), Logits::last};
  expectFailure(session->step({&entry, 1}), StatusCode::cancelled, {"cancelled"});
  session->setObserver({});
  expectFailure(session->step({&entry, 1}), StatusCode::usage, {"entry 0", "broke"});
  EXPECT_EQ(runStep(*session, whole, {tokens.begin() + 4, tokens.end()}), slice(reference(1, tokens), 4, 8));
  session->destroySequence(broken);
  EXPECT_EQ(runStep(*session, *session->createSequence(), tokens), reference(1, tokens));
}

TEST(SessionTest, CancelBetweenStepsStopsTheNextOneBeforeItBegins) {
  auto session = tinySession(tinyModel());
  Sequence *sequence = *session->createSequence();
  const std::vector<int32_t> tokens = tokensOf(1, 4);
  session->cancel();
  const StepEntry entry{sequence, tokens.data(), tokens.size(), Logits::last};
  expectFailure(session->step({&entry, 1}), StatusCode::cancelled, {"before it began"});
  EXPECT_EQ(runStep(*session, sequence, tokens), reference(1, tokens));
}

} // namespace

} // namespace mmc::test
