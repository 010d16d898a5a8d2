// The clang that compiles kernels for the emulation, and the linker that it calls, as programs.
#pragma once

#include "runtime/src/Status.h"

#include <string>
#include <vector>

namespace mmc::cuda {

class KernelCompiler {
public:
  /// MMC_EMU_CLANG; without it clang++-22, -21 or -20 of PATH, then the one of the build. Errors: kNoKernelCompiler.
  static runtime::Expected<KernelCompiler> find();

  /// What both programs say of their versions.
  const std::string &identity() const { return versions; }
  /// The command that makes a shared object of `source`, spelled as seen from the folder that it runs in; `library` is
  /// what the object shall need, by its SONAME.
  std::vector<std::string> command(const std::string &source, const std::string &headers, const std::string &library,
                                   const std::string &output) const;
  /// The options of that command that decide the object's bytes, as one text.
  std::string options() const;
  /// Makes an empty library with a SONAME, to link with.
  runtime::Status makeStub(const std::string &folder, const std::string &soname) const;

private:
  std::vector<std::string> linkOptions() const;

  std::string clang, linker, versions;
};

} // namespace mmc::cuda
