// Implements file access on POSIX calls. Invariant of OutputFile: while `temporary` is not empty a file of that name is
// ours to remove.
#include "runtime/src/FileIO.h"

#include "runtime/src/Errors.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mmc::runtime {

InputFile::~InputFile() {
  if (descriptor >= 0) close(descriptor);
}

InputFile::InputFile(InputFile &&other) noexcept
    : descriptor(std::exchange(other.descriptor, -1)), length(other.length), name(std::move(other.name)) {}

InputFile &InputFile::operator=(InputFile &&other) noexcept {
  std::swap(descriptor, other.descriptor);
  std::swap(length, other.length);
  std::swap(name, other.name);
  return *this;
}

Expected<InputFile> InputFile::open(const std::string &path) {
  InputFile file;
  file.name = path;
  // O_NONBLOCK: opening a FIFO must not wait for a writer; it means nothing for regular files.
  file.descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.descriptor < 0) return Status(kCannotOpen, "cannot open " + path, {}, describeErrno(errno));
  struct stat info;
  if (fstat(file.descriptor, &info))
    return Status(kCannotOpen, "cannot read the size of " + path, {}, describeErrno(errno));
  if (!S_ISREG(info.st_mode)) return Status(kCannotOpen, path + " is not a regular file");
  file.length = uint64_t(info.st_size);
  return file;
}

Status InputFile::readAt(uint64_t offset, std::span<uint8_t> bytes) const {
  constexpr size_t kLargestRead = size_t(1) << 30; // Linux reads at most 2 GiB at a time.
  while (!bytes.empty()) {
    const ssize_t count = pread(descriptor, bytes.data(), std::min(bytes.size(), kLargestRead), off_t(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return Status(kCannotRead, "cannot read " + name + " at byte " + std::to_string(offset), {},
                    describeErrno(errno));
    if (count == 0)
      return Status(kCannotRead, name + " ends at byte " + std::to_string(offset) + ", expected " +
                                     std::to_string(bytes.size()) + " more: it changed while it was read");
    bytes = bytes.subspan(size_t(count));
    offset += uint64_t(count);
  }
  return {};
}

OutputFile::~OutputFile() {
  if (descriptor >= 0) close(descriptor);
  if (!temporary.empty()) unlink(temporary.c_str());
}

OutputFile::OutputFile(OutputFile &&other) noexcept
    : descriptor(std::exchange(other.descriptor, -1)), name(std::move(other.name)),
      temporary(std::exchange(other.temporary, {})) {}

Expected<OutputFile> OutputFile::create(const std::string &path) {
  OutputFile file;
  file.name = path;
  static std::atomic<uint64_t> counter = 0;
  for (;;) {
    const std::string candidate = path + ".tmp-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
    file.descriptor = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.descriptor >= 0) {
      file.temporary = candidate;
      break;
    }
    if (errno != EEXIST) return Status(kCannotWrite, "cannot create " + path, {}, describeErrno(errno));
  }
  return file;
}

Status OutputFile::write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), std::min(bytes.size(), size_t(1) << 30));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Status(kCannotWrite, "cannot write " + name, {}, describeErrno(errno));
    bytes = bytes.subspan(size_t(count));
  }
  return {};
}

Status OutputFile::commit() {
  if (fsync(descriptor)) return Status(kCannotWrite, "cannot synchronise " + name, {}, describeErrno(errno));
  if (close(std::exchange(descriptor, -1)))
    return Status(kCannotWrite, "cannot close " + name, {}, describeErrno(errno));
  if (rename(temporary.c_str(), name.c_str()))
    return Status(kCannotWrite, "cannot rename to " + name, {}, describeErrno(errno));
  temporary.clear();
  const size_t slash = name.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : name.substr(0, slash);
  const int folderDescriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folderDescriptor >= 0) {
    fsync(folderDescriptor); // Some file systems refuse to synchronise a folder; the rename itself has happened.
    close(folderDescriptor);
  }
  return {};
}

} // namespace mmc::runtime
