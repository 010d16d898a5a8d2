// Types and enumerations of the CUDA driver's interface, declared here so that nothing of NVIDIA's toolkit is needed to
// build the runtime or the emulated driver. Only what is used; the numbers and layouts are the driver's ABI.
//
// Handles are pointers to tags that only the driver completes; they have the driver's names, so that a signature here
// is the same type as there. Invariant: test/Cuda/DriverTypesTest.cpp compares every size, value and signature with
// cuda.h where that is installed.
#pragma once

#include <cstddef>
#include <cstdint>

struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUstream_st;
struct CUevent_st;
struct CUgraph_st;
struct CUgraphExec_st;

namespace mmc::cuda {

using Device = int; // an ordinal
using DevicePointer = unsigned long long;
using Context = CUctx_st *;
using Module = CUmod_st *;
using Function = CUfunc_st *;
using Stream = CUstream_st *;
using Event = CUevent_st *;
using Graph = CUgraph_st *;
using GraphExec = CUgraphExec_st *;

/// CUresult; values that are not named here exist.
enum class Result : unsigned {
  success = 0,
  invalidValue = 1,
  outOfMemory = 2,
  notInitialised = 3,
  deinitialised = 4,
  stubLibrary = 34,
  callRequiresNewerDriver = 36,
  deviceUnavailable = 46,
  noDevice = 100,
  invalidDevice = 101,
  invalidImage = 200,
  invalidContext = 201,
  mapFailed = 205,
  noBinaryForGpu = 209,
  eccUncorrectable = 214,
  peerAccessUnsupported = 217,
  invalidPtx = 218,
  invalidSource = 300,
  fileNotFound = 301,
  sharedObjectSymbolNotFound = 302,
  sharedObjectInitFailed = 303,
  operatingSystem = 304,
  invalidHandle = 400,
  illegalState = 401,
  notFound = 500,
  notReady = 600,
  illegalAddress = 700,
  launchOutOfResources = 701,
  launchTimeout = 702,
  peerAccessAlreadyEnabled = 704,
  peerAccessNotEnabled = 705,
  primaryContextActive = 708,
  contextIsDestroyed = 709,
  assertFailed = 710,
  hostMemoryAlreadyRegistered = 712,
  hostMemoryNotRegistered = 713,
  hardwareStackError = 714,
  illegalInstruction = 715,
  misalignedAddress = 716,
  invalidAddressSpace = 717,
  invalidProgramCounter = 718,
  launchFailed = 719,
  cooperativeLaunchTooLarge = 720,
  notPermitted = 800,
  notSupported = 801,
  systemNotReady = 802,
  systemDriverMismatch = 803,
  streamCaptureUnsupported = 900,
  streamCaptureInvalidated = 901,
  streamCaptureMerge = 902,
  streamCaptureUnmatched = 903,
  streamCaptureUnjoined = 904,
  streamCaptureIsolation = 905,
  streamCaptureImplicit = 906,
  capturedEvent = 907,
  streamCaptureWrongThread = 908,
  timeout = 909,
  invalidClusterSize = 912,
  functionNotLoaded = 913,
  unknown = 999
};

/// CUdevice_attribute
enum class DeviceAttribute : unsigned {
  maxThreadsPerBlock = 1,
  maxSharedMemoryPerBlock = 8,
  warpSize = 10,
  maxRegistersPerBlock = 12,
  clockRate = 13, // kHz
  multiprocessorCount = 16,
  memoryClockRate = 36, // kHz
  globalMemoryBusWidth = 37,
  l2CacheSize = 38,
  maxThreadsPerMultiprocessor = 39,
  asyncEngineCount = 40,
  computeCapabilityMajor = 75,
  computeCapabilityMinor = 76,
  maxSharedMemoryPerMultiprocessor = 81,
  maxRegistersPerMultiprocessor = 82,
  cooperativeLaunch = 95,
  maxSharedMemoryPerBlockOptin = 97,
  maxBlocksPerMultiprocessor = 106,
  reservedSharedMemoryPerBlock = 111,
  clusterLaunch = 120,
  tensorMapAccessSupported = 127
};

/// CUfunction_attribute
enum class FunctionAttribute : unsigned {
  maxThreadsPerBlock = 0,
  sharedSizeBytes = 1,
  constSizeBytes = 2,
  localSizeBytes = 3,
  numRegisters = 4,
  ptxVersion = 5,
  binaryVersion = 6,
  maxDynamicSharedSizeBytes = 8,
  preferredSharedMemoryCarveout = 9,
  clusterSizeMustBeSet = 10,
  requiredClusterWidth = 11,
  requiredClusterHeight = 12,
  requiredClusterDepth = 13,
  nonPortableClusterSizeAllowed = 14
};

/// CUjit_option, of module loads.
enum class JitOption : unsigned {
  infoLogBuffer = 3,
  infoLogBufferSizeBytes = 4,
  errorLogBuffer = 5,
  errorLogBufferSizeBytes = 6
};

/// CUlaunchAttributeID
enum class LaunchAttributeId : unsigned {
  ignore = 0,
  cooperative = 2,
  clusterDimension = 4,
  clusterSchedulingPolicyPreference = 5,
  programmaticStreamSerialization = 6,
  programmaticEvent = 7,
  priority = 8
};

/// CUlaunchAttributeValue: as many bytes as every attribute ever needs.
union LaunchAttributeValue {
  char pad[64];
  int cooperative;
  struct {
    unsigned x, y, z;
  } clusterDimension;
  int programmaticStreamSerialization; // 1: the launch may begin before its predecessors in the stream have ended
  struct {
    Event event;
    int flags;
    int triggerAtBlockStart;
  } programmaticEvent;
  int priority;
};

/// CUlaunchAttribute
struct LaunchAttribute {
  LaunchAttributeId id;
  char pad[4];
  LaunchAttributeValue value;
};

/// CUlaunchConfig
struct LaunchConfig {
  unsigned gridX, gridY, gridZ;    // blocks
  unsigned blockX, blockY, blockZ; // threads
  unsigned sharedBytes;            // dynamic
  Stream stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

/// CUuuid
struct Uuid {
  char bytes[16];
};

/// Flags of streams, events, waits, page-locked memory; they are passed as unsigned.
enum StreamFlag : unsigned { streamNonBlocking = 1 };
enum EventFlag : unsigned { eventDefault = 0, eventBlockingSync = 1, eventDisableTiming = 2 };
enum HostAllocFlag : unsigned { hostAllocPortable = 1, hostAllocDeviceMap = 2, hostAllocWriteCombined = 4 };
enum HostRegisterFlag : unsigned { hostRegisterPortable = 1, hostRegisterDeviceMap = 2, hostRegisterReadOnly = 8 };

/// CUstreamCaptureMode, CUstreamCaptureStatus
enum class CaptureMode : unsigned { global = 0, threadLocal = 1, relaxed = 2 };
enum class CaptureStatus : unsigned { none = 0, active = 1, invalidated = 2 };

/// CUtensorMap and the enumerations of its encoder.
struct alignas(128) TensorMap {
  uint64_t opaque[16];
};
enum class TensorElement : unsigned {
  u8 = 0,
  u16 = 1,
  u32 = 2,
  s32 = 3,
  u64 = 4,
  s64 = 5,
  f16 = 6,
  f32 = 7,
  f64 = 8,
  bf16 = 9,
  f32Flushed = 10,
  tf32 = 11,
  tf32Flushed = 12
};
enum class TensorInterleave : unsigned { none = 0, bytes16 = 1, bytes32 = 2 };
enum class TensorSwizzle : unsigned { none = 0, bytes32 = 1, bytes64 = 2, bytes128 = 3 };
enum class TensorL2Promotion : unsigned { none = 0, bytes64 = 1, bytes128 = 2, bytes256 = 3 };
enum class TensorFill : unsigned { zeros = 0, nan = 1 };

} // namespace mmc::cuda
