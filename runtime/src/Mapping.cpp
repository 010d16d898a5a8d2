// Implements Mapping on mmap. Invariant: `length` is what was mapped; zero means nothing is mapped.
#include "runtime/src/Mapping.h"

#include "runtime/src/Errors.h"

#include <cerrno>
#include <sys/mman.h>

namespace mmc::runtime {

Mapping::~Mapping() {
  if (length) munmap(base, length);
}

Mapping::Mapping(Mapping &&other) noexcept
    : base(std::exchange(other.base, nullptr)), length(std::exchange(other.length, 0)) {}

Mapping &Mapping::operator=(Mapping &&other) noexcept {
  std::swap(base, other.base);
  std::swap(length, other.length);
  return *this;
}

Expected<Mapping> Mapping::create(uint64_t bytes, Kind kind, const char *what) {
  Mapping mapping;
  if (!bytes) return mapping;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (kind == Kind::reserved ? MAP_NORESERVE : 0);
  void *base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (base == MAP_FAILED)
    return Status(kMemoryExhausted,
                  "cannot " + std::string(kind == Kind::reserved ? "reserve " : "allocate ") + std::to_string(bytes) +
                      " bytes for " + what,
                  {}, describeErrno(errno));
  mapping.base = static_cast<uint8_t *>(base);
  mapping.length = bytes;
  return mapping;
}

void Mapping::adviseHugePages() {
  if (length) madvise(base, length, MADV_HUGEPAGE);
}

} // namespace mmc::runtime
