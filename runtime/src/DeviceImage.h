// Device images of a plan: what a CUDA driver loads as one module. Here only their form is checked; nothing is loaded.
#pragma once

#include "runtime/src/PlanTables.h"

#include <optional>

namespace mmc::runtime {

/// `sm_90a`: an architecture of cubins. A number with `a` runs on exactly that architecture.
struct CudaArchitecture {
  uint32_t major = 0, minor = 0;
  bool specific = false;

  uint32_t number() const { return 10 * major + minor; }
  /// Whether a device of this compute capability runs cubins of it: of the same major number and not older, or of
  /// exactly it where it is specific.
  bool runsOn(uint32_t deviceMajor, uint32_t deviceMinor) const {
    return deviceMajor == major && (specific ? deviceMinor == minor : deviceMinor >= minor);
  }
};
/// Nothing where the name is none.
std::optional<CudaArchitecture> parseArchitecture(const std::string &name);

/// Checks every image of a plan that was decoded: for cuda an ELF64 cubin of its variant's architecture, for cuda-emu
/// an x86-64 shared object of the emulation, each with all the kernels that name it.
Status checkDeviceImages(const PlanTables &plan, std::span<const uint8_t> segment);

/// One image: for cuda-emu where `architecture` is null.
Status checkDeviceImage(const std::string &who, const CudaArchitecture *architecture, std::span<const uint8_t> bytes,
                        std::span<const std::string> symbols);

} // namespace mmc::runtime
