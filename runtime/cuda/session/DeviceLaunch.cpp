// Launches of a device backend: the parameters of a kernel, its grid, and what is said when one fails.
//
// A parameter is a pointer for each word of the argument record, counts as pointers into the record's twin on the
// device, then one to the number of points of each work dimension that is not fixed; then come the tensor maps.
#include "runtime/cuda/session/DeviceBackend.h"
#include "runtime/src/Errors.h"

#include <algorithm>

namespace mmc::cuda {

using runtime::Argument;
using runtime::ArgumentKind;
using runtime::Extent;
using runtime::ExtentKind;
using runtime::kMaxArguments;
using runtime::kMaxDomainRank;
using runtime::Launch;
using runtime::LaunchEvent;
using runtime::StepRecord;

Status DeviceBackend::runCommands(const Place &place, const StepRecord &step, const std::atomic<bool> &cancelled) {
  const std::span<const runtime::Command> all(place.program.commands);
  for (size_t at = 0, next; at < all.size(); at = next) {
    if (cancelled.load(std::memory_order_relaxed)) return Status(runtime::kStepCancelled, "the step was cancelled");
    next = at + 1;
    if (!all[at].isStack) {
      while (all[at].launch.branch && next < all.size() && !all[next].isStack && all[next].launch.branch) ++next;
      MMC_RETURN_IF_ERROR(runNeighbours(all.subspan(at, next - at), place, step));
      continue;
    }
    for (uint32_t i = 0; i < plan().stack.size(); ++i)
      MMC_RETURN_IF_ERROR(runCommands({plan().layerKinds[plan().stack[i]], int32_t(i), place.inHead}, step, cancelled));
  }
  return {};
}

Status DeviceBackend::runLaunch(const Launch &launch, const Place &place, const StepRecord &step, Stream in) {
  uint64_t domain[kMaxDomainRank], points = 1;
  for (size_t i = 0; i < launch.domain.size(); ++i) points *= domain[i] = runtime::extentOf(launch.domain[i], step);
  if (!points) return {};
  DevicePointer words[kMaxArguments + kMaxDomainRank];
  void *parameters[kMaxArguments + kMaxDomainRank + runtime::kMaxTensorMaps];
  size_t count = 0;
  for (const Argument &argument : launch.arguments) words[count++] = pointer(argument, step, place.layer);
  for (const Extent &extent : launch.domain)
    if (extent.kind != ExtentKind::fixed) words[count++] = countOf(extent, step);
  for (size_t i = 0; i < count; ++i) parameters[i] = &words[i];
  const LoadedFunction &loaded = model->device->kernels()[launch.kernel];
  if (!loaded.launch.maps.empty())
    for (const TensorMap &map : maps.of(*step.entry, launch, place.layer))
      parameters[count++] = const_cast<TensorMap *>(&map);

  uint64_t told[kMaxArguments];
  LaunchEvent event{true,
                    launch.kernel,
                    place.layer,
                    place.inHead,
                    &launch,
                    {told, launch.arguments.size()},
                    {domain, launch.domain.size()},
                    points,
                    &step};
  if (observer) {
    // A number where the kernel gets the address of one.
    for (size_t i = 0; i < launch.arguments.size(); ++i)
      told[i] = runtime::countOf(launch.arguments[i], step).value_or(words[i]);
    observer(event);
  }
  const LaunchConfig config = configure(loaded, points, step, in);
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, launchKernelEx, (&config, loaded.function, parameters, nullptr),
                                    describe(launch, place, step)));
  if (!observer && !options.synchronous) return {};
  MMC_RETURN_IF_ERROR(MMC_CUDA_CALL(*device, streamSynchronize, (in), describe(launch, place, step)));
  event.before = false;
  if (observer) observer(event);
  return {};
}

std::string DeviceBackend::describe(const Launch &launch, const Place &place) const {
  std::string text =
      "launch of kernel '" + plan().kernels[launch.kernel].name + "' of program '" + place.program.name + "'";
  if (place.layer >= 0) text += " in layer " + std::to_string(place.layer);
  return text;
}

