// Implements finding and calling clang. Headers of the system and libraries are left out: kernels include nothing but
// our headers, and what they call is in the library that they need.
#include "lib/Target/CUDA/Toolchain/KernelCompiler.h"

#include "lib/Target/CUDA/Toolchain/Errors.h"
#include "lib/Target/CUDA/Toolchain/KernelFlags.h"
#include "lib/Target/CUDA/Toolchain/Process.h"
#include "lib/Target/CUDA/Toolchain/TemporaryFolder.h"

#include <cstdlib>
#include <regex>

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

namespace {

constexpr int kOldestClang = 20;

std::string firstLine(const std::string &text) { return text.substr(0, text.find('\n')); }

/// The first line of what a program prints; empty if it fails.
std::string answerOf(const std::vector<std::string> &command) {
  Expected<ProcessOutcome> outcome = runProcess(command);
  return outcome.ok() && outcome->exitCode == 0 ? firstLine(outcome->output) : "";
}

/// The linker that lies beside clang, or the one that clang would take.
std::string linkerOf(const std::string &clang) {
  for (const char *name : {"ld.lld", "ld"})
    if (const std::string path = findProgram(answerOf({clang, std::string("-print-prog-name=") + name})); !path.empty())
      return path;
  return {};
}

std::string findClang() {
  for (const char *name : {"clang++-22", "clang++-21", "clang++-20", kConfiguredClang})
    if (const std::string path = findProgram(name); !path.empty()) return path;
  return {};
}

} // namespace

Expected<KernelCompiler> KernelCompiler::find() {
  KernelCompiler compiler;
  const char *named = std::getenv("MMC_EMU_CLANG");
  compiler.clang = named && *named ? findProgram(named) : findClang();
  if (compiler.clang.empty())
    return Status(kNoKernelCompiler, named && *named
                                         ? std::string("MMC_EMU_CLANG = ") + named + " cannot be executed"
                                         : "no clang++-22, -21 or -20 was found, which compiles kernels for "
                                           "the emulated device");
  const std::string version = answerOf({compiler.clang, "--version"});
  std::smatch match;
  if (!std::regex_search(version, match, std::regex(R"(clang version (\d+)\.)")) || std::stoi(match[1]) < kOldestClang)
    return Status(kNoKernelCompiler, compiler.clang + " says it is '" + version + "', expected clang 20 or newer");
  compiler.linker = linkerOf(compiler.clang);
  if (compiler.linker.empty())
    return Status(kNoKernelCompiler, compiler.clang + " finds no linker, expected ld.lld or ld");
  compiler.versions = version + "\n" + answerOf({compiler.linker, "--version"});
  return compiler;
}

std::vector<std::string> KernelCompiler::linkOptions() const {
  return {"-shared", "-nostdlib", "-Wl,--build-id=none", "-Wl,--hash-style=gnu", "-Wl,-z,noexecstack"};
}

std::vector<std::string> KernelCompiler::command(const std::string &source, const std::string &headers,
                                                 const std::string &library, const std::string &output) const {
  std::vector<std::string> command = {clang, "--no-default-config"};
  for (const char *flag : kKernelFlags) command.push_back(flag);
  for (const std::string &flag :
       {std::string("-nostdinc"), std::string("-fvisibility=hidden"), std::string("-ffile-compilation-dir=."),
        std::string("-fno-sanitize-link-runtime"), "-I" + headers, source, std::string("-x"), std::string("none")})
    command.push_back(flag);
  for (const std::string &flag : linkOptions()) command.push_back(flag);
  for (const std::string &flag :
       {"--ld-path=" + linker, std::string("-Wl,--no-as-needed"), library, std::string("-o"), output})
    command.push_back(flag);
  return command;
}

std::string KernelCompiler::options() const {
  std::string text;
  // Without the paths of this machine's programs.
  for (const std::string &word : command("NAME.cu", "headers", "library", "image"))
    if (word != clang && !word.starts_with("--ld-path=")) text += word + "\n";
  return text;
}

Status KernelCompiler::makeStub(const std::string &folder, const std::string &soname) const {
  std::vector<std::string> arguments = {clang, "--no-default-config", "-x", "c++", "/dev/null"};
  for (const std::string &flag : linkOptions()) arguments.push_back(flag);
  for (const std::string &flag : {"--ld-path=" + linker, "-Wl,-soname," + soname, std::string("-o"), soname})
    arguments.push_back(flag);
  Expected<ProcessOutcome> outcome = runProcess(arguments, folder);
  if (!outcome.ok()) return outcome.status();
  if (outcome->exitCode == 0) return {};
  return Status(kNoKernelCompiler, clang + " with " + linker + " makes no shared object", {}, outcome->output);
}

} // namespace mmc::cuda
