// Loads a plan: verification first, all of it, then the choice of a variant, then the mapping of code.
#include "runtime/src/LoadedPlan.h"

#include "runtime/cuda/session/LoadedKernels.h"
#include "runtime/src/DeviceImage.h"
#include "runtime/src/Errors.h"

#include <algorithm>

namespace mmc::runtime {

static Status verifyHostCode(const PlanImage &image, const PlanTables &tables) {
  if (!image.has(SegmentKind::hostObject)) return Status(kHostObjectForm, "the plan has no host object");
  if (image.has(SegmentKind::deviceImages))
    return Status(kDeviceImageForm, "the plan is for target cpu and has device images, expected none");
  std::vector<std::string> symbols, records;
  for (const Kernel &kernel : tables.kernels)
    for (size_t variant = 0; variant < kernel.symbols.size(); ++variant) {
      symbols.push_back(kernel.symbols[variant]);
      records.push_back(kernel.described ? kernelRecord(kernel, kernel.scratchBytes[variant]) : "");
    }
  return checkHostObject(image.bytes(SegmentKind::hostObject), symbols, records);
}

Expected<PlanTables> verifyPlan(const PlanImage &image) {
  Expected<PlanTables> tables =
      decodePlan(image.bytes(SegmentKind::metadata), image.bytes(SegmentKind::constants).size(),
                 image.bytes(SegmentKind::deviceImages).size());
  if (!tables.ok()) return tables;
  if (tables->ranks != 1)
    return Status(kUnsupportedTarget,
                  "the plan is for " + std::to_string(tables->ranks) + " ranks, this runtime executes 1");
  if (!tables->onDevice()) {
    MMC_RETURN_IF_ERROR(verifyHostCode(image, *tables));
    return tables;
  }
  if (image.has(SegmentKind::hostObject))
    return Status(kHostObjectForm,
                  "the plan is for target " + tables->target + " and has a host object, expected none");
  MMC_RETURN_IF_ERROR(checkDeviceImages(*tables, image.bytes(SegmentKind::deviceImages)));
  return tables;
}

static Status mapHostCode(LoadedPlan &loaded, const PlanOptions &options) {
  const PlanTables &plan = loaded.tables;
  Expected<size_t> variant = chooseVariant(plan.variants, options.cpuVariant);
  if (!variant.ok()) return variant.status();
  loaded.variant = *variant;
  if (options.noHostCode) return Status(kHostCodeRefused, "the plan's kernels are host code, which the caller refuses");
  Expected<HostObject> object = HostObject::map(loaded.image.bytes(SegmentKind::hostObject));
  if (!object.ok()) return object.status();
  loaded.object = std::move(*object);
  for (const Kernel &kernel : plan.kernels) {
    const KernelFunction function = loaded.object.find(kernel.symbols[*variant]);
    if (!function)
      return Status(kHostObjectSymbol, "host object: kernel symbol '" + kernel.symbols[*variant] + "' is missing");
    loaded.functions.push_back(function);
    loaded.scratchBytes = std::max(loaded.scratchBytes, kernel.scratchBytes[*variant]);
  }
  return {};
}

static Status loadDeviceCode(LoadedPlan &loaded, const PlanOptions &options) {
  const PlanTables &plan = loaded.tables;
  if (options.noHostCode && plan.target == kTargetEmulation)
    return Status(kHostCodeRefused, "the emulation's kernels are host code, which the caller refuses");
  Expected<std::shared_ptr<const cuda::DriverApi>> driver = cuda::openDriverFor(plan.target);
  if (!driver.ok()) return driver.status();
  Expected<std::shared_ptr<cuda::DeviceContext>> device = cuda::DeviceContext::open(*driver, 0);
  if (!device.ok()) return device.status();
  Expected<size_t> variant = cuda::chooseDeviceVariant(plan, options.cudaVariant, **device);
  if (!variant.ok()) return variant.status();
  loaded.variant = *variant;
  Expected<std::shared_ptr<const cuda::LoadedKernels>> kernels =
      cuda::LoadedKernels::load(*device, plan, *variant, loaded.image.bytes(SegmentKind::deviceImages));
  if (!kernels.ok()) return kernels.status();
  loaded.deviceKernels = std::move(*kernels);
  return {};
}

Expected<std::shared_ptr<const LoadedPlan>> loadPlan(PlanImage image, const PlanOptions &options) {
  auto loaded = std::make_shared<LoadedPlan>();
  Expected<PlanTables> tables = verifyPlan(image);
  if (!tables.ok()) return tables.status();
  loaded->tables = std::move(*tables);
  loaded->image = std::move(image);
  const std::string &foreign = loaded->tables.onDevice() ? options.cpuVariant : options.cudaVariant;
  if (!foreign.empty())
    return Status(kVariantMissing, "the plan has no " + std::string(loaded->tables.onDevice() ? "cpu" : "cuda") +
                                       " variant '" + foreign.substr(0, 60) + "', it is for target " +
                                       loaded->tables.target);
  MMC_RETURN_IF_ERROR(loaded->tables.onDevice() ? loadDeviceCode(*loaded, options) : mapHostCode(*loaded, options));
  return std::shared_ptr<const LoadedPlan>(std::move(loaded));
}

} // namespace mmc::runtime
