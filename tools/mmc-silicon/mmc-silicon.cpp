// mmc-silicon: runs every primitive of the device library on a device, or on the emulated one, and holds what comes out
// against references computed on the host, and against vectors that another device has given.
// Usage: mmc-silicon --kernels FOLDER [--driver LIBRARY] [--only PART OF A NAME] [--record FILE] [--against FILE]...
//                    [--json FILE] [--seconds-per-case N] [--in-process]
//        mmc-silicon --list
//        mmc-silicon --device [LIBRARY]      prints the architecture and the name: sm_90 NVIDIA H200
// Each case runs in a process that it may ruin; --in-process is for tools that watch one process, such as
// compute-sanitizer. Exit code 0 where every case agrees, 1 where one does not or did not run, as mmc's otherwise.
#include "lib/Silicon/Program.h"

#include <cstdio>
#include <cstdlib>

namespace {

int usage() {
  std::fprintf(stderr, "usage: mmc-silicon --kernels FOLDER [--driver LIBRARY] [--only PART OF A NAME] [--record FILE] "
                       "[--against FILE]... [--json FILE] [--seconds-per-case N] [--in-process]\n       mmc-silicon "
                       "--list\n       mmc-silicon "
                       "--device [LIBRARY]\n");
  return 2;
}

int list() {
  for (const mmc::silicon::Case &c : mmc::silicon::allCases())
    std::printf("%s %s %s %u blocks %u threads %zu bytes in %zu bytes out\n", c.name.c_str(), c.module.c_str(),
                c.kernel.c_str(), c.blocks, c.threads, c.input.size() * 4, c.initial.size() * 4);
  return 0;
}

int fail(const mmc::runtime::Status &status) {
  std::fprintf(stderr, "mmc-silicon: error: %s\nhint: %s\n", status.text().c_str(), status.hint().c_str());
  return int(status.code());
}

int device(const std::string &driver) {
  const auto all = mmc::silicon::runInWorkers({}, {driver, "", 60}, {});
  if (!all.ok()) return fail(all.status());
  std::printf("%s %s\n", all->device.sm().c_str(), all->device.name.c_str());
  return 0;
}

} // namespace

int main(int count, char **values) {
  mmc::silicon::ProgramOptions options;
  options.workers.driver = mmc::cuda::kSystemDriver;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (word == "--list") return list();
    if (word == "--device") return device(i + 1 < count ? values[i + 1] : mmc::cuda::kSystemDriver);
    if (word == "--in-process") {
      options.workers.inProcess = true;
      continue;
    }
    if (++i == count) return usage();
    const std::string value = values[i];
    if (word == "--kernels")
      options.workers.kernels = value;
    else if (word == "--driver")
      options.workers.driver = value;
    else if (word == "--only")
      options.only = value;
    else if (word == "--record")
      options.record = value;
    else if (word == "--against")
      options.against.push_back(value);
    else if (word == "--json")
      options.json = value;
    else if (word == "--seconds-per-case" && std::atoi(value.c_str()) > 0)
      options.workers.secondsPerCase = std::atoi(value.c_str());
    else
      return usage();
  }
  if (options.workers.kernels.empty()) return usage();
  const auto summary = runProgram(options);
  if (!summary.ok()) return fail(summary.status());
  return summary->failed || summary->differFromReference || summary->differFromRecorded ? 1 : 0;
}
