// Writes notes, errors, data and progress; see Console.h.
#include "lib/Driver/Console.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace mmc::driver {

namespace {

bool isTerminal() { return isatty(STDERR_FILENO) == 1; }
bool useColour() { return isTerminal() && !getenv("NO_COLOR"); }

/// One line: line breaks and control characters of a message must not break the form of an error.
std::string oneLine(const std::string &text) {
  std::string line;
  for (char c : text) {
    if (c == '\n')
      line += "; ";
    else if (uint8_t(c) >= 0x20 && c != 0x7f)
      line += c;
  }
  while (line.ends_with("; ")) line.resize(line.size() - 2);
  return line;
}

} // namespace

Status fromText(const text::Error &error) {
  return Status(ErrorKind{unsigned(error.code), StatusCode(int(error.kind)), ""}, error.message, error.hint);
}

Status takeStatus(mmc_status *status) {
  if (!status) return {};
  const char *identifier = mmc_status_get_identifier(status);
  const char *digits = strpbrk(identifier, "0123456789");
  const unsigned number = digits ? unsigned(strtoul(digits, nullptr, 10)) : 0;
  Status taken(ErrorKind{number, StatusCode(int(mmc_status_get_code(status))), ""}, mmc_status_get_message(status),
               mmc_status_get_hint(status), mmc_status_get_cause(status));
  mmc_status_free(status);
  return taken;
}

std::string formatFixed(double value, int digits) {
  char text[64];
  snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string formatBytes(uint64_t bytes) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = double(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) value /= 1024, ++unit;
  return cat(formatFixed(value, unit == 0 ? 0 : 2), " ", units[unit]);
}

std::string formatCount(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, ",");
  return digits;
}

void note(const std::string &text) { fprintf(stderr, "mmc: %s\n", text.c_str()); }

void reportError(const Status &status) {
  const bool colour = useColour();
  std::string message = oneLine(status.message());
  if (!status.cause().empty()) message += cat(" (", oneLine(status.cause()), ")");
  fprintf(stderr, "mmc: %serror:%s %s: %s\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "",
          status.identifier().c_str(), message.c_str());
  fprintf(stderr, "hint: %s\n", oneLine(status.hint()).c_str());
}

Status writeOutput(const std::string &text) {
  if (fwrite(text.data(), 1, text.size(), stdout) == text.size() && fflush(stdout) == 0) return {};
  return Status(ErrorKind{1002, StatusCode::failed, "check the disk or the program that reads"},
                "cannot write to standard output", {}, runtime::describeErrno(errno));
}

Progress::Progress(ProgressMode requested, std::string label, bool bytes)
    : mode(requested), label(std::move(label)), bytes(bytes) {
  if (mode == ProgressMode::automatic && !isTerminal()) mode = ProgressMode::none;
  begun = lastDraw = std::chrono::steady_clock::now();
}

Progress::~Progress() {
  if (drawn) fputs("\r\033[K", stderr);
}

void Progress::update(uint64_t done, uint64_t total) {
  if (mode == ProgressMode::none || total == 0) return;
  const auto now = std::chrono::steady_clock::now();
  if (mode == ProgressMode::automatic) {
    if (done < total && now - lastDraw < std::chrono::milliseconds(100)) return;
    lastDraw = now;
    draw(done, total);
    return;
  }
  const int tenth = int(double(done) / double(total) * 10);
  if (tenth == lastTenth) return;
  lastTenth = tenth;
  const double seconds = std::chrono::duration<double>(now - begun).count();
  if (mode == ProgressMode::json) {
    nlohmann::ordered_json line = {{"progress", label}, {"done", done}, {"total", total}, {"seconds", seconds}};
    fprintf(stderr, "%s\n", line.dump().c_str());
  } else {
    fprintf(stderr, "mmc: %s %d%%\n", label.c_str(), tenth * 10);
  }
}

void Progress::draw(uint64_t done, uint64_t total) {
  const double seconds = std::chrono::duration<double>(lastDraw - begun).count();
  const double rate = seconds > 0 ? double(done) / seconds : 0;
  std::string line = cat(label, " ", int(double(done) / double(total) * 100), "%  ");
  line += bytes ? cat(formatBytes(done), " of ", formatBytes(total), ", ", formatBytes(uint64_t(rate)), "/s")
                : cat(formatCount(done), " of ", formatCount(total), ", ", formatFixed(rate, 1), "/s");
  if (rate > 0 && done < total) line += cat(", ", formatFixed(double(total - done) / rate, 0), " s left");
  fprintf(stderr, "\r\033[Kmmc: %s", line.c_str());
  fflush(stderr);
  drawn = true;
}

} // namespace mmc::driver
