// Steps of the tiny model on the emulated device against the same mathematics in plain C++, bit for bit, under every
// way of cutting and batching: what test/Runtime/SessionTest.cpp proves of the host.
#include "test/Cuda/TinyDevice.h"

namespace mmc::test {

namespace {

using Rows = std::vector<std::vector<float>>;

Rows slice(const Rows &rows, size_t begin, size_t end) {
  return {rows.begin() + ptrdiff_t(begin), rows.begin() + ptrdiff_t(end)};
}

TEST(DeviceSession, EachVariantGivesTheReferencesLogits) {
  const std::vector<int32_t> tokens = tokensOf(1, 30);
  for (const char *variant : {"portable", "sm_90a", ""}) {
    auto model = deviceModel(devicePlan(), {.cudaVariant = variant});
    EXPECT_EQ(model->tables().variants[model->plan->variant], *variant ? variant : "sm_90a");
    auto session = tinySession(model);
    Sequence *sequence = *session->createSequence();
    EXPECT_EQ(runStep(*session, sequence, tokens), reference(1, tokens)) << variant;
    EXPECT_EQ(sequence->position, 30u);
  }
}

TEST(DeviceSession, WeightsComeInWindowsOfAnySize) {
  Expected<std::shared_ptr<const LoadedPlan>> plan = loadPlan(std::move(*PlanImage::copy(devicePlan())), {});
  ASSERT_TRUE(plan.ok()) << plan.status().text();
  const std::vector<int32_t> tokens = tokensOf(1, 12);
  auto onHost = tinyModel();
  for (uint64_t bytes : {1, 64, 200, 2000, 1 << 20}) {
    std::vector<std::pair<uint64_t, uint64_t>> seen;
    auto model = makeModel(
        *plan, *randomRows(1), 2,
        [&](uint64_t done, uint64_t total) {
          seen.push_back({done, total});
          return true;
        },
        bytes);
    ASSERT_TRUE(model.ok()) << model.status().text();
    auto session = tinySession(*model);
    EXPECT_EQ(runStep(*session, *session->createSequence(), tokens), reference(1, tokens));
    EXPECT_EQ((*model)->fingerprint, onHost->fingerprint);
    EXPECT_EQ((*model)->suppressedTokens, onHost->suppressedTokens);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQ(seen.back().first, seen.back().second);
  }
  const std::vector<WeightWindow> windows = weightWindows((*plan)->tables, 200);
  ASSERT_EQ(windows.size(), 5u); // a table; three instances of 64 bytes; one of 128, and the other; a table
  EXPECT_EQ(std::pair(windows[1].begin, windows[1].end), std::pair(uint64_t(1536), uint64_t(1536 + 192)));
  EXPECT_EQ(windows.back().end, (*plan)->tables.weightsBytes());
  // A load that is stopped stops between windows too.
  int calls = 0;
  expectFailure(makeModel(
                    *plan, *randomRows(1), 1, [&](uint64_t, uint64_t) { return ++calls < 3; }, 200)
                    .status(),
                StatusCode::cancelled, {"cancelled"});
}

TEST(DeviceSession, ChunksOfAnySizeGiveTheSame) {
  const std::vector<int32_t> tokens = tokensOf(2, kMaxModelLen);
  const Rows expected = reference(1, tokens);
  auto model = deviceModel();
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

void runRaggedBatches() {
  auto session = tinySession(deviceModel());
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
    const Status status = session->step(entries);
    ASSERT_TRUE(status.ok()) << status.text();
    size_t entry = 0;
    for (size_t i = 0; i < counts.size(); ++i)
      if (counts[i]) {
        EXPECT_EQ(rowsOf(*session, entry++),
                  slice(expected[i], sequences[i]->position - counts[i], sequences[i]->position));
      }
  }
}

TEST(DeviceSession, RaggedBatchesMixPrefillAndDecode) { runRaggedBatches(); }

TEST(DeviceSession, NoSeedOfTheSchedulerAndNoCheckFindsAnything) {
  for (const char *seed : {"1", "2", "3"}) inEmulation({{"MMC_EMU_SEED", seed}}, runRaggedBatches);
  inEmulation({{"MMC_EMU_CHECKS", "off"}, {"MMC_EMU_SMS", "1"}}, runRaggedBatches);
}

TEST(DeviceSession, LogitsNoneLastAll) {
  auto session = tinySession(deviceModel());
  const std::vector<int32_t> a = tokensOf(1, 5), b = tokensOf(2, 6), c = tokensOf(3, 7);
  const StepEntry entries[] = {{*session->createSequence(), a.data(), a.size(), Logits::none},
                               {*session->createSequence(), b.data(), b.size(), Logits::last},
                               {*session->createSequence(), c.data(), c.size(), Logits::all}};
  ASSERT_TRUE(session->step(entries).ok());
  EXPECT_EQ(rowsOf(*session, 0), Rows());
  EXPECT_EQ(rowsOf(*session, 1), slice(reference(1, b), 5, 6));
  EXPECT_EQ(rowsOf(*session, 2), reference(1, c));
}

TEST(DeviceSession, AFreedSequencesSlotAndPagesStartAgainFromZero) {
  auto session = tinySession(deviceModel(), {.maxSequences = 2, .maxPages = 17});
  const std::vector<int32_t> tokens = tokensOf(4, 32);
  for (int round = 0; round < 3; ++round) {
    Sequence *first = *session->createSequence(), *second = *session->createSequence();
    EXPECT_EQ(runStep(*session, first, tokens), reference(1, tokens));
    EXPECT_EQ(runStep(*session, second, {7, 8}), reference(1, {7, 8}));
    session->destroySequence(round % 2 ? first : second);
    session->destroySequence(round % 2 ? second : first);
  }
  EXPECT_EQ(session->memory().freePages(), 17u);
}

TEST(DeviceSession, PagesAreZeroWhenTheyAreFirstTaken) {
  auto model = deviceModel();
  auto fresh = [&] {
    auto session = tinySession(model);
    Sequence *sequence = *session->createSequence();
    EXPECT_EQ(runStep(*session, sequence, {5}), reference(1, {5}));
    std::vector<uint8_t> bytes;
    EXPECT_TRUE(session
                    ->snapshot(*sequence,
                               [&](std::span<const uint8_t> more) {
                                 bytes.insert(bytes.end(), more.begin(), more.end());
                                 return Status();
                               })
                    .ok());
    return bytes;
  };
  const std::vector<uint8_t> first = fresh();
  {
    // Leaves numbers behind where the next session's pages will be.
    auto session = tinySession(model);
    for (uint32_t i = 0; i < kMaxSeqs; ++i) runStep(*session, *session->createSequence(), tokensOf(i, 32));
  }
  EXPECT_EQ(fresh(), first);
  // Behind the header a state slot in each of three layers, then a page in each of two: its first row is the token's.
  for (size_t layer = 0; layer < 2; ++layer) {
    const auto page = first.begin() + 96 + 3 * kWidth * 4 + ptrdiff_t(layer) * kPageTokens * kWidth * 4;
    EXPECT_NE(std::count(page, page + kWidth * 4, 0), kWidth * 4);
    EXPECT_EQ(std::count(page + kWidth * 4, page + kPageTokens * kWidth * 4, 0), (kPageTokens - 1) * kWidth * 4);
  }
}

TEST(DeviceSession, TwoSessionsOfOneModelRunAtOnce) {
  auto model = deviceModel();
  const std::vector<int32_t> tokens = tokensOf(5, 32);
  const Rows expected = reference(1, tokens);
  auto work = [&] {
    auto session = tinySession(model);
    for (int i = 0; i < 3; ++i) {
      Sequence *sequence = *session->createSequence();
      ASSERT_EQ(runStep(*session, sequence, tokens), expected);
      session->destroySequence(sequence);
    }
  };
  std::thread other(work);
  work();
  other.join();
}

TEST(DeviceSession, TheObserverSeesEveryLaunchAndTheMemoryBehindItsWords) {
  auto session = tinySession(deviceModel());
  std::vector<std::string> seen;
  const std::vector<int32_t> tokens = tokensOf(1, 8);
  session->setObserver([&](const LaunchEvent &event) {
    if (event.before) {
      seen.push_back(session->plan().kernels[event.kernel].name + ":" + std::to_string(event.points));
      EXPECT_EQ(event.arguments.size(), session->plan().kernels[event.kernel].parameters.size());
      if (event.inHead) {
        EXPECT_EQ(event.arguments[4], 2u); // a count is told as a number
      }
      return;
    }
    if (event.kernel != 0) return;
    // After the embedding: its inputs, and the rows that it wrote.
    std::vector<int32_t> ids(8);
    std::vector<float> table(kVocabulary * kWidth), hidden(8 * kWidth);
    auto read = [&](size_t word, auto &to) {
      auto *bytes = reinterpret_cast<uint8_t *>(to.data());
      EXPECT_TRUE(session->readMemory(event.arguments[word], {bytes, to.size() * 4}).ok());
    };
    read(0, ids);
    read(1, table);
    read(2, hidden);
    EXPECT_EQ(ids, tokens);
    for (size_t t = 0; t < 8; ++t)
      for (size_t i = 0; i < kWidth; ++i) EXPECT_EQ(hidden[t * kWidth + i], table[size_t(tokens[t]) * kWidth + i]);
    // Another embedding in place of the first gives the answers of another prompt.
    std::copy_n(table.begin() + 9 * kWidth, kWidth, hidden.begin());
    EXPECT_TRUE(
        session->writeMemory(event.arguments[2], {reinterpret_cast<uint8_t *>(hidden.data()), kWidth * 4}).ok());
  });
  std::vector<int32_t> changed = tokens;
  changed[0] = 9;
  ASSERT_NE(tokens[0], 9);
  EXPECT_EQ(runStep(*session, *session->createSequence(), tokens), reference(1, changed));
  EXPECT_EQ(seen, (std::vector<std::string>{"embed:8", "recur:1", "append:8", "attend:3", "recur:1", "append:8",
                                            "attend:3", "recur:1", "head:3", "head:3", "head:3", "head:3"}));
}

TEST(DeviceSession, ACancelledStepBreaksItsSequencesAndNothingElse) {
  auto session = tinySession(deviceModel());
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

TEST(DeviceSession, ASnapshotContinuesInAnotherSession) {
  auto model = deviceModel();
  const std::vector<int32_t> tokens = tokensOf(7, 40);
  const Rows expected = reference(1, tokens);
  auto session = tinySession(model);
  Sequence *sequence = *session->createSequence();
  runStep(*session, sequence, {tokens.begin(), tokens.begin() + 23});
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(session
                  ->snapshot(*sequence,
                             [&](std::span<const uint8_t> more) {
                               bytes.insert(bytes.end(), more.begin(), more.end());
                               return Status();
                             })
                  .ok());
  EXPECT_EQ(bytes.size(), session->snapshotBytes(*sequence));
  // The other session's first pages and first slot are taken, so the sequence lands elsewhere.
  auto other = tinySession(model);
  runStep(*other, *other->createSequence(), tokensOf(8, 9));
  auto restore = [&](const std::vector<uint8_t> &from) {
    size_t at = 0;
    return other->restore(from.size(), [&](std::span<uint8_t> to) {
      std::copy_n(from.begin() + ptrdiff_t(at), to.size(), to.begin());
      at += to.size();
      return Status();
    });
  };
  std::vector<uint8_t> bad = bytes;
  bad[bytes.size() / 2] ^= 1;
  expectFailure(restore(bad).status(), StatusCode::integrity, {"digest"});
  Expected<Sequence *> restored = restore(bytes);
  ASSERT_TRUE(restored.ok()) << restored.status().text();
  EXPECT_EQ(runStep(*other, *restored, {tokens.begin() + 23, tokens.end()}), slice(expected, 23, 40));
  EXPECT_EQ(runStep(*session, sequence, {tokens.begin() + 23, tokens.end()}), slice(expected, 23, 40));
}

} // namespace

} // namespace mmc::test
