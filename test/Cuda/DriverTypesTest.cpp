// Compares every type, value and signature of DriverTypes.h and DriverApi.h with NVIDIA's cuda.h, and every symbol with
// those that the toolkit's stub library exports. Only tests may include that header; without it they are skipped, and
// say so.
#include "runtime/cuda/driver/DriverApi.h"

#include <gtest/gtest.h>

namespace {
#define MMC_SYMBOL_NAME(field, symbol, ...) #symbol,
[[maybe_unused]] constexpr const char *kSymbolNames[] = {MMC_CUDA_DRIVER_ENTRIES(MMC_SYMBOL_NAME)};
} // namespace

#if __has_include(<cuda.h>)
#include <cuda.h>
#define MMC_CUDA_HEADER 1
#endif

#ifdef MMC_CUDA_HEADER

#include <dlfcn.h>
#include <type_traits>

namespace {

using namespace mmc::cuda;

/// The driver's type for one of ours, through pointers, const and function types.
template <class T> struct Theirs {
  using Type = T;
};
template <class T> struct Theirs<T *> {
  using Type = typename Theirs<T>::Type *;
};
template <class T> struct Theirs<const T> {
  using Type = const typename Theirs<T>::Type;
};
template <class R, class... A> struct Theirs<R(A...)> {
  using Type = typename Theirs<R>::Type(typename Theirs<A>::Type...);
};
#define MMC_TYPE(ours, theirs)                                                                                         \
  template <> struct Theirs<ours> {                                                                                    \
    using Type = theirs;                                                                                               \
  };                                                                                                                   \
  static_assert(sizeof(ours) == sizeof(theirs) && alignof(ours) == alignof(theirs), #ours);
MMC_TYPE(Result, CUresult)
MMC_TYPE(DeviceAttribute, CUdevice_attribute)
MMC_TYPE(FunctionAttribute, CUfunction_attribute)
MMC_TYPE(JitOption, CUjit_option)
MMC_TYPE(LaunchAttributeId, CUlaunchAttributeID)
MMC_TYPE(LaunchAttributeValue, CUlaunchAttributeValue)
MMC_TYPE(LaunchAttribute, CUlaunchAttribute)
MMC_TYPE(LaunchConfig, CUlaunchConfig)
MMC_TYPE(Uuid, CUuuid)
MMC_TYPE(CaptureMode, CUstreamCaptureMode)
MMC_TYPE(CaptureStatus, CUstreamCaptureStatus)
MMC_TYPE(TensorMap, CUtensorMap)
MMC_TYPE(TensorElement, CUtensorMapDataType)
MMC_TYPE(TensorInterleave, CUtensorMapInterleave)
MMC_TYPE(TensorSwizzle, CUtensorMapSwizzle)
MMC_TYPE(TensorL2Promotion, CUtensorMapL2promotion)
MMC_TYPE(TensorFill, CUtensorMapFloatOOBfill)
static_assert(std::is_same_v<Device, CUdevice> && std::is_same_v<DevicePointer, CUdeviceptr> &&
              std::is_same_v<Context, CUcontext> && std::is_same_v<Module, CUmodule> &&
              std::is_same_v<Function, CUfunction> && std::is_same_v<Stream, CUstream> &&
              std::is_same_v<Event, CUevent> && std::is_same_v<Graph, CUgraph> &&
              std::is_same_v<GraphExec, CUgraphExec>);

#define MMC_SIGNATURE(field, symbol, ...)                                                                              \
  static_assert(std::is_same_v<Theirs<__VA_ARGS__>::Type, decltype(symbol)>, #field);
MMC_CUDA_DRIVER_ENTRIES(MMC_SIGNATURE)

#define MMC_OFFSET(ours, field, theirs, member)                                                                        \
  static_assert(offsetof(ours, field) == offsetof(theirs, member) && sizeof(ours::field) == sizeof(theirs::member),    \
                #field)
MMC_OFFSET(LaunchAttribute, value, CUlaunchAttribute, value);
MMC_OFFSET(LaunchAttributeValue, clusterDimension.z, CUlaunchAttributeValue, clusterDim.z);
MMC_OFFSET(LaunchAttributeValue, programmaticEvent.flags, CUlaunchAttributeValue, programmaticEvent.flags);
MMC_OFFSET(LaunchAttributeValue, programmaticEvent.triggerAtBlockStart, CUlaunchAttributeValue,
           programmaticEvent.triggerAtBlockStart);
MMC_OFFSET(LaunchConfig, gridX, CUlaunchConfig, gridDimX);
MMC_OFFSET(LaunchConfig, gridY, CUlaunchConfig, gridDimY);
MMC_OFFSET(LaunchConfig, gridZ, CUlaunchConfig, gridDimZ);
MMC_OFFSET(LaunchConfig, blockX, CUlaunchConfig, blockDimX);
MMC_OFFSET(LaunchConfig, blockY, CUlaunchConfig, blockDimY);
MMC_OFFSET(LaunchConfig, blockZ, CUlaunchConfig, blockDimZ);
MMC_OFFSET(LaunchConfig, sharedBytes, CUlaunchConfig, sharedMemBytes);
MMC_OFFSET(LaunchConfig, stream, CUlaunchConfig, hStream);
MMC_OFFSET(LaunchConfig, attributes, CUlaunchConfig, attrs);
MMC_OFFSET(LaunchConfig, attributeCount, CUlaunchConfig, numAttrs);

#define MMC_VALUE(ours, theirs) static_assert(unsigned(ours) == unsigned(theirs), #theirs)
#define MMC_RESULT(ours, theirs) MMC_VALUE(Result::ours, CUDA_ERROR_##theirs)
MMC_VALUE(Result::success, CUDA_SUCCESS);
MMC_RESULT(invalidValue, INVALID_VALUE);
MMC_RESULT(outOfMemory, OUT_OF_MEMORY);
MMC_RESULT(notInitialised, NOT_INITIALIZED);
MMC_RESULT(deinitialised, DEINITIALIZED);
MMC_RESULT(stubLibrary, STUB_LIBRARY);
MMC_RESULT(callRequiresNewerDriver, CALL_REQUIRES_NEWER_DRIVER);
MMC_RESULT(deviceUnavailable, DEVICE_UNAVAILABLE);
MMC_RESULT(noDevice, NO_DEVICE);
MMC_RESULT(invalidDevice, INVALID_DEVICE);
MMC_RESULT(invalidImage, INVALID_IMAGE);
MMC_RESULT(invalidContext, INVALID_CONTEXT);
MMC_RESULT(mapFailed, MAP_FAILED);
MMC_RESULT(noBinaryForGpu, NO_BINARY_FOR_GPU);
MMC_RESULT(eccUncorrectable, ECC_UNCORRECTABLE);
MMC_RESULT(peerAccessUnsupported, PEER_ACCESS_UNSUPPORTED);
MMC_RESULT(invalidPtx, INVALID_PTX);
MMC_RESULT(invalidSource, INVALID_SOURCE);
MMC_RESULT(fileNotFound, FILE_NOT_FOUND);
MMC_RESULT(sharedObjectSymbolNotFound, SHARED_OBJECT_SYMBOL_NOT_FOUND);
MMC_RESULT(sharedObjectInitFailed, SHARED_OBJECT_INIT_FAILED);
MMC_RESULT(operatingSystem, OPERATING_SYSTEM);
MMC_RESULT(invalidHandle, INVALID_HANDLE);
MMC_RESULT(illegalState, ILLEGAL_STATE);
MMC_RESULT(notFound, NOT_FOUND);
MMC_RESULT(notReady, NOT_READY);
MMC_RESULT(illegalAddress, ILLEGAL_ADDRESS);
MMC_RESULT(launchOutOfResources, LAUNCH_OUT_OF_RESOURCES);
MMC_RESULT(launchTimeout, LAUNCH_TIMEOUT);
MMC_RESULT(peerAccessAlreadyEnabled, PEER_ACCESS_ALREADY_ENABLED);
MMC_RESULT(peerAccessNotEnabled, PEER_ACCESS_NOT_ENABLED);
MMC_RESULT(primaryContextActive, PRIMARY_CONTEXT_ACTIVE);
MMC_RESULT(contextIsDestroyed, CONTEXT_IS_DESTROYED);
MMC_RESULT(assertFailed, ASSERT);
MMC_RESULT(hostMemoryAlreadyRegistered, HOST_MEMORY_ALREADY_REGISTERED);
MMC_RESULT(hostMemoryNotRegistered, HOST_MEMORY_NOT_REGISTERED);
MMC_RESULT(hardwareStackError, HARDWARE_STACK_ERROR);
MMC_RESULT(illegalInstruction, ILLEGAL_INSTRUCTION);
MMC_RESULT(misalignedAddress, MISALIGNED_ADDRESS);
MMC_RESULT(invalidAddressSpace, INVALID_ADDRESS_SPACE);
MMC_RESULT(invalidProgramCounter, INVALID_PC);
MMC_RESULT(launchFailed, LAUNCH_FAILED);
MMC_RESULT(cooperativeLaunchTooLarge, COOPERATIVE_LAUNCH_TOO_LARGE);
MMC_RESULT(notPermitted, NOT_PERMITTED);
MMC_RESULT(notSupported, NOT_SUPPORTED);
MMC_RESULT(systemNotReady, SYSTEM_NOT_READY);
MMC_RESULT(systemDriverMismatch, SYSTEM_DRIVER_MISMATCH);
MMC_RESULT(streamCaptureUnsupported, STREAM_CAPTURE_UNSUPPORTED);
MMC_RESULT(streamCaptureInvalidated, STREAM_CAPTURE_INVALIDATED);
MMC_RESULT(streamCaptureMerge, STREAM_CAPTURE_MERGE);
MMC_RESULT(streamCaptureUnmatched, STREAM_CAPTURE_UNMATCHED);
MMC_RESULT(streamCaptureUnjoined, STREAM_CAPTURE_UNJOINED);
MMC_RESULT(streamCaptureIsolation, STREAM_CAPTURE_ISOLATION);
MMC_RESULT(streamCaptureImplicit, STREAM_CAPTURE_IMPLICIT);
MMC_RESULT(capturedEvent, CAPTURED_EVENT);
MMC_RESULT(streamCaptureWrongThread, STREAM_CAPTURE_WRONG_THREAD);
MMC_RESULT(timeout, TIMEOUT);
MMC_RESULT(invalidClusterSize, INVALID_CLUSTER_SIZE);
MMC_RESULT(functionNotLoaded, FUNCTION_NOT_LOADED);
MMC_RESULT(unknown, UNKNOWN);

#define MMC_DEVICE_ATTRIBUTE(ours, theirs) MMC_VALUE(DeviceAttribute::ours, CU_DEVICE_ATTRIBUTE_##theirs)
MMC_DEVICE_ATTRIBUTE(maxThreadsPerBlock, MAX_THREADS_PER_BLOCK);
MMC_DEVICE_ATTRIBUTE(maxSharedMemoryPerBlock, MAX_SHARED_MEMORY_PER_BLOCK);
MMC_DEVICE_ATTRIBUTE(warpSize, WARP_SIZE);
MMC_DEVICE_ATTRIBUTE(maxRegistersPerBlock, MAX_REGISTERS_PER_BLOCK);
MMC_DEVICE_ATTRIBUTE(clockRate, CLOCK_RATE);
MMC_DEVICE_ATTRIBUTE(multiprocessorCount, MULTIPROCESSOR_COUNT);
MMC_DEVICE_ATTRIBUTE(memoryClockRate, MEMORY_CLOCK_RATE);
MMC_DEVICE_ATTRIBUTE(globalMemoryBusWidth, GLOBAL_MEMORY_BUS_WIDTH);
MMC_DEVICE_ATTRIBUTE(l2CacheSize, L2_CACHE_SIZE);
MMC_DEVICE_ATTRIBUTE(maxThreadsPerMultiprocessor, MAX_THREADS_PER_MULTIPROCESSOR);
MMC_DEVICE_ATTRIBUTE(asyncEngineCount, ASYNC_ENGINE_COUNT);
MMC_DEVICE_ATTRIBUTE(computeCapabilityMajor, COMPUTE_CAPABILITY_MAJOR);
MMC_DEVICE_ATTRIBUTE(computeCapabilityMinor, COMPUTE_CAPABILITY_MINOR);
MMC_DEVICE_ATTRIBUTE(maxSharedMemoryPerMultiprocessor, MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
MMC_DEVICE_ATTRIBUTE(maxRegistersPerMultiprocessor, MAX_REGISTERS_PER_MULTIPROCESSOR);
MMC_DEVICE_ATTRIBUTE(cooperativeLaunch, COOPERATIVE_LAUNCH);
MMC_DEVICE_ATTRIBUTE(maxSharedMemoryPerBlockOptin, MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
MMC_DEVICE_ATTRIBUTE(maxBlocksPerMultiprocessor, MAX_BLOCKS_PER_MULTIPROCESSOR);
MMC_DEVICE_ATTRIBUTE(reservedSharedMemoryPerBlock, RESERVED_SHARED_MEMORY_PER_BLOCK);
MMC_DEVICE_ATTRIBUTE(clusterLaunch, CLUSTER_LAUNCH);
MMC_DEVICE_ATTRIBUTE(tensorMapAccessSupported, TENSOR_MAP_ACCESS_SUPPORTED);

#define MMC_FUNCTION_ATTRIBUTE(ours, theirs) MMC_VALUE(FunctionAttribute::ours, CU_FUNC_ATTRIBUTE_##theirs)
MMC_FUNCTION_ATTRIBUTE(maxThreadsPerBlock, MAX_THREADS_PER_BLOCK);
MMC_FUNCTION_ATTRIBUTE(sharedSizeBytes, SHARED_SIZE_BYTES);
MMC_FUNCTION_ATTRIBUTE(constSizeBytes, CONST_SIZE_BYTES);
MMC_FUNCTION_ATTRIBUTE(localSizeBytes, LOCAL_SIZE_BYTES);
MMC_FUNCTION_ATTRIBUTE(numRegisters, NUM_REGS);
MMC_FUNCTION_ATTRIBUTE(ptxVersion, PTX_VERSION);
MMC_FUNCTION_ATTRIBUTE(binaryVersion, BINARY_VERSION);
MMC_FUNCTION_ATTRIBUTE(maxDynamicSharedSizeBytes, MAX_DYNAMIC_SHARED_SIZE_BYTES);
MMC_FUNCTION_ATTRIBUTE(preferredSharedMemoryCarveout, PREFERRED_SHARED_MEMORY_CARVEOUT);
MMC_FUNCTION_ATTRIBUTE(clusterSizeMustBeSet, CLUSTER_SIZE_MUST_BE_SET);
MMC_FUNCTION_ATTRIBUTE(requiredClusterWidth, REQUIRED_CLUSTER_WIDTH);
MMC_FUNCTION_ATTRIBUTE(requiredClusterHeight, REQUIRED_CLUSTER_HEIGHT);
MMC_FUNCTION_ATTRIBUTE(requiredClusterDepth, REQUIRED_CLUSTER_DEPTH);
MMC_FUNCTION_ATTRIBUTE(nonPortableClusterSizeAllowed, NON_PORTABLE_CLUSTER_SIZE_ALLOWED);

MMC_VALUE(JitOption::infoLogBuffer, CU_JIT_INFO_LOG_BUFFER);
MMC_VALUE(JitOption::infoLogBufferSizeBytes, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES);
MMC_VALUE(JitOption::errorLogBuffer, CU_JIT_ERROR_LOG_BUFFER);
MMC_VALUE(JitOption::errorLogBufferSizeBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
MMC_VALUE(LaunchAttributeId::ignore, CU_LAUNCH_ATTRIBUTE_IGNORE);
MMC_VALUE(LaunchAttributeId::cooperative, CU_LAUNCH_ATTRIBUTE_COOPERATIVE);
MMC_VALUE(LaunchAttributeId::clusterDimension, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
MMC_VALUE(LaunchAttributeId::clusterSchedulingPolicyPreference,
          CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE);
MMC_VALUE(LaunchAttributeId::programmaticStreamSerialization, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
MMC_VALUE(LaunchAttributeId::programmaticEvent, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT);
MMC_VALUE(LaunchAttributeId::priority, CU_LAUNCH_ATTRIBUTE_PRIORITY);
MMC_VALUE(streamNonBlocking, CU_STREAM_NON_BLOCKING);
MMC_VALUE(eventDefault, CU_EVENT_DEFAULT);
MMC_VALUE(eventBlockingSync, CU_EVENT_BLOCKING_SYNC);
MMC_VALUE(eventDisableTiming, CU_EVENT_DISABLE_TIMING);
MMC_VALUE(hostAllocPortable, CU_MEMHOSTALLOC_PORTABLE);
MMC_VALUE(hostAllocDeviceMap, CU_MEMHOSTALLOC_DEVICEMAP);
MMC_VALUE(hostAllocWriteCombined, CU_MEMHOSTALLOC_WRITECOMBINED);
MMC_VALUE(hostRegisterPortable, CU_MEMHOSTREGISTER_PORTABLE);
MMC_VALUE(hostRegisterDeviceMap, CU_MEMHOSTREGISTER_DEVICEMAP);
MMC_VALUE(hostRegisterReadOnly, CU_MEMHOSTREGISTER_READ_ONLY);
MMC_VALUE(CaptureMode::global, CU_STREAM_CAPTURE_MODE_GLOBAL);
MMC_VALUE(CaptureMode::threadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
MMC_VALUE(CaptureMode::relaxed, CU_STREAM_CAPTURE_MODE_RELAXED);
MMC_VALUE(CaptureStatus::none, CU_STREAM_CAPTURE_STATUS_NONE);
MMC_VALUE(CaptureStatus::active, CU_STREAM_CAPTURE_STATUS_ACTIVE);
MMC_VALUE(CaptureStatus::invalidated, CU_STREAM_CAPTURE_STATUS_INVALIDATED);

#define MMC_TENSOR(ours, theirs) MMC_VALUE(ours, CU_TENSOR_MAP_##theirs)
MMC_TENSOR(TensorElement::u8, DATA_TYPE_UINT8);
MMC_TENSOR(TensorElement::u16, DATA_TYPE_UINT16);
MMC_TENSOR(TensorElement::u32, DATA_TYPE_UINT32);
MMC_TENSOR(TensorElement::s32, DATA_TYPE_INT32);
MMC_TENSOR(TensorElement::u64, DATA_TYPE_UINT64);
MMC_TENSOR(TensorElement::s64, DATA_TYPE_INT64);
MMC_TENSOR(TensorElement::f16, DATA_TYPE_FLOAT16);
MMC_TENSOR(TensorElement::f32, DATA_TYPE_FLOAT32);
MMC_TENSOR(TensorElement::f64, DATA_TYPE_FLOAT64);
MMC_TENSOR(TensorElement::bf16, DATA_TYPE_BFLOAT16);
MMC_TENSOR(TensorElement::f32Flushed, DATA_TYPE_FLOAT32_FTZ);
MMC_TENSOR(TensorElement::tf32, DATA_TYPE_TFLOAT32);
MMC_TENSOR(TensorElement::tf32Flushed, DATA_TYPE_TFLOAT32_FTZ);
MMC_TENSOR(TensorInterleave::none, INTERLEAVE_NONE);
MMC_TENSOR(TensorInterleave::bytes16, INTERLEAVE_16B);
MMC_TENSOR(TensorInterleave::bytes32, INTERLEAVE_32B);
MMC_TENSOR(TensorSwizzle::none, SWIZZLE_NONE);
MMC_TENSOR(TensorSwizzle::bytes32, SWIZZLE_32B);
MMC_TENSOR(TensorSwizzle::bytes64, SWIZZLE_64B);
MMC_TENSOR(TensorSwizzle::bytes128, SWIZZLE_128B);
MMC_TENSOR(TensorL2Promotion::none, L2_PROMOTION_NONE);
MMC_TENSOR(TensorL2Promotion::bytes64, L2_PROMOTION_L2_64B);
MMC_TENSOR(TensorL2Promotion::bytes128, L2_PROMOTION_L2_128B);
MMC_TENSOR(TensorL2Promotion::bytes256, L2_PROMOTION_L2_256B);
MMC_TENSOR(TensorFill::zeros, FLOAT_OOB_FILL_NONE);
MMC_TENSOR(TensorFill::nan, FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA);

TEST(DriverTypes, TheStubLibraryExportsEverySymbol) {
  void *stub = dlopen(MMC_CUDA_STUB, RTLD_NOW | RTLD_LOCAL);
  if (!stub) GTEST_SKIP() << "signatures are compared, but this toolkit has no " MMC_CUDA_STUB;
  for (const char *name : kSymbolNames) EXPECT_TRUE(dlsym(stub, name)) << name;
}

} // namespace

#else

TEST(DriverTypes, AgreeWithTheToolkit) { GTEST_SKIP() << "no cuda.h here: types and signatures are not compared"; }

#endif
