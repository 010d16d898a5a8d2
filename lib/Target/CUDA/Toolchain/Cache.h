// Compiled kernels by content: one file per kernel, named by the digest of everything that its bytes depend on.
//
// A file appears under its name whole or not at all, and has a digest of its own: a damaged one is removed and counts
// as absent. Several processes may use one folder. Nothing is ever removed for age or size; the folder may be deleted
// at any time.
#pragma once

#include "runtime/src/Digest.h"
#include "runtime/src/Status.h"

#include <optional>
#include <string>

namespace mmc::cuda {

struct CompiledKernel {
  std::string bytes, log;
};

class KernelCache {
public:
  /// The folder that the environment names, empty if it names none: $MMC_CACHE_DIR, $XDG_CACHE_HOME/mmc, ~/.cache/mmc.
  static std::string defaultFolder();
  /// An empty folder is no cache: nothing is found and nothing kept.
  explicit KernelCache(std::string folder) : folder(std::move(folder)) {}

  std::optional<CompiledKernel> find(const runtime::Digest &key) const;
  /// Makes the folder too.
  runtime::Status keep(const runtime::Digest &key, const CompiledKernel &kernel) const;

private:
  std::string pathOf(const runtime::Digest &key) const;
  std::string folder;
};

} // namespace mmc::cuda
