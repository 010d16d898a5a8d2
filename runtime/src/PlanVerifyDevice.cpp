// Checks what a decoded plan says of code for a device: the images, and how each kernel is launched. Relies on the
// checks of variants and symbols in PlanVerifyKernels.cpp; that the images hold what is said of them, DeviceImage.cpp
// checks.
#include "runtime/src/DeviceImage.h"
#include "runtime/src/PlanVerify.h"

#include <algorithm>

namespace mmc::runtime {

static Status verifyVariant(const PlanTables &plan, const std::string &name) {
  if (plan.target == kTargetCuda && !parseArchitecture(name))
    return badField("variants", "'" + name.substr(0, 120) + "'", "an architecture as sm_80 or sm_90a");
  if (plan.target == kTargetEmulation && name != "portable" && name != "sm_90a")
    return badField("variants", "'" + name.substr(0, 120) + "'", "portable or sm_90a");
  return {};
}

static Status verifyImages(const PlanTables &plan, uint64_t imagesBytes) {
  if (plan.deviceImages.empty()) return badField("device_images count", uint64_t(0), "at least 1");
  uint64_t end = 0;
  for (size_t i = 0; i < plan.deviceImages.size(); ++i) {
    const DeviceImage &image = plan.deviceImages[i];
    const std::string who = entryName("device_images", i);
    MMC_RETURN_IF_ERROR(checkRange(who + " variant", image.variant, 0, plan.variants.size() - 1));
    if (image.offset % kAlignment || image.offset < end)
      return badField(who + " offset", image.offset, "a multiple of 64, at least " + std::to_string(end));
    if (image.bytes == 0) return badField(who + " bytes", uint64_t(0), "at least 1");
    if (image.offset > imagesBytes || image.bytes > imagesBytes - image.offset)
      return badField(who + " end", std::to_string(image.offset) + " + " + std::to_string(image.bytes),
                      "within the segment of device images of " + std::to_string(imagesBytes) + " bytes");
    end = image.offset + image.bytes;
  }
  return {};
}

static Status verifyFunction(const PlanTables &plan, const std::string &who, const DeviceFunction &function,
                             size_t variant) {
  constexpr uint32_t kMaxThreads = 1024, kMaxShared = 232448; // of a block, on any device that the kernels know
  MMC_RETURN_IF_ERROR(checkRange(who + " image", function.image, 0, plan.deviceImages.size() - 1));
  if (plan.deviceImages[function.image].variant != variant)
    return badField(who + " image", "one of variant " + std::to_string(plan.deviceImages[function.image].variant),
                    "one of variant " + std::to_string(variant));
  if (function.threads == 0 || function.threads > kMaxThreads || function.threads % 32)
    return badField(who + " threads", function.threads, "a multiple of 32 up to 1024");
  MMC_RETURN_IF_ERROR(checkRange(who + " shared_bytes", function.sharedBytes, 0, kMaxShared));
  const bool dealt = function.dealtRows != Rows::none;
  return checkRange(who + " dealt_step", function.dealtStep, dealt ? 1 : 0, dealt ? 1u << 24 : 0);
}

Status verifyDeviceCode(const PlanTables &plan, uint64_t imagesBytes) {
  const size_t wanted = plan.onDevice() ? plan.variants.size() : 0;
  for (size_t i = 0; i < plan.kernels.size(); ++i)
    if (plan.kernels[i].functions.size() != wanted)
      return badField(entryName("kernels", i, plan.kernels[i].name) + " functions count",
                      plan.kernels[i].functions.size(),
                      plan.onDevice() ? std::to_string(wanted) + ", one per variant" : "0, as target cpu has none");
  if (!plan.onDevice()) return checkRange("device_images count of target cpu", plan.deviceImages.size(), 0, 0);
  for (const std::string &name : plan.variants) MMC_RETURN_IF_ERROR(verifyVariant(plan, name));
  MMC_RETURN_IF_ERROR(verifyImages(plan, imagesBytes));
  for (size_t i = 0; i < plan.kernels.size(); ++i) {
    // Loading compares the functions with it.
    if (!plan.kernels[i].described)
      return badField(entryName("kernels", i, plan.kernels[i].name) + " interface and domain", std::string("absent"),
                      "a description, as target " + plan.target + " needs");
    for (size_t v = 0; v < wanted; ++v) {
      const std::string who = entryName("kernels", i, plan.kernels[i].name) + " " + entryName("functions", v);
      MMC_RETURN_IF_ERROR(verifyFunction(plan, who, plan.kernels[i].functions[v], v));
      const size_t maps = plan.kernels[i].functions[v].maps.size();
      if (maps && !std::count(plan.requiredFeatures.begin(), plan.requiredFeatures.end(), kFeatureTensorMaps))
        return badField(who + " maps count", maps, std::string("0, as required_features lacks ") + kFeatureTensorMaps);
      MMC_RETURN_IF_ERROR(verifyMaps(plan.kernels[i], plan.kernels[i].functions[v], who));
    }
  }
  return {};
}

} // namespace mmc::runtime
