// Snapshot, restore in a new process, continue: bitwise the same as not stopping.
//
// The new process is this program again: the test SnapshotChild does nothing unless the environment says which files to
// work on.
#include "test/E2E/Plans.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mmc::test {
namespace {

const std::string kFolder = std::string(MMC_SOURCE_DIR) + "/test/Inputs/text01-heads12";

struct Files {
  std::filesystem::path folder;
  std::string plan() const { return folder / "model.plan"; }
  std::string snapshot() const { return folder / "sequence.snapshot"; }
  std::string logits() const { return folder / "logits"; }
};

std::vector<uint8_t> readBytes(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void writeBytes(const std::string &path, const void *data, size_t size) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(static_cast<const char *>(data), std::streamsize(size));
  ASSERT_TRUE(stream.good()) << path;
}

std::vector<int32_t> continuation() { return someTokens(90, 128, 9); }

/// A prefill chunk, then single tokens; the logits and the final snapshot as bytes.
std::vector<uint8_t> goOn(TestSession &session, size_t sequence) {
  const std::vector<int32_t> ids = continuation();
  std::vector<float> logits = session.feed(sequence, std::span(ids).first(80), 80);
  const std::vector<float> rows = session.feed(sequence, std::span(ids).subspan(80), 1);
  logits.insert(logits.end(), rows.begin(), rows.end());
  std::vector<uint8_t> bytes(reinterpret_cast<const uint8_t *>(logits.data()),
                             reinterpret_cast<const uint8_t *>(logits.data() + logits.size()));
  const std::vector<uint8_t> memory = session.snapshot(sequence);
  bytes.insert(bytes.end(), memory.begin(), memory.end());
  return bytes;
}

TEST(SnapshotChild, Continue) {
  const char *folder = getenv("MMC_TEST_SNAPSHOT_FOLDER");
  if (!folder) GTEST_SKIP() << "runs as a child of Snapshot.RestoredInANewProcess";
  const Files files{folder};
  const TestModel model(readBytes(files.plan()), kFolder);
  ASSERT_TRUE(model.ok());
  TestSession session(model, 2, 2);
  session.add(); // another slot than in the parent
  mmc_sequence *sequence = nullptr;
  ASSERT_EQ(take(mmc_sequence_restore_file(session.handle(), files.snapshot().c_str(), &sequence)), "");
  EXPECT_EQ(mmc_sequence_get_position(sequence), 100u);
  const std::vector<uint8_t> bytes = goOn(session, session.adopt(sequence));
  writeBytes(files.logits(), bytes.data(), bytes.size());
}

TEST(Snapshot, RestoredInANewProcess) {
  std::string name = (std::filesystem::temp_directory_path() / "mmc-snapshot-XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const Files files{name};
  const std::vector<uint8_t> plan = compilePlan(kFolder);
  const TestModel model(plan, kFolder);
  ASSERT_TRUE(model.ok());
  writeBytes(files.plan(), plan.data(), plan.size());
  TestSession session(model, 1);
  const size_t sequence = session.add();
  session.feed(sequence, someTokens(100, 128, 8), 100);
  ASSERT_EQ(take(mmc_sequence_snapshot_file(session.sequence(sequence), files.snapshot().c_str())), "");
  const std::vector<uint8_t> expected = goOn(session, sequence);

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setenv("MMC_TEST_SNAPSHOT_FOLDER", name.c_str(), 1);
    execl("/proc/self/exe", "snapshot", "--gtest_filter=SnapshotChild.Continue", static_cast<char *>(nullptr));
    _exit(127);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(readBytes(files.logits()) == expected);
  std::filesystem::remove_all(files.folder);
}

} // namespace
} // namespace mmc::test
