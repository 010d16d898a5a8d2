// The CUDA driver as a table of function pointers: opened at run time, never linked, the real one and the emulated one
// alike, so a build needs no toolkit and a machine without a GPU runs everything else.
//
// Each entry has the name of the exported symbol whose ABI it is (`_v2` where the driver has made a second one), so
// what a newer driver means by the plain name does not matter.
#pragma once

#include "runtime/cuda/driver/DriverTypes.h"
#include "runtime/src/Status.h"

#include <memory>
#include <string>

namespace mmc::cuda {

// clang-format off
/// X(field of DriverApi, exported symbol, function type): every entry point that the runtime calls.
#define MMC_CUDA_DRIVER_ENTRIES(X)                                                                                     \
  X(init, cuInit, Result(unsigned flags))                                                                              \
  X(driverGetVersion, cuDriverGetVersion, Result(int *version))                                                        \
  X(getErrorName, cuGetErrorName, Result(Result error, const char **name))                                             \
  X(getErrorString, cuGetErrorString, Result(Result error, const char **text))                                         \
  X(deviceGetCount, cuDeviceGetCount, Result(int *count))                                                              \
  X(deviceGet, cuDeviceGet, Result(Device *device, int ordinal))                                                       \
  X(deviceGetName, cuDeviceGetName, Result(char *name, int bytes, Device device))                                      \
  X(deviceGetUuid, cuDeviceGetUuid_v2, Result(Uuid *uuid, Device device))                                              \
  X(deviceGetAttribute, cuDeviceGetAttribute, Result(int *value, DeviceAttribute attribute, Device device))            \
  X(deviceTotalMem, cuDeviceTotalMem_v2, Result(size_t *bytes, Device device))                                         \
  X(deviceCanAccessPeer, cuDeviceCanAccessPeer, Result(int *can, Device device, Device peer))                          \
  X(devicePrimaryCtxRetain, cuDevicePrimaryCtxRetain, Result(Context *context, Device device))                         \
  X(devicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, Result(Device device))                                      \
  X(ctxSetCurrent, cuCtxSetCurrent, Result(Context context))                                                           \
  X(ctxGetCurrent, cuCtxGetCurrent, Result(Context *context))                                                          \
  X(ctxSynchronize, cuCtxSynchronize, Result())                                                                        \
  X(ctxEnablePeerAccess, cuCtxEnablePeerAccess, Result(Context peer, unsigned flags))                                  \
  X(ctxDisablePeerAccess, cuCtxDisablePeerAccess, Result(Context peer))                                                \
  X(moduleLoadDataEx, cuModuleLoadDataEx,                                                                              \
    Result(Module *module, const void *image, unsigned count, JitOption *options, void **values))                      \
  X(moduleUnload, cuModuleUnload, Result(Module module))                                                               \
  X(moduleGetFunction, cuModuleGetFunction, Result(Function *function, Module module, const char *name))               \
  X(funcGetAttribute, cuFuncGetAttribute, Result(int *value, FunctionAttribute attribute, Function function))          \
  X(funcSetAttribute, cuFuncSetAttribute, Result(Function function, FunctionAttribute attribute, int value))           \
  X(funcGetParamInfo, cuFuncGetParamInfo, Result(Function function, size_t index, size_t *offset, size_t *bytes))      \
  X(occupancyMaxActiveBlocksPerMultiprocessor, cuOccupancyMaxActiveBlocksPerMultiprocessor,                            \
    Result(int *blocks, Function function, int threads, size_t sharedBytes))                                           \
  X(occupancyMaxActiveClusters, cuOccupancyMaxActiveClusters,                                                          \
    Result(int *clusters, Function function, const LaunchConfig *config))                                              \
  X(launchKernelEx, cuLaunchKernelEx,                                                                                  \
    Result(const LaunchConfig *config, Function function, void **parameters, void **extra))                            \
  X(memAlloc, cuMemAlloc_v2, Result(DevicePointer *pointer, size_t bytes))                                             \
  X(memFree, cuMemFree_v2, Result(DevicePointer pointer))                                                              \
  X(memGetInfo, cuMemGetInfo_v2, Result(size_t *free, size_t *total))                                                  \
  X(memHostAlloc, cuMemHostAlloc, Result(void **pointer, size_t bytes, unsigned flags))                                \
  X(memFreeHost, cuMemFreeHost, Result(void *pointer))                                                                 \
  X(memHostRegister, cuMemHostRegister_v2, Result(void *pointer, size_t bytes, unsigned flags))                        \
  X(memHostUnregister, cuMemHostUnregister, Result(void *pointer))                                                     \
  X(memHostGetDevicePointer, cuMemHostGetDevicePointer_v2,                                                             \
    Result(DevicePointer *pointer, void *host, unsigned flags))                                                        \
  X(memcpyHtoDAsync, cuMemcpyHtoDAsync_v2, Result(DevicePointer to, const void *from, size_t bytes, Stream stream))    \
  X(memcpyDtoHAsync, cuMemcpyDtoHAsync_v2, Result(void *to, DevicePointer from, size_t bytes, Stream stream))          \
  X(memcpyDtoDAsync, cuMemcpyDtoDAsync_v2, Result(DevicePointer to, DevicePointer from, size_t bytes, Stream stream))  \
  X(memcpyPeerAsync, cuMemcpyPeerAsync,                                                                                \
    Result(DevicePointer to, Context toContext, DevicePointer from, Context fromContext, size_t bytes, Stream stream)) \
  X(memsetD8Async, cuMemsetD8Async, Result(DevicePointer to, unsigned char value, size_t count, Stream stream))        \
  X(memsetD32Async, cuMemsetD32Async, Result(DevicePointer to, unsigned value, size_t count, Stream stream))           \
  X(ctxGetStreamPriorityRange, cuCtxGetStreamPriorityRange, Result(int *least, int *greatest))                         \
  X(streamCreateWithPriority, cuStreamCreateWithPriority, Result(Stream *stream, unsigned flags, int priority))        \
  X(streamDestroy, cuStreamDestroy_v2, Result(Stream stream))                                                          \
  X(streamSynchronize, cuStreamSynchronize, Result(Stream stream))                                                     \
  X(streamQuery, cuStreamQuery, Result(Stream stream))                                                                 \
  X(streamWaitEvent, cuStreamWaitEvent, Result(Stream stream, Event event, unsigned flags))                            \
  X(streamBeginCapture, cuStreamBeginCapture_v2, Result(Stream stream, CaptureMode mode))                              \
  X(streamEndCapture, cuStreamEndCapture, Result(Stream stream, Graph *graph))                                         \
  X(streamIsCapturing, cuStreamIsCapturing, Result(Stream stream, CaptureStatus *status))                              \
  X(eventCreate, cuEventCreate, Result(Event *event, unsigned flags))                                                  \
  X(eventDestroy, cuEventDestroy_v2, Result(Event event))                                                              \
  X(eventRecord, cuEventRecord, Result(Event event, Stream stream))                                                    \
  X(eventSynchronize, cuEventSynchronize, Result(Event event))                                                         \
  X(eventQuery, cuEventQuery, Result(Event event))                                                                     \
  X(eventElapsedTime, cuEventElapsedTime, Result(float *milliseconds, Event start, Event end))                         \
  X(graphInstantiate, cuGraphInstantiateWithFlags, Result(GraphExec *exec, Graph graph, unsigned long long flags))     \
  X(graphUpload, cuGraphUpload, Result(GraphExec exec, Stream stream))                                                 \
  X(graphLaunch, cuGraphLaunch, Result(GraphExec exec, Stream stream))                                                 \
  X(graphExecDestroy, cuGraphExecDestroy, Result(GraphExec exec))                                                      \
  X(graphDestroy, cuGraphDestroy, Result(Graph graph))                                                                 \
  X(tensorMapEncodeTiled, cuTensorMapEncodeTiled,                                                                      \
    Result(TensorMap *map, TensorElement element, uint32_t rank, void *base, const uint64_t *sizes,                    \
           const uint64_t *strides, const uint32_t *box, const uint32_t *traversalStrides,                             \
           TensorInterleave interleave, TensorSwizzle swizzle, TensorL2Promotion promotion, TensorFill fill))
// clang-format on

/// The exported symbol of each field, for messages.
namespace symbols {
#define MMC_SYMBOL(field, symbol, ...) inline constexpr const char *field = #symbol;
MMC_CUDA_DRIVER_ENTRIES(MMC_SYMBOL)
#undef MMC_SYMBOL
} // namespace symbols

/// An open driver. All pointers are set; the library stays loaded until the process ends, because drivers do not like
/// to be unloaded.
struct DriverApi {
#define MMC_FIELD(field, symbol, ...) std::add_pointer_t<__VA_ARGS__> field = nullptr;
  MMC_CUDA_DRIVER_ENTRIES(MMC_FIELD)
#undef MMC_FIELD
  std::string path; // as opened
  int version = 0;  // 1000 major + 10 minor
};

constexpr const char *kSystemDriver = "libcuda.so.1";
/// cuFuncGetParamInfo, which checks a kernel's parameters against the plan, came with CUDA 12.4.
constexpr int kOldestDriver = 12040;

/// Opens the driver at a path (or the name of a library that the loader finds) and initialises it. Errors: no such
/// library or no driver (kNoCudaDriver), too old (kCudaDriverTooOld), no device (kNoCudaDevice), all of the class
/// `incompatible`; another failure of the driver as statusOf() says it.
runtime::Expected<std::shared_ptr<const DriverApi>> openDriver(const std::string &path = kSystemDriver);

/// The status of a call that the table made: `call` is the exported symbol's name, for the message.
runtime::Status statusOf(const DriverApi &api, Result result, const char *call);

} // namespace mmc::cuda
