// A plan that is ready to execute: verified, decoded, its kernels mapped in the variant that this machine runs.
// Immutable.
#pragma once

#include "runtime/src/HostObject.h"
#include "runtime/src/PlanFile.h"
#include "runtime/src/PlanTables.h"

#include <memory>

namespace mmc::runtime {

struct PlanOptions {
  std::string cpuVariant; // empty: the widest
  bool noHostCode = false;
};

/// What every execution of a plan shares.
struct LoadedPlan {
  PlanImage image;
  PlanTables tables;
  HostObject object;
  size_t variant = 0;                    // index in tables.variants
  std::vector<KernelFunction> functions; // per kernel
  uint64_t scratchBytes = 0;             // largest of the variant's kernels

  const uint8_t *constants() const { return image.bytes(SegmentKind::constants).data(); }
};

/// Decodes and verifies an image: tables, and the form of the host object with every symbol of every variant. Maps
/// nothing.
Expected<PlanTables> verifyPlan(const PlanImage &image);

Expected<std::shared_ptr<const LoadedPlan>> loadPlan(PlanImage image, const PlanOptions &options);

} // namespace mmc::runtime
