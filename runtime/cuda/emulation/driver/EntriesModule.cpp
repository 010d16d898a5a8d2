// Modules and their functions.
#include "runtime/cuda/emulation/driver/Capture.h"
#include "runtime/cuda/emulation/driver/Entries.h"
#include "runtime/cuda/emulation/driver/Image.h"
#include "runtime/cuda/emulation/driver/Queue.h"

#include <algorithm>
#include <cstring>

using namespace mmc::emu;
using namespace mmc::emu::driver;

namespace mmc::cuda {

namespace {

/// Writes the sentence to the caller's buffer for errors, if it gave one.
void writeLog(const std::string &text, unsigned count, JitOption *options, void **values) {
  char *buffer = nullptr;
  size_t room = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == JitOption::errorLogBuffer) buffer = static_cast<char *>(values[i]);
    if (options[i] == JitOption::errorLogBufferSizeBytes) room = uint32_t(reinterpret_cast<uintptr_t>(values[i]));
  }
  if (!buffer || !room) return;
  const size_t length = std::min(text.size(), room - 1);
  std::memcpy(buffer, text.data(), length);
  buffer[length] = 0;
}

Result load(CUctx_st &context, Module *module, const void *image, unsigned count, JitOption *options, void **values) {
  if (!module || !image || (count && (!options || !values))) return Result::invalidValue;
  if (const Result result = checkUnsafe(); result != Result::success) return result;
  LoadedImage loaded = loadImage(image);
  if (!loaded.image) {
    writeLog(loaded.why, count, options, values);
    return loaded.result;
  }
  auto made = std::make_unique<CUmod_st>();
  made->context = &context;
  made->image = std::move(loaded.image);
  *module = process().modules.add(std::move(made));
  return Result::success;
}

template <class Body> Result onFunction(Function function, Body body) {
  return callIn(CallKind::asks, [&](CUctx_st &) {
    if (!process().functions.has(function)) return Result::invalidHandle;
    return body();
  });
}

/// A kernel's parameters lie one after the other, each at a multiple of its alignment. NOTE: the record does not say
/// that; the greatest power of two that divides the size stands for it, which is right for scalars, pointers, vectors
/// and tensor maps.
size_t alignmentOf(uint32_t bytes) { return std::min<size_t>(bytes & (~bytes + 1), 128); }

} // namespace

extern "C" {

Result cuModuleLoadDataEx(Module *module, const void *image, unsigned count, JitOption *options, void **values) {
  return callIn(CallKind::loads,
                [&](CUctx_st &context) { return load(context, module, image, count, options, values); });
}

Result cuModuleLoadData(Module *module, const void *image) {
  return callIn(CallKind::loads, [&](CUctx_st &context) { return load(context, module, image, 0, nullptr, nullptr); });
}

Result cuModuleUnload(Module module) {
  return callIn(CallKind::releases, [&](CUctx_st &) {
    if (!process().modules.has(module)) return Result::invalidHandle;
    if (const Result result = checkUnsafe(); result != Result::success) return result;
    runAll(); // its code may be wanted
    for (auto &[name, function] : module->functions) process().functions.remove(function);
    process().modules.remove(module);
    return Result::success;
  });
}

Result cuModuleGetFunction(Function *function, Module module, const char *name) {
  return callIn(CallKind::asks, [&](CUctx_st &) {
    if (!function || !name) return Result::invalidValue;
    if (!process().modules.has(module)) return Result::invalidHandle;
    auto [at, added] = module->functions.try_emplace(name);
    if (added) {
      const MmcEmuKernel *record = module->image->kernel(name);
      if (!record) {
        module->functions.erase(at);
        return Result::notFound;
      }
      auto made = std::make_unique<CUfunc_st>();
      made->module = module;
      made->kernel = *record;
      made->sharedBytes = std::exchange(made->kernel.staticSharedBytes, 0);
      at->second = process().functions.add(std::move(made));
    }
    *function = at->second;
    return Result::success;
  });
}

Result cuFuncGetAttribute(int *value, FunctionAttribute attribute, Function function) {
  return onFunction(function, [&] {
    if (!value) return Result::invalidValue;
    const MmcEmuKernel &kernel = function->kernel;
    switch (attribute) {
    case FunctionAttribute::maxThreadsPerBlock:
      *value = kernel.maxThreads ? int(kernel.maxThreads) : 1024;
      return Result::success;
    case FunctionAttribute::sharedSizeBytes: // all of it is dynamic
    case FunctionAttribute::constSizeBytes:
    case FunctionAttribute::localSizeBytes:
      *value = 0;
      return Result::success;
    case FunctionAttribute::numRegisters: // as the launch bounds would allow: there is no assembler here
      *value = int(std::min(255u, (64u << 10) / std::max(1u, kernel.maxThreads * std::max(1u, kernel.minBlocks))));
      return Result::success;
    case FunctionAttribute::ptxVersion:
    case FunctionAttribute::binaryVersion:
      *value = 90;
      return Result::success;
    case FunctionAttribute::maxDynamicSharedSizeBytes:
      *value = int(function->maxDynamicShared);
      return Result::success;
    case FunctionAttribute::preferredSharedMemoryCarveout:
      *value = -1;
      return Result::success;
    case FunctionAttribute::clusterSizeMustBeSet:
      *value = 0; // those that need one say which
      return Result::success;
    case FunctionAttribute::requiredClusterWidth:
    case FunctionAttribute::requiredClusterHeight:
    case FunctionAttribute::requiredClusterDepth:
      *value = int(kernel.cluster[unsigned(attribute) - unsigned(FunctionAttribute::requiredClusterWidth)]);
      return Result::success;
    case FunctionAttribute::nonPortableClusterSizeAllowed:
      *value = function->largeClusters;
      return Result::success;
    }
    return Result::invalidValue;
  });
}

Result cuFuncSetAttribute(Function function, FunctionAttribute attribute, int value) {
  return onFunction(function, [&] {
    switch (attribute) {
    case FunctionAttribute::maxDynamicSharedSizeBytes:
      if (value < 0 || uint32_t(value) > kMaxSharedBytes) return Result::invalidValue;
      function->maxDynamicShared = uint32_t(value);
      return Result::success;
    case FunctionAttribute::preferredSharedMemoryCarveout:
      return value < -1 || value > 100 ? Result::invalidValue : Result::success;
    case FunctionAttribute::nonPortableClusterSizeAllowed:
      if (value != 0 && value != 1) return Result::invalidValue;
      function->largeClusters = value;
      return Result::success;
    default:
      return Result::invalidValue;
    }
  });
}

Result cuFuncGetParamInfo(Function function, size_t index, size_t *offset, size_t *bytes) {
  return onFunction(function, [&] {
    const MmcEmuKernel &kernel = function->kernel;
    if (!offset || index >= kernel.parameterCount) return Result::invalidValue;
    size_t at = 0;
    for (size_t i = 0; i <= index; ++i) {
      const size_t alignment = alignmentOf(kernel.parameterBytes[i]);
      at = (at + alignment - 1) / alignment * alignment;
      if (i < index) at += kernel.parameterBytes[i];
    }
    *offset = at;
    if (bytes) *bytes = kernel.parameterBytes[index];
    return Result::success;
  });
}

} // extern "C"
} // namespace mmc::cuda
