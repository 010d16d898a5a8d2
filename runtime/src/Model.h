// A loaded plan with its weights: everything that sessions share. Immutable once made; any number of threads.
#pragma once

#include "runtime/src/LoadedPlan.h"
#include "runtime/src/WeightLoader.h"

namespace mmc::cuda {
class DeviceModel;
} // namespace mmc::cuda

namespace mmc::runtime {

struct Model {
  std::shared_ptr<const LoadedPlan> plan;
  WeightStore weights;                             // without memory where a device has them
  std::shared_ptr<const cuda::DeviceModel> device; // null on the cpu
  /// Per weight and layer: which instance the layer reads; per-layer weights only, others are empty.
  std::vector<std::vector<uint32_t>> instances;
  std::vector<int32_t> suppressedTokens;
  Digest fingerprint{};

  const PlanTables &tables() const { return plan->tables; }
};

/// Memory of the host through which weights go to a device at a time, unless one instance of a weight is larger.
inline constexpr uint64_t kStagingBytes = uint64_t(1) << 30;

/// Lays out weights from `source` with `threads` threads (0: one per core) and makes a model.
Expected<std::shared_ptr<const Model>> makeModel(std::shared_ptr<const LoadedPlan> plan, RowSource &source,
                                                 uint32_t threads, const ProgressFunction &progress,
                                                 uint64_t stagingBytes = kStagingBytes);

} // namespace mmc::runtime
