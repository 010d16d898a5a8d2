// Where commands write: files are replaced whole, links are followed, devices and pipes are written to, inputs survive,
// and a path that cannot be written is refused before the work.
#include "test/Tools/Process.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace mmc::test {
namespace {

class Outputs : public testing::Test {
protected:
  Outputs() { copyModel("text01-prenorm", model); }

  Outcome import(const std::string &to) { return runMmc({"import", model, "-o", to}); }
  Outcome compile(const std::string &to, const ProcessOptions &options = {}) {
    return runMmc({"compile", model, "-o", to, "--max-model-len", "64", "--cpu-variants", "x86-64-v3"}, options);
  }
  /// Refused at once, before the ladder.
  void expectRefusedEarly(const Outcome &outcome, int exitCode, const std::string &part) {
    expectError(outcome, exitCode, part);
    EXPECT_EQ(outcome.err.find("kernels"), std::string::npos) << "the work was done first:\n" << outcome.err;
  }

  TemporaryFolder folder;
  const std::string model = folder.path("model");
};

std::string readAll(int descriptor) {
  std::string text;
  char block[65536];
  for (ssize_t count; (count = read(descriptor, block, sizeof block)) > 0;) text.append(block, size_t(count));
  close(descriptor);
  return text;
}

TEST_F(Outputs, StandardOutput) {
  ASSERT_EQ(compile(folder.path("plan")).exitCode, 0);
  ProcessOptions here;
  here.inChild = [&] { ASSERT_EQ(chdir(folder.path("").c_str()), 0); };
  const Outcome compiled = compile("-", here);
  EXPECT_EQ(compiled.exitCode, 0) << compiled.err;
  EXPECT_TRUE(compiled.out == readFile(folder.path("plan"))) << compiled.out.size() << " bytes";
  EXPECT_NE(compiled.err.find("state per sequence"), std::string::npos) << "no memory certificate";
  EXPECT_FALSE(std::filesystem::exists(folder.path("-")));
  EXPECT_EQ(runMmc({"compile", model, "-o", "-", "--stop-after", "model"}).out, import("-").out);
  expectRefusedEarly(runMmc({"compile", model, "-o", "-", "--json"}), 2, "--json");
  expectRefusedEarly(runMmc({"compile", model, "-o", "-", "--emit", "llvm"}), 2, "folder");
  expectRefusedEarly(runMmc({"run", model, "--input-ids", "1", "--dump-logits", "-"}), 2, "--dump-logits");
}

TEST_F(Outputs, BinaryOnATerminal) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) GTEST_SKIP() << "no pseudo-terminal here: /dev/pts is not mounted";
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  ProcessOptions options;
  options.standardOutput = ptsname(terminal);
  expectRefusedEarly(compile("-", options), 2, "terminal");
  expectRefusedEarly(compile(ptsname(terminal)), 2, "terminal");
  close(terminal);
}

TEST_F(Outputs, Fifo) {
  ASSERT_EQ(compile(folder.path("plan")).exitCode, 0);
  const std::string path = folder.path("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] { received = readAll(open(path.c_str(), O_RDONLY | O_CLOEXEC)); });
  const Outcome outcome = compile(path);
  // Should the program never open it, the reader would wait for ever.
  close(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  reader.join();
  EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
  EXPECT_TRUE(received == readFile(folder.path("plan"))) << received.size() << " bytes";
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST_F(Outputs, Socket) {
  const std::string path = folder.path("socket");
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(bind(server, reinterpret_cast<struct sockaddr *>(&address), sizeof address), 0);
  ASSERT_EQ(listen(server, 1), 0);
  fcntl(server, F_SETFL, O_NONBLOCK);
  const Outcome outcome = import(path); // its text fits into the socket's buffer
  EXPECT_EQ(outcome.exitCode, 0) << outcome.err;
  const int connection = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
  ASSERT_GE(connection, 0) << "nothing connected";
  EXPECT_EQ(readAll(connection), import("-").out);
  EXPECT_TRUE(std::filesystem::is_socket(path));
  close(server);
}

// A null and a full device in the test's own folder, where this process may make and open them.
TEST_F(Outputs, Devices) {
  const std::string null = folder.path("null"), full = folder.path("full");
  if (mknod(null.c_str(), S_IFCHR | 0600, makedev(1, 3)) || mknod(full.c_str(), S_IFCHR | 0600, makedev(1, 7)) ||
      access(null.c_str(), W_OK))
    GTEST_SKIP() << "device nodes cannot be made here";
  const int descriptor = open(null.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) GTEST_SKIP() << "the file system has no devices";
  close(descriptor);
  EXPECT_EQ(compile(null).exitCode, 0);
  EXPECT_TRUE(std::filesystem::is_character_file(null));
  expectError(import(full), 1, "full");
  EXPECT_TRUE(std::filesystem::is_character_file(full));
}

TEST_F(Outputs, Links) {
  std::filesystem::create_directories(folder.path("far"));
  writeFile(folder.path("far/old"), "old");
  std::filesystem::create_symlink("far/old", folder.path("link"));
  std::filesystem::create_symlink(folder.path("link"), folder.path("chain"));
  std::filesystem::create_symlink("far/new", folder.path("dangling"));
  const std::string text = import("-").out;
  EXPECT_EQ(import(folder.path("chain")).exitCode, 0);
  EXPECT_EQ(import(folder.path("dangling")).exitCode, 0);
  EXPECT_EQ(readFile(folder.path("far/old")), text);
  EXPECT_EQ(readFile(folder.path("far/new")), text);
  for (const char *name : {"link", "chain", "dangling"})
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path(name))) << name;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path("far")), {}), 2);
  std::filesystem::create_symlink("loop", folder.path("loop"));
  expectError(import(folder.path("loop")), 1, "loop");
}

