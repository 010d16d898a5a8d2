// Implements devices and what they own. Releases are not checked: there is nobody to tell, and where one fails because
// the context has ended, everything in it has gone with it.
#include "runtime/cuda/session/DeviceContext.h"

#include "runtime/src/Errors.h"

#include <algorithm>

namespace mmc::cuda {

bool endsContext(Result result) {
  switch (result) {
  case Result::deinitialised:
  case Result::eccUncorrectable:
  case Result::illegalAddress:
  case Result::launchTimeout:
  case Result::contextIsDestroyed:
  case Result::assertFailed:
  case Result::hardwareStackError:
  case Result::illegalInstruction:
  case Result::misalignedAddress:
  case Result::invalidAddressSpace:
  case Result::invalidProgramCounter:
  case Result::launchFailed:
  case Result::unknown:
    return true;
  default:
    return false;
  }
}

Expected<std::shared_ptr<DeviceContext>> DeviceContext::open(std::shared_ptr<const DriverApi> api, int ordinal) {
  std::shared_ptr<DeviceContext> device(new DeviceContext);
  device->api = std::move(api);
  device->ordinal = ordinal;
  int count = 0;
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, deviceGetCount, (&count), "counting the devices"));
  if (ordinal >= count) return Status(runtime::kNoCudaDevice, "the CUDA driver finds no device");
  MMC_RETURN_IF_ERROR(device->readAttributes());
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, devicePrimaryCtxRetain, (&device->context, ordinal),
                                    "making a context on " + device->label));
  return device;
}

Status DeviceContext::readAttributes() {
  char text[128] = {};
  MMC_RETURN_IF_ERROR(
      MMC_CUDA_CALL(*this, deviceGetName, (text, int(sizeof text) - 1, ordinal), "asking for the device's name"));
  label = "device " + std::to_string(ordinal) + " (" + text + ")";
  const std::pair<DeviceAttribute, uint32_t *> wanted[] = {
      {DeviceAttribute::computeCapabilityMajor, &capabilityMajor},
      {DeviceAttribute::computeCapabilityMinor, &capabilityMinor},
      {DeviceAttribute::multiprocessorCount, &sms},
      {DeviceAttribute::maxSharedMemoryPerBlockOptin, &sharedBytes}};
  for (const auto &[attribute, to] : wanted) {
    int value = 0;
    MMC_RETURN_IF_ERROR(
        MMC_CUDA_CALL(*this, deviceGetAttribute, (&value, attribute, ordinal), "asking what " + label + " has"));
    *to = uint32_t(std::max(value, 0));
  }
  return {};
}

DeviceContext::~DeviceContext() {
  if (context) api->devicePrimaryCtxRelease(ordinal);
}

DeviceContext::Scope::Scope(const DeviceContext &device) : device(device), entered(device.ready()) {
  if (!entered.ok()) return;
  auto doing = [&] { return "making the context of " + device.label + " current"; };
  entered = device.check(device.api->ctxGetCurrent(&former), symbols::ctxGetCurrent, doing);
  if (!entered.ok() || former == device.context) return;
  entered = device.check(device.api->ctxSetCurrent(device.context), symbols::ctxSetCurrent, doing);
  changed = entered.ok();
}

DeviceContext::Scope::~Scope() {
  if (changed) device.api->ctxSetCurrent(former);
}

Status DeviceContext::ready() const {
  if (!ended.load(std::memory_order_acquire)) return {};
  std::lock_guard lock(mutex);
  return reason;
}

Status DeviceContext::fail(Result result, const char *call, const std::string &doing) const {
  const char *name = nullptr, *text = nullptr;
  if (api->getErrorName(result, &name) != Result::success || !name) name = "an unknown error";
  if (api->getErrorString(result, &text) != Result::success || !text) text = "";
  const std::string message = doing + ": " + call + " failed: " + name;
  const bool memory = result == Result::outOfMemory;
  if (endsContext(result)) {
    std::lock_guard lock(mutex);
    if (!ended) reason = Status(runtime::kCudaContextLost, "the CUDA context has ended: " + message, {}, text);
    ended.store(true, std::memory_order_release);
  }
  return Status(memory ? runtime::kDeviceMemoryExhausted : runtime::kCudaCall, message, {}, text);
}