/// Blocks along y share the rows of a loop: as many as there are iterations, but not more blocks in all than keep the
/// device busy, since each repeats what is before the loop.
LaunchConfig DeviceBackend::configure(const LoadedFunction &loaded, uint64_t points, const StepRecord &step,
                                      Stream in) const {
  constexpr uint64_t kBlocksPerMultiprocessor = 8, kMostAlongY = 65535;
  const runtime::DeviceFunction &launch = loaded.launch;
  uint64_t blocks = 1;
  if (launch.dealtRows != runtime::Rows::none) {
    const uint64_t rows = launch.dealtRows == runtime::Rows::tokens ? step.tokens : step.outputs;
    const uint64_t room = std::max<uint64_t>(1, kBlocksPerMultiprocessor * device->multiprocessors() / points);
    blocks = std::clamp<uint64_t>((rows + launch.dealtStep - 1) / launch.dealtStep, 1, std::min(room, kMostAlongY));
  }
  return {unsigned(points), unsigned(blocks), 1, launch.threads, 1, 1, launch.sharedBytes, in, nullptr, 0};
}

/// Of what has one place for all steps of an entry point.
DevicePointer DeviceBackend::pointer(const Argument &argument, const runtime::EntryPoint &entry, int32_t layer) const {
  if (argument.kind == ArgumentKind::buffer) return arena.address() + entry.offsets[argument.index] + argument.offset;
  if (argument.kind == ArgumentKind::weight) {
    const std::vector<uint32_t> &instances = model->instances[argument.index];
    const uint64_t instance = instances.empty() ? 0 : instances[size_t(layer)];
    return model->device->weights() + model->weights.offset(argument.index) +
           instance * plan().weights[argument.index].bytes + argument.offset;
  }
  const runtime::Constant &constant = plan().constants[argument.index];
  return model->device->constants() + constant.offset +
         (constant.layerBytes ? uint64_t(layer) * constant.layerBytes : 0) + argument.offset;
}

DevicePointer DeviceBackend::pointer(const Argument &argument, const StepRecord &step, int32_t layer) const {
  const runtime::StepLayout &layout = *step.layout;
  auto at = [&](DevicePointer base, uint64_t offset) { return base + offset + argument.offset; };
  switch (argument.kind) {
  case ArgumentKind::buffer:
  case ArgumentKind::weight:
  case ArgumentKind::constant:
    return pointer(argument, *step.entry, layer);
  case ArgumentKind::pool:
    return at(addressOf({argument.index, layer < 0 ? 0 : plan().layerOrdinals[size_t(layer)], 0}), 0);
  case ArgumentKind::pageTable:
    return at(pageTable.address(), 0);
  case ArgumentKind::tokenIds:
    return at(record.address(), layout.tokenIds);
  case ArgumentKind::rowPositions:
    return at(record.address(), layout.rowPositions);
  case ArgumentKind::rowSlots:
    return at(record.address(), layout.rowSlots);
  case ArgumentKind::outputRows:
    return at(record.address(), layout.outputRows + step.run * step.entry->outputs * sizeof(int32_t));
  case ArgumentKind::workList:
    return at(record.address(), layout.workLists[argument.index]);
  case ArgumentKind::logits:
    return at(logits.address(), 0);
  case ArgumentKind::tokenCount:
    return countOf({ExtentKind::tokens, 0}, step);
  case ArgumentKind::outputCount:
    return countOf({ExtentKind::outputs, 0}, step);
  case ArgumentKind::sequenceCount:
    return countOf({ExtentKind::sequences, 0}, step);
  case ArgumentKind::workCount:
    return countOf({ExtentKind::work, argument.index}, step);
  case ArgumentKind::immediate: // verification refuses it
    return 0;
  }
  return 0;
}

/// Where the device has a count of the step.
DevicePointer DeviceBackend::countOf(const Extent &extent, const StepRecord &step) const {
  const uint64_t place = extent.kind == ExtentKind::tokens      ? 0
                         : extent.kind == ExtentKind::sequences ? 1
                         : extent.kind == ExtentKind::work      ? 2 + extent.value
                                                                : 2 + step.workLists.size() + step.run;
  return record.address() + step.layout->counts + place * sizeof(uint32_t);
}

} // namespace mmc::cuda
