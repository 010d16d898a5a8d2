// Names and sentences of errors. The names are the driver's; the sentences are ours.
#include "runtime/cuda/emulation/driver/Entries.h"

namespace mmc::cuda {

namespace {

struct Text {
  Result result;
  const char *name, *text;
};

constexpr Text kTexts[] = {
    {Result::success, "CUDA_SUCCESS", "no error"},
    {Result::invalidValue, "CUDA_ERROR_INVALID_VALUE", "an argument is out of range"},
    {Result::outOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {Result::notInitialised, "CUDA_ERROR_NOT_INITIALIZED", "cuInit has not been called"},
    {Result::deinitialised, "CUDA_ERROR_DEINITIALIZED", "the driver is shutting down"},
    {Result::noDevice, "CUDA_ERROR_NO_DEVICE", "there is no device"},
    {Result::invalidDevice, "CUDA_ERROR_INVALID_DEVICE", "there is no such device"},
    {Result::invalidImage, "CUDA_ERROR_INVALID_IMAGE", "the module's image is not valid"},
    {Result::invalidContext, "CUDA_ERROR_INVALID_CONTEXT", "no context is current, or not a valid one"},
    {Result::noBinaryForGpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", "the image is not for this device"},
    {Result::peerAccessUnsupported, "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED", "the devices cannot access each other"},
    {Result::sharedObjectSymbolNotFound, "CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND",
     "a symbol of the image cannot be resolved"},
    {Result::sharedObjectInitFailed, "CUDA_ERROR_SHARED_OBJECT_INIT_FAILED", "the image cannot be initialised"},
    {Result::operatingSystem, "CUDA_ERROR_OPERATING_SYSTEM", "a call of the operating system failed"},
    {Result::invalidHandle, "CUDA_ERROR_INVALID_HANDLE", "the handle is not valid"},
    {Result::illegalState, "CUDA_ERROR_ILLEGAL_STATE", "the object is not in a state for this call"},
    {Result::notFound, "CUDA_ERROR_NOT_FOUND", "there is nothing of that name"},
    {Result::notReady, "CUDA_ERROR_NOT_READY", "the work is not done yet"},
    {Result::illegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "a kernel accessed memory that is not there"},
    {Result::launchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "the launch asks for too much"},
    {Result::launchTimeout, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch took too long"},
    {Result::peerAccessAlreadyEnabled, "CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED", "peer access is enabled already"},
    {Result::peerAccessNotEnabled, "CUDA_ERROR_PEER_ACCESS_NOT_ENABLED", "peer access is not enabled"},
    {Result::primaryContextActive, "CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE", "the primary context is active"},
    {Result::contextIsDestroyed, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "the context has been destroyed"},
    {Result::hostMemoryAlreadyRegistered, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED",
     "the memory is registered already"},
    {Result::hostMemoryNotRegistered, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED", "the memory is not registered"},
    {Result::misalignedAddress, "CUDA_ERROR_MISALIGNED_ADDRESS", "a kernel made a misaligned access"},
    {Result::launchFailed, "CUDA_ERROR_LAUNCH_FAILED", "a launch failed"},
    {Result::notPermitted, "CUDA_ERROR_NOT_PERMITTED", "the call is not permitted"},
    {Result::notSupported, "CUDA_ERROR_NOT_SUPPORTED", "the emulated device does not support this"},
    {Result::systemNotReady, "CUDA_ERROR_SYSTEM_NOT_READY", "the system is not ready"},
    {Result::streamCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
     "the call is not permitted while a stream captures"},
    {Result::streamCaptureInvalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "an earlier error has invalidated the capture"},
    {Result::streamCaptureMerge, "CUDA_ERROR_STREAM_CAPTURE_MERGE", "the call would merge two captures"},
    {Result::streamCaptureUnmatched, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "the capture was not begun in this stream"},
    {Result::streamCaptureUnjoined, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED",
     "a stream of the capture was not joined by the one that began it"},
    {Result::streamCaptureIsolation, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION",
     "the capture would depend on work outside of it"},
    {Result::streamCaptureImplicit, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
     "the capture would depend on the default stream"},
    {Result::capturedEvent, "CUDA_ERROR_CAPTURED_EVENT", "the event was recorded in a capture"},
    {Result::streamCaptureWrongThread, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD",
     "the capture was begun by another thread"},
    {Result::invalidClusterSize, "CUDA_ERROR_INVALID_CLUSTER_SIZE", "the device cannot run clusters of this size"},
    {Result::unknown, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const Text *find(Result result) {
  for (const Text &text : kTexts)
    if (text.result == result) return &text;
  return nullptr;
}

} // namespace

extern "C" {

Result cuGetErrorName(Result error, const char **name) {
  if (!name) return Result::invalidValue;
  const Text *text = find(error);
  *name = text ? text->name : nullptr;
  return text ? Result::success : Result::invalidValue;
}

Result cuGetErrorString(Result error, const char **string) {
  if (!string) return Result::invalidValue;
  const Text *text = find(error);
  *string = text ? text->text : nullptr;
  return text ? Result::success : Result::invalidValue;
}

} // extern "C"
} // namespace mmc::cuda