// An open descriptor, as a shell makes one, is no file to replace: what others wrote there stays.
TEST_F(Outputs, OpenDescriptors) {
  writeFile(folder.path("log"), "before\n");
  const int log = open(folder.path("log").c_str(), O_WRONLY | O_APPEND); // inherited
  EXPECT_EQ(import("/proc/self/fd/" + std::to_string(log)).exitCode, 0);
  close(log);
  EXPECT_EQ(readFile(folder.path("log")), "before\n" + import("-").out);
}

TEST_F(Outputs, InputsSurvive) {
  const std::string config = model + "/config.json", weights = model + "/model.safetensors";
  const std::string before = readFile(config), heavy = readFile(weights);
  expectRefusedEarly(runMmc({"import", config, "-o", config}), 2, "config.json");
  expectRefusedEarly(runMmc({"import", model, "-o", config}), 2, "config.json");
  std::filesystem::create_symlink(config, folder.path("link"));
  expectRefusedEarly(import(folder.path("link")), 2, "config.json");
  expectRefusedEarly(compile(weights), 2, "model.safetensors");
  EXPECT_EQ(readFile(config), before);
  EXPECT_TRUE(readFile(weights) == heavy);

  const std::string text = folder.path("m.mlir"), plan = folder.path("m.plan"), ids = folder.path("ids");
  ASSERT_EQ(import(text).exitCode, 0);
  expectRefusedEarly(runMmc({"compile", text, "-o", text}), 2, "m.mlir");
  ASSERT_EQ(compile(plan).exitCode, 0);
  writeFile(ids, "1,2");
  const auto run = [&](const std::string &dump, const std::string &trace) {
    return runMmc({"run", plan, "--weights", model, "--input-ids", "@" + ids, "--max-tokens", "1", "--dump-logits",
                   dump, "--trace", trace});
  };
  expectRefusedEarly(run(plan, folder.path("t")), 2, "m.plan");
  expectRefusedEarly(run(folder.path("d"), ids), 2, "ids");
  expectRefusedEarly(run(weights, folder.path("t")), 2, "model.safetensors");
  expectRefusedEarly(run(folder.path("d"), folder.path("d")), 2, "both");
  EXPECT_EQ(run(folder.path("d"), folder.path("t")).exitCode, 0);
  EXPECT_EQ(run(model + "/logits.safetensors", folder.path("t")).exitCode, 0) << "a name that no model has";
}

TEST_F(Outputs, BadPathsAreFoundFirst) {
  writeFile(folder.path("file"), "");
  for (const auto &[path, part] : {std::pair<std::string, std::string>{folder.path("absent/out"), "absent"},
                                   {folder.path("file/out"), "file/out"},
                                   {folder.path("model"), "folder"},
                                   {"", "empty"}}) {
    SCOPED_TRACE(path);
    expectRefusedEarly(compile(path), 1, part);
    expectRefusedEarly(import(path), 1, part);
    if (path.empty()) continue;
    expectRefusedEarly(runMmc({"run", model, "--input-ids", "1", "--dump-logits", path}), 1, part);
    expectRefusedEarly(runMmc({"run", model, "--input-ids", "1", "--trace", path}), 1, part);
  }
  expectRefusedEarly(runMmc({"compile", model, "-o", folder.path("file/sub"), "--emit", "llvm"}), 1, "not a folder");
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"file", "model"}));
}

} // namespace
} // namespace mmc::test
