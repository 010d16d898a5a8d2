// mmc-judge-kernels: what ptxas and a disassembler show of emitted kernels, against a table of budgets. No GPU is
// needed. Usage: mmc-judge-kernels --budgets FILE [--architectures sm_90a,sm_80] [--nvdisasm PROGRAM] [--cache-dir DIR]
//                          FILE.cu|FOLDER...
// Kernels are judged for the architecture that their name ends in (linear__sm_90a), others for those that are named.
// Exit code 0 where all is well or was skipped aloud, 1 where a kernel fails.
#include "lib/Target/CUDA/Judge/JudgeFiles.h"

#include <cstdio>
#include <sstream>

namespace {

int usage() {
  std::fprintf(stderr, "usage: mmc-judge-kernels --budgets FILE [--architectures sm_90a,...] [--nvdisasm PROGRAM] "
                       "[--cache-dir DIR] FILE.cu|FOLDER...\n");
  return 2;
}

} // namespace

int main(int count, char **values) {
  mmc::cuda::JudgeOptions options;
  std::vector<std::string> paths;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (!word.starts_with("--")) {
      paths.push_back(word);
      continue;
    }
    if (++i == count) return usage();
    const std::string value = values[i];
    if (word == "--budgets") {
      options.budgets = value;
    } else if (word == "--architectures") {
      std::istringstream names(value);
      for (std::string name; std::getline(names, name, ',');) options.architectures.push_back(name);
    } else if (word == "--nvdisasm") {
      options.nvdisasm = value;
    } else if (word == "--cache-dir") {
      options.cacheFolder = value;
    } else {
      return usage();
    }
  }
  if (paths.empty() || options.budgets.empty()) return usage();
  options.print = [](const std::string &line) { std::printf("%s\n", line.c_str()); };
  auto verdict = judgeFiles(paths, options);
  if (!verdict.ok()) {
    std::fprintf(stderr, "mmc-judge-kernels: error: %s\nhint: %s\n", verdict.status().text().c_str(),
                 verdict.status().hint().c_str());
    return int(verdict.status().code());
  }
  std::printf("%zu kernels judged, %zu failed\n", verdict->judged, verdict->failed);
  if (verdict->judged == 0 && !verdict->skipped) {
    std::fprintf(stderr, "mmc-judge-kernels: error: nothing was judged\nhint: give --architectures\n");
    return 2;
  }
  return verdict->failed ? 1 : 0;
}
