// A folder of its own in $TMPDIR or /tmp, removed with everything in it.
#pragma once

#include "runtime/src/Status.h"

#include <string>
#include <string_view>

namespace mmc::cuda {

class TemporaryFolder {
public:
  static runtime::Expected<TemporaryFolder> create();
  TemporaryFolder(TemporaryFolder &&other) noexcept : folder(std::exchange(other.folder, {})) {}
  TemporaryFolder &operator=(TemporaryFolder &&) = delete;
  ~TemporaryFolder();

  const std::string &path() const { return folder; }
  /// Writes a file below the folder, making the folders that its name has.
  runtime::Status write(const std::string &name, std::string_view text) const;

private:
  explicit TemporaryFolder(std::string folder) : folder(std::move(folder)) {}
  std::string folder;
};

/// The bytes of a file.
runtime::Expected<std::string> readWhole(const std::string &path);

} // namespace mmc::cuda
