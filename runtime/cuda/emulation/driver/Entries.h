// The entry points' declarations: those of the runtime's table, so that a definition with another signature does not
// compile, and those that others use.
#pragma once

#include "runtime/cuda/driver/DriverApi.h"
#include "runtime/cuda/emulation/driver/Process.h"

#include <type_traits>

// clang-format off
/// X(exported symbol, function type): beside the runtime's table.
#define MMC_EMU_MORE_ENTRIES(X)                                                                                        \
  X(cuGetProcAddress_v2,                                                                                               \
    Result(const char *name, void **function, int version, uint64_t flags, unsigned *status))                         \
  X(cuDeviceGetUuid, Result(Uuid *uuid, Device device))                                                                \
  X(cuDevicePrimaryCtxGetState, Result(Device device, unsigned *flags, int *active))                                   \
  X(cuCtxGetDevice, Result(Device *device))                                                                            \
  X(cuModuleLoadData, Result(Module *module, const void *image))                                                       \
  X(cuLaunchKernel,                                                                                                    \
    Result(Function function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,        \
           unsigned blockZ, unsigned sharedBytes, Stream stream, void **parameters, void **extra))                    \
  X(cuMemcpyHtoD_v2, Result(DevicePointer to, const void *from, size_t bytes))                                         \
  X(cuMemcpyDtoH_v2, Result(void *to, DevicePointer from, size_t bytes))                                               \
  X(cuMemcpyDtoD_v2, Result(DevicePointer to, DevicePointer from, size_t bytes))                                       \
  X(cuMemsetD8_v2, Result(DevicePointer to, unsigned char value, size_t count))                                        \
  X(cuMemsetD32_v2, Result(DevicePointer to, unsigned value, size_t count))                                            \
  X(cuStreamCreate, Result(Stream *stream, unsigned flags))                                                            \
  X(cuStreamGetCaptureInfo_v2,                                                                                         \
    Result(Stream stream, CaptureStatus *status, uint64_t *id, Graph *graph, const void ***dependencies,               \
           size_t *count))
// clang-format on

extern "C" {
namespace mmc::cuda {
#define MMC_DECLARE_ENTRY(field, symbol, ...) std::type_identity_t<__VA_ARGS__> symbol;
MMC_CUDA_DRIVER_ENTRIES(MMC_DECLARE_ENTRY)
#undef MMC_DECLARE_ENTRY
#define MMC_DECLARE_ENTRY(symbol, ...) std::type_identity_t<__VA_ARGS__> symbol;
MMC_EMU_MORE_ENTRIES(MMC_DECLARE_ENTRY)
#undef MMC_DECLARE_ENTRY
} // namespace mmc::cuda
}
