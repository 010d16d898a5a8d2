// Judges files of emitted kernels: compiles them as the compiler does, and puts figures and complaints into words.
#pragma once

#include "lib/Target/CUDA/Judge/Judge.h"

#include <functional>

namespace mmc::cuda {

struct JudgeOptions {
  std::vector<std::string> architectures; // of kernels whose names do not end in theirs, as in linear__sm_90a
  std::string budgets;                    // file of the table
  std::string nvdisasm; // program; empty: MMC_NVDISASM, PATH, the toolkit, what scripts/install-disassembler has made
  std::string cacheFolder; // as for the toolchain
  std::function<void(const std::string &line)> print;
};

struct Verdict {
  size_t judged = 0, failed = 0; // kernels, each once per architecture
  bool skipped = false;          // no NVRTC: nothing was judged
  bool sassSkipped = false;      // no disassembler: ptxas' figures only
};

/// `paths` are files NAME.cu and folders of such; one kernel per file. Prints one line per kernel and architecture, one
/// per complaint, and one per check that is skipped.
runtime::Expected<Verdict> judgeFiles(const std::vector<std::string> &paths, const JudgeOptions &options);

} // namespace mmc::cuda