// ----------------------------------------------------------------------------------------------------------------
// memory

Expected<DeviceMemory> DeviceMemory::allocate(std::shared_ptr<const DeviceContext> device, uint64_t bytes,
                                              const std::string &what) {
  DeviceMemory memory;
  if (!bytes) return memory;
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, memAlloc, (&memory.pointer, bytes),
                                    "allocating " + std::to_string(bytes) + " bytes of device memory for " + what));
  memory.length = bytes;
  memory.device = std::move(device);
  return memory;
}

DeviceMemory::~DeviceMemory() {
  if (!length) return;
  DeviceContext::Scope scope(*device);
  device->driver().memFree(pointer);
}

DeviceMemory::DeviceMemory(DeviceMemory &&other) noexcept { *this = std::move(other); }

DeviceMemory &DeviceMemory::operator=(DeviceMemory &&other) noexcept {
  std::swap(device, other.device);
  std::swap(pointer, other.pointer);
  std::swap(length, other.length);
  return *this;
}

Expected<PinnedMemory> PinnedMemory::allocate(std::shared_ptr<const DeviceContext> device, uint64_t bytes,
                                              const std::string &what) {
  PinnedMemory memory;
  if (!bytes) return memory;
  MMC_RETURN_IF_ERROR(
      MMC_CUDA_CALL(*device, memHostAlloc, (&memory.pointer, bytes, 0),
                    "allocating " + std::to_string(bytes) + " bytes of page-locked memory for " + what));
  memory.length = bytes;
  memory.device = std::move(device);
  return memory;
}

PinnedMemory::~PinnedMemory() {
  if (!length) return;
  DeviceContext::Scope scope(*device);
  device->driver().memFreeHost(pointer);
}

PinnedMemory::PinnedMemory(PinnedMemory &&other) noexcept { *this = std::move(other); }

PinnedMemory &PinnedMemory::operator=(PinnedMemory &&other) noexcept {
  std::swap(device, other.device);
  std::swap(pointer, other.pointer);
  std::swap(length, other.length);
  return *this;
}

// ----------------------------------------------------------------------------------------------------------------
// streams and events

Expected<OwnedStream> OwnedStream::create(std::shared_ptr<const DeviceContext> device) {
  OwnedStream made;
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, streamCreateWithPriority, (&made.stream, streamNonBlocking, 0),
                                    "making a stream on " + device->name()));
  made.device = std::move(device);
  return made;
}

OwnedStream::~OwnedStream() {
  if (!stream) return;
  DeviceContext::Scope scope(*device);
  device->driver().streamDestroy(stream);
}

OwnedStream::OwnedStream(OwnedStream &&other) noexcept { *this = std::move(other); }

OwnedStream &OwnedStream::operator=(OwnedStream &&other) noexcept {
  std::swap(device, other.device);
  std::swap(stream, other.stream);
  return *this;
}

Expected<OwnedEvent> OwnedEvent::create(std::shared_ptr<const DeviceContext> device) {
  OwnedEvent made;
  MMC_RETURN_IF_ERROR(
      MMC_CUDA_CALL(*device, eventCreate, (&made.event, eventDisableTiming), "making an event on " + device->name()));
  made.device = std::move(device);
  return made;
}

OwnedEvent::~OwnedEvent() {
  if (!event) return;
  DeviceContext::Scope scope(*device);
  device->driver().eventDestroy(event);
}

OwnedEvent::OwnedEvent(OwnedEvent &&other) noexcept { *this = std::move(other); }

OwnedEvent &OwnedEvent::operator=(OwnedEvent &&other) noexcept {
  std::swap(device, other.device);
  std::swap(event, other.event);
  return *this;
}

} // namespace mmc::cuda
