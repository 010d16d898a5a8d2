// Implements workers. A worker writes messages to a pipe: a kind, a size, bytes. Invariant: it begins with the facts of
// the device or with why there is none, and then sends one message per case in order.
#include "lib/Silicon/Workers.h"

#include "runtime/src/Errors.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mmc::silicon {

using runtime::Expected;
using runtime::Status;

namespace {

enum class Kind : uint32_t { facts, noDevice, output, failure };

struct Message {
  Kind kind = Kind::failure;
  std::string bytes;
};

bool writeAll(int pipe, const void *data, size_t bytes) {
  const char *at = static_cast<const char *>(data);
  while (bytes) {
    const ssize_t written = write(pipe, at, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    bytes -= size_t(written);
  }
  return true;
}

void send(int pipe, Kind kind, const void *data, size_t bytes) {
  const uint64_t head[2] = {uint64_t(kind), bytes};
  if (!writeAll(pipe, head, sizeof head) || !writeAll(pipe, data, bytes)) _exit(1);
}
void send(int pipe, Kind kind, const std::string &text) { send(pipe, kind, text.data(), text.size()); }

/// The child: never returns.
[[noreturn]] void work(int pipe, const std::vector<Case> &cases, size_t first, const WorkerOptions &options) {
  auto runner = CaseRunner::open(options.driver, options.kernels);
  if (!runner.ok()) {
    const Status status = runner.status();
    send(pipe, Kind::noDevice,
         std::to_string(int(status.code())) + " " + status.identifier().substr(5) + "\n" + status.message() + "\n" +
             status.hint());
    _exit(1);
  }
  const DeviceFacts &facts = (*runner)->facts();
  send(pipe, Kind::facts,
       std::to_string(facts.major) + " " + std::to_string(facts.minor) + " " + std::to_string(facts.driverVersion) +
           " " + facts.name);
  for (size_t i = first; i < cases.size(); ++i) {
    Expected<Words> output = (*runner)->run(cases[i]);
    if (output.ok())
      send(pipe, Kind::output, output->data(), output->size() * 4);
    else
      send(pipe, Kind::failure, output.status().text());
    // Whether the context still lives is not worth finding out.
    if (!output.ok()) _exit(1);
  }
  _exit(0);
}

class Worker {
public:
  static Expected<Worker> start(const std::vector<Case> &cases, size_t first, const WorkerOptions &options) {
    int ends[2];
    if (pipe(ends) != 0) return Status(runtime::kInternal, "no pipe", {}, runtime::describeErrno(errno));
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) return Status(runtime::kInternal, "no process", {}, runtime::describeErrno(errno));
    if (child == 0) {
      close(ends[0]);
      work(ends[1], cases, first, options);
    }
    close(ends[1]);
    return Worker(child, ends[0]);
  }
  Worker(Worker &&other) noexcept : child(std::exchange(other.child, -1)), input(std::exchange(other.input, -1)) {}
  Worker &operator=(Worker &&) = delete;
  ~Worker() { end(); }

  /// False where the worker has ended or `seconds` have gone by; why() says which.
  bool receive(Message &message, int seconds) {
    uint64_t head[2];
    if (!readAll(head, sizeof head, seconds)) return false;
    message.kind = Kind(head[0]);
    message.bytes.resize(head[1]);
    return readAll(message.bytes.data(), message.bytes.size(), seconds);
  }

  std::string why() {
    if (late) return "did not end in time";
    const int status = end();
    if (WIFSIGNALED(status)) return std::string("the process died of ") + strsignal(WTERMSIG(status));
    return "the process ended with code " + std::to_string(WEXITSTATUS(status));
  }

private:
  Worker(pid_t child, int input) : child(child), input(input) {}

  bool readAll(void *data, size_t bytes, int seconds) {
    char *at = static_cast<char *>(data);
    while (bytes) {
      pollfd ready = {input, POLLIN, 0};
      const int events = poll(&ready, 1, seconds * 1000);
      if (events < 0 && errno == EINTR) continue;
      if (events == 0) late = true;
      if (events <= 0) return false;
      const ssize_t got = read(input, at, bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += got;
      bytes -= size_t(got);
    }
    return true;
  }

  int end() {
    int status = 0;
    if (input >= 0) close(input);
    input = -1;
    if (child < 0) return status;
    if (late) kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    child = -1;
    return status;
  }

  pid_t child;
  int input;
  bool late = false;
};

/// A failure as the worker sent it: class and number, message, hint.
Status readStatus(const std::string &text) {
  const size_t first = text.find('\n'), second = text.find('\n', first + 1);
  int code = 0;
  unsigned number = 0;
  if (second == std::string::npos || std::sscanf(text.c_str(), "%d %u", &code, &number) != 2)
    return Status(kSiliconRun, "a worker could not open the driver");
  const runtime::ErrorKind kind{number, runtime::StatusCode(code), kSiliconRun.hint};
  return Status(kind, text.substr(first + 1, second - first - 1), text.substr(second + 1));
}

void readFacts(const std::string &text, DeviceFacts &facts) {
  int read = 0;
  if (std::sscanf(text.c_str(), "%d %d %d %n", &facts.major, &facts.minor, &facts.driverVersion, &read) == 3)
    facts.name = text.substr(size_t(read));
}

Expected<AllResults> runInProcess(const std::vector<Case> &cases, const WorkerOptions &options,
                                  const Progress &progress) {
  auto runner = CaseRunner::open(options.driver, options.kernels);
  if (!runner.ok()) return runner.status();
  AllResults all{(*runner)->facts(), std::vector<CaseResult>(cases.size(), {false, "an earlier case failed", {}})};
  for (size_t i = 0; i < cases.size(); ++i) {
    Expected<Words> output = (*runner)->run(cases[i]);
    all.results[i].ran = output.ok();
    all.results[i].failure = output.status().text();
    if (output.ok()) all.results[i].output = std::move(*output);
    if (progress) progress(cases[i], all.results[i]);
    if (!output.ok()) break;
  }
  return all;
}

} // namespace

Expected<AllResults> runInWorkers(const std::vector<Case> &cases, const WorkerOptions &options,
                                  const Progress &progress) {
  if (options.inProcess) return runInProcess(cases, options, progress);
  AllResults all;
  all.results.resize(cases.size());
  size_t next = 0;
  do {
    Expected<Worker> worker = Worker::start(cases, next, options);
    if (!worker.ok()) return worker.status();
    Message message;
    if (!worker->receive(message, options.secondsPerCase))
      return Status(kSiliconRun, "the driver '" + options.driver + "' could not be opened: " + worker->why());
    if (message.kind == Kind::noDevice) return readStatus(message.bytes);
    readFacts(message.bytes, all.device);
    for (bool alive = true; alive && next < cases.size(); ++next) {
      CaseResult &result = all.results[next];
      alive = worker->receive(message, options.secondsPerCase);
      if (!alive)
        result.failure = worker->why();
      else if (message.kind == Kind::failure)
        result.failure = message.bytes, alive = false;
      else
        result.ran = true;
      if (result.ran) {
        result.output.resize(message.bytes.size() / 4);
        std::memcpy(result.output.data(), message.bytes.data(), result.output.size() * 4);
      }
      if (progress) progress(cases[next], result);
    }
  } while (next < cases.size());
  return all;
}

} // namespace mmc::silicon
