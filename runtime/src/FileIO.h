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
///
/// A symbolic link at the end of the path is followed, and what it leads to is replaced. What is no regular file (a
/// device, a FIFO, a socket, an open descriptor under /proc) is never replaced: bytes go to it as they are written.
class OutputFile {
public:
  OutputFile() = default;
  ~OutputFile();
  OutputFile(OutputFile &&other) noexcept;
  OutputFile &operator=(OutputFile &&) = delete;

  /// Fails where the path cannot be written: a missing folder, one without permission, a path that is a folder. Leaves
  /// nothing behind until the first write; waits for the reader of a FIFO.
  static Expected<OutputFile> create(const std::string &path);
  /// The process's standard output, which stays open.
  static Expected<OutputFile> standardOutput();
  /// Whether the bytes go to a person's screen.
  bool isTerminal() const;
  Status write(std::span<const uint8_t> bytes);
  /// fsync, rename, fsync of the folder; of what is no regular file, its end.
  Status commit();

private:
  Status openTemporary();
  Status openDirectly(bool isSocket);

  int descriptor = -1;
  bool direct = false;
  std::string name, target, temporary; // as given; with links followed; while it is written
};

} // namespace mmc::runtime
