// Runs the mmc program as a user does, and keeps what it printed.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace mmc::test {

struct Outcome {
  int exitCode = -1;           // of a normal exit
  int signal = 0;              // that ended it
  double processorSeconds = 0; // user and system: busy machines do not count
  uint64_t peakBytes = 0;
  std::string out, err;

  /// Standard output as JSON; a test failure and an empty object where it is none.
  nlohmann::json json() const;
};

struct ProcessOptions {
  std::vector<std::string> environment;                        // "NAME=value"
  std::string standardOutput;                                  // a path instead of the pipe
  std::function<void()> inChild;                               // before exec: limits
  std::function<void(int pid, const Outcome &soFar)> onOutput; // in the parent, whenever the program printed something
};

/// bin/mmc with these arguments. After 120 s it is killed, which is a test failure.
Outcome runMmc(const std::vector<std::string> &arguments, const ProcessOptions &options = {});

/// Exactly `mmc: error: MMC-E0123: what` and `hint: the fix` at the end of standard error, and this exit code, within a
/// second of processor time where `quick`.
void expectError(const Outcome &outcome, int exitCode, const std::string &part, bool quick = true);

/// What refusing an input of this size took beyond the program itself: twice the input and 16 MiB at most.
void expectLittleMemory(const Outcome &outcome, uint64_t inputBytes);

/// A folder that is removed with the object.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string path(const std::string &name) const { return folder / name; }
  /// Names of what lies in it, sorted.
  std::vector<std::string> names() const;

private:
  std::filesystem::path folder;
};

std::string readFile(const std::string &path);
void writeFile(const std::string &path, const std::string &content);
/// test/Inputs/NAME, or examples/demo.
std::string inputFolder(const std::string &name);
/// Copies a model folder's files, so that a test may damage them.
void copyModel(const std::string &name, const std::string &to);

} // namespace mmc::test
