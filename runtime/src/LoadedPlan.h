// A plan that is ready to execute: verified, decoded, its kernels mapped, or loaded on a device, in the variant that
// this machine runs. Immutable.
#pragma once

#include "runtime/src/HostObject.h"
#include "runtime/src/PlanFile.h"
#include "runtime/src/PlanTables.h"

#include <memory>

namespace mmc::cuda {
class LoadedKernels;
} // namespace mmc::cuda

namespace mmc::runtime {

struct PlanOptions {
  std::string cpuVariant = {}; // empty: the widest
  bool noHostCode = false;
  std::string cudaVariant = {}; // empty: the best for the device
};

/// What every execution of a plan shares.
struct LoadedPlan {
  PlanImage image;
  PlanTables tables;
  size_t variant = 0; // index in tables.variants
  // On the cpu.
  HostObject object;
  std::vector<KernelFunction> functions; // per kernel
  uint64_t scratchBytes = 0;             // largest of the variant's kernels
  // For CUDA; null on the cpu.
  std::shared_ptr<const cuda::LoadedKernels> deviceKernels;

  const uint8_t *constants() const { return image.bytes(SegmentKind::constants).data(); }
};

/// Decodes and verifies an image: tables, and the form of the host object or of the device images with every symbol of
/// every variant. Maps and loads nothing.
Expected<PlanTables> verifyPlan(const PlanImage &image);

Expected<std::shared_ptr<const LoadedPlan>> loadPlan(PlanImage image, const PlanOptions &options);

} // namespace mmc::runtime
