// Anonymous memory straight from the kernel: page-aligned, zero, and either committed (large requests that cannot fit
// fail here, with a status, instead of later by the OOM killer) or only reserved (pools and arenas that are sized for
// the worst case and mostly untouched).
#pragma once

#include "runtime/src/Status.h"

#include <cstdint>

namespace mmc::runtime {

class Mapping {
public:
  enum class Kind { committed, reserved };

  Mapping() = default;
  ~Mapping();
  Mapping(Mapping &&other) noexcept;
  Mapping &operator=(Mapping &&other) noexcept;

  /// `what` names the memory in the message of a failure. Zero bytes give a valid, empty mapping.
  static Expected<Mapping> create(uint64_t bytes, Kind kind, const char *what);

  uint8_t *data() const { return base; }
  uint64_t size() const { return length; }
  /// Asks for huge pages; a refusal by the kernel only costs speed.
  void adviseHugePages();

private:
  uint8_t *base = nullptr;
  uint64_t length = 0;
};

} // namespace mmc::runtime
