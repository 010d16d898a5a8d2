// Files, without surprises: reads that survive EINTR and short counts, and writes that appear under their final name
// whole or not at all.
#pragma once

#include "runtime/src/Status.h"

#include <cstdint>
#include <span>
#include <string>

namespace mmc::runtime {

/// A file opened for reading. Movable. `readAt` may be called from several threads at once.
class InputFile {
public:
  InputFile() = default;
  ~InputFile();
  InputFile(InputFile &&other) noexcept;
  InputFile &operator=(InputFile &&other) noexcept;

  /// Opens a regular file; its size is taken once, here.
  static Expected<InputFile> open(const std::string &path);

  const std::string &path() const { return name; }
  uint64_t size() const { return length; }
  /// Reads exactly `bytes.size()` bytes at `offset`; a file that ends earlier (it shrank since it was opened) is an
  /// error.
  Status readAt(uint64_t offset, std::span<uint8_t> bytes) const;

private:
  int descriptor = -1;
  uint64_t length = 0;
  std::string name;
};

/// A file that is written under a temporary name in the same folder, and gets its final name by `commit`. Without it
/// nothing remains.
class OutputFile {
public:
  OutputFile() = default;
  ~OutputFile();
  OutputFile(OutputFile &&other) noexcept;
  OutputFile &operator=(OutputFile &&) = delete;

  static Expected<OutputFile> create(const std::string &path);
  Status write(std::span<const uint8_t> bytes);
  /// fsync, rename, fsync of the folder.
  Status commit();

private:
  int descriptor = -1;
  std::string name, temporary;
};

} // namespace mmc::runtime
