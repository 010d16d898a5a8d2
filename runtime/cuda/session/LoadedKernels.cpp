// Loads kernels. What is wrong with an image that its form does not show, the driver says, and the plan's description
// of launches is compared with what was compiled, before anything is launched.
#include "runtime/cuda/session/LoadedKernels.h"

#include "runtime/src/Errors.h"

#include <algorithm>

namespace mmc::cuda {

using runtime::Extent;
using runtime::ExtentKind;
using runtime::Kernel;
using runtime::PlanTables;

Expected<std::shared_ptr<const LoadedKernels>> LoadedKernels::load(std::shared_ptr<DeviceContext> device,
                                                                   const PlanTables &plan, size_t variant,
                                                                   std::span<const uint8_t> images) {
  std::shared_ptr<LoadedKernels> loaded(new LoadedKernels);
  loaded->where = std::move(device);
  DeviceContext::Scope scope(*loaded->where);
  MMC_RETURN_IF_ERROR(scope.status());
  loaded->modules.resize(plan.deviceImages.size());
  for (size_t i = 0; i < plan.deviceImages.size(); ++i)
    if (plan.deviceImages[i].variant == variant) MMC_RETURN_IF_ERROR(loaded->loadImage(plan, i, images));
  for (const Kernel &kernel : plan.kernels) MMC_RETURN_IF_ERROR(loaded->loadFunction(kernel, variant));
  return std::shared_ptr<const LoadedKernels>(std::move(loaded));
}

LoadedKernels::~LoadedKernels() {
  DeviceContext::Scope scope(*where);
  for (Module module : modules)
    if (module) where->driver().moduleUnload(module);
}

Status LoadedKernels::loadImage(const PlanTables &plan, size_t image, std::span<const uint8_t> images) {
  char log[1024] = {};
  JitOption options[] = {JitOption::errorLogBuffer, JitOption::errorLogBufferSizeBytes};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log - 1)};
  const uint8_t *bytes = images.data() + plan.deviceImages[image].offset;
  const Result result = where->driver().moduleLoadDataEx(&modules[image], bytes, 2, options, values);
  const std::string who =
      "device image " + std::to_string(image) + " (" + plan.variants[plan.deviceImages[image].variant] + ")";
  if (result == Result::noBinaryForGpu)
    return Status(runtime::kVariantMissing, who + " does not run on " + where->name(), {}, log);
  if (result == Result::invalidImage || result == Result::sharedObjectSymbolNotFound)
    return Status(runtime::kDeviceImageForm, who + ": the driver refuses it", {}, log);
  return where->check(result, symbols::moduleLoadDataEx, [&] { return "loading " + who; });
}

Status LoadedKernels::loadFunction(const Kernel &kernel, size_t variant) {
  const std::string who = "kernel '" + kernel.symbols[variant] + "'";
  LoadedFunction loaded{nullptr, kernel.functions[variant]};
  const Result found = where->driver().moduleGetFunction(&loaded.function, modules[loaded.launch.image],
                                                         kernel.symbols[variant].c_str());
  if (found == Result::notFound)
    return Status(runtime::kDeviceImageSymbol,
                  "device image " + std::to_string(loaded.launch.image) + ": " + who + " is missing");
  MMC_RETURN_IF_ERROR(where->check(found, symbols::moduleGetFunction, [&] { return "looking up " + who; }));
  MMC_RETURN_IF_ERROR(checkParameters(kernel, who, loaded));
  MMC_RETURN_IF_ERROR(checkLaunch(who, loaded));
  functions.push_back(loaded);
  return {};
}

/// One pointer for each word of the argument record, then one for each work dimension that is not fixed; then the
/// tensor maps, at the next multiple of their size.
Status LoadedKernels::checkParameters(const Kernel &kernel, const std::string &who,
                                      const LoadedFunction &loaded) const {
  size_t pointers = kernel.parameters.size();
  for (const Extent &extent : kernel.domain) pointers += extent.kind != ExtentKind::fixed;
  const size_t expected = pointers + loaded.launch.maps.size();
  const size_t firstMap =
      (pointers * sizeof(DevicePointer) + sizeof(TensorMap) - 1) / sizeof(TensorMap) * sizeof(TensorMap);
  for (size_t i = 0;; ++i) {
    size_t offset = 0, bytes = 0;
    const Result result = where->driver().funcGetParamInfo(loaded.function, i, &offset, &bytes);
    if (result == Result::invalidValue) { // there is none of this number
      if (i == expected) return {};
      return Status(runtime::kDeviceImageLaunch,
                    who + " has " + std::to_string(i) + " parameters, expected " + std::to_string(expected) +
                        " by the plan: a pointer per word of its argument record and per work dimension that is not "
                        "fixed, and its tensor maps");
    }
    MMC_RETURN_IF_ERROR(
        where->check(result, symbols::funcGetParamInfo, [&] { return "asking for the parameters of " + who; }));
    const bool isMap = i >= pointers;
    const size_t size = isMap ? sizeof(TensorMap) : sizeof(DevicePointer);
    const size_t place = isMap ? firstMap + (i - pointers) * size : i * size;
    if (i >= expected || bytes != size || offset != place)
      return Status(runtime::kDeviceImageLaunch,
                    who + " has parameter " + std::to_string(i) + " of " + std::to_string(bytes) + " bytes at " +
                        std::to_string(offset) + ", expected " + std::to_string(pointers) +
                        " pointers, one after the other, by the plan" +
                        (loaded.launch.maps.empty() ? std::string()
                                                    : ", and then " + std::to_string(loaded.launch.maps.size()) +
                                                          " tensor maps from " + std::to_string(firstMap) + " on"));
  }
}

/// What the plan asks for against what the function and the device allow. Makes room for the shared memory.
Status LoadedKernels::checkLaunch(const std::string &who, const LoadedFunction &loaded) const {
  auto ask = [&](FunctionAttribute attribute, int &value) {
    return MMC_CUDA_CALL(*where, funcGetAttribute, (&value, attribute, loaded.function),
                         "asking what " + who + " needs");
  };
  int threads = 0, shared = 0;
  MMC_RETURN_IF_ERROR(ask(FunctionAttribute::maxThreadsPerBlock, threads));
  MMC_RETURN_IF_ERROR(ask(FunctionAttribute::sharedSizeBytes, shared));
  if (int64_t(loaded.launch.threads) > threads)
    return Status(runtime::kDeviceImageLaunch, who + " runs with at most " + std::to_string(threads) +
                                                   " threads, and the plan launches it with " +
                                                   std::to_string(loaded.launch.threads));
  const uint64_t needed = uint64_t(std::max(shared, 0)) + loaded.launch.sharedBytes;
  if (needed > where->maxSharedBytes())
    return Status(runtime::kDeviceImageLaunch, who + " needs " + std::to_string(needed) +
                                                   " bytes of shared memory, and " + where->name() + " has " +
                                                   std::to_string(where->maxSharedBytes()) + " for a block");
  constexpr uint32_t kWithoutAsking = 48 << 10;
  if (loaded.launch.sharedBytes <= kWithoutAsking) return {};
  return MMC_CUDA_CALL(*where, funcSetAttribute,
                       (loaded.function, FunctionAttribute::maxDynamicSharedSizeBytes, int(loaded.launch.sharedBytes)),
                       "asking for " + std::to_string(loaded.launch.sharedBytes) + " bytes of shared memory for " +
                           who);
}

} // namespace mmc::cuda
