// The tensor maps of a session's launches: encoded once, when all memory that they describe has its place.
//
// What a launch binds differs by shape class (places and sizes of buffers) and by layer (weights), so there is one set
// for each of both. A driver copies maps when a kernel is launched or captured.
#pragma once

#include "runtime/cuda/session/DeviceContext.h"
#include "runtime/src/PlanTables.h"

#include <functional>
#include <map>
#include <tuple>
#include <vector>

namespace mmc::cuda {

/// Memory that an argument word of a launch stands for.
struct ArgumentMemory {
  DevicePointer address = 0;
  uint64_t bytes = 0; // from there on
};

class LaunchMaps {
public:
  /// The maps that `function` of `kernel` gets, of these arguments. `who` names the launch in the message of a failure,
  /// which is one of the driver's refusals, or a buffer too small for one row.
  static Expected<std::vector<TensorMap>> encode(const DeviceContext &device, const runtime::Kernel &kernel,
                                                 const runtime::DeviceFunction &function,
                                                 const std::function<ArgumentMemory(uint32_t argument)> &memory,
                                                 const std::string &who);

  void add(const runtime::EntryPoint &entry, const runtime::Launch &launch, int32_t layer,
           std::vector<TensorMap> maps) {
    known[{&entry, &launch, layer}] = std::move(maps);
  }
  bool empty() const { return known.empty(); }
  /// Of a launch whose kernel gets maps.
  const std::vector<TensorMap> &of(const runtime::EntryPoint &entry, const runtime::Launch &launch,
                                   int32_t layer) const {
    return known.at({&entry, &launch, layer});
  }

private:
  std::map<std::tuple<const runtime::EntryPoint *, const runtime::Launch *, int32_t>, std::vector<TensorMap>> known;
};

} // namespace mmc::cuda
