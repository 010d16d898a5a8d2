// Implements processes on posix_spawn. Descriptors of this process are close-on-exec, so a child sees its own only.
#include "lib/Target/CUDA/Toolchain/Process.h"

#include "lib/Target/CUDA/Toolchain/Errors.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

namespace {

/// Programs are found and libraries loaded as for this process; messages are in English; no more than that.
std::vector<std::string> smallEnvironment() {
  std::vector<std::string> environment = {"LC_ALL=C"};
  for (const char *name : {"PATH", "LD_LIBRARY_PATH", "TMPDIR"})
    if (const char *value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  return environment;
}

std::vector<char *> pointersTo(const std::vector<std::string> &texts) {
  std::vector<char *> pointers;
  for (const std::string &text : texts) pointers.push_back(const_cast<char *>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int spawn(const std::vector<std::string> &arguments, const std::string &folder, int output, pid_t &child) {
  const std::vector<std::string> environment = smallEnvironment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  const int error = posix_spawn(&child, arguments[0].c_str(), &actions, nullptr, pointersTo(arguments).data(),
                                pointersTo(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

std::string readToEnd(int descriptor) {
  std::string text;
  char block[16384];
  for (;;) {
    const ssize_t count = read(descriptor, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(block, size_t(count));
  }
}

} // namespace

Expected<ProcessOutcome> runProcess(const std::vector<std::string> &arguments, const std::string &folder) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return Status(kToolchain, "cannot make a pipe", {}, runtime::describeErrno(errno));
  pid_t child = 0;
  const int error = spawn(arguments, folder, ends[1], child);
  close(ends[1]);
  if (error) {
    close(ends[0]);
    return Status(kToolchain, "cannot run " + arguments[0], "check that it is a program for this machine",
                  runtime::describeErrno(error));
  }
  ProcessOutcome outcome;
  outcome.output = readToEnd(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  outcome.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

std::string findProgram(const std::string &name) {
  const auto executable = [](const std::string &path) {
    struct stat info;
    return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return executable(name) ? std::filesystem::absolute(name).string() : "";
  const char *variable = std::getenv("PATH");
  const std::string folders = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
  for (size_t begin = 0; begin <= folders.size();) {
    const size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string path = folders.substr(begin, end - begin) + "/" + name;
    if (path.starts_with('/') && end > begin && executable(path)) return path;
    begin = end + 1;
  }
  return {};
}

} // namespace mmc::cuda
