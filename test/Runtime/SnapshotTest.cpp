// Snapshots: restored in this or another process a sequence continues bitwise; damaged or foreign snapshots are refused
// and leave nothing.
#include "runtime/src/FileIO.h"
#include "test/Runtime/TinyModel.h"

#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

namespace mmc::test {

namespace {

std::vector<uint8_t> take(const Session &session, const Sequence &sequence) {
  std::vector<uint8_t> bytes;
  const Status status = session.snapshot(sequence, [&](std::span<const uint8_t> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return Status();
  });
  EXPECT_TRUE(status.ok()) << status.text();
  EXPECT_EQ(bytes.size(), session.snapshotBytes(sequence));
  return bytes;
}

Expected<Sequence *> give(Session &session, std::span<const uint8_t> bytes) {
  size_t at = 0;
  return session.restore(bytes.size(), [&](std::span<uint8_t> piece) {
    std::memcpy(piece.data(), bytes.data() + at, piece.size());
    at += piece.size();
    return Status();
  });
}

const std::vector<int32_t> kTokens = tokensOf(3, 40);
std::vector<int32_t> part(size_t begin, size_t end) {
  return {kTokens.begin() + ptrdiff_t(begin), kTokens.begin() + ptrdiff_t(end)};
}

/// A session with one sequence of 13 tokens, and another sequence before it, so that slot and pages differ from a fresh
/// session's.
struct Prepared {
  std::shared_ptr<const Model> model = tinyModel();
  std::unique_ptr<Session> session = tinySession(model);
  Sequence *sequence;
  std::vector<uint8_t> snapshot;
  Prepared() {
    runStep(*session, *session->createSequence(), tokensOf(9, 11));
    sequence = *session->createSequence();
    runStep(*session, sequence, part(0, 13));
    snapshot = take(*session, *sequence);
  }
};

TEST(SnapshotTest, ContinuesBitwiseInTheSameAndInAnotherSession) {
  Prepared p;
  const auto all = reference(1, kTokens);
  const std::vector<std::vector<float>> rest(all.begin() + 13, all.end());
  Sequence *copy = *give(*p.session, p.snapshot);
  EXPECT_EQ(copy->position, 13u);
  EXPECT_EQ(runStep(*p.session, copy, part(13, 40)), rest);
  EXPECT_EQ(runStep(*p.session, p.sequence, part(13, 40)), rest) << "the original goes on too";
  auto other = tinySession(tinyModel());
  EXPECT_EQ(runStep(*other, *give(*other, p.snapshot), part(13, 40)), rest);
  EXPECT_EQ(take(*other, **give(*other, p.snapshot)), p.snapshot);
}

TEST(SnapshotTest, ContinuesBitwiseInAnotherProcess) {
  TemporaryFolder folder;
  const std::string path = folder.file("sequence"), answer = folder.file("answer");
  const pid_t child = fork();
  if (child == 0) {
    Prepared p;
    folder.write("sequence", p.snapshot);
    _exit(0);
  }
  int code = 0;
  waitpid(child, &code, 0);
  ASSERT_EQ(code, 0);
  Expected<InputFile> file = InputFile::open(path);
  ASSERT_TRUE(file.ok());
  std::vector<uint8_t> bytes(file->size());
  ASSERT_TRUE(file->readAt(0, bytes).ok());
  auto session = tinySession(tinyModel());
  const auto all = reference(1, kTokens);
  EXPECT_EQ(runStep(*session, *give(*session, bytes), part(13, 40)),
            (std::vector<std::vector<float>>(all.begin() + 13, all.end())));
}

TEST(SnapshotTest, AnEmptySequenceHasASnapshotToo) {
  auto session = tinySession(tinyModel());
  Sequence *empty = *session->createSequence();
  Sequence *copy = *give(*session, take(*session, *empty));
  EXPECT_EQ(runStep(*session, copy, part(0, 5)), reference(1, part(0, 5)));
}

TEST(SnapshotTest, TruncatedIsRefused) {
  Prepared p;
  for (size_t size = 0; size < p.snapshot.size(); size += 7) {
    const Status status = bounded(size, [&] { return give(*p.session, {p.snapshot.data(), size}).status(); });
    expectFailure(status, StatusCode::integrity, {std::to_string(size) + " bytes"});
  }
  std::vector<uint8_t> longer = p.snapshot;
  longer.push_back(0);
  expectFailure(give(*p.session, longer).status(), StatusCode::integrity,
                {"expected " + std::to_string(p.snapshot.size())});
}

TEST(SnapshotTest, AForgedPayloadSizeIsNamedAsWhatItIs) {
  Prepared p;
  std::vector<uint8_t> bad = p.snapshot;
  const uint64_t payload = bad.size() - 96 - 32; // header and digest
  bad[88] ^= 1;                                  // its lowest byte in the header
  expectFailure(give(*p.session, bad).status(), StatusCode::integrity,
                {"payload size is " + std::to_string(payload ^ 1), "expected " + std::to_string(payload)});
}

TEST(SnapshotTest, AnyFlippedBitIsFoundAndLeavesNothing) {
  Prepared p;
  const uint64_t pages = p.session->memory().freePages();
  for (size_t i = 0; i < p.snapshot.size(); ++i) {
    std::vector<uint8_t> bad = p.snapshot;
    bad[i] ^= uint8_t(1u << (i % 8));
    const Status status = give(*p.session, bad).status();
    EXPECT_FALSE(status.ok()) << "byte " << i;
    // 8: format, 16: plan, 48: weights; everything else is damage.
    const bool identity = i >= 8 && i < 80;
    EXPECT_EQ(status.code(), identity ? StatusCode::incompatible : StatusCode::integrity) << i << " " << status.text();
  }
  EXPECT_EQ(p.session->memory().freePages(), pages);
  EXPECT_TRUE(p.session->createSequence().ok());
  EXPECT_TRUE(p.session->createSequence().ok());
}

TEST(SnapshotTest, ASlotThatWasFilledByARefusedSnapshotStartsFromZero) {
  Prepared p;
  std::vector<uint8_t> bad = p.snapshot;
  bad.back() ^= 1;
  ASSERT_FALSE(give(*p.session, bad).ok());
  EXPECT_EQ(runStep(*p.session, *p.session->createSequence(), part(0, 9)), reference(1, part(0, 9)));
}

TEST(SnapshotTest, AnotherPlanOrOtherWeightsAreRefused) {
  Prepared p;
  auto otherWeights = tinySession(tinyModel(2));
  expectFailure(give(*otherWeights, p.snapshot).status(), StatusCode::incompatible, {"other weights"});
  PlanTables tables = tinyTables();
  tables.producer = "another";
  auto model = makeModel(loadTiny(tinyPlan(tables)), *randomRows(1), 1, {});
  auto otherPlan = tinySession(*model);
  expectFailure(give(*otherPlan, p.snapshot).status(), StatusCode::incompatible,
                {"of plan", toHex(p.model->plan->image.digest())});
}

TEST(SnapshotTest, CapacityIsCheckedFirst) {
  Prepared p;
  auto narrow = tinySession(p.model, {.threads = 1, .maxSequences = 1, .maxPages = 3});
  expectFailure(give(*narrow, p.snapshot).status(), StatusCode::capacity, {"4 KV pages", "3 are free"});
  auto full = tinySession(p.model, {.threads = 1, .maxSequences = 1});
  ASSERT_TRUE(full->createSequence().ok());
  expectFailure(give(*full, p.snapshot).status(), StatusCode::capacity, {"sequences"});
}

TEST(SnapshotTest, AFailingWriterOrReaderIsPassedOn) {
  Prepared p;
  const Status wanted(ErrorKind{999, StatusCode::failed, "h"}, "disk full");
  EXPECT_EQ(p.session->snapshot(*p.sequence, [&](std::span<const uint8_t>) { return wanted; }).message(), "disk full");
  int calls = 0;
  const uint64_t pages = p.session->memory().freePages();
  auto reader = [&](std::span<uint8_t> piece) {
    std::memcpy(piece.data(), p.snapshot.data(), piece.size());
    return ++calls == 3 ? wanted : Status();
  };
  EXPECT_EQ(p.session->restore(p.snapshot.size(), reader).status().message(), "disk full");
  EXPECT_EQ(p.session->memory().freePages(), pages);
}

} // namespace

} // namespace mmc::test
