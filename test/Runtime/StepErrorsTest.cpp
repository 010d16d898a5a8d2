// Steps that must be refused (catalogue H3 and the C API's rules): typed, by entry and figure, before anything has
// changed.
#include "test/Runtime/TinyModel.h"

namespace mmc::test {

namespace {

class StepErrorsTest : public testing::Test {
protected:
  std::shared_ptr<const Model> model = tinyModel();
  std::unique_ptr<Session> session = tinySession(model);
  Sequence *sequence = *session->createSequence();
  const std::vector<int32_t> tokens = tokensOf(1, kMaxModelLen);

  Status step(const std::vector<StepEntry> &entries) { return session->step(entries); }
  /// After a refusal the sequence goes on as if nothing had been asked.
  void expectUntouched(size_t seen) {
    ASSERT_EQ(sequence->position, seen);
    const auto expected = reference(1, {tokens.begin(), tokens.begin() + ptrdiff_t(seen) + 1});
    EXPECT_EQ(runStep(*session, sequence, {tokens[seen]}).at(0), expected.back());
  }
};

TEST_F(StepErrorsTest, Arguments) {
  runStep(*session, sequence, {tokens[0], tokens[1]});
  expectFailure(step({}), StatusCode::usage, {"no entries"});
  expectFailure(step({{nullptr, tokens.data(), 1, Logits::last}}), StatusCode::usage, {"entry 0", "no sequence"});
  expectFailure(step({{sequence, tokens.data(), 0, Logits::last}}), StatusCode::usage, {"entry 0", "no tokens"});
  expectFailure(step({{sequence, nullptr, 1, Logits::last}}), StatusCode::usage, {"entry 0", "null"});
  expectFailure(step({{sequence, tokens.data(), 1, Logits(3)}}), StatusCode::usage, {"entry 0", "logits"});
  expectFailure(step({{sequence, tokens.data(), 1, Logits::last}, {sequence, tokens.data(), 1, Logits::last}}),
                StatusCode::usage, {"entry 1", "earlier entry"});
  auto other = tinySession(model);
  expectFailure(step({{*other->createSequence(), tokens.data(), 1, Logits::last}}), StatusCode::usage,
                {"another session"});
  Sequence *freed = *session->createSequence();
  session->destroySequence(freed);
  expectFailure(step({{freed, tokens.data(), 1, Logits::last}}), StatusCode::usage, {"freed"});
  expectUntouched(2);
}

TEST_F(StepErrorsTest, H3TokenIds) {
  for (int32_t bad : {-1, int32_t(kVocabulary), INT32_MIN, INT32_MAX}) {
    std::vector<int32_t> ids = {1, 2, bad};
    expectFailure(step({{sequence, ids.data(), ids.size(), Logits::all}}), StatusCode::usage,
                  {"entry 0", "token id " + std::to_string(bad), "at 2", "0 to 47"});
  }
  expectUntouched(0);
}

TEST_F(StepErrorsTest, H3ExactlyTheLongestPromptAndOneMore) {
  for (size_t at = 0; at < kMaxModelLen; at += 32)
    runStep(*session, sequence, {tokens.begin() + ptrdiff_t(at), tokens.begin() + ptrdiff_t(at) + 32});
  EXPECT_EQ(sequence->position, kMaxModelLen);
  expectFailure(step({{sequence, tokens.data(), 1, Logits::last}}), StatusCode::capacity,
                {"entry 0", "64 + 1", "max_model_len = 64"});
  Sequence *second = *session->createSequence();
  runStep(*session, second, {tokens.begin(), tokens.begin() + 32});
  runStep(*session, second, {tokens.begin(), tokens.begin() + 31});
  expectFailure(step({{second, tokens.data(), 2, Logits::last}}), StatusCode::capacity, {"63 + 2"});
  EXPECT_EQ(runStep(*session, second, {5}).size(), 1u);
}

TEST_F(StepErrorsTest, H3AHugeCountIsRefusedBeforeItIsRead) {
  expectFailure(step({{sequence, tokens.data(), SIZE_MAX, Logits::last}}), StatusCode::capacity, {"max_model_len"});
}

TEST_F(StepErrorsTest, TooManyTokensOrEntries) {
  Sequence *second = *session->createSequence();
  expectFailure(step({{sequence, tokens.data(), 20, Logits::last}, {second, tokens.data(), 13, Logits::last}}),
                StatusCode::capacity, {"max_num_batched_tokens = 32", "entry 1"});
  auto wide = tinySession(model, {.threads = 1, .maxSequences = 6});
  std::vector<StepEntry> entries;
  for (int i = 0; i < 5; ++i) entries.push_back({*wide->createSequence(), tokens.data(), 1, Logits::last});
  expectFailure(wide->step(entries), StatusCode::capacity, {"5 entries", "max_num_seqs = 4"});
  expectUntouched(0);
}

TEST_F(StepErrorsTest, PagesRunOutBeforeAnythingChanges) {
  auto narrow = tinySession(model, {.threads = 1, .maxSequences = 0, .maxPages = 5});
  Sequence *a = *narrow->createSequence(), *b = *narrow->createSequence();
  runStep(*narrow, a, {tokens.begin(), tokens.begin() + 12}); // three pages
  const StepEntry both[] = {{a, tokens.data() + 12, 1, Logits::last}, {b, tokens.data(), 5, Logits::last}};
  expectFailure(narrow->step(both), StatusCode::capacity, {"needs 3 more KV pages", "2 are free"});
  EXPECT_EQ(a->position, 12u);
  EXPECT_EQ(runStep(*narrow, a, {tokens[12]}),
            (std::vector<std::vector<float>>{reference(1, {tokens.begin(), tokens.begin() + 13}).back()}));
  EXPECT_EQ(runStep(*narrow, b, {tokens.begin(), tokens.begin() + 4}),
            reference(1, {tokens.begin(), tokens.begin() + 4}));
  narrow->destroySequence(a);
  EXPECT_EQ(narrow->memory().freePages(), 4u);
}

TEST_F(StepErrorsTest, SequencesRunOut) {
  for (uint32_t i = 1; i < kMaxSeqs; ++i) ASSERT_TRUE(session->createSequence().ok());
  expectFailure(session->createSequence().status(), StatusCode::capacity, {"all 4 sequences"});
  session->destroySequence(sequence);
  EXPECT_TRUE(session->createSequence().ok());
}

TEST_F(StepErrorsTest, SessionsThatCannotBe) {
  expectFailure(Session::create(model, {.threads = 1, .maxSequences = 1u << 21}).status(), StatusCode::usage,
                {"max_sequences is 2097152"});
  expectFailure(Session::create(model, {.threads = 100'000}).status(), StatusCode::usage, {"threads is 100000"});
}

TEST(CapacityTest, MemoryThatCannotBeReservedIsACapacityError) {
  PlanTables tables = tinyTables();
  undescribe(tables); // the kernels know a smaller one
  tables.pools[0].shape = {uint64_t(1) << 37};
  tables.pools[0].unitBytes = uint64_t(1) << 39;
  tables.maxNumSeqs = 1;
  auto model = makeModel(loadTiny(tinyPlan(tables)), *randomRows(1), 1, {});
  ASSERT_TRUE(model.ok()) << model.status().text();
  expectFailure(Session::create(*model, {.threads = 1, .maxSequences = 1u << 20}).status(), StatusCode::capacity,
                {"pool 'state'"});
}

} // namespace

} // namespace mmc::test
