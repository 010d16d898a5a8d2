// Implements what commands do when they are executed.
#include "runtime/cuda/emulation/driver/Commands.h"

#include "runtime/cuda/emulation/core/Counting.h"
#include "runtime/cuda/emulation/core/Memory.h"
#include "runtime/cuda/emulation/driver/Process.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace mmc::emu::driver {

namespace {

/// A copy's or fill's accesses: under a serial of its own, checked against what is ordered before it.
class DriverAccess {
public:
  explicit DriverAccess(const Execution &at) : serial(allocateBlocks(1, at.place)), clock(serial, at.before) {
    accessor.writesSeen = accessor.readsSeen = &clock;
    accessor.self = makeEpoch(serial, 0, 1);
    accessor.proxy = Proxy::host;
    accessor.passesOn = true;
  }
  void read(const void *address, uint64_t bytes) { memory::read(address, bytes, accessor, false); }
  void write(void *address, uint64_t bytes) { memory::write(address, bytes, accessor, false); }

private:
  uint32_t serial;
  Clock clock;
  Accessor accessor;
};

/// Calls visit(offset, bytes) for each run of bytes that nothing has written.
template <class Visit> void eachUnwritten(const uint8_t *from, uint64_t bytes, Visit visit) {
  for (uint64_t at = 0; at < bytes;) {
    const uint64_t step = std::min<uint64_t>(bytes - at, 16);
    if (memory::isInitialised(from + at, step)) {
      at += step;
      continue;
    }
    for (uint64_t end = at + step; at < end; ++at)
      if (!memory::isInitialised(from + at, 1)) visit(at, 1);
  }
}

/// A launch that was abandoned is dropped from the counts.
void writeCounts(const MmcEmuKernel &kernel, const LaunchOptions &options, bool completed) {
  counting::LaunchCounts counts = counting::take();
  if (!completed) return;
  counts.kernel = kernel.name;
  std::FILE *file = std::fopen(process().countsFile.c_str(), "a");
  const std::string line = counting::toJson(counts, options);
  const bool written = file && std::fwrite(line.data(), 1, line.size(), file) == line.size();
  if ((file && std::fclose(file) != 0) || !written)
    std::fprintf(stderr, "mmc emulation: cannot add to %s\n", process().countsFile.c_str());
}

} // namespace

void LaunchWork::setParameters(void **values) {
  for (uint32_t i = 0; i < kernel.parameterCount; ++i) {
    const auto *value = static_cast<const uint8_t *>(values[i]);
    parameters.emplace_back(value, value + kernel.parameterBytes[i]);
  }
}

void LaunchWork::run(const Execution &at) const {
  LaunchOptions here = options;
  here.place = at.place;
  here.before = at.before;
  here.afterDependency = at.afterDependency;
  std::vector<void *> pointers;
  for (auto &value : parameters) pointers.push_back(const_cast<uint8_t *>(value.data()));
  pointers.push_back(nullptr);
  const bool completed = launch(kernel, here, pointers.data()).completed;
  if (!process().countsFile.empty()) writeCounts(kernel, here, completed);
}

HostRange CopyWork::hostSource() const {
  return direction == Direction::toDevice && staged.empty() ? HostRange{from, bytes} : HostRange{};
}

void CopyWork::run(const Execution &at) const {
  DriverAccess access(at);
  switch (direction) {
  case Direction::toDevice:
    access.write(to, bytes);
    std::memcpy(to, staged.empty() ? from : staged.data(), bytes);
    break;
  case Direction::toHost:
    access.read(from, bytes);
    std::memcpy(to, from, bytes);
    // What nothing has written is no number in any format, like on the device.
    if (memory::checksOn())
      eachUnwritten(from, bytes, [&](uint64_t offset, uint64_t count) { std::memset(to + offset, 0xff, count); });
    process().host.written({to, bytes});
    break;
  case Direction::onDevice:
    access.read(from, bytes);
    access.write(to, bytes);
    if (memory::checksOn())
      eachUnwritten(from, bytes,
                    [&](uint64_t offset, uint64_t count) { memory::setInitialised(to + offset, count, false); });
    std::memmove(to, from, bytes);
    break;
  }
}

void FillWork::run(const Execution &at) const {
  DriverAccess access(at);
  access.write(to, count * elementBytes);
  if (elementBytes == 1) {
    std::memset(to, int(value), count);
  } else {
    for (uint64_t i = 0; i < count; ++i) std::memcpy(to + i * elementBytes, &value, elementBytes);
  }
}

void MarkWork::run(const Execution &) const {
  moment->nanoseconds =
      uint64_t(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
                   .count());
}

} // namespace mmc::emu::driver
