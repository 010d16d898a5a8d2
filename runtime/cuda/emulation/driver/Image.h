// Module images: shared objects made of a kernel source by clang for the host, handed over as bytes.
//
// An image says by DT_NEEDED that it wants libmmc_cuda_emu.so. The loader then finds its hooks and instructions here
// by the library's SONAME, without a path, whatever else is loaded: promoting this library to the global scope instead
// would put our cu* and __tsan_* in the way of a real driver and of a sanitizer. It is also how an image for the
// emulation is told from any other shared object.
#pragma once

#include "runtime/cuda/driver/DriverTypes.h"
#include "runtime/cuda/emulation/core/Machine.h"

#include <memory>
#include <string>

namespace mmc::emu::driver {

struct ModuleImage {
  ModuleImage() = default;
  ModuleImage(const ModuleImage &) = delete;
  ~ModuleImage();
  /// The module's record of a kernel; null if there is none.
  const MmcEmuKernel *kernel(const std::string &name) const;

  void *library = nullptr;
  int descriptor = -1; // open as long as the library: its name leads to it
};

struct LoadedImage {
  std::shared_ptr<ModuleImage> image; // null: refused
  cuda::Result result = cuda::Result::success;
  std::string why;
};
/// NOTE: the driver's interface gives no length, so what the headers of an ELF file say is trusted.
LoadedImage loadImage(const void *bytes);

} // namespace mmc::emu::driver
