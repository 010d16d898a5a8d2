// What the program says: notes, errors and progress on standard error, data on standard output.
//
// Standard output carries data only, so that a pipe can rely on it. Colour and moving bars appear on a terminal only,
// and never with NO_COLOR.
#pragma once

#include "lib/Driver/Errors.h"

#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>

namespace mmc::driver {

/// Joins values into one string.
template <typename... Values> std::string cat(const Values &...values) {
  std::ostringstream out;
  (out << ... << values);
  return out.str();
}

/// "1.25 GiB".
std::string formatBytes(uint64_t bytes);
/// A figure with `digits` decimals.
std::string formatFixed(double value, int digits);
/// "12,345,678".
std::string formatCount(uint64_t value);

/// A line on standard error, "mmc: TEXT".
void note(const std::string &text);
/// The two lines of a failure: `mmc: error: MMC-E0123: what` and `hint: the fix`.
void reportError(const Status &status);
/// Data to standard output; fails where it cannot be written (a closed pipe, a full disk).
Status writeOutput(const std::string &text);

enum class ProgressMode { automatic, plain, json, none };

/// Progress of one long piece of work, `done` of `total` units. On a terminal a bar; `plain` a line per tenth; `json`
/// an object per line.
class Progress {
public:
  Progress(ProgressMode mode, std::string label, bool bytes = false);
  ~Progress();
  void update(uint64_t done, uint64_t total);

private:
  void draw(uint64_t done, uint64_t total);

  ProgressMode mode;
  std::string label;
  bool bytes, drawn = false;
  int lastTenth = -1;
  std::chrono::steady_clock::time_point begun, lastDraw;
};

/// Seconds since its construction.
class Stopwatch {
public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(); }

private:
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};

} // namespace mmc::driver
