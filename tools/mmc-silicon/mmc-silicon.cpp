// mmc-silicon: runs every primitive of the device library on a device, or on the emulated one, and holds what comes out
// against references computed on the host, and against vectors that another device has given.
// Usage: mmc-silicon --kernels FOLDER [--driver LIBRARY] [--only PART OF A NAME] [--record FILE] [--against FILE]...
//                    [--json FILE] [--seconds-per-case N]
//        mmc-silicon --list
// Exit code 0 where every case agrees, 1 where one does not or did not run, as mmc's otherwise.
#include "lib/Silicon/Program.h"

#include <cstdio>
#include <cstdlib>

namespace {

int usage() {
  std::fprintf(stderr, "usage: mmc-silicon --kernels FOLDER [--driver LIBRARY] [--only PART OF A NAME] [--record FILE] "
                       "[--against FILE]... [--json FILE] [--seconds-per-case N]\n       mmc-silicon --list\n");
  return 2;
}

int list() {
  for (const mmc::silicon::Case &c : mmc::silicon::allCases())
    std::printf("%s %s %s %u blocks %u threads %zu bytes in %zu bytes out\n", c.name.c_str(), c.module.c_str(),
                c.kernel.c_str(), c.blocks, c.threads, c.input.size() * 4, c.initial.size() * 4);
  return 0;
}

} // namespace

int main(int count, char **values) {
  mmc::silicon::ProgramOptions options;
  options.workers.driver = mmc::cuda::kSystemDriver;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (word == "--list") return list();
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
  if (!summary.ok()) {
    std::fprintf(stderr, "mmc-silicon: error: %s\nhint: %s\n", summary.status().text().c_str(),
                 summary.status().hint().c_str());
    return int(summary.status().code());
  }
  return summary->failed || summary->differFromReference || summary->differFromRecorded ? 1 : 0;
}
