// Which driver a target opens, and which variant of a plan a device runs.
#include "runtime/cuda/session/LoadedKernels.h"
#include "runtime/src/DeviceImage.h"
#include "runtime/src/Errors.h"
#include "runtime/src/Names.h"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <unistd.h>

namespace mmc::cuda {

using runtime::PlanTables;

namespace {

constexpr const char *kEmulatedDriver = "libmmc_cuda_emu.so";
constexpr const char *kNameOfEmulatedDriver = "MMC_CUDA_EMU_DRIVER";
/// Another library in place of libcuda.so.1: one that watches it, such as runtime/cuda/profile.
constexpr const char *kNameOfDriver = "MMC_CUDA_DRIVER";

std::string folderOf(const std::string &path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// Where the emulated driver may lie: beside the library that this code is in, or the program, or where programs have
/// their libraries.
std::vector<std::string> placesOfDriver() {
  std::vector<std::string> folders, places;
  Dl_info info;
  if (dladdr(reinterpret_cast<const void *>(&openDriverFor), &info) && info.dli_fname)
    folders.push_back(folderOf(info.dli_fname));
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program);
  if (length > 0) folders.push_back(folderOf(std::string(program, size_t(length))));
  for (const std::string &folder : folders)
    for (const char *beside : {"/", "/../lib/", "/../" MMC_LIBRARY_FOLDER "/"})
      if (const std::string place = folder + beside;
          !folder.empty() && std::find(places.begin(), places.end(), place) == places.end())
        places.push_back(place);
  return places;
}

} // namespace

Expected<std::shared_ptr<const DriverApi>> openDriverFor(const std::string &target) {
  if (target == runtime::kTargetCuda) {
    const char *named = std::getenv(kNameOfDriver);
    return openDriver(named && *named ? named : kSystemDriver);
  }
  if (const char *named = std::getenv(kNameOfEmulatedDriver); named && *named) return openDriver(named);
  const std::vector<std::string> places = placesOfDriver();
  for (const std::string &place : places)
    if (access((place + kEmulatedDriver).c_str(), R_OK) == 0) return openDriver(place + kEmulatedDriver);
  return Status(runtime::kNoCudaDriver,
                "there is no " + std::string(kEmulatedDriver) + " in " + runtime::joinNames(places),
                std::string("put the emulated driver beside the runtime, or name it in ") + kNameOfEmulatedDriver);
}

Expected<size_t> chooseDeviceVariant(const PlanTables &plan, const std::string &wanted, const DeviceContext &device) {
  const std::vector<std::string> &variants = plan.variants;
  const std::string runs = device.name() + " is sm_" + std::to_string(device.major() * 10 + device.minor());
  auto architecture = [&](size_t i) { return *runtime::parseArchitecture(variants[i]); };
  const bool cubins = plan.target == runtime::kTargetCuda;
  if (!wanted.empty()) {
    const size_t at = size_t(std::find(variants.begin(), variants.end(), wanted) - variants.begin());
    if (at == variants.size())
      return Status(runtime::kVariantMissing,
                    "the plan has no variant '" + wanted + "', it has " + runtime::joinNames(variants));
    if (cubins && !architecture(at).runsOn(device.major(), device.minor()))
      return Status(runtime::kVariantMissing, "cubins of variant '" + wanted + "' do not run here: " + runs);
    return at;
  }
  // The emulation runs all; the family of the newer architecture comes first, as on a device.
  if (!cubins)
    return size_t(std::find(variants.begin(), variants.end(), "sm_90a") - variants.begin()) % variants.size();
  size_t best = variants.size();
  auto rank = [&](size_t i) { return 2 * architecture(i).number() + architecture(i).specific; };
  for (size_t i = 0; i < variants.size(); ++i)
    if (architecture(i).runsOn(device.major(), device.minor()) && (best == variants.size() || rank(i) > rank(best)))
      best = i;
  if (best != variants.size()) return best;
  return Status(runtime::kVariantMissing, "the plan has cubins for " + runtime::joinNames(variants) + ", and " + runs,
                "compile the model for cuda:sm_" + std::to_string(device.major() * 10 + device.minor()));
}

} // namespace mmc::cuda
