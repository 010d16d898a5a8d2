// Implements opening the driver. NOTE: the toolkit has a stub library of the same name that programs link with; it
// loads, and says what it is when it is initialised.
#include "runtime/cuda/driver/DriverApi.h"

#include "runtime/src/Errors.h"

#include <dlfcn.h>

namespace mmc::cuda {

using runtime::Expected;
using runtime::Status;

namespace {

std::string versionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// The text that a driver function gives for an error; the number where it has none.
std::string textOf(Result(function)(Result, const char **), Result result) {
  const char *text = nullptr;
  if (function(result, &text) == Result::success && text) return text;
  return "error " + std::to_string(unsigned(result));
}

Status resolve(void *library, DriverApi &api) {
  const char *missing = nullptr;
#define MMC_RESOLVE(field, symbol, ...)                                                                                \
  api.field = reinterpret_cast<decltype(api.field)>(dlsym(library, #symbol));                                          \
  if (!api.field && !missing) missing = #symbol;
  MMC_CUDA_DRIVER_ENTRIES(MMC_RESOLVE)
#undef MMC_RESOLVE
  if (!missing) return {};
  // A driver that is too old says so better than a name does.
  int version = 0;
  std::string found = api.path + " lacks " + missing;
  if (api.driverGetVersion && api.driverGetVersion(&version) == Result::success)
    found += "; it is a driver for CUDA " + versionText(version);
  return Status(runtime::kCudaDriverTooOld, found + ", expected CUDA " + versionText(kOldestDriver) + " or newer");
}

Status initialise(DriverApi &api) {
  if (const Result result = api.driverGetVersion(&api.version); result == Result::stubLibrary)
    return Status(runtime::kNoCudaDriver, api.path + " is the toolkit's stub for linking, not a driver");
  else if (result != Result::success)
    return statusOf(api, result, "cuDriverGetVersion");
  if (api.version < kOldestDriver)
    return Status(runtime::kCudaDriverTooOld, api.path + " is a driver for CUDA " + versionText(api.version) +
                                                  ", expected " + versionText(kOldestDriver) + " or newer");
  switch (const Result result = api.init(0)) {
  case Result::success:
    return {};
  case Result::stubLibrary:
    return Status(runtime::kNoCudaDriver, api.path + " is the toolkit's stub for linking, not a driver");
  case Result::noDevice:
  case Result::deviceUnavailable:
    return Status(runtime::kNoCudaDevice, "the CUDA driver finds no device", {}, textOf(api.getErrorString, result));
  default:
    return statusOf(api, result, "cuInit");
  }
}

} // namespace

Status statusOf(const DriverApi &api, Result result, const char *call) {
  if (result == Result::success) return {};
  const bool memory = result == Result::outOfMemory;
  return Status(memory ? runtime::kDeviceMemoryExhausted : runtime::kCudaCall,
                std::string(call) + " failed: " + textOf(api.getErrorName, result), {},
                textOf(api.getErrorString, result));
}

Expected<std::shared_ptr<const DriverApi>> openDriver(const std::string &path) {
  // A name is looked up by the loader; nothing of the driver may take the place of symbols of this process.
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *cause = dlerror();
    return Status(runtime::kNoCudaDriver, "this machine has no CUDA driver: cannot open " + path, {},
                  cause ? cause : "");
  }
  auto api = std::make_shared<DriverApi>();
  api->path = path;
  MMC_RETURN_IF_ERROR(resolve(library, *api));
  MMC_RETURN_IF_ERROR(initialise(*api));
  return std::shared_ptr<const DriverApi>(std::move(api));
}

} // namespace mmc::cuda
