// Implements judging files.
#include "lib/Target/CUDA/Judge/JudgeFiles.h"

#include "lib/Target/CUDA/Toolchain/Errors.h"
#include "lib/Target/CUDA/Toolchain/Process.h"
#include "lib/Target/CUDA/Toolchain/TemporaryFolder.h"
#include "lib/Target/CUDA/Toolchain/Toolchain.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

namespace {

namespace fs = std::filesystem;

Expected<std::vector<std::string>> filesOf(const std::vector<std::string> &paths) {
  std::vector<std::string> files;
  for (const std::string &path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    const size_t before = files.size();
    for (fs::directory_iterator at(path, ignored), end; !ignored && at != end; at.increment(ignored))
      if (at->path().extension() == ".cu") files.push_back(at->path().string());
    std::sort(files.begin() + ptrdiff_t(before), files.end());
  }
  return files;
}

/// The kernel's name is that of its function: files may be called otherwise.
Expected<KernelSource> sourceOf(const std::string &file) {
  Expected<std::string> text = readWhole(file);
  if (!text.ok()) return text.status();
  static const std::regex opening(R"(MMC_KERNEL\([^)]*\)(?:\s*MMC_CLUSTER\([^)]*\))?\s*void\s+(\w+)\s*\()");
  std::smatch match;
  if (!std::regex_search(*text, match, opening))
    return Status(kKernelDoesNotCompile, file + " has no MMC_KERNEL, expected an emitted kernel");
  return KernelSource{match[1], *text};
}

/// The size of a kernel's shared memory as its text asserts it: 0 without any, nothing where it is not asserted.
std::optional<uint32_t> sharedBytesOf(const std::string &text) {
  if (text.find("MMC_SHARED(") == std::string::npos) return 0;
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(R"(static_assert\(sizeof\(Shared\) == (\d+))"))) return std::nullopt;
  return uint32_t(std::stoul(match[1]));
}

/// A kernel whose name ends in __sm_90a is for that architecture alone.
std::string architectureIn(const std::string &name) {
  std::smatch match;
  return std::regex_search(name, match, std::regex(R"(__(sm_\d+[af]?)$)")) ? match[1].str() : "";
}

std::string findDisassembler(const std::string &named) {
  const auto variable = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (!named.empty()) return findProgram(named);
  if (const std::string own = variable("MMC_NVDISASM"); !own.empty()) return findProgram(own);
  const std::string base = variable("XDG_CACHE_HOME");
  for (const std::string &name :
       {std::string("nvdisasm"), variable("CUDA_HOME") + "/bin/nvdisasm", std::string("/usr/local/cuda/bin/nvdisasm"),
        (base.empty() ? variable("HOME") + "/.cache" : base) + "/mmc/tools/nvdisasm"})
    if (const std::string path = findProgram(name); !path.empty()) return path;
  return {};
}

Expected<std::string> disassemble(const std::string &program, const std::string &cubin) {
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder.ok()) return folder.status();
  MMC_RETURN_IF_ERROR(folder->write("kernel.cubin", cubin));
  Expected<ProcessOutcome> outcome = runProcess({program, "-ndf", "-c", "kernel.cubin"}, folder->path());
  if (!outcome.ok()) return outcome.status();
  if (outcome->exitCode != 0)
    return Status(kToolchain, program + " failed", "install a disassembler that reads cubins of this NVRTC",
                  outcome->output);
  return outcome->output;
}

class Court {
public:
  Court(const JudgeOptions &options, std::vector<KernelSource> sources, std::vector<Budget> budgets)
      : options(options), sources(std::move(sources)), budgets(std::move(budgets)),
        disassembler(findDisassembler(options.nvdisasm)) {}

  Expected<Verdict> run() {
    std::map<std::string, std::vector<KernelSource>> byArchitecture;
    for (const KernelSource &source : sources) {
      const std::string own = architectureIn(source.name);
      for (const std::string &architecture : own.empty() ? options.architectures : std::vector{own})
        byArchitecture[architecture].push_back(source);
    }
    for (const auto &[architecture, kernels] : byArchitecture) {
      const Status failure = judge(architecture, kernels);
      if (failure.identifier() == noNvrtc) {
        options.print("skipped: " + failure.message());
        verdict.skipped = true;
        return verdict;
      }
      MMC_RETURN_IF_ERROR(failure);
    }
    if (disassembler.empty()) {
      verdict.sassSkipped = true;
      options.print("skipped: instructions, as there is no nvdisasm; scripts/install-disassembler fetches one");
    }
    return verdict;
  }

private:
  Status judge(const std::string &architecture, const std::vector<KernelSource> &kernels) {
    ToolchainOptions toolchain;
    toolchain.cacheFolder = options.cacheFolder;
    Expected<std::vector<DeviceImage>> images = compileCubins(kernels, architecture, toolchain);
    if (!images.ok()) return images.status();
    for (size_t i = 0; i < kernels.size(); ++i) MMC_RETURN_IF_ERROR(judgeOne(kernels[i], architecture, (*images)[i]));
    return {};
  }

  Status judgeOne(const KernelSource &source, const std::string &architecture, const DeviceImage &image) {
    const PtxasFigures figures = readPtxas(image.log, source.name);
    const std::optional<uint32_t> shared = sharedBytesOf(source.text);
    const uint32_t sharedBytes = shared.value_or(0) + figures.staticSharedBytes;
    std::vector<std::string> complaints =
        judgePtxas(figures, sharedBytes, budgetOf(budgets, source.name, architecture));
    if (!shared) complaints.push_back("the size of its shared memory is not asserted in its text");
    if (!disassembler.empty()) {
      Expected<std::string> sass = disassemble(disassembler, image.bytes);
      if (!sass.ok()) return sass.status();
      for (std::string &complaint : judgeSass(readSass(*sass), source.text)) complaints.push_back(std::move(complaint));
    }
    ++verdict.judged;
    verdict.failed += !complaints.empty();
    options.print((complaints.empty() ? "ok      " : "failed  ") + source.name + " " + architecture + ": " +
                  std::to_string(figures.registers) + " registers, " + std::to_string(figures.stackBytes) +
                  " B stack, " + std::to_string(figures.spillStoreBytes + figures.spillLoadBytes) + " B spills, " +
                  std::to_string(sharedBytes) + " B shared");
    for (const std::string &complaint : complaints) options.print("        " + complaint);
    return {};
  }

  const std::string noNvrtc = Status(kNoNvrtc, "").identifier();
  const JudgeOptions &options;
  const std::vector<KernelSource> sources;
  const std::vector<Budget> budgets;
  const std::string disassembler;
  Verdict verdict;
};

} // namespace

Expected<Verdict> judgeFiles(const std::vector<std::string> &paths, const JudgeOptions &options) {
  Expected<std::string> table = readWhole(options.budgets);
  if (!table.ok()) return table.status();
  Expected<std::vector<Budget>> budgets = readBudgets(*table, options.budgets);
  if (!budgets.ok()) return budgets.status();
  Expected<std::vector<std::string>> files = filesOf(paths);
  if (!files.ok()) return files.status();
  std::vector<KernelSource> sources;
  for (const std::string &file : *files) {
    Expected<KernelSource> source = sourceOf(file);
    if (!source.ok()) return source.status();
    sources.push_back(std::move(*source));
  }
  return Court(options, std::move(sources), std::move(*budgets)).run();
}

} // namespace mmc::cuda
