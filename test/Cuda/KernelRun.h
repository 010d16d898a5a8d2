// Runs one emulated kernel for a test and hands back what was found: a rule is proved by a kernel that breaks it and is
// reported with its kind and line, and by one close to it that stays silent, under several seeds. Lines are marked in
// the kernel's source by comments such as `// BAD: late waiter`.
#pragma once

#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/core/Report.h"

#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

/// The record of a kernel in kernels/NAME.cu.
#define MMC_TEST_KERNEL(name) extern "C" const MmcEmuKernel mmcEmuKernel_##name

namespace mmc::emu::test {

struct Shape {
  uint32_t blocks = 1, threads = 64, cluster = 1;
};

struct Outcome {
  bool completed = false;
  std::vector<Report> reports;
  uint64_t seed = 0;
  Counters counters;

  std::string text() const {
    std::string all = "seed " + std::to_string(seed) + (completed ? "" : ", abandoned") + "\n";
    for (const Report &report : reports) all += report.text() + "\n";
    return all;
  }
  const Report *find(Finding finding) const {
    for (const Report &report : reports)
      if (report.finding == finding) return &report;
    return nullptr;
  }
};

inline void initialiseOnce() {
  static const bool done = (initialiseMachine({}), true);
  (void)done;
}

/// Global memory of a test: fresh, so nothing is known of it from earlier launches.
template <class T> struct Device {
  explicit Device(std::vector<T> values) : count(values.size()) {
    initialiseOnce();
    data = static_cast<T *>(memory::allocateGlobal(count * sizeof(T)));
    memcpy(data, values.data(), count * sizeof(T));
    memory::setInitialised(data, count * sizeof(T), true);
  }
  ~Device() { memory::freeGlobal(data); }
  Device(const Device &) = delete;
  T &operator[](size_t i) { return data[i]; }
  T *data = nullptr;
  size_t count = 0;
};

/// Launches with these options; parameters are values of the kernel's parameter types.
template <class... Parameters>
Outcome launchWith(const MmcEmuKernel &kernel, const LaunchOptions &options, uint64_t seed, Parameters... parameters) {
  initialiseOnce();
  scheduler::setSeed(seed);
  reports::take();
  void *pointers[sizeof...(Parameters) + 1] = {&parameters...};
  Outcome run;
  run.seed = seed;
  const LaunchResult result = launch(kernel, options, pointers);
  run.completed = result.completed;
  run.counters = result.counters;
  run.reports = reports::take();
  return run;
}

template <class... Parameters>
Outcome run(const MmcEmuKernel &kernel, Shape shape, uint64_t seed, Parameters... parameters) {
  LaunchOptions options;
  options.grid[0] = shape.blocks;
  options.block[0] = shape.threads;
  options.cluster[0] = shape.cluster;
  return launchWith(kernel, options, seed, parameters...);
}

/// The line of `marker` in kernels/`file`, as reports spell it: "Mbarrier.cu:12".
inline std::string lineOf(const std::string &file, const std::string &marker) {
  std::ifstream in(std::string(MMC_KERNEL_DIR "/") + file);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const size_t at = line.find("// " + marker);
    if (at != std::string::npos && at + 3 + marker.size() == line.size()) return file + ":" + std::to_string(number);
  }
  ADD_FAILURE() << "no line is marked \"" << marker << "\" in " << file;
  return "nowhere";
}

inline bool isAt(const std::string &reported, const std::string &line) {
  const size_t at = reported.find(line);
  if (at == std::string::npos) return false;
  const size_t end = at + line.size();
  return end == reported.size() || !isdigit(static_cast<unsigned char>(reported[end]));
}

/// Exactly this finding, and it names `line` as its own or the other party's.
inline testing::AssertionResult found(const Outcome &run, Finding finding, const std::string &line) {
  for (const Report &report : run.reports)
    if (report.finding == finding && (isAt(report.line, line) || isAt(report.otherLine, line)))
      return testing::AssertionSuccess();
  return testing::AssertionFailure() << "expected \"" << findingName(finding) << "\" at " << line << "; " << run.text();
}

inline testing::AssertionResult silent(const Outcome &run) {
  if (run.completed && run.reports.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "expected no finding; " << run.text();
}

/// Seeds that every rule is tested under; 0 is first in, first out.
constexpr uint64_t kSeeds = 20;

} // namespace mmc::emu::test
