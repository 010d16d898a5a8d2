// Implements file access on POSIX calls. Invariant of OutputFile: while `temporary` is not empty a file of that name is
// ours to remove.
#include "runtime/src/FileIO.h"

#include "runtime/src/Errors.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

namespace {

std::string folderOf(const std::string &path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// Links to open descriptors look like links to files, and what they lead to cannot be replaced.
bool isProcess(const std::string &path) { return path.starts_with("/proc/"); }

/// Where the links at the end of `path` lead; it may be a path where nothing is yet.
Expected<std::string> followLinks(const std::string &path) {
  std::string at = path;
  for (int links = 0; links < 40; ++links) {
    char text[PATH_MAX];
    const ssize_t length = readlink(at.c_str(), text, sizeof text);
    if (length < 0 || isProcess(at)) return at;
    const std::string next(text, size_t(length));
    at = next.starts_with('/') ? next : folderOf(at) + "/" + next;
  }
  return Status(kCannotWrite, "cannot write " + path, {}, describeErrno(ELOOP));
}

int connectSocket(const std::string &path) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
  std::copy(path.begin(), path.end(), address.sun_path);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  if (connect(descriptor, reinterpret_cast<struct sockaddr *>(&address), sizeof address) == 0) return descriptor;
  const int error = errno;
  close(descriptor);
  return errno = error, -1;
}

} // namespace

OutputFile::~OutputFile() {
  if (descriptor >= 0) close(descriptor);
  if (!temporary.empty()) unlink(temporary.c_str());
}

OutputFile::OutputFile(OutputFile &&other) noexcept
    : descriptor(std::exchange(other.descriptor, -1)), direct(other.direct), name(std::move(other.name)),
      target(std::move(other.target)), temporary(std::exchange(other.temporary, {})) {}

Expected<OutputFile> OutputFile::create(const std::string &path) {
  OutputFile file;
  file.name = path;
  if (path.empty()) return Status(kCannotWrite, "the path to write is empty", "give the name of a file");
  struct stat info;
  const bool exists = stat(path.c_str(), &info) == 0;
  if (!exists && errno != ENOENT) return Status(kCannotWrite, "cannot write " + path, {}, describeErrno(errno));
  if (exists && S_ISDIR(info.st_mode))
    return Status(kCannotWrite, path + " is a folder, expected a file to write", "give the name of a file in it");
  Expected<std::string> target = followLinks(path);
  if (!target.ok()) return target.status();
  file.target = std::move(*target);
  file.direct = exists && (!S_ISREG(info.st_mode) || isProcess(file.target));
  if (file.direct) {
    MMC_RETURN_IF_ERROR(file.openDirectly(S_ISSOCK(info.st_mode)));
    return file;
  }
  // Whether the folder takes files is found out now; the file itself comes with the first write, so that a process that
  // is killed during the work before it leaves nothing.
  MMC_RETURN_IF_ERROR(file.openTemporary());
  unlink(std::exchange(file.temporary, {}).c_str());
  close(std::exchange(file.descriptor, -1));
  return file;
}

Expected<OutputFile> OutputFile::standardOutput() {
  OutputFile file;
  file.name = "standard output";
  file.direct = true;
  file.descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (file.descriptor < 0) return Status(kCannotWrite, "cannot write " + file.name, {}, describeErrno(errno));
  return file;
}

bool OutputFile::isTerminal() const { return direct && isatty(descriptor) == 1; }

Status OutputFile::openDirectly(bool isSocket) {
  // O_APPEND: a regular file behind an open descriptor keeps what others wrote to it.
  descriptor = isSocket ? connectSocket(target) : ::open(target.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
  return descriptor >= 0 ? Status() : Status(kCannotWrite, "cannot open " + name, {}, describeErrno(errno));
}

Status OutputFile::openTemporary() {
  static std::atomic<uint64_t> counter = 0;
  for (;;) {
    const std::string candidate = target + ".tmp-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
    descriptor = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) {
      temporary = candidate;
      return {};
    }
    if (errno == ENOENT || errno == ENOTDIR)
      return Status(kCannotWrite, "cannot create " + name, "make its folder first, or correct the path",
                    describeErrno(errno));
    if (errno != EEXIST) return Status(kCannotWrite, "cannot create " + name, {}, describeErrno(errno));
  }
}

Status OutputFile::write(std::span<const uint8_t> bytes) {
  if (descriptor < 0) MMC_RETURN_IF_ERROR(openTemporary());
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), std::min(bytes.size(), size_t(1) << 30));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Status(kCannotWrite, "cannot write " + name, {}, describeErrno(errno));
    bytes = bytes.subspan(size_t(count));
  }
  return {};
}

Status OutputFile::commit() {
  if (descriptor < 0) MMC_RETURN_IF_ERROR(openTemporary()); // an empty file
  // Pipes, sockets and many devices have nothing to synchronise, and say so.
  if (fsync(descriptor) && !(direct && (errno == EINVAL || errno == ENOTSUP || errno == EROFS)))
    return Status(kCannotWrite, "cannot synchronise " + name, {}, describeErrno(errno));
  if (close(std::exchange(descriptor, -1)))
    return Status(kCannotWrite, "cannot close " + name, {}, describeErrno(errno));
  if (direct) return {};
  if (rename(temporary.c_str(), target.c_str()))
    return Status(kCannotWrite, "cannot rename to " + name, {}, describeErrno(errno));
  temporary.clear();
  const int folderDescriptor = ::open(folderOf(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folderDescriptor >= 0) {
    fsync(folderDescriptor); // Some file systems refuse to synchronise a folder; the rename itself has happened.
    close(folderDescriptor);
  }
  return {};
}

} // namespace mmc::runtime
