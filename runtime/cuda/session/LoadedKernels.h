// The kernels of a plan on a device: its images loaded, its functions found and compared with what the plan says of
// them.
#pragma once

#include "runtime/cuda/session/DeviceContext.h"
#include "runtime/src/PlanTables.h"

#include <vector>

namespace mmc::cuda {

struct LoadedFunction {
  Function function = nullptr;
  runtime::DeviceFunction launch; // as the plan says
};

/// Opens the driver that the plan's target wants. For cuda that is the system's. For cuda-emu it is
/// libmmc_cuda_emu.so: what MMC_CUDA_EMU_DRIVER names, or beside this library or program, or in ../lib from there.
Expected<std::shared_ptr<const DriverApi>> openDriverFor(const std::string &target);

/// The index in `plan.variants` to use on this device: `wanted`, or where it is empty the best that runs there.
Expected<size_t> chooseDeviceVariant(const runtime::PlanTables &plan, const std::string &wanted,
                                     const DeviceContext &device);

class LoadedKernels {
public:
  /// `images` is the plan's segment of images.
  static Expected<std::shared_ptr<const LoadedKernels>> load(std::shared_ptr<DeviceContext> device,
                                                             const runtime::PlanTables &plan, size_t variant,
                                                             std::span<const uint8_t> images);
  ~LoadedKernels();
  LoadedKernels(const LoadedKernels &) = delete;

  const std::shared_ptr<DeviceContext> &device() const { return where; }
  const LoadedFunction &operator[](size_t kernel) const { return functions[kernel]; }

private:
  LoadedKernels() = default;
  Status loadImage(const runtime::PlanTables &plan, size_t image, std::span<const uint8_t> images);
  Status loadFunction(const runtime::Kernel &kernel, size_t variant);
  Status checkParameters(const runtime::Kernel &kernel, const std::string &who, const LoadedFunction &loaded) const;
  Status checkLaunch(const std::string &who, const LoadedFunction &loaded) const;

  std::shared_ptr<DeviceContext> where;
  std::vector<Module> modules;           // per image of the plan; null: of another variant
  std::vector<LoadedFunction> functions; // per kernel
};

} // namespace mmc::cuda
