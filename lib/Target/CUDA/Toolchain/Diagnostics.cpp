// Implements the reading of logs. The forms: `linear.cu(12): error: what` and `... at line 12 of linear.cu` of NVRTC,
// `linear.cu:12:3: error: what` and `linear.cu:12:3: note: in instantiation ...` of clang, `ptxas error   : what`.
#include "lib/Target/CUDA/Toolchain/Diagnostics.h"

#include "lib/Target/CUDA/Toolchain/Errors.h"

#include <optional>
#include <regex>
#include <sstream>

namespace mmc::cuda {

using runtime::Status;

namespace {

struct Place {
  std::string file;
  size_t line = 0;
};

struct FirstError {
  std::optional<Place> place;
  std::string what;
  size_t end = 0; // of its line in the log
};

std::optional<FirstError> firstErrorOf(const std::string &log) {
  static const std::regex placed(
      R"(^(.+?)[(:](\d+)(?:\)|:\d+)?:\s*(?:fatal |catastrophic )?error(?:\s*#\S+)?:\s*(.*)$)");
  static const std::regex bare(R"(^(?:.*\b)?(?:error|fatal)\s*(?:#\S+)?\s*:\s*(.*)$)");
  for (size_t begin = 0; begin < log.size();) {
    const size_t end = std::min(log.find('\n', begin), log.size());
    const std::string line = log.substr(begin, end - begin);
    std::smatch match;
    if (std::regex_match(line, match, placed)) return FirstError{Place{match[1], std::stoul(match[2])}, match[3], end};
    if (std::regex_match(line, match, bare)) return FirstError{std::nullopt, match[1], end};
    begin = end + 1;
  }
  return std::nullopt;
}

/// The number of the kernel's line that the error's explanation names; 0 if it names none.
size_t kernelLineAfter(const std::string &log, size_t begin, const std::string &file) {
  const std::string rest = log.substr(std::min(begin, log.size()));
  const std::regex named("(?:^|\\n)\\s*" + file + ":(\\d+):\\d+: note:|at line (\\d+) of \"?" + file +
                         "|at line (\\d+)\\s*(?:\\n|$)");
  std::smatch match;
  if (!std::regex_search(rest, match, named)) return 0;
  for (size_t group = 1; group < match.size(); ++group)
    if (match[group].matched) return std::stoul(match[group]);
  return 0;
}

std::string lineOf(std::string_view text, size_t number) {
  std::istringstream lines{std::string(text)};
  std::string line;
  for (size_t i = 0; i < number; ++i)
    if (!std::getline(lines, line)) return {};
  return line;
}

/// What stands at a place; clang's names of headers begin with the folder that they lie in.
std::string quote(const Place &place, const KernelSource &source, std::span<const Header> headers) {
  std::string line;
  if (place.file == source.name + ".cu") line = lineOf(source.text, place.line);
  for (const Header &header : headers)
    if (place.file.ends_with(header.name)) line = lineOf(header.text, place.line);
  return line.empty() ? "" : "\n" + std::to_string(place.line) + " | " + line;
}

} // namespace

Status describeFailure(const KernelSource &source, std::span<const Header> headers, const std::string &target,
                       const std::string &log) {
  constexpr size_t kMostOfLog = 2000;
  const std::string opening = "kernel " + source.name + " does not compile for " + target + ": ";
  const std::optional<FirstError> error = firstErrorOf(log);
  if (!error) return Status(kKernelDoesNotCompile, opening + log.substr(0, kMostOfLog));
  if (!error->place) return Status(kKernelDoesNotCompile, opening + error->what);
  const Place &place = *error->place;
  std::string message =
      opening + place.file + ":" + std::to_string(place.line) + ": " + error->what + quote(place, source, headers);
  const std::string file = source.name + ".cu";
  if (place.file != file)
    if (const size_t line = kernelLineAfter(log, error->end, file))
      message += "\nfrom " + file + ":" + std::to_string(line) + quote({file, line}, source, headers);
  return Status(kKernelDoesNotCompile, message);
}

} // namespace mmc::cuda
