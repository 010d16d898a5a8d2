// Maps host objects from memory files. Invariant: `handle` is null or an open library that no other HostObject shares.
#include "runtime/src/HostObject.h"

#include "runtime/src/Errors.h"

#include <atomic>
#include <cerrno>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace mmc::runtime {

HostObject::~HostObject() {
  if (handle) dlclose(handle);
  if (descriptor >= 0) close(descriptor);
}

HostObject::HostObject(HostObject &&other) noexcept
    : handle(std::exchange(other.handle, nullptr)), descriptor(std::exchange(other.descriptor, -1)) {}

HostObject &HostObject::operator=(HostObject &&other) noexcept {
  std::swap(handle, other.handle);
  std::swap(descriptor, other.descriptor);
  return *this;
}

/// A path to an open descriptor that no call has returned before: glibc compares the names of libraries as text, and
/// descriptors' numbers are used again after they are closed. A count is spelled in components that the kernel ignores.
static std::string uniquePath(int descriptor) {
  static std::atomic<uint64_t> counter = 0;
  std::string path = "/proc/self/fd/";
  for (uint64_t count = ++counter; count; count /= 2) path += count % 2 ? "./" : "/";
  return path + std::to_string(descriptor);
}

Expected<HostObject> HostObject::map(std::span<const uint8_t> bytes) {
  auto failure = [](const char *what) { return Status(kCannotMapCode, what, {}, describeErrno(errno)); };
  HostObject object;
#ifdef MFD_EXEC
  object.descriptor = memfd_create("mmc-kernels", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
#endif
  if (object.descriptor < 0) object.descriptor = memfd_create("mmc-kernels", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (object.descriptor < 0) return failure("cannot create a memory file for the plan's kernels");
  while (!bytes.empty()) {
    const ssize_t count = write(object.descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure("cannot fill the memory file for the plan's kernels");
    bytes = bytes.subspan(size_t(count));
  }
  // From here on nobody, not even this process, changes what was checked.
  if (fcntl(object.descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
    return failure("cannot seal the memory file for the plan's kernels");
  object.handle = dlopen(uniquePath(object.descriptor).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object.handle) {
    const char *reason = dlerror();
    return Status(kCannotMapCode, "cannot map the plan's kernels", {}, reason ? reason : "");
  }
  return object;
}

KernelFunction HostObject::find(const std::string &symbol) const {
  return reinterpret_cast<KernelFunction>(dlsym(handle, symbol.c_str()));
}

} // namespace mmc::runtime
