// Launches with a clock: an event before and after each, and a wait, so kernels run one by one. When the process ends,
// the file that MMC_PROFILE names gets {"kernels": {NAME: {"launches", "seconds", "least", "most", "blocks",
// "threads"}}}: seconds on the device, in all, of the shortest and of the longest launch, whose shape it is.
//
// Launches of a stream that is being captured are passed on untimed: run with graphs off.
#include "runtime/cuda/profile/Forward.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

namespace mmc::cuda {

namespace {

#define MMC_CALL(field, symbol) real(&DriverApi::field, mmcProfiled_##symbol)

struct Times {
  size_t launches = 0;
  double seconds = 0, least = 1e30, most = 0;
  unsigned blocks = 0, threads = 0;
};

struct Profile {
  std::mutex mutex;
  std::map<Function, std::string> names;
  std::map<std::string, Times> kernels;
  Event start = nullptr, end = nullptr;

  ~Profile() {
    const char *path = std::getenv("MMC_PROFILE");
    FILE *file = path && *path ? std::fopen(path, "w") : nullptr;
    if (!file) return;
    std::fprintf(file, "{\"kernels\": {");
    const char *between = "\n";
    for (const auto &[name, t] : kernels) {
      std::fprintf(file,
                   "%s \"%s\": {\"launches\": %zu, \"seconds\": %.9g, \"least\": %.9g, \"most\": %.9g, \"blocks\": %u, "
                   "\"threads\": %u}",
                   between, name.c_str(), t.launches, t.seconds, t.least, t.most, t.blocks, t.threads);
      between = ",\n";
    }
    std::fprintf(file, "\n}}\n");
    std::fclose(file);
  }
};

Profile &profile() {
  static Profile all;
  return all;
}

bool isCaptured(Stream stream) {
  CaptureStatus status = CaptureStatus::none;
  return MMC_CALL(streamIsCapturing, cuStreamIsCapturing)(stream, &status) == Result::success &&
         status != CaptureStatus::none;
}

void count(const std::string &name, const LaunchConfig &config, double seconds) {
  Times &times = profile().kernels[name];
  ++times.launches;
  times.seconds += seconds;
  times.least = std::min(times.least, seconds);
  if (seconds < times.most) return;
  times.most = seconds;
  times.blocks = config.gridX * config.gridY * config.gridZ;
  times.threads = config.blockX * config.blockY * config.blockZ;
}

} // namespace

extern "C" __attribute__((visibility("default"))) Result cuModuleGetFunction(Function *function, Module module,
                                                                             const char *name) {
  const Result result = MMC_CALL(moduleGetFunction, cuModuleGetFunction)(function, module, name);
  const std::lock_guard lock(profile().mutex);
  if (result == Result::success) profile().names[*function] = name;
  return result;
}

extern "C" __attribute__((visibility("default"))) Result cuLaunchKernelEx(const LaunchConfig *config, Function function,
                                                                          void **parameters, void **extra) {
  const auto launch = MMC_CALL(launchKernelEx, cuLaunchKernelEx);
  const auto record = MMC_CALL(eventRecord, cuEventRecord);
  const std::lock_guard lock(profile().mutex);
  Profile &all = profile();
  const auto create = MMC_CALL(eventCreate, cuEventCreate);
  const bool timed = !isCaptured(config->stream) &&
                     (all.start || (create(&all.start, eventDefault) == Result::success &&
                                    create(&all.end, eventDefault) == Result::success)) &&
                     record(all.start, config->stream) == Result::success;
  const Result result = launch(config, function, parameters, extra);
  float milliseconds = 0;
  if (timed && result == Result::success && record(all.end, config->stream) == Result::success &&
      MMC_CALL(eventSynchronize, cuEventSynchronize)(all.end) == Result::success &&
      MMC_CALL(eventElapsedTime, cuEventElapsedTime)(&milliseconds, all.start, all.end) == Result::success)
    count(all.names[function], *config, double(milliseconds) / 1e3);
  return result;
}

} // namespace mmc::cuda
