#include "test/Tools/Process.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <poll.h>
#include <regex>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mmc::test {

namespace {

constexpr int kTimeoutSeconds = 120;
/// A sanitizer multiplies time and memory.
#if __has_feature(address_sanitizer)
constexpr int kSlowdown = 10;
#else
constexpr int kSlowdown = 1;
#endif

[[noreturn]] void execute(const std::vector<std::string> &arguments, const ProcessOptions &options, int out, int err) {
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(options.standardOutput.empty() ? out : open(options.standardOutput.c_str(), O_WRONLY | O_CREAT, 0644),
       STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  for (const std::string &variable : options.environment) putenv(const_cast<char *>(variable.c_str()));
  if (options.inChild) options.inChild();
  const std::string program = std::string(MMC_BINARY_DIR) + "/bin/mmc";
  std::vector<char *> list = {const_cast<char *>(program.c_str())};
  for (const std::string &argument : arguments) list.push_back(const_cast<char *>(argument.c_str()));
  list.push_back(nullptr);
  execv(program.c_str(), list.data());
  _exit(127);
}

/// Reads both pipes until they are closed or the time is over.
bool collect(int out, int err, pid_t child, const ProcessOptions &options, Outcome &outcome) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kTimeoutSeconds);
  pollfd descriptors[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  std::string *texts[2] = {&outcome.out, &outcome.err};
  while (descriptors[0].fd >= 0 || descriptors[1].fd >= 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    poll(descriptors, 2, 200);
    for (int i = 0; i < 2; ++i) {
      if (descriptors[i].fd < 0 || !descriptors[i].revents) continue;
      char block[65536];
      const ssize_t count = read(descriptors[i].fd, block, sizeof block);
      if (count > 0) texts[i]->append(block, size_t(count));
      if (count > 0 && options.onOutput) options.onOutput(child, outcome);
      if (count == 0) descriptors[i].fd = -1;
    }
  }
  return true;
}

} // namespace

nlohmann::json Outcome::json() const {
  nlohmann::json parsed = nlohmann::json::parse(out, nullptr, false);
  if (!parsed.is_discarded()) return parsed;
  ADD_FAILURE() << "exit code " << exitCode << ", no JSON on standard output; stderr:\n" << err;
  return nlohmann::json::object();
}

Outcome runMmc(const std::vector<std::string> &arguments, const ProcessOptions &options) {
  Outcome outcome;
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "cannot make pipes";
    return outcome;
  }
  const pid_t child = fork();
  if (child == 0) execute(arguments, options, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  if (!collect(out[0], err[0], child, options, outcome)) {
    kill(child, SIGKILL);
    ADD_FAILURE() << "mmc did not end within " << kTimeoutSeconds << " s";
  }
  close(out[0]);
  close(err[0]);
  int status = 0;
  struct rusage usage = {};
  wait4(child, &status, 0, &usage);
  for (const timeval &part : {usage.ru_utime, usage.ru_stime})
    outcome.processorSeconds += double(part.tv_sec) + double(part.tv_usec) * 1e-6;
  outcome.peakBytes = uint64_t(usage.ru_maxrss) * 1024;
  if (WIFEXITED(status)) outcome.exitCode = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

void expectError(const Outcome &outcome, int exitCode, const std::string &part, bool quick) {
  SCOPED_TRACE("stderr:\n" + outcome.err);
  EXPECT_EQ(outcome.exitCode, exitCode);
  EXPECT_EQ(outcome.signal, 0);
  static const std::regex form("(^|[^]*\n)mmc: error: MMC-E[0-9]{4}: [^\n]+\nhint: [^\n]+\n$");
  EXPECT_TRUE(std::regex_match(outcome.err, form)) << "not the two lines of an error";
  EXPECT_NE(outcome.err.find(part), std::string::npos) << "expected the message to say '" << part << "'";
  if (quick) EXPECT_LT(outcome.processorSeconds, kSlowdown) << "a bad input took long";
}

void expectLittleMemory(const Outcome &outcome, uint64_t inputBytes) {
  // The program's own pages: a compile of nothing that reads no input.
  static const uint64_t program = runMmc({"compile", "/nonexistent", "-o", "/nonexistent"}).peakBytes;
  EXPECT_LE(outcome.peakBytes, program + kSlowdown * (2 * inputBytes + (uint64_t(16) << 20)));
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "mmc-tools-XXXXXX").string();
  if (!mkdtemp(name.data())) ADD_FAILURE() << "cannot make a temporary folder";
  folder = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> found;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) found.push_back(entry.path().filename());
  std::sort(found.begin(), found.end());
  return found;
}

std::string readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream.good()) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

void writeFile(const std::string &path, const std::string &content) {
  std::ofstream stream(path, std::ios::binary);
  stream << content;
  EXPECT_TRUE(stream.good()) << path;
}

std::string inputFolder(const std::string &name) {
  return std::string(MMC_SOURCE_DIR) + (name == "demo" ? "/examples/demo" : "/test/Inputs/" + name);
}

void copyModel(const std::string &name, const std::string &to) {
  std::filesystem::create_directories(to);
  std::filesystem::copy(inputFolder(name), to, std::filesystem::copy_options::recursive);
}

} // namespace mmc::test
