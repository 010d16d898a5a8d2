// cuInit, the version, devices and their attributes: an sm_90 whose number of SMs is set, so that persistent grids stay
// small.
#include "runtime/cuda/emulation/core/Machine.h"
#include "runtime/cuda/emulation/driver/Entries.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace mmc::emu::driver;

namespace mmc::cuda {

namespace {

template <class Body> Result onDevice(Device device, Body body) {
  return call(CallKind::asks, [&] {
    if (device < 0 || uint32_t(device) >= process().devices) return Result::invalidDevice;
    return body();
  });
}

struct Attribute {
  unsigned number;
  int value;
};
/// Those that the runtime's types do not name are numbers of the driver's.
constexpr Attribute kAttributes[] = {
    {unsigned(DeviceAttribute::maxThreadsPerBlock), 1024},
    {2, 1024}, // a block's axes
    {3, 1024},
    {4, 64},
    {5, 0x7fffffff}, // a grid's
    {6, 65535},
    {7, 65535},
    {unsigned(DeviceAttribute::maxSharedMemoryPerBlock), 48 << 10},
    {9, 64 << 10}, // constant memory
    {unsigned(DeviceAttribute::warpSize), 32},
    {unsigned(DeviceAttribute::maxRegistersPerBlock), 64 << 10},
    {unsigned(DeviceAttribute::clockRate), 1755000},
    {17, 0}, // no limit of run time
    {18, 0}, // not integrated
    {19, 1}, // maps host memory
    {20, 0}, // default compute mode
    {31, 1}, // streams are concurrent
    {unsigned(DeviceAttribute::memoryClockRate), 2619000},
    {unsigned(DeviceAttribute::globalMemoryBusWidth), 5120},
    {unsigned(DeviceAttribute::l2CacheSize), 50 << 20},
    {unsigned(DeviceAttribute::maxThreadsPerMultiprocessor), 2048},
    {unsigned(DeviceAttribute::asyncEngineCount), 3},
    {41, 1}, // one address space
    {unsigned(DeviceAttribute::computeCapabilityMajor), 9},
    {unsigned(DeviceAttribute::computeCapabilityMinor), 0},
    {78, 1}, // streams have priorities
    {unsigned(DeviceAttribute::maxSharedMemoryPerMultiprocessor), 233472},
    {unsigned(DeviceAttribute::maxRegistersPerMultiprocessor), 64 << 10},
    {83, 0}, // no managed memory
    {unsigned(DeviceAttribute::cooperativeLaunch), 0},
    {unsigned(DeviceAttribute::maxSharedMemoryPerBlockOptin), int(mmc::emu::kMaxSharedBytes)},
    {unsigned(DeviceAttribute::maxBlocksPerMultiprocessor), 32},
    {unsigned(DeviceAttribute::reservedSharedMemoryPerBlock), 1024},
    {115, 0}, // no memory pools
    {unsigned(DeviceAttribute::clusterLaunch), 1},
    {unsigned(DeviceAttribute::tensorMapAccessSupported), 1},
};

} // namespace

extern "C" {

Result cuInit(unsigned flags) {
  std::lock_guard lock(process().mutex);
  if (flags) return Result::invalidValue;
  return initialise();
}

Result cuDriverGetVersion(int *version) {
  if (!version) return Result::invalidValue;
  *version = kVersion;
  return Result::success;
}

Result cuDeviceGetCount(int *count) {
  return call(CallKind::asks, [&] {
    if (!count) return Result::invalidValue;
    *count = int(process().devices);
    return Result::success;
  });
}

Result cuDeviceGet(Device *device, int ordinal) {
  return onDevice(ordinal, [&] {
    if (!device) return Result::invalidValue;
    *device = ordinal;
    return Result::success;
  });
}

Result cuDeviceGetName(char *name, int bytes, Device device) {
  return onDevice(device, [&] {
    if (!name || bytes <= 0) return Result::invalidValue;
    std::snprintf(name, size_t(bytes), "mmc emulated device %d", device);
    return Result::success;
  });
}

Result cuDeviceGetUuid_v2(Uuid *uuid, Device device) {
  return onDevice(device, [&] {
    if (!uuid) return Result::invalidValue;
    std::memcpy(uuid->bytes, "mmc-emulated-000", sizeof uuid->bytes);
    uuid->bytes[14] = char('0' + device / 10);
    uuid->bytes[15] = char('0' + device % 10);
    return Result::success;
  });
}

Result cuDeviceGetUuid(Uuid *uuid, Device device) { return cuDeviceGetUuid_v2(uuid, device); }

Result cuDeviceGetAttribute(int *value, DeviceAttribute attribute, Device device) {
  return onDevice(device, [&] {
    if (!value) return Result::invalidValue;
    if (attribute == DeviceAttribute::multiprocessorCount) {
      *value = int(emu::machineOptions().sms);
      return Result::success;
    }
    const auto *at = std::find_if(std::begin(kAttributes), std::end(kAttributes),
                                  [&](const Attribute &a) { return a.number == unsigned(attribute); });
    if (at == std::end(kAttributes)) return Result::invalidValue;
    *value = at->value;
    return Result::success;
  });
}

Result cuDeviceTotalMem_v2(size_t *bytes, Device device) {
  return onDevice(device, [&] {
    if (!bytes) return Result::invalidValue;
    *bytes = emu::machineOptions().globalBytes;
    return Result::success;
  });
}

Result cuDeviceCanAccessPeer(int *can, Device device, Device peer) {
  return onDevice(device, [&] {
    if (!can) return Result::invalidValue;
    if (peer < 0 || uint32_t(peer) >= process().devices) return Result::invalidDevice;
    *can = device != peer;
    return Result::success;
  });
}

} // extern "C"
} // namespace mmc::cuda
