// Launches and occupancy. What a GPU's driver refuses at the call is refused at the call; what goes wrong inside of the
// kernel shows at the next synchronisation.
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/Entries.h"
#include "runtime/cuda/emulation/driver/Image.h"

#include <algorithm>

using namespace mmc::emu;
using namespace mmc::emu::driver;

namespace mmc::cuda {

namespace {

/// Reads the attributes that the device has; success if they can be kept.
Result readAttributes(const LaunchConfig &config, LaunchOptions &options, bool &dependent) {
  if (config.attributeCount && !config.attributes) return Result::invalidValue;
  for (unsigned i = 0; i < config.attributeCount; ++i) {
    const LaunchAttribute &attribute = config.attributes[i];
    switch (attribute.id) {
    case LaunchAttributeId::ignore:
    case LaunchAttributeId::priority:
    case LaunchAttributeId::clusterSchedulingPolicyPreference:
      break;
    case LaunchAttributeId::clusterDimension:
      options.cluster[0] = attribute.value.clusterDimension.x;
      options.cluster[1] = attribute.value.clusterDimension.y;
      options.cluster[2] = attribute.value.clusterDimension.z;
      break;
    case LaunchAttributeId::programmaticStreamSerialization:
      dependent = attribute.value.programmaticStreamSerialization != 0;
      break;
    case LaunchAttributeId::cooperative:
      if (attribute.value.cooperative) return Result::notSupported;
      break;
    default:
      return Result::notSupported;
    }
  }
  return Result::success;
}

/// Sizes as asked for; a kernel that was compiled for a cluster has it without asking.
Result readSizes(const CUfunc_st &function, const LaunchConfig &config, LaunchOptions &options, bool &dependent) {
  const uint32_t *compiled = function.kernel.cluster;
  if (compiled[0]) std::copy(compiled, compiled + 3, options.cluster);
  if (const Result result = readAttributes(config, options, dependent); result != Result::success) return result;
  const unsigned grid[3] = {config.gridX, config.gridY, config.gridZ};
  const unsigned block[3] = {config.blockX, config.blockY, config.blockZ};
  std::copy(grid, grid + 3, options.grid);
  std::copy(block, block + 3, options.block);
  options.dynamicSharedBytes = config.sharedBytes;
  return Result::success;
}

Result checkBlock(const CUfunc_st &function, const LaunchOptions &o) {
  const uint64_t threads = uint64_t(o.block[0]) * o.block[1] * o.block[2];
  if (!threads || o.block[0] > 1024 || o.block[1] > 1024 || o.block[2] > 64 || threads > 1024)
    return Result::invalidValue;
  if (function.kernel.maxThreads && threads > function.kernel.maxThreads) return Result::launchOutOfResources;
  return o.dynamicSharedBytes > function.maxDynamicShared ? Result::invalidValue : Result::success;
}

/// Clusters of the function that run at a time; 0: none.
uint32_t activeClusters(const CUfunc_st &function, const LaunchOptions &o) {
  const uint64_t blocks = uint64_t(o.cluster[0]) * o.cluster[1] * o.cluster[2];
  const uint32_t threads = o.block[0] * o.block[1] * o.block[2];
  return uint32_t(uint64_t(machineOptions().sms) * blocksPerSm(function.kernel, threads, o.dynamicSharedBytes) /
                  blocks);
}

Result checkCluster(const CUfunc_st &function, const LaunchOptions &o) {
  const uint64_t blocks = uint64_t(o.cluster[0]) * o.cluster[1] * o.cluster[2];
  if (!blocks || blocks > (function.largeClusters ? 16u : 8u)) return Result::invalidClusterSize;
  for (int i = 0; i < 3; ++i) {
    const uint32_t compiled = function.kernel.cluster[0] ? function.kernel.cluster[i] : o.cluster[i];
    if (o.grid[i] % o.cluster[i] || compiled != o.cluster[i]) return Result::invalidClusterSize;
  }
  return activeClusters(function, o) ? Result::success : Result::invalidClusterSize;
}

Result checkLaunch(const CUfunc_st &function, const LaunchOptions &o) {
  constexpr uint64_t kMostBlocks = 1 << 24; // that the emulation runs
  if (!o.grid[0] || !o.grid[1] || !o.grid[2] || o.grid[0] > 0x7fffffff || o.grid[1] > 65535 || o.grid[2] > 65535)
    return Result::invalidValue;
  if (uint64_t(o.grid[0]) * o.grid[1] > kMostBlocks || uint64_t(o.grid[0]) * o.grid[1] * o.grid[2] > kMostBlocks)
    return Result::notSupported;
  if (const Result result = checkBlock(function, o); result != Result::success) return result;
  return checkCluster(function, o);
}

Result launchOn(CUstream_st &stream, const LaunchConfig &config, Function function, void **parameters, void **extra) {
  if (!process().functions.has(function)) return Result::invalidHandle;
  if (function->module->context != stream.context) return Result::invalidHandle;
  if (extra) return Result::notSupported;
  const MmcEmuKernel &kernel = function->kernel;
  if (kernel.parameterCount && !parameters) return Result::invalidValue;
  for (uint32_t i = 0; i < kernel.parameterCount; ++i)
    if (!parameters[i]) return Result::invalidValue;
  auto work = std::make_shared<LaunchWork>();
  work->kernel = kernel;
  if (const Result result = readSizes(*function, config, work->options, work->dependent); result != Result::success)
    return result;
  if (const Result result = checkLaunch(*function, work->options); result != Result::success) return result;
  work->image = function->module->image;
  work->setParameters(parameters);
  return addWork(stream, std::move(work));
}

} // namespace

extern "C" {

Result cuLaunchKernelEx(const LaunchConfig *config, Function function, void **parameters, void **extra) {
  return callOn(CallKind::launches, config ? config->stream : nullptr, [&](CUctx_st &, CUstream_st &stream) {
    return launchOn(stream, *config, function, parameters, extra);
  });
}

Result cuLaunchKernel(Function function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                      unsigned blockY, unsigned blockZ, unsigned sharedBytes, Stream stream, void **parameters,
                      void **extra) {
  const LaunchConfig config{gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream, nullptr, 0};
  return cuLaunchKernelEx(&config, function, parameters, extra);
}

Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, Function function, int threads, size_t sharedBytes) {
  return callIn(CallKind::asks, [&](CUctx_st &) {
    if (!process().functions.has(function)) return Result::invalidHandle;
    if (!blocks || threads <= 0) return Result::invalidValue;
    const bool fits = threads <= 1024 && sharedBytes <= kMaxSharedBytes &&
                      (!function->kernel.maxThreads || uint32_t(threads) <= function->kernel.maxThreads);
    *blocks = fits ? int(blocksPerSm(function->kernel, uint32_t(threads), uint32_t(sharedBytes))) : 0;
    return Result::success;
  });
}

Result cuOccupancyMaxActiveClusters(int *clusters, Function function, const LaunchConfig *config) {
  return callIn(CallKind::asks, [&](CUctx_st &) {
    if (!process().functions.has(function)) return Result::invalidHandle;
    if (!clusters || !config) return Result::invalidValue;
    LaunchOptions options;
    bool dependent = false;
    if (const Result result = readSizes(*function, *config, options, dependent); result != Result::success)
      return result;
    if (const Result result = checkBlock(*function, options); result != Result::success) return result;
    const uint64_t size = uint64_t(options.cluster[0]) * options.cluster[1] * options.cluster[2];
    if (!size || size > (function->largeClusters ? 16u : 8u)) return Result::invalidClusterSize;
    *clusters = int(activeClusters(*function, options));
    return Result::success;
  });
}

} // extern "C"
} // namespace mmc::cuda
